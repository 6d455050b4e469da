import heapq
import math
import pickle
import random
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from spinup.errors import SettingError
from spinup.scheduler.events import (
    Begun,
    Ended,
    Finish,
    FoundDone,
    NoResource,
    Opened,
    Outcome,
    Record,
    Start,
    Stop,
    StopRequested,
    Unavailable,
    WakeAt,
    Why,
    Woken,
)
from spinup.scheduler.state import Counts, Policy, Schedule, step

DONE, FAILED, INTERRUPTED = Outcome.DONE, Outcome.FAILED, Outcome.INTERRUPTED
OUT_OF_MEMORY, TIMED_OUT = Outcome.OUT_OF_MEMORY, Outcome.TIMED_OUT


def play(schedule, *events):
    """The schedule after the events, and the actions of the last one."""
    actions = ()
    for event in events:
        schedule, actions = step(schedule, event)
    return schedule, actions


def grid(total, *events, **policy):
    return play(Schedule(Policy(**{"slots": 1, **policy}), total), Opened(0.0), *events)


def only(kind, actions):
    return [action for action in actions if isinstance(action, kind)]


def started(actions):
    return [action.run for action in only(Start, actions)]


# Order and slots


def test_a_grid_without_runs_finishes_as_it_opens():
    assert grid(0)[1] == (Finish(),)


def test_nothing_starts_before_the_grid_is_open():
    schedule = Schedule(Policy(slots=1), 1)
    assert step(schedule, Woken(1.0)) == (replace(schedule, now_s=1.0), ())


def test_opening_twice_starts_nothing_twice():
    assert grid(4, Opened(1.0), slots=2)[1] == ()


def test_the_first_runs_fill_the_slots():
    assert grid(5, slots=3)[1] == (Start(0, 1, False), Start(1, 1, False), Start(2, 1, False))


def test_a_slot_is_filled_as_soon_as_its_run_has_ended():
    assert grid(5, Ended(1, DONE, 1.0), slots=3)[1] == (Record(1, DONE, 1), Start(3, 1, False))


def test_a_run_takes_as_many_slots_as_it_has_processes():
    assert started(grid(5, slots=7, slots_per_run=3)[1]) == [0, 1]


def test_a_run_larger_than_all_slots_runs_by_itself():
    assert started(grid(5, slots=2, slots_per_run=3)[1]) == [0]


def test_a_due_retry_starts_before_a_fresh_run():
    schedule, _ = grid(9, Ended(0, FAILED, 1.0), slots=2, retries=1, backoff_s=2.0)
    assert started(step(schedule, Ended(1, DONE, 3.0))[1]) == [0]


def test_a_retry_that_is_not_due_lets_fresh_runs_pass():
    schedule, _ = grid(9, Ended(0, FAILED, 1.0), slots=2, retries=1, backoff_s=2.0)
    assert started(step(schedule, Ended(1, DONE, 2.9))[1]) == [3]


def test_the_retry_that_was_due_first_starts_first():
    schedule, _ = grid(3, Ended(1, FAILED, 1.0), Ended(0, FAILED, 2.0), slots=2, retries=1, backoff_s=5.0)
    assert started(step(schedule, Ended(2, DONE, 9.0))[1]) == [1, 0]


def test_the_loop_is_woken_for_the_retry_that_is_due_first():
    events = Ended(0, FAILED, 1.0), Woken(5.0), Ended(0, FAILED, 6.0), Ended(1, FAILED, 7.0)
    assert grid(2, *events, slots=2, retries=2, backoff_s=4.0)[1] == (WakeAt(11.0),)


# Failures


def test_a_failed_run_is_final_without_retries():
    assert grid(1, Ended(0, FAILED, 1.0))[1] == (Record(0, FAILED, 1), Finish())


def test_a_failed_run_waits_for_its_backoff():
    schedule, actions = grid(1, Ended(0, FAILED, 1.0), retries=1, backoff_s=2.0)
    assert actions == (WakeAt(3.0),)
    assert step(schedule, Woken(3.0))[1] == (Start(0, 2, False),)


