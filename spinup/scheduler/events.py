"""What can happen to a grid, and what can be done about it; `state` says what follows what."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias


class Outcome(enum.StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"

    @property
    def is_failure(self) -> bool:
        """Whether it is worth another attempt."""
        return self not in {Outcome.DONE, Outcome.INTERRUPTED}


class Why(enum.StrEnum):
    """Why a run is stopped."""

    TIMEOUT = "timeout"
    INTERRUPT = "interrupt"


# -- Events; times are monotonic seconds


@dataclass(frozen=True)
class Opened:
    """The grid may begin."""

    now_s: float


@dataclass(frozen=True)
class Begun:
    """An attempt's process is there, and its time runs; ``attempt`` tells a late duplicate."""

    run: int
    now_s: float
    attempt: int | None = None


@dataclass(frozen=True)
class Ended:
    """An attempt has ended, by itself or because it was stopped; ``attempt`` tells a late duplicate."""

    run: int
    outcome: Outcome
    now_s: float
    attempt: int | None = None


@dataclass(frozen=True)
class Unavailable:
    """A run could not be started: another launcher is doing it."""

    run: int
    now_s: float


@dataclass(frozen=True)
class NoResource:
    """A run could not be started: what every run needs, such as a GPU, is not free."""

    run: int
    now_s: float


@dataclass(frozen=True)
class FoundDone:
    """A run was not started, or is elsewhere: another launcher has brought it to this end."""

    run: int
    outcome: Outcome
    now_s: float


@dataclass(frozen=True)
class Woken:
    """The time of the last ``WakeAt`` has come."""

    now_s: float


@dataclass(frozen=True)
class StopRequested:
    """The user wants the grid to stop, and at the second time at once."""

    now_s: float


Event: TypeAlias = Opened | Begun | Ended | Unavailable | NoResource | FoundDone | Woken | StopRequested


# -- Actions


@dataclass(frozen=True)
class Start:
    """Start ``run``; ``alone`` if nothing else will run beside it."""

    run: int
    attempt: int
    alone: bool


@dataclass(frozen=True)
class Stop:
    """End ``run``: gently, or without any grace if ``is_immediate``; an Ended has to follow."""

    run: int
    why: Why
    is_immediate: bool = False


@dataclass(frozen=True)
class WakeAt:
    """Send Woken then, if nothing happens before; a step without it takes the last one back."""

    at_s: float


@dataclass(frozen=True)
class Record:
    """The final fate of ``run``; ``attempt`` is the last one that was made here, 0 if none was."""

    run: int
    outcome: Outcome
    attempt: int


@dataclass(frozen=True)
class Finish:
    """Nothing runs, and nothing will."""


Action: TypeAlias = Start | Stop | WakeAt | Record | Finish
