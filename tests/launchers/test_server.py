"""The run server keeps its ear open, whatever the modules that it has imported do, and whatever runs do."""

import json
import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the run server needs Linux", allow_module_level=True)

from spinup.launchers import local, messages, processes
from spinup.launchers.local import LocalLauncher
from spinup.testing import Bench

REPORT = "import os; open({!r}, 'w').write(str(os.getpid()))\n"
BLOCK = "open({!r}).read()\n"


@pytest.fixture
def bench(tmp_path):
    with Bench(LocalLauncher, tmp_path / "data") as bench:
        yield bench


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Writes a module where those of this process are found."""
    place = tmp_path / "site-packages"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))

    def write(source, name="lib_x"):
        (place / f"{name}.py").write_text(source)
        return name

    return write


@pytest.fixture
def endless(tmp_path, library):
    """A module whose import never ends; a function that waits until it has begun, and gives the process."""
    pipe, pid = tmp_path / "pipe", tmp_path / "pid"
    os.mkfifo(pipe)
    name = library(REPORT.format(str(pid)) + BLOCK.format(str(pipe)))
    held = []

    def wait():
        held.append(os.open(pipe, os.O_WRONLY))  # until somebody reads it
        return int(pid.read_text())

    yield name, wait
    for file in held:
        os.close(file)


def nothing():
    pass


def start(bench, run, thunk=lambda: None, *, modules=(), isolation="auto", environment=None, **kwargs):
    job = bench.prepare(run, thunk, **kwargs)
    bench.launch(run, job, environment, isolation=isolation, modules=tuple(modules))
    return job


def server_pid(bench):
    return bench.launcher._server._process.pid


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end_of(pid):
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([end], [], [])
    os.close(end)


def pause():
    signal.pause()


def leave(code):
    sys.exit(code)


# -- While modules are imported


def test_a_run_that_waits_for_an_import_is_stopped_at_once(bench, endless):
    name, wait = endless
    job = start(bench, 0, lambda: print("ran"), modules=[name])
    start(bench, 1, lambda: print("ran"), modules=[name])
    wait()
    for run in (0, 1):
        bench.launcher.stop(run, grace_s=1000.0)
        assert bench.wait_for_end(run).error == "it was stopped before it had started"
    bench.launcher.close()
    assert job.run_dir.output.read_text() == ""


def test_closing_does_not_wait_for_an_import(bench, endless):
    name, wait = endless
    start(bench, 0, modules=[name])
    template = wait()
    bench.launcher.close()
    assert not is_alive(template)
    assert bench.wait_for_end(0).code is None


def test_a_killed_launcher_takes_an_import_with_it_and_starts_nothing(tmp_path, library, endless):
    name, wait = endless
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from spinup.testing import Bench\n"
        "from spinup.launchers.local import LocalLauncher\n"
        "bench = Bench(LocalLauncher, Path(sys.argv[2]))\n"
        "bench.launch(0, bench.prepare(0, print), modules=(sys.argv[3],))\n"
        "import signal; signal.pause()\n"
    )
    command = [sys.executable, "-c", code, tmp_path / "site-packages", tmp_path / "data", name]
    with subprocess.Popen(command) as launcher:
        template = wait()
        server = int(Path(f"/proc/{template}/stat").read_text().rpartition(")")[2].split()[1])
        ends = [os.pidfd_open(pid) for pid in (server, template)]
        launcher.kill()
    for end in ends:
        signalled = select.select([end], [], [], 60)[0]
        os.close(end)
        assert signalled


def test_an_import_that_takes_too_long_costs_the_warm_start_alone(tmp_path, endless, monkeypatch):
    monkeypatch.setattr(local, "IMPORT_PATIENCE_S", 0.3)
    name, wait = endless
    with Bench(LocalLauncher, tmp_path / "data") as bench:
        start(bench, 0, modules=[name])
        template = wait()
        started = bench.wait_for_start(0)
        assert not started.is_warm
        assert started.note == f"importing {name} took more than 0.3 s"
        assert bench.wait_for_end(0).code == 0
        assert not is_alive(template)
        start(bench, 1, modules=[name], isolation="warm")
        assert bench.wait_for_start(1).is_warm
        assert bench.wait_for_end(1).code == 0


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_a_module_that_ends_its_process_harms_no_run(bench, library, end):
    start(bench, 0, pause)
    assert bench.wait_for_start(0).is_warm
    name = library(f"import os; {end}")
    for run in (1, 2):
        start(bench, run, modules=[name])
        started = bench.wait_for_start(run)
        assert (started.is_warm, started.note) == (
            False,
            f"importing {name} ended the process that did it",
        )
        assert bench.wait_for_end(run).code == 0
    start(bench, 3, modules=["decimal"])
    assert bench.wait_for_start(3).is_warm
    start(bench, 4, modules=[name], isolation="warm")
    assert (bench.wait_for_start(4).is_warm, bench.wait_for_end(4).code) == (True, 0)
    bench.launcher.stop(0, grace_s=1000.0)
    assert bench.wait_for_end(0).code == -signal.SIGTERM


@pytest.mark.parametrize(
    "harm",
    [
        "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "import signal; signal.set_wakeup_fd(-1)",
        "raise SystemExit(3)",
        "import os; os.closerange(0, 3)",
    ],
)
def test_a_module_cannot_make_the_server_deaf(bench, library, harm):
    name = library(harm)
    for run in (0, 1):
        start(bench, run, leave, modules=[name], code=run + 5)
        assert bench.wait_for_start(run).is_warm
        assert bench.wait_for_end(run).code == run + 5


def test_what_modules_leave_to_the_end_does_not_hold_up_the_server(bench, library):
    name = library(
        "import atexit, signal, threading\n"
        "atexit.register(signal.pause)\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
    )
    start(bench, 0, lambda: os._exit(0), modules=[name], isolation="warm")
    bench.wait_for_end(0)
    pid = server_pid(bench)
    bench.launcher.close()
    assert not is_alive(pid)


def test_a_helper_that_a_module_starts_lives_as_long_as_the_server(bench, library, tmp_path):
    name = library(
        "import os, signal\n"
        "ready, told = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        f"        open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "        os.write(told, b'x')\n"
        "        while True: signal.pause()\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "os.read(ready, 1)\n"
    )
    for run in (0, 1):
        start(bench, run, modules=[name])
        assert bench.wait_for_start(run).is_warm
        assert bench.wait_for_end(run).code == 0
    helper = int((tmp_path / "pid").read_text())
    assert is_alive(helper)
    bench.launcher.close()
    assert not is_alive(helper)


def test_a_template_that_is_killed_is_replaced(bench):
    start(bench, 0, pause)
    run = bench.wait_for_start(0).pid
    (template,) = set(processes.children(server_pid(bench))) - {run}
    os.kill(template, signal.SIGKILL)
    wait_for_end_of(template)
    start(bench, 1)
    assert bench.wait_for_start(1).is_warm
    assert bench.wait_for_end(1).code == 0
    assert is_alive(run)


def test_a_module_is_not_hidden_by_one_of_the_same_name_below(bench, tmp_path, library):
    package = tmp_path / "site-packages" / "pack_x"
    package.mkdir()
    (package / "__init__.py").write_text("def tool(): return 7")
    (package / "tool.py").touch()

    def use():
        from pack_x import tool

        return tool()

    start(bench, 0, use, modules=["pack_x", "pack_x.tool"])
    assert bench.wait_for_start(0).is_warm
    assert bench.wait_for_end(0).code == 0


# -- Threads


THREAD = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"


@pytest.mark.parametrize("variable", ["", "auto", "1", "4"])
def test_threads_of_blas_are_told_from_those_of_others(tmp_path, library, variable):
    name = library(THREAD)
    environment = {"OPENBLAS_NUM_THREADS": variable}
    with Bench(lambda post: LocalLauncher(post, environment), tmp_path / "data") as bench:
        start(bench, 0, modules=["numpy"])
        assert bench.wait_for_start(0).is_warm
        assert bench.wait_for_end(0).code == 0
        start(bench, 1, modules=["decimal", name, "numpy"])
        started = bench.wait_for_start(1)
        assert not started.is_warm
        assert started.note == f"importing {name} started a thread, which a fork would lose"
        assert bench.wait_for_end(1).code == 0


def test_who_asks_for_warm_starts_is_not_told_of_fresh_ones(bench, library):
    start(bench, 0, modules=[library(THREAD)], isolation="warm")
    started = bench.wait_for_start(0)
    assert (started.is_warm, started.note) == (True, None)
    assert bench.wait_for_end(0).code == 0


# -- Requests


def test_a_request_that_is_too_large_is_said_to_be(bench):
    start(bench, 0, environment={"X": "x" * 300_000})
    assert "too long" in bench.wait_for_end(0).error
    start(bench, 1)
    assert bench.wait_for_end(1).code == 0


def test_a_path_that_is_no_text_is_passed_over(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    start(bench, 0)
    assert bench.wait_for_end(0).code == 0


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/null", path)])
def test_output_that_is_no_file_is_said_to_be_none(bench, isolation, make):
    job = bench.prepare(0, nothing)
    job.run_dir.output.unlink(missing_ok=True)
    make(job.run_dir.output)
    bench.launch(0, job, isolation=isolation)
    end = bench.wait_for_end(0)
    assert end.code is None
    assert "output.log" in end.error


# -- A server that does not answer


def stop_server():
    os.kill(os.getppid(), signal.SIGSTOP)
    print("stopped", flush=True)
    signal.pause()


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "PATIENCE_S", 0.3)
    with Bench(LocalLauncher, tmp_path / "data") as bench:
        job = start(bench, 0, stop_server, isolation="fresh")
        while not job.run_dir.output.exists() or "stopped" not in job.run_dir.output.read_text():
            os.sched_yield()
        yield bench


def test_a_server_that_answers_no_stop_is_ended_with_its_runs(stopped):
    run = stopped.wait_for_start(0).pid
    stopped.launcher.stop(0, grace_s=0.1)
    assert stopped.wait_for_end(0).error == "the run server was killed"
    wait_for_end_of(run)
    start(stopped, 1)
    assert stopped.wait_for_end(1).code == 0


def test_a_server_that_does_not_hear_the_end_is_ended(stopped):
    run, server = stopped.wait_for_start(0).pid, server_pid(stopped)
    stopped.launcher.close()
    assert not is_alive(server)
    wait_for_end_of(run)  # by the kernel, which may take a moment


# -- What the launch script was started with


SCRIPT = """
import os, sys
own = open(sys.argv[1], "w+")
assert own.fileno() in (1, 2)
from pathlib import Path
from spinup.testing import Bench
from spinup.launchers.local import LocalLauncher

