"""Launchers that are asked to stop, or killed, while runs and their helpers will not end by themselves."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from chaos.killing import DIARY, children, is_server, processes_of, wait_until_gone

LAUNCH = """
import sys
from chaos import faulty
from spinup import ExperimentGrid
from spinup.scheduler import crew

crew.GRACE_S = float(sys.argv[2])
eg = ExperimentGrid(name="g")
eg.add("seed", [0, 1])
eg.add("diary", sys.argv[3])
eg.run(getattr(faulty, sys.argv[4]), data_dir=sys.argv[1], gpus=None, parallel=2)
"""
FOR_EVER_S = 1e6


@pytest.fixture
def start(tmp_path):
    """Start a launcher with that grace, and wait until both of its runs will not end any more."""

    def start(grace_s, thunk="ignore_sigterm"):
        diary = tmp_path / "diary"
        command = [sys.executable, "-c", LAUNCH, tmp_path / "data", str(grace_s), diary, thunk]
        environment = {**os.environ, DIARY: str(diary), "PYTHONPATH": os.pathsep.join(sys.path)}
        launcher = subprocess.Popen(
            command,
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        started.append(launcher)
        while not diary.exists() or diary.read_text().count("\n") < 2:
            assert launcher.poll() is None
            time.sleep(0.01)
        return launcher, diary

    started = []
    yield start
    for launcher in started:
        launcher.kill()
        launcher.wait()


def ends(tmp_path):
    files = sorted((tmp_path / "data").glob("*/*/status.json"))
    statuses = [json.loads(file.read_text()) for file in files]
    return [(status["state"], status["reason"], status["signal"]) for status in statuses]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, -signal.SIGINT),
        (signal.SIGTERM, 128 + signal.SIGTERM),
        (signal.SIGHUP, 128 + signal.SIGHUP),
    ],
)
def test_runs_that_ignore_sigterm_are_killed_after_the_grace(start, tmp_path, number, code):
    launcher, diary = start(grace_s=0.1)
    launcher.send_signal(number)
    assert launcher.wait(60) == code
    assert processes_of(diary) == []
    assert ends(tmp_path) == [("failed", "interrupted", "SIGKILL")] * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_that_end_well_when_they_are_told_to_stop_are_interrupted(start, tmp_path, number):
    launcher, _ = start(FOR_EVER_S, "leave_politely")
    launcher.send_signal(number)
    launcher.wait(60)
    assert ends(tmp_path) == [("failed", "interrupted", None)] * 2


def test_a_second_signal_ends_the_runs_at_once(start, tmp_path):
    launcher, diary = start(grace_s=FOR_EVER_S)
    launcher.send_signal(signal.SIGINT)
    launcher.send_signal(signal.SIGTERM)
    launcher.wait(60)
    assert processes_of(diary) == []
    assert ends(tmp_path) == [("failed", "interrupted", "SIGKILL")] * 2


def test_a_launcher_that_is_killed_takes_all_with_it(start, tmp_path):
    launcher, diary = start(grace_s=FOR_EVER_S)
    assert len(processes_of(diary)) == 7  # launcher, server, template, two runs, a helper of each
    launcher.kill()
    launcher.wait()
    wait_until_gone(processes_of(diary))
    assert list((tmp_path / "data").rglob("*.lock")) == []


def test_a_server_that_is_killed_takes_all_with_it_but_the_launcher(start, tmp_path):
    launcher, diary = start(grace_s=FOR_EVER_S)
    (server,) = filter(is_server, children(launcher.pid))
    server.kill()
    assert launcher.wait(60) == 1
    assert processes_of(diary) == []
    assert ends(tmp_path) == [("failed", "lost", None)] * 2


def test_a_run_that_is_killed_takes_its_helper_with_it_alone(start, tmp_path):
    _, diary = start(grace_s=FOR_EVER_S)
    pids = [[int(pid) for pid in line.split()] for line in diary.read_text().splitlines()]
    (first, helper), (second, other_helper) = pids
    processes = [psutil.Process(first), psutil.Process(helper)]
    os.kill(first, signal.SIGKILL)
    wait_until_gone(processes)
    assert {first, helper, second, other_helper} & {p.pid for p in processes_of(diary)} == {
        second,
        other_helper,
    }
