"""Thunks that do what thunks should not, once or always; the child processes import them from here."""

import atexit
import ctypes
import importlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from spinup import EpochLogger
from spinup.rundir.layout import RunDir
from spinup.rundir.status import read_status

ROWS = 6
PRINTED_BYTES = 100_000_000
NO_TEXT = b"\xff\xfe\x00 no text \xc3\x28\n"


def is_first(logger_kwargs):
    """Whether this is the first attempt at the run."""
    return read_status(RunDir(Path(logger_kwargs["output_dir"]))).attempt == 1


def walk(logger_kwargs, before_row=lambda logger, row: None):
    """Some rows, each a state to go on from."""
    with EpochLogger(**logger_kwargs, console=False) as logger:
        logger.save_config({"rows": ROWS})
        state = logger.restore() or {"row": 0, "position": 0.0}
        for row in range(state["row"], ROWS):
            before_row(logger, row)
            state = {"row": row + 1, "position": state["position"] + row / 3}
            logger.log_tabular("Row", row)
            logger.log_tabular("Position", state["position"])
            logger.dump_tabular()
            logger.save_state(state)
    return state["position"]


def plain(logger_kwargs):
    return walk(logger_kwargs)


# -- How a run can end


def do_nothing():
    return "nothing"


def raise_error():
    raise ValueError("no text: \udcff")


def exit_at_once():
    os._exit(3)


def exit_at_once_with_zero():
    os._exit(0)


def sys_exit():
    sys.exit(4)


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def terminate_itself():
    os.kill(os.getpid(), signal.SIGTERM)


def segfault():
    ctypes.string_at(0)


def empty_the_path():
    sys.path[:] = []


def close_stdout():
    sys.stdout.close()
    return "still here"


def close_descriptors():
    os.close(1)
    os.close(2)
    return "still here"


def fork_a_daemon():
    """A daemon by the book: two forks, and a session of its own."""
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write_end, b"%d" % os.getpid())
            os.close(write_end)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                signal.pause()
        os._exit(0)
    os.close(write_end)
    return int(os.read(read_end, 32))


def print_much():
    chunk = b"x" * 999_999 + b"\n"
    for _ in range(PRINTED_BYTES // len(chunk)):
        os.write(1, chunk)


def print_no_text():
    sys.stdout.buffer.write(NO_TEXT)


# -- What is under way when the thunk returns


def tell_state_at_the_end(logger_kwargs):
    """Have a thread and an `atexit` function write down what the status says when they are through."""
    directory = Path(logger_kwargs["output_dir"])

    def tell(name):
        (directory / name).write_text(read_status(RunDir(directory)).state)

    def outlive():
        threading.main_thread().join()
        tell("thread")

    atexit.register(tell, "atexit")
    threading.Thread(target=outlive).start()
    return "returned"


def die_in_atexit(logger_kwargs):
    if is_first(logger_kwargs):
        atexit.register(kill_itself)


def leave_a_thread():
    """Return, with a thread that never ends; whoever waits for it leaves when he is told to stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=threading.Event().wait).start()


# -- What makes a run be ended


def leave_politely(diary):
    """Ends well when it is told to stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    write(diary, os.getpid())
    while True:
        signal.pause()


def wait_once(diary, gate):
    """The first time, wait for somebody to open the gate."""
    if os.path.exists(diary):
        return "second"
    write(diary, os.getpid())
    Path(gate).read_text()
    return "first"


def ignore_sigterm(diary):
    """Never ends by itself, nor does what it has started in a session of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    helper = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()",
        ],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    helper.stdout.read(1)
    write(diary, os.getpid(), helper.pid)
    while True:
        signal.pause()


def allocate(diary, in_a_fork, logger_kwargs):
    """Ever more memory at the first attempt, in this process or in one that it has forked."""
    write(diary, "begun", time.monotonic_ns())
    if is_first(logger_kwargs):
        if in_a_fork and os.fork():
            os.wait()
        hoard = []
        while sum(map(len, hoard)) < 1_000_000_000:
            hoard.append(b"x" * 20_000_000)
        while True:
            signal.pause()
    write(diary, "ended", time.monotonic_ns())


def take_time(diary):
    write(diary, "begun", time.monotonic_ns())
    time.sleep(0.4)
    write(diary, "ended", time.monotonic_ns())


def kill_server(diary):
    write(diary, os.environ["SPINUP_LAUNCH"], fork_a_daemon())
    os.kill(os.getppid(), signal.SIGKILL)
    while True:
        signal.pause()


def tell_mark(diary):
    write(diary, os.environ["SPINUP_LAUNCH"])


def fail_once(logger_kwargs):
    if is_first(logger_kwargs):
        raise ValueError("once")
    return "done"


# -- What happens to files


def keep_own_error(logger_kwargs):
    """Write a file with the name of one of the record's, and end without a word."""
    own = Path(logger_kwargs["output_dir"], "error.txt")
    if is_first(logger_kwargs):
        own.write_text("mine")
        kill_itself()
    return own.read_text()


def outgrow_limit(logger_kwargs):
    """At the first attempt no file may grow from the third row on: not the table, state or status."""

    def limit(logger, row):
        if row == 2 and is_first(logger_kwargs):
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))

    return walk(logger_kwargs, limit)