def complain():
    print("complaint")
    os.write(2, b"complaint")

with Bench(LocalLauncher, Path(sys.argv[2])) as bench:
    bench.launch(0, bench.prepare(0, complain), isolation=sys.argv[3])
    code = bench.wait_for_end(0).code
own.write(f"code {code}")
"""


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
def test_a_file_that_took_the_place_of_a_closed_output_is_left_alone(tmp_path, isolation, closed):
    script = SCRIPT.replace("(1, 2)", "(0, 1, 2)")
    command = [sys.executable, "-c", script, tmp_path / "own", tmp_path / "data", isolation]
    subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *command], check=True, timeout=60)
    assert (tmp_path / "own").read_text() == "code 0"
    (output,) = (tmp_path / "data").rglob("output.log")
    assert output.read_text().count("complaint") == 2


def test_ends_of_a_pair_leave_the_standard_descriptors_alone():
    code = (
        "import os; os.close(0); os.close(2)\n"
        "from spinup.launchers import messages\n"
        "print(all(end.fileno() > 2 for end in messages.make_pair()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


def test_modules_in_the_working_directory_are_not_imported(tmp_path, monkeypatch):
    for name in ("json", "ctypes", "socket"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    with Bench(LocalLauncher, tmp_path / "data") as bench:
        start(bench, 0)
        assert bench.wait_for_end(0).code == 0
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_signals_that_the_script_has_blocked_are_blocked_in_its_runs_and_not_in_the_server(
    tmp_path, isolation
):
    def look():
        return sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    try:
        with Bench(LocalLauncher, tmp_path / "data") as bench:
            job = start(bench, 0, look, isolation=isolation)
            assert bench.wait_for_end(0).code == 0
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert str(int(signal.SIGCHLD)) in job.run_dir.result.read_text()


# -- Parts


def test_descendants_may_be_nested_as_deeply_as_they_like(monkeypatch):
    monkeypatch.setattr(processes, "children", lambda pid: [pid + 1] if pid < 5000 else [])
    assert list(processes.descendants(1)) == list(range(2, 5001))


def test_spared_descendants_are_left_out_with_theirs(monkeypatch):
    tree = {1: [2, 3], 2: [4], 3: [5]}
    monkeypatch.setattr(processes, "children", lambda pid: tree.get(pid, []))
    assert sorted(processes.descendants(1, spare={3})) == [2, 4]


def test_a_message_that_is_too_long_is_not_sent():
    ours, theirs = messages.make_pair()
    with ours, theirs, pytest.raises(OSError, match="too long"):
        messages.send(ours, {"x": "x" * 300_000})


# -- What runs, and what they leave, must not have


def sockets():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
    return sorted(target.partition(":")[0] for target in found.values() if target.startswith("socket:"))


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_a_run_has_none_of_the_server_s_sockets(bench, isolation):
    job = start(bench, 0, sockets, isolation=isolation)
    assert bench.wait_for_end(0).code == 0
    assert json.loads(job.run_dir.result.read_text()) == []


def leave_a_worker(fifo):
    if os.fork() == 0:
        os.setsid()
        signal.pause()
    with open(fifo, "w") as file:
        file.write("x")
    signal.pause()


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_a_killed_server_is_noticed_whatever_its_runs_have_left(bench, tmp_path, isolation):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    start(bench, 0, leave_a_worker, isolation=isolation, fifo=str(fifo))
    fifo.read_text()
    os.kill(server_pid(bench), signal.SIGKILL)
    assert bench.wait_for_end(0).error == "the run server was killed"


FORKING_LAUNCHER = """
import os, signal, sys
from pathlib import Path
from spinup.launchers.local import LocalLauncher
from spinup.testing import Bench
bench = Bench(LocalLauncher, Path(sys.argv[1]))
bench.start(0, signal.pause)
run = bench.wait_for_start(0).pid
holder = os.fork()
if holder == 0:
    signal.pause()
