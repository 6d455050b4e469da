"""Which run starts when, is tried again or stopped, and when the grid has ended.

``schedule, actions = step(schedule, event)`` decides; a loop elsewhere performs the actions and says what
happened. Nothing here reads a clock, starts a process or touches a file: every time arrives in an event, in
monotonic seconds.

Runs are numbers, 0 to ``total - 1``, in the order in which they should start. Only those that run or wait
are kept one by one, so that a step costs the same in a grid of a hundred runs and of a hundred thousand.

What the loop may rely on, and what it has to do:

- A free slot goes to the retry that was due first, then to the next fresh run, then to a run that was
  elsewhere. A retry that has to be alone holds back all that comes after it until nothing runs.
- Each ``Start`` is answered, some time, by one of Ended, Unavailable, NoResource, FoundDone. A Begun may
  come before: from then on the attempt has its time, not while it is prepared.
- An event about a run that it does not fit, such as a duplicate, changes nothing; nor does any event after
  ``Finish``. An event that is older than the one before it counts as simultaneous.
- A ``Stop`` for a run whose answer is already on the way is to be ignored.
- After a stop, a run that was never tried gets no ``Record``; ``Schedule.counts`` tells how many there are.
"""

from __future__ import annotations

import enum
import math
from bisect import insort
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, assert_never

