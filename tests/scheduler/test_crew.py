import json
import os
import platform
from dataclasses import replace

import pytest

from spinup.jobs.make import Place, make_job
from spinup.launchers.base import Exited, Started
from spinup.rundir.status import State, read_status, utc_now, write_status
from spinup.scheduler import crew as crew_module
from spinup.scheduler.crew import LocalCrew
from spinup.scheduler.events import Begun, Ended, FoundDone, Outcome, Start, Stop, Why

LATER = "2999-01-01T00:00:00.000Z"


class SilentView:
    def __init__(self):
        self.notes = []

    def started(self, active): ...

    def ended(self, active, record, outcome): ...

    def note(self, text):
        self.notes.append(text)

    def refresh(self, schedule, active): ...


class PaperLauncher:
    """Starts nothing: a test says what becomes of the run, and plays its child."""

    def __init__(self):
        self.stopped = []

    def start(self, request): ...

    def stop(self, run, grace_s=0.0):
        self.stopped.append(run)


def answer():
    return 42


@pytest.fixture
def job(tmp_path):
    return make_job("x", answer, {}, place=Place(str(tmp_path / "data")))


@pytest.fixture
def make_crew(job):
    def make_crew(**fields):
        fields = {"began_at": utc_now(), "rerun": "failed", "isolation": "fresh", **fields}
        crew = LocalCrew(jobs=[job], launcher=PaperLauncher(), view=SilentView(), **fields)
        crews.append(crew)
        return crew

    crews = []
    yield make_crew
    for crew in crews:
        crew.close()


def start(crew, attempt=1):
    return crew.start(Start(0, attempt, alone=False), 1.0)


def write(job, change):
    """Have the child write the status that ``change`` makes of the one that is there."""
    write_status(job.run_dir, change(read_status(job.run_dir).running()))


def end(crew, code=0, **fields):
    return crew.hear(Exited(0, code, **fields), 2.0).outcome


def fail(crew, job):
    write(job, lambda status: status.failed("exception", message="ValueError: boom", exit_code=1))
    return end(crew, 1)


def run_elsewhere(make_crew, job, change, **fields):
    """Have another launcher make an attempt at the run, which ends as ``change`` says."""
    other = make_crew(**fields)
    assert start(other) is None
    write(job, change)
    end(other)


# -- What counts as done


def test_a_thunk_that_returned_is_done_even_if_the_stop_came_too_late(make_crew, job):
    crew = make_crew(timeout_s=5.0)
    start(crew)
    crew.stop(Stop(0, Why.TIMEOUT))
    write(job, lambda status: status.done())
    assert end(crew) is Outcome.DONE
    assert read_status(job.run_dir).state is State.DONE


@pytest.mark.parametrize(
    ("why", "outcome", "reason"),
    [(Why.TIMEOUT, Outcome.TIMED_OUT, "timeout"), (Why.INTERRUPT, Outcome.INTERRUPTED, "interrupted")],
)
def test_a_thunk_that_was_told_to_stop_and_exits_well_is_not_done(make_crew, job, why, outcome, reason):
    crew = make_crew(timeout_s=5.0)
    start(crew)
    crew.stop(Stop(0, why))
    write(job, lambda status: status.done(has_returned=False))
    assert end(crew) is outcome
    assert read_status(job.run_dir).reason == crew.records[0].reason == reason
    again = make_crew()
    assert start(again) is None
    assert read_status(job.run_dir).attempt == 2


def test_a_thunk_that_exits_well_unasked_is_done(make_crew, job):
    crew = make_crew()
    start(crew)
    write(job, lambda status: status.done(has_returned=False))
    assert end(crew) is Outcome.DONE


# -- Whose directory it is


def test_what_another_launcher_has_put_in_place_of_the_run_is_left_alone(make_crew, job):
    crew = make_crew(retries=1)
    start(crew)
    taken = replace(job.queued(), queued_at="2000-01-01T00:00:00.000Z").running().done()
    write_status(job.run_dir, taken)
    before = job.run_dir.status.read_bytes(), sorted(job.run_dir.path.iterdir())
    assert end(crew, 1) is Outcome.FAILED
    assert (job.run_dir.status.read_bytes(), sorted(job.run_dir.path.iterdir())) == before
    assert (crew.records[0].state, crew.records[0].reason) == (State.FAILED, "directory replaced")


# -- Several launchers