print(run, holder, flush=True)
signal.pause()
"""


def test_a_killed_launcher_is_noticed_whatever_it_has_forked(tmp_path):
    command = [sys.executable, "-c", FORKING_LAUNCHER, tmp_path / "data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launcher:
        run, holder = map(int, launcher.stdout.readline().split())
        launcher.kill()
        try:
            wait_for_end_of(run)
        finally:
            os.kill(holder, signal.SIGKILL)


def test_what_a_library_has_started_goes_with_a_server_that_is_killed(bench, library, tmp_path):
    pid = tmp_path / "pid"
    name = library(
        "import os, signal\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        f"    open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "    while True: signal.pause()\n"
        f"while not os.path.exists({str(pid)!r}) or not open({str(pid)!r}).read(): pass\n"
    )
    start(bench, 0, modules=[name])
    assert bench.wait_for_end(0).code == 0
    os.kill(server_pid(bench), signal.SIGKILL)
    wait_for_end_of(int(pid.read_text()))


@pytest.mark.parametrize(("place", "expected"), [("append", "last"), ("insert", "first")])
def test_what_a_library_adds_to_the_path_is_there_in_a_warm_run(bench, library, tmp_path, place, expected):
    inner = tmp_path / "inner"
    inner.mkdir()
    call = "append(" if place == "append" else "insert(0, "
    name = library(f"import sys; sys.path.{call}{str(inner)!r})")
    job = start(bench, 0, lambda: sys.path, modules=[name], isolation="warm")
    assert bench.wait_for_end(0).code == 0
    path = json.loads(job.run_dir.result.read_text())
    assert path[-1 if expected == "last" else 0] == str(inner)
    assert path.count(str(inner)) == 1


def limit_that_leaves(num_free, pid):
    held = set(map(int, os.listdir(f"/proc/{pid}/fd")))
    limit = 0
    while limit - len({file for file in held if file < limit}) < num_free:
        limit += 1
    return limit


@pytest.mark.parametrize("num_free", range(1, 5))
def test_without_descriptors_a_run_fails_and_the_server_goes_on(bench, num_free):
    start(bench, 0, isolation="warm")
    assert bench.wait_for_end(0).code == 0
    pid = server_pid(bench)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit_that_leaves(num_free, pid), limits[1]))
    start(bench, 1, isolation="warm")
    end = bench.wait_for_end(1)
    # Needed are its lock, its output, and both ends of a pipe.
    assert end.code == 0 if num_free == 4 else "Too many open files" in end.error
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    start(bench, 2, isolation="warm")
    assert bench.wait_for_end(2).code == 0


def test_a_run_has_the_launcher_s_limits(bench):
    job = start(bench, 0, lambda: resource.getrlimit(resource.RLIMIT_NOFILE))
    assert bench.wait_for_end(0).code == 0
    assert json.loads(job.run_dir.result.read_text()) == [*resource.getrlimit(resource.RLIMIT_NOFILE)]


def test_a_built_in_algorithm_is_there_before_the_fork(bench):
    name = "spinup.algos.ars"
    job = start(bench, 0, lambda: name in sys.modules, modules=[name], isolation="warm")
    assert bench.wait_for_end(0).code == 0
    assert json.loads(job.run_dir.result.read_text()) is True