def test_the_backoff_doubles_up_to_its_limit():
    policy = Policy(slots=1, backoff_s=2.0, longest_backoff_s=10.0)
    assert [policy.delay_s(attempts) for attempts in (1, 2, 3, 4)] == [2.0, 4.0, 8.0, 10.0]


def test_the_backoff_of_a_very_late_attempt_is_still_a_number():
    assert Policy(slots=1, longest_backoff_s=7.0).delay_s(100_000) == 7.0


def test_the_last_failure_is_recorded_with_its_attempt():
    _, actions = grid(1, Ended(0, FAILED, 1.0), Woken(2.0), Ended(0, OUT_OF_MEMORY, 5.0), retries=1)
    assert actions == (Record(0, OUT_OF_MEMORY, 2), Finish())


def test_a_run_that_succeeds_at_its_second_attempt_is_done():
    _, actions = grid(1, Ended(0, FAILED, 1.0), Woken(2.0), Ended(0, DONE, 5.0), retries=5)
    assert actions == (Record(0, DONE, 2), Finish())


def test_an_interrupted_run_is_not_tried_again():
    assert grid(1, Ended(0, INTERRUPTED, 1.0), retries=3)[1] == (Record(0, INTERRUPTED, 1), Finish())


# Out of memory


def test_a_run_out_of_memory_holds_everything_back_until_nothing_runs():
    events = Ended(0, OUT_OF_MEMORY, 1.0), Ended(2, DONE, 9.0)
    assert started(grid(9, *events, slots=2, retries=1)[1]) == []


def test_a_run_out_of_memory_starts_alone():
    events = Ended(0, OUT_OF_MEMORY, 1.0), Ended(2, DONE, 9.0), Ended(1, DONE, 9.0)
    assert only(Start, grid(9, *events, slots=2, retries=1)[1]) == [Start(0, 2, True)]


def test_nothing_starts_while_a_run_is_alone():
    events = Ended(0, OUT_OF_MEMORY, 1.0), Ended(2, DONE, 9.0), Ended(1, DONE, 9.0), Woken(99.0)
    assert started(grid(9, *events, slots=2, retries=1)[1]) == []


def test_the_slots_are_filled_when_a_run_that_was_alone_has_ended():
    events = Ended(0, OUT_OF_MEMORY, 1.0), Ended(2, DONE, 9.0), Ended(1, DONE, 9.0), Ended(0, DONE, 9.0)
    assert started(grid(9, *events, slots=2, retries=1)[1]) == [3, 4]


def test_a_run_that_was_out_of_memory_stays_alone_whatever_its_next_failure():
    events = Ended(0, OUT_OF_MEMORY, 1.0), Woken(2.0), Ended(0, FAILED, 3.0), Woken(9.0)
    assert grid(1, *events, slots=2, retries=2)[1] == (Start(0, 3, True),)


# Timeouts


def test_the_loop_is_woken_at_the_first_deadline():
    assert grid(2, Begun(0, 2.0), slots=1, timeout_s=10.0)[1] == (WakeAt(12.0),)


def test_an_attempt_that_has_not_begun_has_no_deadline():
    assert grid(1, Woken(99.0), timeout_s=10.0)[1] == ()


def test_a_run_is_stopped_at_its_deadline():
    assert grid(1, Begun(0, 2.0), Woken(12.0), timeout_s=10.0)[1] == (Stop(0, Why.TIMEOUT),)


def test_a_run_is_not_stopped_before_its_deadline():
    assert only(Stop, grid(1, Begun(0, 2.0), Woken(11.9), timeout_s=10.0)[1]) == []


def test_a_run_begins_once():
    assert grid(1, Begun(0, 2.0), Begun(0, 9.0), timeout_s=10.0)[1] == (WakeAt(12.0),)


def test_the_beginning_of_an_earlier_attempt_is_not_that_of_the_next():
    events = Begun(0, 0.0), Ended(0, FAILED, 1.0), Woken(2.0), Begun(0, 3.0, attempt=1)
    assert grid(1, *events, timeout_s=10.0, retries=1)[1] == ()


