"""The only loop that waits: events in, decisions made, actions performed."""

from __future__ import annotations

import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from spinup.scheduler.events import (
    Begun,
    Ended,
    Event,
    Opened,
    Record,
    Start,
    Stop,
    StopRequested,
    WakeAt,
    Woken,
)
from spinup.scheduler.state import Phase, Policy, Schedule, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spinup.launchers.base import Exited, Started
    from spinup.scheduler.inbox import Inbox


class Crew(Protocol):
    """What performs the actions."""

    def start(self, action: Start, now_s: float) -> Event | None:
        """Start a run; an event if that is its end already, or if it could not be done."""

    def stop(self, action: Stop) -> None:
        """Stop a run."""

    def hear(self, message: Started | Exited, now_s: float) -> Begun | Ended | None:
        """Take note of what a launcher says; an event if an attempt has begun or ended by that."""

    def record(self, action: Record) -> None:
        """Take note of a run's final fate."""

    def show(self, schedule: Schedule) -> None:
        """Let the user see how it goes."""


def run_schedule(
    policy: Policy,
    total: int,
    crew: Crew,
    inbox: Inbox,
    *,
    refresh_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Schedule:
    """Run ``total`` runs to their ends; the schedule as it is then.

    Args:
        policy: How they are to be run.
        total: Number of runs.
        crew: Performs the actions.
        inbox: Where the crew's launchers post.
        refresh_s: The longest time between two calls of ``crew.show``; None for only when something
            has happened.
        clock: Monotonic seconds.

    Raises:
        KeyboardInterrupt: SIGINT came; everything has been stopped and recorded.
        SystemExit: SIGTERM or SIGHUP came; likewise.
    """
    schedule = Schedule(policy, total)
    events: deque[Event] = deque([Opened(clock())])
    wake_s: float | None = None
    with inbox.hear_signals(clock) as received:
        while schedule.phase is not Phase.FINISHED:
            # Looked at between all events: a signal must not wait for a long chain of them to end.
            events += _receive(crew, inbox, 0.0 if events else _patience_s(wake_s, refresh_s, clock), clock)
            if wake_s is not None and clock() >= wake_s:
                events.append(Woken(clock()))
            if not events:
                crew.show(schedule)
                continue
            schedule, actions = step(schedule, events.popleft())
            wake_s = None
            for action in actions:
                match action:
                    case Start():
                        answer = crew.start(action, clock())
                        if answer is not None:
                            events.append(answer)
                    case Stop():
                        crew.stop(action)
                    case Record():
                        crew.record(action)
                    case WakeAt():
                        wake_s = action.at_s
            crew.show(schedule)
    if received:
        _obey(received[0])
    return schedule


def _patience_s(wake_s: float | None, refresh_s: float | None, clock: Callable[[], float]) -> float | None:
    """How long to wait for a message; None for as long as it takes."""
    waits_s = [] if wake_s is None else [max(0.0, wake_s - clock())]
    return min(waits_s if refresh_s is None else [*waits_s, refresh_s], default=None)


def _receive(
    crew: Crew, inbox: Inbox, timeout_s: float | None, clock: Callable[[], float]
) -> Iterator[Event]:
    """The events in all messages that are there, or in the first that comes within ``timeout_s``."""
    message = inbox.take(timeout_s)
    while message is not None:
        if isinstance(message, StopRequested):
            yield message
        else:
            event = crew.hear(message, clock())
            if event is not None:
                yield event
        message = inbox.take(0.0)


def _obey(number: int) -> None:
    """End as the signal would have ended this process, had nobody listened."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