def return_beyond_limit(logger_kwargs):
    """At the first attempt all is well until the end, which cannot be written down."""
    position = walk(logger_kwargs)
    if is_first(logger_kwargs):
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    return position


def fill_disk(disk, logger_kwargs):
    """At the first attempt the disk is full from the third row on."""

    def fill_it(logger, row):
        if row == 2 and is_first(logger_kwargs):
            fill(Path(disk))

    return walk(logger_kwargs, fill_it)


def fill(disk):
    """Write to ``disk`` until it is full."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            try:
                filler.write(b"x" * 512)
            except OSError:
                return


def delete(logger_kwargs, level):
    """At the first attempt, delete the run's directory, or one that it is in."""

    def remove(logger, row):
        marker = Path(logger_kwargs["output_dir"]).parents[1].with_name("deleted")
        if row == 2 and not marker.exists():
            marker.touch()
            shutil.rmtree(
                [Path(logger_kwargs["output_dir"]), *Path(logger_kwargs["output_dir"]).parents][level]
            )

    return walk(logger_kwargs, remove)


def become_a_file(logger_kwargs):
    directory = Path(logger_kwargs["output_dir"])
    shutil.rmtree(directory)
    directory.write_text("a file")


def die_at_end(logger_kwargs, event_number):
    """SIGKILL in front of one of the things that are done to a run's files once the thunk has returned."""
    position = walk(logger_kwargs)
    if is_first(logger_kwargs):
        kill_self_before(event_number, logger_kwargs["output_dir"])
    return position


def kill_self_before(number, directory):
    events = iter(range(number))

    def hook(event, args):
        is_counted = event in {"open", "os.rename", "os.remove", "os.mkdir"} and str(directory) in str(args)
        if is_counted and next(events, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


# -- What a run could leave to the next


def look():
    """All that this process has of what the run before it could have changed."""
    return {
        "environment": {k: v for k, v in os.environ.items() if "COLUMNS" not in k},
        "directory": os.getcwd(),
        "umask": _umask(),
        "path": [*sys.path],
        "argv": sys.argv[:1],
        "modules": sorted(set(sys.modules) & {"planted", "colorsys"}),
        "attribute": hasattr(json, "planted"),
        "encoder": json.dumps({"a": 1}),
        "handlers": [
            str(signal.getsignal(number)) for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM)
        ],
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "files": sorted(_open_files()),
        "limit": resource.getrlimit(resource.RLIMIT_NOFILE),
        "recursion": sys.getrecursionlimit(),
        "nice": os.nice(0),
        "trace": str(sys.gettrace()),
        "timer": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
    }


def mutate():
    """Change all of it."""
    import numpy as np

    before = look()
    os.environ["PLANTED"] = "1"
    os.environ.pop("HOME", None)
    os.chdir("/")
    os.umask(0o007)
    sys.path.insert(0, "/planted")
    sys.argv[:] = ["planted"]
    sys.modules["planted"] = json
    importlib.import_module("colorsys")
    json.planted = True
    json.dumps.__defaults__ = None
    json.dumps.__kwdefaults__["indent"] = 7
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    os.set_inheritable(os.open(tempfile.gettempdir(), os.O_RDONLY), True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    sys.setrecursionlimit(4321)
    os.nice(1)
    sys.settrace(lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    after = look()
    random.seed(1)
    np.random.seed(1)
    return [name for name in before if before[name] == after[name]]


def draw():
    """Numbers that nobody has seeded, then seed."""
    import numpy as np
    import numpy.random  # which numpy itself does not do before it is asked

    numbers = [random.random(), float(np.random.random()), float(np.random.default_rng().random())]
    random.seed(1)
    np.random.seed(1)
    return numbers


def _umask():
    current = os.umask(0)
    os.umask(current)
    return current


def _open_files():
    for name in os.listdir("/proc/self/fd"):
        try:
            file = Path(os.readlink(f"/proc/self/fd/{name}"))
            yield name, file.suffix or str(file)
        except OSError:  # the directory that was listed
            pass


def write(diary, *words):
    """Add a line to ``diary``, whole even beside other writers."""
    file = os.open(diary, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(file, " ".join(map(str, words)).encode() + b"\n")
    os.close(file)