def test_any_event_may_be_the_one_at_which_a_deadline_has_passed():
    events = Begun(0, 0.0), Ended(1, DONE, 11.0)
    assert only(Stop, grid(3, *events, slots=2, timeout_s=10.0)[1]) == [Stop(0, Why.TIMEOUT)]


def test_a_late_run_is_stopped_once():
    assert grid(1, Begun(0, 0.0), Woken(10.0), Woken(20.0), timeout_s=10.0)[1] == ()


def test_a_late_run_keeps_its_slot_until_it_has_ended():
    assert started(grid(2, Begun(0, 0.0), Woken(10.0), timeout_s=10.0)[1]) == []


@pytest.mark.parametrize("reported", [FAILED, INTERRUPTED, OUT_OF_MEMORY])
def test_what_a_stopped_late_run_reports_is_a_timeout(reported):
    _, actions = grid(1, Begun(0, 0.0), Woken(10.0), Ended(0, reported, 11.0), timeout_s=10.0)
    assert actions == (Record(0, TIMED_OUT, 1), Finish())


def test_a_late_run_that_is_done_is_done():
    events = Begun(0, 0.0), Woken(10.0), Ended(0, DONE, 11.0)
    assert Record(0, DONE, 1) in grid(1, *events, timeout_s=10.0)[1]


def test_a_late_run_is_tried_again_with_all_its_time():
    events = Begun(0, 0.0), Woken(10.0), Ended(0, FAILED, 11.0), Woken(12.0)
    schedule, actions = grid(1, *events, timeout_s=10.0, retries=1)
    assert actions == (Start(0, 2, False),)
    assert step(schedule, Begun(0, 13.0, attempt=2))[1] == (WakeAt(23.0),)


# Other launchers


def test_a_run_that_is_elsewhere_gives_its_slot_to_the_next():
    assert started(grid(3, Unavailable(0, 1.0))[1]) == [1]


def test_a_run_that_is_elsewhere_is_looked_at_again_after_the_fresh_ones():
    schedule, _ = grid(3, Unavailable(0, 1.0), Ended(1, DONE, 90.0), poll_interval_s=5.0)
    assert started(step(schedule, Ended(2, DONE, 91.0))[1]) == [0]


def test_another_look_waits_for_the_poll_interval():
    schedule, actions = grid(1, Unavailable(0, 1.0), poll_interval_s=5.0)
    assert actions == (WakeAt(6.0),)
    assert step(schedule, Woken(6.0))[1] == (Start(0, 1, False),)


def test_looking_again_and_again_counts_no_attempt():
    events = Unavailable(0, 1.0), Woken(9.0), Unavailable(0, 10.0), Woken(19.0), Ended(0, FAILED, 20.0)
    assert grid(1, *events, retries=1, backoff_s=3.0)[1] == (WakeAt(23.0),)


def test_a_run_that_another_launcher_has_done_is_final_without_an_attempt():
    assert grid(1, FoundDone(0, DONE, 1.0))[1] == (Record(0, DONE, 0), Finish())


def test_a_run_may_be_found_done_while_it_waits_to_be_looked_at():
    assert grid(1, Unavailable(0, 1.0), FoundDone(0, DONE, 2.0))[1] == (Record(0, DONE, 0), Finish())


def test_a_run_that_failed_at_another_launcher_is_not_tried_again():
    assert grid(1, FoundDone(0, FAILED, 1.0), retries=3)[1] == (Record(0, FAILED, 0), Finish())


# Resources


def test_nothing_starts_while_there_is_no_resource():
    assert grid(9, NoResource(1, 1.0), slots=2, poll_interval_s=5.0)[1] == (WakeAt(6.0),)


def test_a_run_without_resource_is_tried_again_before_later_ones():
    assert started(grid(9, NoResource(1, 1.0), NoResource(0, 1.0), Woken(6.0), slots=2)[1]) == [0, 1]


