"""Launchers and children that are killed in front of each thing that they do to the file system."""

import itertools
import os
import shutil
from contextlib import redirect_stdout

import pytest
from chaos import faulty
from chaos.grids import litter, run_grid, status_of
from chaos.killing import DIARY, processes_of, wait_until_gone
from loggers.crashing import in_a_fork

from spinup.errors import RunDirError
from spinup.jobs.call import Call
from spinup.jobs.job import Job
from spinup.jobs.prepare import prepare
from spinup.launchers import messages
from spinup.launchers.server import Server
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import acquire, remove_stale
from spinup.rundir.status import read_status

EVENTS_OF_AN_END = 9


def check_undisturbed(record, data_dir):
    assert record.state == "done"
    assert litter(data_dir) == []
    assert not (data_dir / ".archive").exists()
    assert names_in(record.directory) - {"progress.txt", "vars.pkl"} == {
        "config.json",
        "output.log",
        "provenance.json",
        "result.json",
        "status.json",
    }


@pytest.mark.parametrize("number", range(EVENTS_OF_AN_END))
def test_a_child_killed_while_it_writes_down_its_end_leaves_nothing(tmp_path, number):
    (record,) = run_grid(faulty.die_at_end, tmp_path, event_number=number)
    is_done = record.state == "done"
    (record,) = run_grid(faulty.die_at_end, tmp_path, event_number=number)
    assert status_of(record)["attempt"] == (1 if is_done else 2)
    check_undisturbed(record, tmp_path)


def test_an_end_has_that_many_events(tmp_path):
    numbers = [EVENTS_OF_AN_END - 1, EVENTS_OF_AN_END]
    records = run_grid(faulty.die_at_end, tmp_path, event_number=numbers)
    assert [record.reason for record in records] == ["signal SIGKILL", None]


def test_a_launcher_killed_at_any_moment_leaves_nothing_to_the_next(tmp_path):
    for number in itertools.count():
        data_dir = tmp_path / f"data{number}"
        status = in_a_fork(data_dir, launch, kill_before=number)
        wait_until_gone(processes_of(data_dir))
        (record,) = run_grid(faulty.do_nothing, data_dir)
        check_undisturbed(record, data_dir)
        shutil.rmtree(data_dir)
        if os.waitstatus_to_exitcode(status) == 0:
            break
    assert number > 15


def launch(data_dir):
    os.environ[DIARY] = str(data_dir)
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        run_grid(faulty.do_nothing, data_dir)


# -- The parts that see to it


@pytest.fixture
def job(tmp_path):
    run_dir = RunDir(tmp_path / "g" / "g_s0")
    run_dir.path.mkdir(parents=True)
    call = Call(faulty.plain, {"logger_kwargs": {"output_dir": str(run_dir.path)}})
    return Job("g", 0, run_dir, tmp_path, call)


def names_in(directory):
    return {path.name for path in directory.iterdir()}


def test_a_directory_that_holds_only_an_unfinished_file_is_used(job):
    (job.run_dir.path / ".status.json.abcd_123.tmp").touch()
    prepare(job)
    assert names_in(job.run_dir.path) == {"status.json", "config.json", "provenance.json", "payload.pkl"}


def test_a_directory_of_somebody_else_is_left_as_it_is(job):
    (job.run_dir.path / ".status.json.abcd_123.tmp").touch()
    (job.run_dir.path / "thesis.tex").touch()
    with pytest.raises(RunDirError, match="left alone"):
        prepare(job)
    assert names_in(job.run_dir.path) == {".status.json.abcd_123.tmp", "thesis.tex"}


def test_the_next_attempt_removes_what_the_last_one_did_not_finish_and_nothing_else(job):
    prepare(job)
    own = {".notes.tmp", "x.abcd_123.tmp", ".vars.pkl.abcd_123.tmp2", ".model.pt.next"}
    (job.run_dir.path / "pyt_save").mkdir()
    for directory in (job.run_dir.path, job.run_dir.path / "pyt_save"):
        for name in {".vars.pkl.abcd_123.tmp", *own}:
            (directory / name).touch()
    before = names_in(job.run_dir.path)
    assert prepare(job, read_status(job.run_dir)).attempt == 2
    assert before - names_in(job.run_dir.path) == {".vars.pkl.abcd_123.tmp"}
    assert names_in(job.run_dir.path / "pyt_save") == own


@pytest.mark.parametrize("name", ["config.json", "provenance.json"])
def test_the_next_attempt_writes_what_the_last_one_did_not_come_to(job, name):
    prepare(job)
    path = job.run_dir.path / name
    text = path.read_text()
    path.unlink()
    prepare(job, read_status(job.run_dir))
    assert path.exists()
    if name == "config.json":
        assert path.read_text() == text


def test_the_next_attempt_keeps_the_settings_that_the_thunk_has_added(job):
    prepare(job)
    job.run_dir.config.write_text('{"added": 1}')
    prepare(job, read_status(job.run_dir))
    assert job.run_dir.config.read_text() == '{"added": 1}'


def test_a_lock_whose_file_was_deleted_does_not_take_the_next_one_with_it(job):
    first = acquire(job.run_dir)
    job.run_dir.lock.unlink()
    second = acquire(job.run_dir)
    first.release()
    assert acquire(job.run_dir) is None
    second.release()
    assert not job.run_dir.lock.exists()


def test_a_stale_lock_can_be_removed_and_a_held_one_not(job):
    job.run_dir.lock.touch()
    assert remove_stale(job.run_dir)
    assert not job.run_dir.lock.exists()
    assert remove_stale(job.run_dir)
    lock = acquire(job.run_dir)
    assert not remove_stale(job.run_dir)
    assert job.run_dir.lock.exists()
    lock.release()


def test_a_run_that_cannot_be_forked_holds_no_lock(tmp_path, monkeypatch):
    def fail():
        raise BlockingIOError("no more processes")

    ours, theirs = messages.make_pair()
    with ours, theirs:
        monkeypatch.setattr(os, "fork", fail)
        file = os.open(tmp_path, os.O_RDONLY)
        message = {"do": "start", "key": 7, "is_warm": False, "output": str(tmp_path / "output.log")}
        Server(theirs)._answer({**message, "payload": str(tmp_path / "payload.pkl")}, [file])
        message, _ = messages.receive(ours)
    assert (message["key"], message["event"], message["error"]) == (7, "ended", "no more processes")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)
