"""What can happen to files and disks while a grid runs, and between its launches."""

import json
import os
import shutil
import stat
import subprocess

import pytest
from chaos import faulty
from chaos.grids import end_of, litter, run_grid, status_of

from spinup.errors import RunDirError
from spinup.jobs.make import Place, make_job
from spinup.rundir.config import LARGEST_FILE_BYTES
from spinup.scheduler.run import Options, Room, run_jobs
from spinup.utils import announce


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The table of an undisturbed run."""
    (record,) = run_grid(faulty.plain, tmp_path_factory.mktemp("expected"))
    return table_of(record)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk))
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def read_only(tmp_path):
    """A directory that cannot be written, also where nothing is forbidden to this user."""
    directory = tmp_path / "read only"
    directory.mkdir()
    if os.geteuid() != 0:
        directory.chmod(stat.S_IRUSR | stat.S_IXUSR)
        yield directory
        directory.chmod(stat.S_IRWXU)
        return
    mount("--bind", str(directory), str(directory))
    mount("-o", "remount,ro,bind", str(directory))
    yield directory
    subprocess.run(["umount", directory], check=True)


def mount(*arguments):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")


def table_of(record):
    return (record.directory / "progress.txt").read_bytes()


def check_done_later(thunk, data_dir, expected, attempt, **parameters):
    """The next launch brings the run to the end that it would have had."""
    (record,) = run_grid(thunk, data_dir, **parameters)
    assert (record.state, status_of(record)["attempt"]) == ("done", attempt)
    assert table_of(record) == expected
    assert json.loads((record.directory / "config.json").read_text())["rows"] == faulty.ROWS
    assert (record.directory / "provenance.json").exists()
    assert litter(data_dir) == []


# -- Full disks


def test_a_file_that_cannot_grow_fails_the_run_and_is_whole_in_the_end(tmp_path, expected):
    (record,) = run_grid(faulty.outgrow_limit, tmp_path)
    assert (record.state, record.reason) == ("failed", "exit code 1")
    check_done_later(faulty.outgrow_limit, tmp_path, expected, 2)


def test_a_run_whose_end_cannot_be_written_is_not_done(tmp_path, expected):
    (record,) = run_grid(faulty.return_beyond_limit, tmp_path)
    assert (record.state, record.reason) == ("failed", "exit code 1")
    check_done_later(faulty.return_beyond_limit, tmp_path, expected, 2)


def test_a_full_disk_fails_the_runs_and_not_the_launcher(small_disk, expected, capfd):
    data_dir = small_disk / "data"
    (record,) = run_grid(faulty.fill_disk, data_dir, disk=str(small_disk))
    assert (record.state, record.reason) == ("failed", "exit code 1")
    assert "could not be written: [Errno 28]" in capfd.readouterr().out
    (small_disk / "filler").unlink()
    check_done_later(faulty.fill_disk, data_dir, expected, 2, disk=str(small_disk))


def test_a_disk_that_is_full_from_the_start_fails_one_run_after_the_other(small_disk):
    data_dir = small_disk / "data"
    data_dir.mkdir()
    faulty.fill(small_disk)
    records = run_grid(faulty.plain, data_dir, seed=[0, 1, 2])
    assert [record.state for record in records] == ["failed"] * 3
    (small_disk / "filler").unlink()
    records = run_grid(faulty.plain, data_dir, seed=[0, 1, 2])
    assert [record.state for record in records] == ["done"] * 3
    assert litter(data_dir) == []


def test_a_data_dir_that_is_read_only_is_found_before_anything_starts(read_only):
    with pytest.raises(RunDirError, match="Nothing was started"):
        run_grid(faulty.plain, read_only)
    assert list(read_only.iterdir()) == []


# -- Damaged and deleted files


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: b"",
        lambda text: b"\xff\x00" + os.urandom(100),
        lambda text: b"[]",
        lambda text: text.replace(b'"done"', b'"flying"'),
        lambda text: text.replace(b'"attempt": 1', b'"attempt": "one"'),
        lambda text: text.replace(b'"done"', b'"running"').replace(b'"code": {', b'"code": 7, "x": {'),
        lambda text: text.replace(b'"ended_at": "', b'"ended_at": 7, "x": "'),
    ],
    ids=["cut", "empty", "garbage", "list", "state", "attempt", "code", "time"],
)
def test_a_damaged_status_costs_its_own_run_alone(tmp_path, expected, damage):
    first, second = run_grid(faulty.plain, tmp_path, seed=[0, 1])
    status = first.directory / "status.json"
    damaged = damage(status.read_bytes())
    assert damaged != status.read_bytes()
    status.write_bytes(damaged)
    kept = (second.directory / "status.json").stat().st_mtime_ns
    again, other = run_grid(faulty.plain, tmp_path, seed=[0, 1])
    assert [again.state, other.state] == ["done", "done"]
    assert table_of(again) == expected
    assert (second.directory / "status.json").stat().st_mtime_ns == kept
    (archived,) = tmp_path.glob(".archive/*/status.json")  # nothing is overwritten, whatever it was
    assert archived.read_bytes() == damaged


@pytest.mark.parametrize("level", [0, 1, 2], ids=["run", "experiment", "data_dir"])
def test_a_directory_that_is_deleted_under_a_run_costs_that_run(tmp_path, expected, level):
    data_dir = tmp_path / "data"
    (record,) = run_grid(faulty.delete, data_dir, level=level)
    assert record.state == "failed"
    assert status_of(record)["state"] == "failed"
    check_done_later(faulty.delete, data_dir, expected, 2, level=level)


def test_a_run_directory_that_becomes_a_file_costs_that_run_alone(tmp_path):
    records = run_grid("what", tmp_path, {"parallel": 1}, what=[faulty.become_a_file, faulty.plain])
    assert [record.state for record in records] == ["failed", "done"]


@pytest.mark.parametrize("kind", ["gone", "pipe", "large"])
def test_a_result_that_cannot_be_read_is_a_failure_in_its_own_place(tmp_path, kind):
    records = run_grid(faulty.plain, tmp_path, seed=[0, 1, 2])
    result = records[1].directory / "result.json"
    result.unlink()
    if kind == "pipe":
        os.mkfifo(result)
    elif kind == "large":
        result.touch()
        os.truncate(result, LARGEST_FILE_BYTES + 1)
    again = run_grid(faulty.plain, tmp_path, seed=[0, 1, 2])
    assert [again[0], again[2]] == [records[0], records[2]]
    assert (again[1].state, again[1].reason) == ("failed", "record not readable")
    assert "result.json" in again[1].message


def test_an_error_file_of_the_thunks_own_stays(tmp_path):
    (record,) = run_grid(faulty.keep_own_error, tmp_path, {"retries": 1})
    assert (record.result, status_of(record)["attempt"]) == ("mine", 2)


# -- Other launchers


def test_a_run_whose_directory_another_launcher_has_now_writes_nothing_there(tmp_path):
    """Somebody removes the data, and launches again, while the first launcher's run is still there."""
    data_dir, diary, gate = tmp_path / "data", tmp_path / "diary", tmp_path / "gate"
    os.mkfifo(gate)
    parameters = {"diary": str(diary), "gate": str(gate)}
    job = make_job("g", faulty.wait_once, parameters, place=Place(str(data_dir)))

    class Meddler:
        others = ()

        def refresh(self, schedule, active):
            if not self.others and diary.exists():
                self.log = job.run_dir.output.open()
                shutil.rmtree(data_dir)
                self.others = run_grid(faulty.wait_once, data_dir, **parameters)
                self.kept = content_of(job.run_dir.path)
                gate.write_text("open")

        def started(self, active): ...

        def ended(self, active, record, outcome): ...

        def note(self, text): ...

    meddler = Meddler()
    (record,) = run_jobs([job], Options(), Room(1, 1), meddler, refresh_s=0.01)
    assert (record.state, record.reason) == ("failed", "directory replaced")
    assert [other.result for other in meddler.others] == ["second"]
    assert content_of(job.run_dir.path) == meddler.kept
    with meddler.log as log:
        assert "another launcher has begun the run anew" in log.read()


def content_of(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_what_another_launcher_does_between_plan_and_start_is_not_done_again(tmp_path, monkeypatch):
    others = []

    def be_overtaken(seconds):
        monkeypatch.undo()
        others.extend(run_grid(faulty.plain, tmp_path, seed=[0, 1]))

    monkeypatch.setattr(announce, "launch_delay", be_overtaken)
    records = run_grid(faulty.plain, tmp_path, seed=[0, 1])
    assert [end_of(record) for record in records] == [("done", None, 0, None)] * 2
    assert records == others
    assert not (tmp_path / ".archive").exists()