def test_a_run_without_resource_is_tried_again_as_soon_as_one_has_ended():
    assert started(grid(9, NoResource(1, 1.0), Ended(0, DONE, 2.0), slots=2)[1]) == [1, 2]


def test_no_resource_counts_no_attempt():
    events = Ended(0, FAILED, 1.0), Woken(2.0), NoResource(0, 2.0), Woken(7.0)
    assert grid(1, *events, retries=1)[1] == (Start(0, 2, False),)


# Stopping


def test_a_stop_interrupts_what_runs_and_starts_nothing():
    assert grid(9, StopRequested(1.0), slots=2)[1] == (Stop(0, Why.INTERRUPT), Stop(1, Why.INTERRUPT))


def test_the_grid_finishes_when_all_that_was_stopped_has_ended():
    events = StopRequested(1.0), Ended(0, INTERRUPTED, 2.0), Ended(1, INTERRUPTED, 3.0)
    assert grid(9, *events, slots=2)[1] == (Record(1, INTERRUPTED, 1), Finish())


def test_runs_that_were_never_started_are_counted_and_not_recorded():
    schedule, _ = grid(9, StopRequested(1.0), Ended(0, INTERRUPTED, 2.0))
    assert schedule.counts == Counts(
        done=0, failed=0, interrupted=1, running=0, retrying=0, elsewhere=0, not_started=8
    )


def test_a_run_that_is_done_after_the_stop_is_done():
    assert Record(0, DONE, 1) in grid(1, StopRequested(1.0), Ended(0, DONE, 2.0))[1]


def test_a_run_that_fails_after_the_stop_is_not_tried_again():
    assert Record(0, FAILED, 1) in grid(1, StopRequested(1.0), Ended(0, FAILED, 2.0), retries=3)[1]


def test_a_retry_that_is_dropped_by_a_stop_is_recorded_as_it_failed():
    _, actions = grid(1, Ended(0, OUT_OF_MEMORY, 1.0), StopRequested(1.5), retries=3)
    assert actions == (Record(0, OUT_OF_MEMORY, 1), Finish())


def test_a_failed_run_that_is_elsewhere_is_recorded_as_it_failed_here():
    events = Ended(0, FAILED, 1.0), Woken(2.0), Unavailable(0, 3.0), StopRequested(4.0)
    assert grid(1, *events, retries=3)[1] == (Record(0, FAILED, 1), Finish())


@pytest.mark.parametrize("answer", [Unavailable(0, 4.0), NoResource(0, 4.0)])
def test_a_failed_run_that_cannot_start_after_the_stop_is_recorded_as_it_failed(answer):
    events = Ended(0, FAILED, 1.0), Woken(2.0), StopRequested(3.0), answer
    assert grid(1, *events, retries=3)[1] == (Record(0, FAILED, 1), Finish())


def test_a_second_stop_is_immediate():
    assert grid(1, StopRequested(1.0), StopRequested(2.0))[1] == (
        Stop(0, Why.INTERRUPT, is_immediate=True),
    )


def test_a_third_stop_changes_nothing():
    assert grid(1, StopRequested(1.0), StopRequested(2.0), StopRequested(3.0))[1] == ()


def test_a_late_run_that_is_being_stopped_is_not_interrupted_as_well():
    assert grid(1, Begun(0, 0.0), Woken(10.0), StopRequested(11.0), timeout_s=10.0)[1] == ()


def test_a_run_that_is_being_interrupted_has_no_deadline():
    assert grid(1, Begun(0, 0.0), StopRequested(1.0), Woken(99.0), timeout_s=10.0)[1] == ()


def test_a_stop_before_the_beginning_finishes():
    assert step(Schedule(Policy(slots=1), 9), StopRequested(0.0))[1] == (Finish(),)


def test_a_final_failure_stops_the_grid_if_it_should():
    _, actions = grid(9, Ended(0, FAILED, 1.0), slots=2, stops_at_failure=True)
    assert actions == (Record(0, FAILED, 1), Stop(1, Why.INTERRUPT))


