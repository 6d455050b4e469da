"""What is struck while a run of several processes goes on leaves nothing, and the next launch goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from chaos.killing import DIARY, children, is_server, processes_of, wait_until_gone
from ranks import thunks

from spinup import ExperimentFailed, ExperimentGrid, GridFailed, call_experiment

PATIENCE_S = 60.0
TESTS = Path(__file__).parents[1]


@pytest.fixture
def second_time(tmp_path):
    return tmp_path / "second time"


@pytest.fixture
def launch(tmp_path, second_time):
    """Starts the launch script, whose processes can be told by a mark."""
    started = []

    def start():
        environment = {
            **os.environ,
            DIARY: str(tmp_path),
            "RANKS_SECOND_TIME": str(second_time),
            "PYTHONPATH": str(TESTS),
        }
        command = [sys.executable, "-m", "ranks.launch", str(tmp_path / "data")]
        started.append(
            subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
            )
        )
        return started[-1]

    yield start
    for launcher in started:
        launcher.kill()
        launcher.communicate()


@pytest.fixture(autouse=True)
def shared_memory():
    """No test leaves a file of MPI's there."""
    before = segments()
    yield
    assert segments() <= before


def segments():
    return {path.name for path in Path("/dev/shm").glob("mpich_shm_*")}


def wait_for(find):
    """What ``find`` gives, once that is something."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not (found := find()):
        assert time.monotonic() < give_up_s
        time.sleep(0.01)
    return found


def wait_until_all_are_here(tmp_path):
    logs = tmp_path / "data" / "w" / "w_s0" / "output.log"
    wait_for(lambda: logs.exists() and "all are here" in logs.read_text())


def cast(launcher):
    """The processes of the run, by the part that they play."""
    (server,) = [child for child in children(launcher.pid) if is_server(child)]
    (mpiexec,) = children(server.pid)
    (proxy,) = children(mpiexec.pid)
    guards = children(proxy.pid)
    ranks = [rank for guard in guards for rank in children(guard.pid)]
    assert len(guards) == len(ranks) == 2
    return {
        "launcher": psutil.Process(launcher.pid),
        "server": server,
        "mpiexec": mpiexec,
        "proxy": proxy,
        "guard": guards[1],
        "rank": ranks[1],
    }


@pytest.mark.parametrize(
    ("victim", "number"),
    [
        ("launcher", signal.SIGKILL),
        ("launcher", signal.SIGTERM),
        ("launcher", signal.SIGINT),
        ("launcher", signal.SIGHUP),
        ("server", signal.SIGKILL),
        ("mpiexec", signal.SIGKILL),
        ("mpiexec", signal.SIGTERM),
        ("proxy", signal.SIGKILL),
        ("guard", signal.SIGKILL),
        ("rank", signal.SIGKILL),
        ("rank", signal.SIGTERM),
    ],
    ids=str,
)
def test_whoever_is_struck_no_process_is_left_and_the_next_launch_goes_on(
    tmp_path, second_time, launch, victim, number
):
    launcher = launch()
    wait_until_all_are_here(tmp_path)
    cast(launcher)[victim].send_signal(number)
    launcher.communicate(timeout=PATIENCE_S)
    assert launcher.returncode != 0
    wait_until_gone(processes_of(tmp_path))
    second_time.touch()
    launcher = launch()
    output, _ = launcher.communicate(timeout=PATIENCE_S)
    assert launcher.returncode == 0, output
    assert "1 failed or interrupted, again" in output
    assert list((tmp_path / "data").rglob(".*.lock")) == list((tmp_path / "data").rglob(".*.tmp")) == []


def test_a_run_whose_time_is_over_is_ended_with_all_its_processes(tmp_path, monkeypatch):
    monkeypatch.setenv(DIARY, str(tmp_path))
    with pytest.raises(GridFailed) as failed:
        ExperimentGrid("t").run(thunks.wait, num_cpu=2, data_dir=tmp_path / "data", timeout=1.0)
    assert [record.reason for record in failed.value.records] == ["timeout"]
    assert own_processes(tmp_path) == []


def test_the_memory_of_all_processes_is_watched(tmp_path, monkeypatch):
    monkeypatch.setenv(DIARY, str(tmp_path))
    with pytest.raises(GridFailed) as failed:
        ExperimentGrid("m").run(thunks.grow, num_cpu=2, data_dir=tmp_path / "data", memory_per_run="600MB")
    assert [record.reason for record in failed.value.records] == ["out of memory"]
    assert own_processes(tmp_path) == []


def test_the_processes_of_a_run_that_failed_are_gone_when_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv(DIARY, str(tmp_path))
    with pytest.raises(ExperimentFailed):
        call_experiment("f", thunks.fail, num_cpu=2, data_dir=tmp_path / "data", how="raises", ranks=[1])
    assert own_processes(tmp_path) == []


def own_processes(tmp_path):
    return [process for process in processes_of(tmp_path) if process.pid != os.getpid()]
