import json

import pytest

from spinup.errors import RecordError
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State, Status, read_status, write_status


@pytest.fixture
def run_dir(tmp_path):
    return RunDir(tmp_path)


@pytest.fixture
def queued():
    return Status(State.QUEUED, exp_name="x", seed=3, identity="abc")


def test_a_status_comes_back_as_it_was_written(run_dir, queued):
    status = queued.running().failed("signal SIGKILL", signal="SIGKILL")
    write_status(run_dir, status)
    assert read_status(run_dir) == status
    assert json.loads(run_dir.status.read_text())["state"] == "failed"


def test_no_file_is_no_status(run_dir):
    assert read_status(run_dir) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"state": "asleep"}', '{"state": "done"}', "\x00\xff", "[" * 100_000],
)
def test_a_damaged_status_is_a_record_error(run_dir, text):
    run_dir.status.write_text(text, encoding="latin-1")
    with pytest.raises(RecordError, match=r"status\.json"):
        read_status(run_dir)


def test_fields_of_a_later_version_are_ignored(run_dir, queued):
    write_status(run_dir, queued)
    content = {**json.loads(run_dir.status.read_text()), "mood": "good"}
    run_dir.status.write_text(json.dumps(content))
    assert read_status(run_dir) == queued


def test_a_run_that_has_ended_stays_as_it_is(queued):
    running = queued.running()
    with pytest.raises(RecordError, match="done cannot become failed"):
        running.done().failed("late")
    with pytest.raises(RecordError, match="failed cannot become running"):
        running.failed("early").running()
    with pytest.raises(RecordError, match="queued cannot become done"):
        queued.done()


def test_times_are_utc(queued):
    assert queued.running().started_at.endswith("Z")