def test_a_failure_that_is_tried_again_does_not_stop_the_grid():
    _, actions = grid(9, Ended(0, FAILED, 1.0), slots=2, stops_at_failure=True, retries=1)
    assert started(actions) == [2]


def test_an_interruption_is_no_failure_to_stop_at():
    assert started(grid(9, Ended(0, INTERRUPTED, 1.0), stops_at_failure=True)[1]) == [1]


def test_the_first_stop_of_the_user_after_a_failure_is_still_gentle():
    assert grid(9, Ended(0, FAILED, 1.0), StopRequested(2.0), slots=2, stops_at_failure=True)[1] == ()


# Events that do not fit


@pytest.mark.parametrize("run", [-1, 0, 5, 99])
@pytest.mark.parametrize("kind", [Unavailable, NoResource, Begun])
def test_an_answer_of_a_run_that_does_not_run_changes_nothing(kind, run):
    before, _ = grid(9, Ended(0, DONE, 1.0), slots=2)
    assert step(before, kind(run, 1.0)) == (before, ())


def test_the_end_of_a_run_that_has_ended_changes_nothing():
    before, _ = grid(9, Ended(0, FAILED, 1.0), slots=2)
    assert step(before, Ended(0, DONE, 1.0)) == (before, ())


def test_a_late_duplicate_does_not_end_the_next_attempt():
    before, _ = grid(1, Ended(0, FAILED, 1.0, attempt=1), Woken(2.0), retries=1)
    assert step(before, Ended(0, FAILED, 2.0, attempt=1)) == (before, ())


def test_time_does_not_run_backwards():
    assert grid(3, Ended(0, DONE, 9.0), Begun(1, 1.0), timeout_s=5.0)[1] == (WakeAt(14.0),)


