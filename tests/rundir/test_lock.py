import subprocess
import sys

import pytest

from spinup.errors import RunIsLive
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import locked

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