from spinup.errors import SettingError
from spinup.scheduler.events import (
    Action,
    Begun,
    Ended,
    Event,
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_DOUBLINGS = 64  # beyond any limit, and far from where a float overflows


class Phase(enum.StrEnum):
    """Where the grid is in its life."""

    NEW = "new"
    OPEN = "open"
    STOPPING = "stopping"
    FINISHED = "finished"


@dataclass(frozen=True)
class Policy:
    """How a grid is to be run.

    Attributes:
        slots: How many slots there are.
        slots_per_run: Slots that one run takes; a run that is too large for them has all of them.
        retries: How often a failed run is tried again.
        backoff_s: Time from the first failure to the second attempt; it doubles with each further one.
        longest_backoff_s: Where the doubling ends.
        timeout_s: Time that one attempt has from its Begun on.
        stops_at_failure: Whether the grid is stopped when a run has failed for good.
        poll_interval_s: Time until another look at what another launcher was doing, or held.

    Raises:
        SettingError: One of these is a number that cannot be used.
    """

    slots: int
    slots_per_run: int = 1
    retries: int = 0
    backoff_s: float = 1.0
    longest_backoff_s: float = 300.0
    timeout_s: float | None = None
    stops_at_failure: bool = False
    poll_interval_s: float = 5.0

    def __post_init__(self) -> None:
        least = {"slots": 1, "slots_per_run": 1, "retries": 0, "backoff_s": 0, "longest_backoff_s": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= bound):
                raise SettingError(f"{name} must be {bound} or more, not {value!r}.")
        for name in ("timeout_s", "poll_interval_s"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise SettingError(f"{name} must be a time above 0 s, not {value!r}.")

    @property
    def width(self) -> int:
        """How many runs fit beside each other."""
        return max(1, self.slots // self.slots_per_run)

    def delay_s(self, attempts: int) -> float:
        """Time from the failure of attempt number ``attempts`` to the next one."""
        return min(self.backoff_s * 2.0 ** min(attempts - 1, _MOST_DOUBLINGS), self.longest_backoff_s)


@dataclass(frozen=True)
class Attempt:
    """A run that was told to start and has not answered.

    Attributes:
        run: Which run.
        number: 1 for the first attempt.
        started_s: Time of the event that made it start.
        alone: Nothing runs beside it.
        last: How the attempt before ended.
        stopped_for: Why it was told to stop, once it was.
        begun_s: Time at which its process was there, once it is.
    """

    run: int
    number: int
    started_s: float
    alone: bool
    last: Outcome | None
    stopped_for: Why | None = None
    begun_s: float | None = None

    def deadline_s(self, timeout_s: float | None) -> float:
        """When its time is over."""
        return math.inf if timeout_s is None or self.begun_s is None else self.begun_s + timeout_s


@dataclass(frozen=True, order=True)
class Waiting:
    """A run that may start at ``due_s``, after ``attempts`` attempts; the last one ended as ``last``."""

    due_s: float
    run: int
    attempts: int = 0
    alone: bool = False
    last: Outcome | None = None


@dataclass(frozen=True)
class Counts:
    """How many runs are in which state; together they are all runs of the grid."""

    done: int
    failed: int
    interrupted: int
    running: int
    retrying: int
    elsewhere: int
    not_started: int


@dataclass(frozen=True)
class Schedule:
    """Where a grid of ``total`` runs is; ``Schedule(policy, total)`` is its beginning.

    Attributes:
        policy: How the grid is to be run.
        total: Number of runs.
        phase: Where the grid is in its life.
        now_s: The latest time of any event.
        next_fresh: The first run that was never told to start.
        running: Runs that were told to start, in that order.
        retrying: Runs that have failed and wait for another attempt; the first one due comes first.
        returned: Runs that found no resource at their first attempt, by number.
        elsewhere: Runs that another launcher is doing; the first one to look at comes first.
        paused_until_s: Nothing starts before, for want of a resource.
        stop_requests: How often the user has asked for a stop.
        done: Runs that are done.
        failed: Runs that have failed for good.
        interrupted: Runs that were interrupted.
    """

    policy: Policy
    total: int
    phase: Phase = Phase.NEW
    now_s: float = -math.inf
    next_fresh: int = 0
    running: tuple[Attempt, ...] = ()
    retrying: tuple[Waiting, ...] = ()
    returned: tuple[int, ...] = ()
    elsewhere: tuple[Waiting, ...] = ()
    paused_until_s: float = -math.inf
    stop_requests: int = 0
    done: int = 0
    failed: int = 0
    interrupted: int = 0

    @property
    def counts(self) -> Counts:
        """How many runs are in which state."""
        return Counts(
            done=self.done,
            failed=self.failed,
            interrupted=self.interrupted,
            running=len(self.running),
            retrying=len(self.retrying),
            elsewhere=len(self.elsewhere),
            not_started=self.total - self.next_fresh + len(self.returned),
        )


def step(schedule: Schedule, event: Event) -> tuple[Schedule, tuple[Action, ...]]:
    """The schedule after ``event``, and what is to be done, in this order; a WakeAt comes last."""
    if schedule.phase is Phase.FINISHED:
        return schedule, ()
    turn = _Turn(replace(schedule, now_s=max(schedule.now_s, event.now_s)))
    turn.take(event)
    turn.stop_late()
    turn.start_next()
    turn.finish_or_wait()
    return turn.schedule, tuple(turn.actions)


class _Turn:
    """One step on its way: the schedule so far, and what is to be done."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.actions: list[Action] = []

    def take(self, event: Event) -> None:
        """Note what has happened."""
        match event:
            case Opened():
                if self.schedule.phase is Phase.NEW:
                    self.schedule = replace(self.schedule, phase=Phase.OPEN)
            case Begun():
                self._begin(event)
            case Ended():
                self._end(event)
            case Unavailable():
                self._wait_for_other(event.run)
            case NoResource():
                self._wait_for_resource(event.run)
            case FoundDone():
                self._find_done(event)
            case StopRequested():
                self._request_stop()
            case Woken():
                pass
            case _:
                assert_never(event)

    def stop_late(self) -> None:
        """Stop the attempts whose time is over."""
        timeout_s, latest_s = self.schedule.policy.timeout_s, self.schedule.now_s
        late = [a for a in _unstopped(self.schedule) if a.deadline_s(timeout_s) <= latest_s]
        self._stop(late, Why.TIMEOUT)

    def start_next(self) -> None:
        """Fill the free slots."""
        while _has_room(self.schedule) and (found := _next(self.schedule)) is not None:
            waiting, rest = found
            if waiting.alone and rest.running:
                return
            attempt = Attempt(waiting.run, waiting.attempts + 1, rest.now_s, waiting.alone, waiting.last)
            self.schedule = replace(rest, running=(*rest.running, attempt))
            self.actions.append(Start(attempt.run, attempt.number, attempt.alone))

    def finish_or_wait(self) -> None:
        """Finish where nothing is left, else say when the next thing is due."""
        if _is_over(self.schedule):
            self.schedule = replace(self.schedule, phase=Phase.FINISHED)
            self.actions.append(Finish())
        elif (at_s := min(_due_times_s(self.schedule), default=None)) is not None:
            self.actions.append(WakeAt(at_s))

    def _begin(self, event: Begun) -> None:
        running = [
            replace(attempt, begun_s=self.schedule.now_s)
            if (attempt.run, attempt.begun_s) == (event.run, None)
            and event.attempt in {None, attempt.number}
            else attempt
            for attempt in self.schedule.running
        ]
        self.schedule = replace(self.schedule, running=tuple(running))

    def _end(self, event: Ended) -> None:
        attempt = self._leave(event.run, event.attempt)
        if attempt is None:
            return
        # What it held is free now; no need to wait for the pause to end.
        schedule = self.schedule = replace(self.schedule, paused_until_s=-math.inf)
        outcome = event.outcome
        if attempt.stopped_for is Why.TIMEOUT and outcome is not Outcome.DONE:
            outcome = Outcome.TIMED_OUT
        if not outcome.is_failure or attempt.number > schedule.policy.retries:
            self._record(attempt.run, outcome, attempt.number)
            return
        self._wait_for_retry(
            Waiting(
                due_s=schedule.now_s + schedule.policy.delay_s(attempt.number),
                run=attempt.run,
                attempts=attempt.number,
                alone=attempt.alone or outcome is Outcome.OUT_OF_MEMORY,
                last=outcome,
            )
        )

    def _wait_for_retry(self, waiting: Waiting) -> None:
        if self.schedule.phase is Phase.STOPPING:
            self._give_up(waiting)
        else:
            self.schedule = replace(self.schedule, retrying=_with(self.schedule.retrying, waiting))

    def _wait_for_other(self, run: int) -> None:
        attempt = self._leave(run)
        if attempt is None:
            return
        waiting = _back(attempt, due_s=self.schedule.now_s + self.schedule.policy.poll_interval_s)
        if self.schedule.phase is Phase.STOPPING and waiting.last is not None:
            self._give_up(waiting)
        else:
            self.schedule = replace(self.schedule, elsewhere=_with(self.schedule.elsewhere, waiting))

    def _wait_for_resource(self, run: int) -> None:
        attempt = self._leave(run)
        if attempt is None:
            return
        schedule = self.schedule
        # All runs need the same: if there is none for this one, there is none for the others.
        self.schedule = replace(schedule, paused_until_s=schedule.now_s + schedule.policy.poll_interval_s)
        if attempt.last is None:
            self.schedule = replace(self.schedule, returned=tuple(sorted((*schedule.returned, run))))
        else:
            self._wait_for_retry(_back(attempt, due_s=attempt.started_s))

    def _find_done(self, event: FoundDone) -> None:
        attempt = self._leave(event.run)
        if attempt is not None:
            self._record(event.run, event.outcome, attempt.number - 1)
            return
        waiting = next((w for w in self.schedule.elsewhere if w.run == event.run), None)
        if waiting is not None:
            rest = tuple(w for w in self.schedule.elsewhere if w is not waiting)
            self.schedule = replace(self.schedule, elsewhere=rest)
            self._record(event.run, event.outcome, waiting.attempts)

    def _request_stop(self) -> None:
        self.schedule = replace(self.schedule, stop_requests=self.schedule.stop_requests + 1)
        self._close()
        if self.schedule.stop_requests == 2:
            self._stop(self.schedule.running, Why.INTERRUPT, is_immediate=True)

    def _close(self) -> None:
        """Start nothing any more, end what runs, and give up what waits for another attempt."""
        schedule = self.schedule
        if schedule.phase is Phase.STOPPING:
            return
        others = tuple(w for w in schedule.elsewhere if w.last is None)
        self.schedule = replace(schedule, phase=Phase.STOPPING, retrying=(), elsewhere=others)
        self._stop(_unstopped(self.schedule), Why.INTERRUPT)
        for waiting in (*schedule.retrying, *schedule.elsewhere):
            if waiting.last is not None:
                self._give_up(waiting)

    def _stop(self, attempts: Sequence[Attempt], why: Why, *, is_immediate: bool = False) -> None:
        self.actions += [Stop(attempt.run, why, is_immediate) for attempt in attempts]
        runs = {attempt.run for attempt in attempts}
        running = [
            replace(attempt, stopped_for=attempt.stopped_for or why) if attempt.run in runs else attempt
            for attempt in self.schedule.running
        ]
        self.schedule = replace(self.schedule, running=tuple(running))

    def _give_up(self, waiting: Waiting) -> None:
        assert waiting.last is not None, f"run {waiting.run} was never tried"
        self._record(waiting.run, waiting.last, waiting.attempts)

    def _record(self, run: int, outcome: Outcome, attempts: int) -> None:
        schedule = self.schedule
        self.actions.append(Record(run, outcome, attempts))
        self.schedule = replace(
            schedule,
            done=schedule.done + (outcome is Outcome.DONE),
            failed=schedule.failed + outcome.is_failure,
            interrupted=schedule.interrupted + (outcome is Outcome.INTERRUPTED),
        )
        if outcome.is_failure and schedule.policy.stops_at_failure:
            self._close()

    def _leave(self, run: int, number: int | None = None) -> Attempt | None:
        """The attempt, which is running no more; None if it was not."""
        running = self.schedule.running
        for attempt in running:
            if attempt.run == run and number in {None, attempt.number}:
                self.schedule = replace(
                    self.schedule, running=tuple(a for a in running if a is not attempt)
                )
                return attempt
        return None


def _has_room(schedule: Schedule) -> bool:
    running = schedule.running
    return (
        schedule.phase is Phase.OPEN
        and schedule.paused_until_s <= schedule.now_s
        and len(running) < schedule.policy.width
        and not (running and running[0].alone)
    )


def _next(schedule: Schedule) -> tuple[Waiting, Schedule] | None:
    """The run whose turn it is, and the schedule without it; None if it is nobody's."""
    retrying, returned, elsewhere = schedule.retrying, schedule.returned, schedule.elsewhere
    now_s, fresh = schedule.now_s, schedule.next_fresh
    if retrying and retrying[0].due_s <= now_s:
        return retrying[0], replace(schedule, retrying=retrying[1:])
    if returned:
        return Waiting(now_s, returned[0]), replace(schedule, returned=returned[1:])
    if fresh < schedule.total:
        return Waiting(now_s, fresh), replace(schedule, next_fresh=fresh + 1)
    if elsewhere and elsewhere[0].due_s <= now_s:
        return elsewhere[0], replace(schedule, elsewhere=elsewhere[1:])
    return None


def _is_over(schedule: Schedule) -> bool:
    if schedule.phase is Phase.NEW or schedule.running:
        return False
    is_empty = not (schedule.retrying or schedule.returned or schedule.elsewhere)
    return schedule.phase is Phase.STOPPING or (is_empty and schedule.next_fresh >= schedule.total)


def _due_times_s(schedule: Schedule) -> Iterator[float]:
    """Times to come at which something is due; what only waits for a slot has none."""
    now_s = schedule.now_s
    deadlines_s = (attempt.deadline_s(schedule.policy.timeout_s) for attempt in _unstopped(schedule))
    yield from (at_s for at_s in deadlines_s if at_s < math.inf)
    if schedule.phase is not Phase.OPEN:
        return
    if schedule.paused_until_s > now_s:
        yield schedule.paused_until_s
        return
    for queue in (schedule.retrying, schedule.elsewhere):
        # A queue is in the order of its times: the first one to come is enough.
        yield from islice((waiting.due_s for waiting in queue if waiting.due_s > now_s), 1)


def _unstopped(schedule: Schedule) -> tuple[Attempt, ...]:
    return tuple(attempt for attempt in schedule.running if attempt.stopped_for is None)


def _back(attempt: Attempt, *, due_s: float) -> Waiting:
    """The run as it was before an attempt that did not take place."""
    return Waiting(due_s, attempt.run, attempt.number - 1, attempt.alone, attempt.last)


def _with(queue: tuple[Waiting, ...], waiting: Waiting) -> tuple[Waiting, ...]:
    longer = list(queue)
    insort(longer, waiting)
    return tuple(longer)