@pytest.mark.parametrize(
    "setting",
    [
        {"slots": 0},
        {"slots_per_run": 0},
        {"retries": -1},
        {"backoff_s": -1.0},
        {"backoff_s": math.nan},
        {"longest_backoff_s": math.inf},
        {"timeout_s": 0.0},
        {"timeout_s": math.inf},
        {"poll_interval_s": 0.0},
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        Policy(**{"slots": 1, **setting})


# Cost


def _begun(run):
    return Begun(run, 2.0 + run)


def _done(run):
    return Ended(run, DONE, 2.0 + run)


def _lines_and_bytes(total):
    """What each of 60 steps of a grid costs: lines of Python, and size of the state."""
    costs, lines = [], 0

    def count(frame, event, argument):
        nonlocal lines
        # Of this module alone: finalizers of anything can run at any time.
        lines += event == "line" and frame.f_code.co_filename == step.__code__.co_filename
        return count

    schedule = Schedule(Policy(slots=4, retries=1, timeout_s=50.0), total)
    answers = [Ended(0, DONE, 1.0), Unavailable(1, 1.0), Ended(2, FAILED, 1.0), NoResource(3, 1.0)]
    ends = [kind(run) for run in range(3, 31) for kind in (_begun, _done)]
    tracer = sys.gettrace()
    for event in [Opened(0.0), *answers, *ends]:
        lines = 0
        sys.settrace(count)
        try:
            schedule, _ = step(schedule, event)
        finally:
            sys.settrace(tracer)
        costs.append((lines, len(pickle.dumps(replace(schedule, total=0)))))
    return costs


def test_a_step_of_a_large_grid_costs_what_one_of_a_small_grid_costs():
    assert _lines_and_bytes(100_000) == _lines_and_bytes(100)


# Any order of events


class Books:
    """Performs actions on paper, and checks that each may be done when it is asked for."""

    def __init__(self, policy, total):
        self.policy, self.total = policy, total
        self.schedule = Schedule(policy, total)
        self.now_s = 0.0
        self.wake_at_s = None
        self.running = {}
        self.begun = {}
        self.stops = {}
        self.attempts = Counter()
        self.last = {}
        self.elsewhere = set()
        self.first_starts = []
        self.records = {}
        self.stop_requests = 0
        self.is_stopping = False
        self.paused_until_s = -1.0
        self.finishes = 0

    def send(self, event):
        self.wake_at_s = None
        self.schedule, actions = step(self.schedule, event)
        for number, action in enumerate(actions, 1):
            assert not self.finishes, "nothing comes after Finish"
            if isinstance(action, WakeAt | Finish):
                assert number == len(actions)
            getattr(self, type(action).__name__.lower())(action)
        self.check()
        return actions

    def start(self, start):
        run = start.run
        assert 0 <= run < self.total
        assert not self.is_stopping
        assert run not in self.running
        assert run not in self.records
        assert start.alone == any(outcome is OUT_OF_MEMORY for outcome in self.last.get(run, ()))
        if run not in self.first_starts:
            assert run == len(self.first_starts)
            self.first_starts.append(run)
        self.elsewhere.discard(run)
        self.attempts[run] += 1
        assert start.attempt == self.attempts[run] <= 1 + self.policy.retries
        self.running[run] = start

    def stop(self, stop):
        assert stop.run in self.running
        if stop.is_immediate:
            assert self.stop_requests == 2
        else:
            assert stop.run not in self.stops
        if stop.why is Why.TIMEOUT:
            assert self.now_s >= self.begun[stop.run] + self.policy.timeout_s
        else:
            assert self.is_stopping
        self.stops.setdefault(stop.run, stop.why)

    def wakeat(self, wake):
        assert wake.at_s > self.now_s
        self.wake_at_s = wake.at_s

    def record(self, record):
        run = record.run
        assert run not in self.records
        assert run not in self.running
        assert record.outcome is self.last[run][-1]
        assert record.attempt == self.attempts[run]
        self.records[run] = record.outcome
        self.is_stopping |= record.outcome.is_failure and self.policy.stops_at_failure

    def finish(self, finish):
        self.finishes += 1
        assert not self.running
        if not self.is_stopping:
            assert sorted(self.records) == list(range(self.total))
        tried = {run for run, count in self.attempts.items() if count}
        assert tried <= set(self.records)

    def check(self):
        width = min(self.policy.slots_per_run, self.policy.slots)
        assert len(self.running) * width <= self.policy.slots
        if any(start.alone for start in self.running.values()):
            assert len(self.running) == 1
        counts = self.schedule.counts
        assert sum(vars(counts).values()) == self.total
        assert counts.running == len(self.running)
        assert counts.done == sum(outcome is DONE for outcome in self.records.values())
        assert counts.done + counts.failed + counts.interrupted == len(self.records)
        assert self.begun.keys() <= self.running.keys()
        assert self.finishes or self.running or self.wake_at_s is not None, "there is something to wait for"
        if not self.is_held_back() and counts.not_started:
            assert len(self.running) == self.policy.slots // width
        if self.is_stopping:
            assert self.running.keys() <= self.stops.keys()
        if self.policy.timeout_s is not None:
            for run, begun_s in self.begun.items():
                deadline_s = begun_s + self.policy.timeout_s
                assert run in self.stops or self.now_s < deadline_s
                assert run in self.stops or self.wake_at_s <= deadline_s

    def is_held_back(self):
        """Whether there may be a reason to leave a slot empty."""
        alone = {run for run, outcomes in self.last.items() if OUT_OF_MEMORY in outcomes}
        return self.is_stopping or self.now_s < self.paused_until_s or bool(alone - self.records.keys())

    # What may happen in the world.

    def open(self):
        return self.send(Opened(self.now_s))

    def begin(self, run):
        self.begun.setdefault(run, self.now_s)
        self.send(Begun(run, self.now_s, attempt=self.running[run].attempt))

    def end(self, run, outcome):
        start = self.running.pop(run)
        self.begun.pop(run, None)
        why = self.stops.pop(run, None)
        is_timeout = why is Why.TIMEOUT and outcome is not DONE
        self.last.setdefault(run, []).append(TIMED_OUT if is_timeout else outcome)
        self.paused_until_s = -1.0
        event = Ended(run, outcome, self.now_s, attempt=start.attempt)
        self.send(event)
        return event

    def put_back(self, run, kind):
        del self.running[run]
        self.begun.pop(run, None)
        self.stops.pop(run, None)
        self.attempts[run] -= 1
        if kind is Unavailable:
            self.elsewhere.add(run)
        else:
            self.paused_until_s = self.now_s + self.policy.poll_interval_s
        self.send(kind(run, self.now_s))

    def find_done(self, run, outcome):
        if self.running.pop(run, None):
            self.attempts[run] -= 1
        self.begun.pop(run, None)
        self.stops.pop(run, None)
        self.elsewhere.discard(run)
        self.last.setdefault(run, []).append(outcome)
        self.send(FoundDone(run, outcome, self.now_s))

    def wake(self):
        self.now_s = self.wake_at_s
        self.send(Woken(self.now_s))

    def request_stop(self):
        self.stop_requests += 1
        self.is_stopping = True
        stops = only(Stop, self.send(StopRequested(self.now_s)))
        if self.stop_requests == 2:
            assert {stop.run for stop in stops if stop.is_immediate} == self.running.keys()


def policies():
    return st.builds(
        Policy,
        slots=st.integers(1, 6),
        slots_per_run=st.integers(1, 8),
        retries=st.integers(0, 3),
        backoff_s=st.sampled_from([0.0, 0.5, 4.0]),
        longest_backoff_s=st.sampled_from([1.0, 6.0]),
        timeout_s=st.sampled_from([None, 3.0, 20.0]),
        stops_at_failure=st.booleans(),
        poll_interval_s=st.sampled_from([0.25, 5.0]),
    )


PICKS = st.integers(0, 50)


class AnyOrder(RuleBasedStateMachine):
    """Everything that may happen to a grid, in any order; at the end the world gives in."""

    @initialize(policy=policies(), total=st.integers(0, 25))
    def open(self, policy, total):
        self.books = Books(policy, total)
        self.books.open()
        self.ends = []

    def pick(self, number):
        return sorted(self.books.running)[number % len(self.books.running)]

    @precondition(lambda self: self.books.running)
    @rule(pick=PICKS)
    def begin(self, pick):
        self.books.begin(self.pick(pick))

    @precondition(lambda self: self.books.running)
    @rule(pick=PICKS, outcome=st.sampled_from([DONE, DONE, FAILED, FAILED, OUT_OF_MEMORY, INTERRUPTED]))
    def end(self, pick, outcome):
        self.ends.append(self.books.end(self.pick(pick), outcome))

    @precondition(lambda self: self.books.running)
    @rule(pick=PICKS, kind=st.sampled_from([Unavailable, NoResource]))
    def put_back(self, pick, kind):
        self.books.put_back(self.pick(pick), kind)

    @precondition(lambda self: self.books.running)
    @rule(pick=PICKS, outcome=st.sampled_from([DONE, DONE, FAILED]))
    def find_done(self, pick, outcome):
        self.books.find_done(self.pick(pick), outcome)

    @precondition(lambda self: self.books.elsewhere - self.books.records.keys() and not self.books.finishes)
    @rule(pick=PICKS)
    def find_done_elsewhere(self, pick):
        runs = sorted(self.books.elsewhere - self.books.records.keys())
        self.books.find_done(runs[pick % len(runs)], DONE)

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 5.0, 30.0]))
    def wake_early_or_late(self, seconds):
        self.books.now_s += seconds
        self.books.send(Woken(self.books.now_s))

    @precondition(lambda self: self.books.wake_at_s is not None)
    @rule()
    def wake(self):
        self.books.wake()

    @precondition(lambda self: self.ends)
    @rule(pick=PICKS)
    def repeat_an_end(self, pick):
        self.books.send(replace(self.ends[pick % len(self.ends)], now_s=self.books.now_s))

    @precondition(lambda self: self.ends)
    @rule(pick=PICKS)
    def begin_an_attempt_that_has_ended(self, pick):
        end = self.ends[pick % len(self.ends)]
        self.books.send(Begun(end.run, self.books.now_s, end.attempt))

    @rule(run=st.integers(-3, 30), kind=st.sampled_from([Unavailable, NoResource, Begun]))
    def answer_what_was_not_asked(self, run, kind):
        if run not in self.books.running:
            self.books.send(kind(run, self.books.now_s))

    @rule(chance=st.integers(0, 9))
    def request_stop(self, chance):
        if chance == 0 and not self.books.finishes:
            self.books.request_stop()

    def teardown(self):
        if not hasattr(self, "books"):
            return
        for _ in range(4 * self.books.total + 10):
            if self.books.finishes:
                break
            if self.books.running:
                self.books.end(min(self.books.running), DONE)
            else:
                self.books.wake()
        assert self.books.finishes == 1
        assert step(self.books.schedule, Ended(0, DONE, 1e9)) == (self.books.schedule, ())


