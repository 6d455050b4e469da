"""What the user sees while a grid runs: lines where they are kept, and a single run's own output."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from spinup import console
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State
from spinup.utils.announce import failure_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spinup.rundir.record import RunRecord
    from spinup.scheduler.crew import Active
    from spinup.scheduler.state import Outcome, Schedule

_CHUNK_BYTES = 1 << 20
_MOST_ERROR_LINES = 12


class LineView:
    """A line for each event.

    Args:
        total: Runs that are to be done.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._ended = 0

    def started(self, active: Active) -> None:
        """A run has begun."""
        again = f", attempt {active.status.attempt}" if active.status.attempt > 1 else ""
        console.say(f"{_title(active)} begins{again}")

    def ended(self, active: Active, record: RunRecord, outcome: Outcome) -> None:
        """An attempt has ended."""
        del outcome
        self._ended += 1
        head = f"[{self._ended}/{self._total}] {_title(active)}"
        if record.state is State.DONE:
            console.say(f"{head} is done", "green")
            return
        console.say(f"{head} failed: {failure_text(record)}", "red", bold=True)
        error = RunDir(record.directory).error
        with suppress(OSError):
            console.say(_end_of(error.read_text(encoding="utf-8", errors="replace")))

    def note(self, text: str) -> None:
        """Something that the user should know."""
        console.say(text, "yellow")

    def refresh(self, schedule: Schedule, active: Sequence[Active]) -> None:
        """Lines stay as they are."""


class RelayView:
    """Of a single run: what it prints, as it comes.

    Args:
        output: The run's output.log.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._offset = output.stat().st_size if output.exists() else 0

    def started(self, active: Active) -> None:
        """A run has begun; what an earlier attempt has printed is not shown again."""
        if active.status.attempt == 1:
            self._offset = 0

    def ended(self, active: Active, record: RunRecord, outcome: Outcome) -> None:
        """An attempt has ended."""
        del active, record, outcome
        self._relay()

    def note(self, text: str) -> None:
        """Something that the user should know."""
        console.say(text, "yellow")

    def refresh(self, schedule: Schedule, active: Sequence[Active]) -> None:
        """Show what has come since the last time."""
        del schedule
        if active:
            self._relay()

    def _relay(self) -> None:
        # Whether it can be shown or not, as when a pager was closed: the run itself goes on.
        with suppress(OSError), self._output.open("rb") as file:
            file.seek(self._offset)
            while data := file.read(_CHUNK_BYTES):
                self._offset += len(data)
                console.relay(data)


def _title(active: Active) -> str:
    return f"{active.job.exp_name or '(no name)'} seed {active.job.seed}"


def _end_of(text: str) -> str:
    lines = text.rstrip().splitlines()
    return "\n".join(["...", *lines[-_MOST_ERROR_LINES:]] if len(lines) > _MOST_ERROR_LINES else lines)
