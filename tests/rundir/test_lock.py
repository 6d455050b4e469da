import os
import signal
import subprocess
import sys

import pytest

from spinup.errors import RunIsLive
from spinup.rundir import lock
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import is_held, locked

HOLD = """
import sys
from pathlib import Path
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import locked
with locked(RunDir(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "exp" / "run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_held_by_another_process_cannot_be_had(tmp_path, holder):
    with pytest.raises(RunIsLive, match="right now"), locked(RunDir(tmp_path / "exp" / "run")):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path, holder):
    holder.kill()
    holder.wait()
    with locked(RunDir(tmp_path / "exp" / "run")):
        pass


def test_nothing_is_left_of_a_lock(tmp_path):
    run_dir = RunDir(tmp_path / "run")
    with locked(run_dir):
        assert run_dir.lock.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_held_while_the_directory_is_moved(tmp_path):
    run_dir = RunDir(tmp_path / "run")
    run_dir.path.mkdir()
    with locked(run_dir):
        run_dir.path.rename(tmp_path / "elsewhere")
        with pytest.raises(RunIsLive), locked(run_dir):
            pass


def test_who_asks_whether_it_is_held_changes_nothing(tmp_path, holder):
    run_dir = RunDir(tmp_path / "exp" / "run")
    assert is_held(run_dir)
    holder.kill()
    holder.wait()
    before = sorted(tmp_path.rglob("*"))
    assert not is_held(run_dir)
    assert sorted(tmp_path.rglob("*")) == before
    assert not is_held(RunDir(tmp_path / "nowhere" / "run"))


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    run_dir = RunDir(tmp_path / "run")
    with locked(RunDir(tmp_path / "other")) as lock:
        run_dir.lock.symlink_to(lock.run_dir.lock)
        assert is_held(run_dir)  # who cannot tell must not take it for free


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_what_a_launcher_forks_does_not_hold_its_locks(tmp_path):
    run_dir = RunDir(tmp_path / "exp" / "run")
    ready, told = os.pipe()
    held = lock.acquire(run_dir)
    child = os.fork()
    if child == 0:
        os.write(told, b"x")
        signal.pause()
    os.read(ready, 1)
    assert is_held(run_dir)
    os.close(held.file)  # as the kernel does for a launcher that is killed
    lock._held.discard(held.file)
    try:
        assert not is_held(run_dir)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(told)