def test_the_invariants_hold_in_any_order_of_events():
    run_state_machine_as_test(
        AnyOrder, settings=settings(max_examples=150, stateful_step_count=40, deadline=None)
    )


class World:
    """A machine with a few leases, and another launcher that takes runs of the same grid."""

    def __init__(self, books, chance, leases):
        self.books, self.chance, self.leases = books, chance, leases
        self.queue = []
        self.number = 0
        self.taken = {}

    def perform(self, actions):
        for action in actions:
            if isinstance(action, Start):
                self.later(0.0, self.answer, action.run)
            elif isinstance(action, Stop):
                self.later(0.1, self.die, action.run)

    def later(self, delay_s, what, *arguments):
        self.number += 1
        heapq.heappush(self.queue, (self.books.now_s + delay_s, self.number, what, arguments))

    def answer(self, run):
        books, chance = self.books, self.chance
        if run not in books.running:
            return
        start = books.running[run].attempt
        if chance.random() < 0.1:
            self.taken.setdefault(run, books.now_s + chance.uniform(0, 20))
        if self.taken.get(run, -1.0) > books.now_s:
            books.put_back(run, Unavailable)
        elif run in self.taken:
            books.find_done(run, DONE)
        elif len(books.running) > self.leases:
            books.put_back(run, NoResource)
        else:
            outcome = chance.choice([DONE, DONE, FAILED, OUT_OF_MEMORY])
            prepared_s = chance.uniform(0, 30)
            self.later(prepared_s, self.begin, run, start)
            self.later(prepared_s + chance.uniform(0, 9), self.end, run, start, outcome)

    def begin(self, run, attempt):
        if self.is_running(run, attempt):
            self.books.begin(run)

    def end(self, run, attempt, outcome):
        if self.is_running(run, attempt):
            self.books.end(run, outcome)

    def is_running(self, run, attempt):
        return run in self.books.running and self.books.running[run].attempt == attempt

    def die(self, run):
        if run in self.books.stops:
            self.books.end(run, INTERRUPTED)

    def turn(self):
        """Let the next thing happen; what ``step`` then asks for is performed."""
        wake_s = self.books.wake_at_s
        if self.queue and (wake_s is None or self.queue[0][0] <= wake_s):
            self.books.now_s, _, what, arguments = heapq.heappop(self.queue)
            what(*arguments)
        else:
            self.books.wake()


@settings(deadline=None)
@given(policy=policies(), total=st.integers(0, 40), seed=st.integers(0, 2**32), leases=st.integers(1, 4))
def test_a_world_that_answers_brings_every_grid_to_its_end(policy, total, seed, leases):
    books = Books(policy, total)
    world = World(books, random.Random(seed), leases)
    send = books.send

    def send_and_perform(event):
        actions = send(event)
        world.perform(actions)
        return actions

    books.send = send_and_perform
    books.open()
    for _ in range(20_000):
        if books.finishes:
            break
        world.turn()
    assert books.finishes == 1
    if not policy.stops_at_failure:
        assert len(books.records) == total
