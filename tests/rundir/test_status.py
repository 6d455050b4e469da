import json
from dataclasses import replace

import pytest

from spinup.errors import RecordError
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State, Status, is_taken, read_status, write_status


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


@pytest.mark.parametrize(
    "field",
    ['"attempt": 0', f'"attempt": {"9" * 4300}', '"seed": NaN', '"queued_at": 7'],
    ids=["attempt 0", "4300 digits", "NaN", "time"],
)
def test_what_could_not_be_reckoned_with_or_written_again_is_a_record_error(run_dir, field):
    fields = {"seed": '"seed": 3', field.partition(":")[0].strip('"'): field}
    rest = ", ".join(fields.values())
    run_dir.status.write_text(f'{{"state": "failed", "exp_name": "x", "identity": "a", {rest}}}')
    with pytest.raises(RecordError, match=r"status\.json"):
        read_status(run_dir)


def test_a_directory_is_taken_when_the_status_of_another_attempt_is_in_it(run_dir, queued):
    mine = replace(queued, queued_at="2026-01-01T00:00:00.000Z")
    assert not is_taken(run_dir, mine)
    write_status(run_dir, mine.running())
    assert not is_taken(run_dir, mine)
    for other in ({"attempt": 2}, {"identity": "other"}, {"queued_at": "2026-01-01T00:00:00.001Z"}):
        write_status(run_dir, replace(mine, **other))
        assert is_taken(run_dir, mine)
    run_dir.status.write_text("damaged")
    assert not is_taken(run_dir, mine)


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
