import pytest

from spinup.rundir.status import State, Status
from spinup.scheduler.decide import Decision, decide, summary

QUEUED = Status(State.QUEUED, exp_name="x", seed=0, identity="same", code={"a.py": "1"})
RUNNING = QUEUED.running()
DONE = RUNNING.done()
RAISED = RUNNING.failed("exception")
KILLED = RUNNING.failed("interrupted")
OLD, NEW = {"a.py": "1"}, {"a.py": "2"}


@pytest.mark.parametrize(
    ("status", "code", "rerun", "decision"),
    [
        (None, OLD, "failed", Decision.NEW),
        (DONE, OLD, "failed", Decision.KEEP),
        (DONE, NEW, "failed", Decision.KEEP_STALE),
        (DONE, NEW, "stale", Decision.REDO),
        (DONE, OLD, "stale", Decision.KEEP),
        (DONE, OLD, "all", Decision.REDO),
        (DONE, OLD, "none", Decision.KEEP),
        (DONE, OLD, "call", Decision.REDO),
        (RAISED, OLD, "failed", Decision.AGAIN),
        (RAISED, NEW, "failed", Decision.REDO),
        (RAISED, OLD, "none", Decision.KEEP_FAILED),
        (RAISED, OLD, "call", Decision.REDO),
        (KILLED, OLD, "call", Decision.AGAIN),
        (KILLED, NEW, "call", Decision.REDO),
        (RUNNING, OLD, "failed", Decision.AGAIN),
        (RUNNING, OLD, "none", Decision.AGAIN),
        (QUEUED, OLD, "call", Decision.AGAIN),
    ],
)
def test_each_status_has_its_decision(status, code, rerun, decision):
    assert decide(status, "same", code, rerun) is decision


@pytest.mark.parametrize("status", [QUEUED, RUNNING, DONE, RAISED])
def test_another_identity_is_replaced(status):
    assert decide(status, "other", OLD, "failed") is Decision.REPLACE


def test_a_run_whose_code_nobody_noted_is_not_stale():
    status = Status(State.QUEUED, exp_name="x", seed=0, identity="same").running().done()
    assert decide(status, "same", NEW, "failed") is Decision.KEEP


def test_the_summary_names_what_there_is_and_the_files_that_changed():
    decisions = [Decision.KEEP] * 12 + [Decision.AGAIN] * 3 + [Decision.NEW] * 6 + [Decision.KEEP_STALE] * 4
    assert summary(decisions, ["my_algo.py"] * 4) == (
        "12 done, kept · 3 failed or interrupted, again · 6 new · "
        "4 stale (my_algo.py changed since), kept: rerun='stale' runs them again"
    )