@pytest.mark.parametrize("attempt", [2, 3])
def test_what_another_launcher_has_done_between_two_attempts_is_not_done_again(make_crew, job, attempt):
    crew = make_crew(retries=5)
    for number in range(1, attempt):
        assert start(crew, number) is None
        assert fail(crew, job) is Outcome.FAILED
    run_elsewhere(make_crew, job, lambda status: status.done(), retries=5)
    done = job.run_dir.status.read_bytes()
    assert start(crew, attempt) == FoundDone(0, Outcome.DONE, 1.0)
    assert job.run_dir.status.read_bytes() == done


def test_a_launcher_with_retries_tries_what_has_failed_elsewhere(make_crew, job):
    waits = make_crew(retries=1)
    run_elsewhere(make_crew, job, lambda status: status.failed("exception"), retries=1)
    assert start(waits) is None
    assert read_status(job.run_dir).attempt == 2


def test_a_launcher_without_retries_takes_a_failure_elsewhere_for_final(make_crew, job):
    waits = make_crew()
    run_elsewhere(make_crew, job, lambda status: status.failed("exception"))
    assert start(waits) == FoundDone(0, Outcome.FAILED, 1.0)


def test_the_second_attempt_goes_on_from_the_first(make_crew, job):
    crew = make_crew(retries=1, rerun="none")
    start(crew)
    fail(crew, job)
    (job.run_dir.path / "vars.pkl").touch()
    assert start(crew, 2) is None
    assert (job.run_dir.path / "vars.pkl").exists()


def test_a_failure_of_a_time_to_come_is_not_taken_for_one_since_the_plan(make_crew, job):
    run_elsewhere(make_crew, job, lambda status: replace(status.failed("exception"), ended_at=LATER))
    assert start(make_crew()) is None


# -- Records that cannot be read


def test_a_result_that_is_gone_is_a_failure_that_says_so(make_crew, job):
    run_elsewhere(make_crew, job, lambda status: status.done(has_result=True))
    crew = make_crew()
    assert start(crew) == FoundDone(0, Outcome.FAILED, 1.0)
    assert crew.records[0].reason == "record not readable"
    assert "result.json" in crew.records[0].message


@pytest.mark.parametrize(
    "fields",
    [{"attempt": 10**4300 - 1}, {"attempt": -1}, {"seed": float("nan")}],
    ids=["large", "negative", "nan"],
)
def test_numbers_beyond_all_bounds_cost_the_run_alone(make_crew, job, fields):
    run_elsewhere(make_crew, job, lambda status: status.failed("exception"))
    status = json.loads(job.run_dir.status.read_text())
    job.run_dir.status.write_text(json.dumps({**status, **fields}))
    assert start(make_crew()) is None
    assert read_status(job.run_dir).attempt == 1


def test_a_value_error_of_one_run_is_its_own_failure(make_crew, job, monkeypatch):
    def fail(*_):
        raise ValueError("of a damaged record")

    monkeypatch.setattr(crew_module, "prepare", fail)
    crew = make_crew()
    assert start(crew) == FoundDone(0, Outcome.FAILED, 1.0)
    assert (crew.records[0].reason, crew.records[0].message) == ("not started", "of a damaged record")
    assert not job.run_dir.lock.exists()


# -- What is said


def test_an_attempt_has_begun_when_its_process_is_there(make_crew):
    crew = make_crew()
    start(crew, 1)
    assert crew.hear(Started(0, pid=1), 7.0) == Begun(0, 7.0, 1)


def test_a_timeout_says_after_how_long_it_came(make_crew, job):
    crew = make_crew(timeout_s=2.5)
    start(crew)
    crew.stop(Stop(0, Why.TIMEOUT))
    assert end(crew, -15) is Outcome.TIMED_OUT
    assert (crew.records[0].reason, crew.records[0].message) == ("timeout", "after 2.5 s")


def test_what_a_stopped_thunk_says_itself_stays(make_crew, job):
    crew = make_crew(timeout_s=2.5)
    start(crew)
    crew.stop(Stop(0, Why.TIMEOUT))
    fail(crew, job)
    assert (crew.records[0].reason, crew.records[0].message) == ("timeout", "ValueError: boom")


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_too_much_memory_says_how_much_and_of_what(make_crew, monkeypatch, system):
    if system == "Linux" and platform.system() != system:
        pytest.skip("reads /proc")
    monkeypatch.setattr(platform, "system", lambda: system)
    crew = make_crew(memory_limit_bytes=1_000_000)
    start(crew)
    crew.hear(Started(0, pid=os.getpid()), 1.0)
    crew.show(None)
    assert crew.launcher.stopped == [0]
    assert isinstance(crew.hear(Exited(0, -9), 2.0), Ended)
    assert crew.records[0].reason == "out of memory"
    assert crew.records[0].message.endswith(" GB were held, of 0.001 GB")
