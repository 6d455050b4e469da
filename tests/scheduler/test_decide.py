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
        (RAISED, NEW, "failed", Decision.RESTART),
        (RAISED, OLD, "none", Decision.KEEP_FAILED),
        (RAISED, OLD, "call", Decision.REDO),
        (KILLED, OLD, "call", Decision.AGAIN),
        (KILLED, NEW, "call", Decision.RESTART),
        (KILLED, NEW, "none", Decision.KEEP_UNFINISHED),
        (RUNNING, OLD, "failed", Decision.AGAIN),
        (RUNNING, OLD, "none", Decision.KEEP_UNFINISHED),
        (QUEUED, NEW, "none", Decision.KEEP_UNFINISHED),
        (QUEUED, OLD, "call", Decision.AGAIN),
    ],
)
def test_each_status_has_its_decision(status, code, rerun, decision):
    assert decide(status, "same", code, rerun) is decision


@pytest.mark.parametrize("status", [QUEUED, RUNNING, DONE, RAISED])
def test_another_identity_is_replaced(status):
    assert decide(status, "other", OLD, "failed") is Decision.REPLACE


@pytest.mark.parametrize("status", [QUEUED, RUNNING, DONE, RAISED])
def test_another_identity_is_left_alone_where_nothing_is_done_again(status):
    assert decide(status, "other", OLD, "none") is Decision.KEEP_OTHER


def test_what_is_kept_does_not_run():
    assert [decision for decision in Decision if not decision.is_to_run] == [
        Decision.KEEP,
        Decision.KEEP_STALE,
        Decision.KEEP_FAILED,
        Decision.KEEP_UNFINISHED,
        Decision.KEEP_OTHER,
    ]


def test_a_run_whose_code_nobody_noted_is_not_stale():
    status = Status(State.QUEUED, exp_name="x", seed=0, identity="same").running().done()
    assert decide(status, "same", NEW, "failed") is Decision.KEEP


def test_the_summary_names_what_there_is_and_the_files_that_changed():
    runs = [(Decision.KEEP, ()), (Decision.AGAIN, ())] * 3 + [(Decision.NEW, ())] * 6
    runs += [(Decision.KEEP_STALE, ["my_algo.py"])] * 4 + [(Decision.RESTART, ["b.py", "a.py"])] * 2
    assert summary(runs) == (
        "3 done, kept · 3 failed or interrupted, again · "
        "2 failed or interrupted, again from the start (a.py, b.py changed since) · 6 new · "
        "4 stale (my_algo.py changed since), kept: rerun='stale' runs them again"
    )


def test_of_many_changed_files_the_first_are_named():
    text = summary([(Decision.REDO, ["d.py", "c.py"]), (Decision.REDO, ["b.py", "a.py"])])
    assert text == "2 done, again from the start (a.py, b.py, c.py, ... changed since)"


def test_the_summary_tells_what_is_different():
    text = summary([(Decision.REPLACE, ())] * 6, "thunk: bench:train before, bench:learn now")
    assert text == ("6 with another config (thunk: bench:train before, bench:learn now), archived first")


@pytest.mark.parametrize("decision", Decision)
def test_no_decision_is_left_out_of_the_summary(decision):
    assert summary([(decision, ())]).startswith("1 ")
