import json
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest
from cli.made_runs import make_run

from spinup.cli import stop
from spinup.cli.main import main
from spinup.rundir.launches import LaunchedRun, recorded

GRID = """
import sys, threading
from spinup import ExperimentGrid

def train(seed, logger_kwargs):
    threading.Event().wait()

eg = ExperimentGrid(name="g")
eg.add("seed", [0, 10])
eg.run(train, data_dir="data", parallel=2, gpus=None)
"""

# Does not stop before it was asked twice.
STUBBORN = """
import signal, sys, time
from pathlib import Path
from spinup.rundir.launches import recorded, LaunchedRun
def hear(*_):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
    print("heard", flush=True)

signal.signal(signal.SIGTERM, hear)
with recorded(Path("data"), sys.argv[1], 1, [LaunchedRun("g", 0, f"{Path.cwd()}/data/g/g_s0")]):
    print("ready", flush=True)
    while True:
        time.sleep(0.05)  # not pause: a signal just before it would wait for the next one
"""


@pytest.fixture
def launch(tmp_path):
    processes = []

    def start(script, *arguments):
        environment = {**os.environ, "SPINUP_WAIT_BEFORE_LAUNCH": "0", "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def read_until(process, words):
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"{words!r} did not come")


def test_a_grid_is_stopped_and_its_runs_are_interrupted(tmp_path, launch, capsys):
    (tmp_path / "grid.py").write_text(GRID)
    process = launch("import runpy; runpy.run_path('grid.py', run_name='__main__')")
    read_until(process, "g seed 10 begins")
    assert main(["stop", str(tmp_path / "data")]) == 0
    assert process.wait(60) == 143
    states = [json.loads(path.read_text()) for path in tmp_path.glob("data/g/*/status.json")]
    assert [(each["state"], each["reason"]) for each in states] == [("failed", "interrupted")] * 2
    out = capsys.readouterr().out
    assert "2 runs under way" in out
    assert "g has ended. 2 runs interrupted.\n  g_s0\n  g_s10\n" in out


def test_all_launchers_are_named_and_stopped_and_now_asks_twice(tmp_path, launch, capsys):
    for name in ("one", "two"):
        read_until(launch(STUBBORN, name), "ready")
    assert main(["stop", "--now", str(tmp_path / "data")]) == 0
    out = capsys.readouterr().out
    assert "Stopping one" in out
    assert "Stopping two" in out
    assert "one has ended" in out
    assert "two has ended" in out


def test_who_waits_no_longer_is_told_what_is_left(tmp_path, launch, capsys):
    process = launch(STUBBORN, "one")
    read_until(process, "ready")
    assert main(["stop", "--timeout", "0", str(tmp_path / "data")]) == 1
    assert "Still ending: one" in capsys.readouterr().err
    read_until(process, "heard")  # two signals of one kind that come at once count as one
    assert main(["stop", str(tmp_path / "data")]) == 0
    assert process.wait(60) == 9


def test_where_nobody_is_at_work_nothing_is_stopped(tmp_path, capsys):
    make_run(tmp_path)
    with recorded(tmp_path, "g", 1, [LaunchedRun("g", 0, f"{tmp_path}/g/g_s0")]):
        pass
    assert main(["stop", str(tmp_path)]) == 0
    assert "No launcher is at work" in capsys.readouterr().out


@pytest.fixture
def no_signals(monkeypatch):
    def refuse(*arguments):
        raise AssertionError(f"signalled: {arguments}")

    monkeypatch.setattr(os, "kill", refuse)
    monkeypatch.setattr("signal.pidfd_send_signal", refuse, raising=False)


def rewrite(path, **fields):
    """Change a record in its place, so that its lock stays held."""
    facts = {**json.loads(path.read_text()), **fields}
    with path.open("r+") as file:
        file.write(json.dumps(facts))
        file.truncate()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"host": "gpu07"}, "was launched on gpu07. Stop it there"),
        ({"process_start": "earlier"}, "is not its launcher"),
        ({"process_start": None}, "is not its launcher"),
    ],
)
def test_a_process_that_is_not_the_launcher_is_never_signalled(
    tmp_path, capsys, no_signals, fields, message
):
    with recorded(tmp_path, "g", 1, [LaunchedRun("g", 0, f"{tmp_path}/g/g_s0")]) as path:
        rewrite(path, **fields)
        assert main(["stop", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


def test_a_launcher_with_runs_elsewhere_is_left_alone(tmp_path, no_signals, capsys):
    (tmp_path / "other").mkdir()
    with recorded(tmp_path, "g", 1, [LaunchedRun("g", 0, f"{tmp_path}/g/g_s0")]):
        assert stop.live_launches(tmp_path / "other") == []
        assert len(stop.live_launches(tmp_path)) == 1


def test_launchers_of_several_directories_are_stopped_on_a_word_alone(
    tmp_path, capsys, no_signals, monkeypatch
):
    monkeypatch.setattr("sys.stdin", None)
    with ExitStack() as stack:
        for name in ("one", "two"):
            run = LaunchedRun("g", 0, f"{tmp_path}/{name}/g/g_s0")
            stack.enter_context(recorded(tmp_path / name, "g", 1, [run]))
        assert main(["stop", str(tmp_path)]) == 2
        assert f"Stop 2 launchers in {tmp_path}/one, {tmp_path}/two? " in capsys.readouterr().err
