"""What the user sees while a grid runs where lines are kept; and of a single run, its own output."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from spinup import console
from spinup.launchers.base import GRACE_S
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State
from spinup.scheduler.events import Outcome
from spinup.scheduler.state import Phase
from spinup.utils.announce import failure_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spinup.rundir.record import RunRecord
    from spinup.scheduler.crew import Active
    from spinup.scheduler.state import Policy, Schedule

#: Said at the first Ctrl-C.
STOPPING = f"Stopping the runs, within {GRACE_S:.0f} s; once more to end them at once."

_CHUNK_BYTES = 1 << 20
_MOST_CHUNKS = 4  # of one look, after which the loop has to hear what else has happened
_ERROR_BYTES = 1 << 14
_MOST_ERROR_LINES = 12
_LONGEST_WORDS = 200


class Tally:
    """Which runs were tried here, and whether an attempt was the last of its run."""

    def __init__(self) -> None:
        self.tried_here: set[Path] = set()
        self._policy: Policy | None = None

    def look(self, schedule: Schedule) -> None:
        """Take note of how it stands."""
        # A grid that stops tries nothing again.
        self._policy = schedule.policy if schedule.phase is Phase.OPEN else None

    def end(self, active: Active, outcome: Outcome) -> str:
        """Count an attempt; when and as which one the run is tried again, empty if it is not."""
        self.tried_here.add(active.job.run_dir.path)
        policy = self._policy
        if policy is None or not outcome.is_failure or active.attempt > policy.retries:
            return ""
        number = active.status.attempt
        last = number - active.attempt + policy.retries + 1
        is_alone = outcome is Outcome.OUT_OF_MEMORY
        when = "by itself" if is_alone else f"in {policy.delay_s(active.attempt):g} s"
        return f"again {when} (attempt {number + 1} of {last})"


class LineView:
    """A line for each event.

    Args:
        total: Runs that are to be done.
    """

    def __init__(self, total: int) -> None:
        self.tally = Tally()
        self._total = total
        self._num_ended = 0
        self._stop = StopNotice()

    def started(self, active: Active) -> None:
        """A run has begun, perhaps once more."""
        say(f"{title(active)} begins")

    def ended(self, active: Active, record: RunRecord, outcome: Outcome) -> None:
        """An attempt has ended."""
        again = self.tally.end(active, outcome)
        if outcome is Outcome.INTERRUPTED:
            say(f"{title(active)} was interrupted", "yellow")
            return
        if again:
            say(f"{failure_line(active, record)}; {again}", "yellow")
            return
        self._num_ended += 1
        if record.state is State.DONE:
            say(f"{self._head} {title(active)} is done", "green")
            return
        say(f"{self._head} {failure_line(active, record)}", "red", bold=True)
        error = _end_of(tail(RunDir(record.directory).error, _ERROR_BYTES))
        if error:
            say(error)

    @property
    def _head(self) -> str:
        return f"[{self._num_ended}/{self._total}]"

    def note(self, text: str) -> None:
        """Something that the user should know."""
        say(console.one_line(text), "yellow")

    def refresh(self, schedule: Schedule, active: Sequence[Active]) -> None:
        """Lines stay as they are; one is added for what has ended without an attempt here."""
        self.tally.look(schedule)
        num_ended = schedule.done + schedule.failed
        if num_ended > self._num_ended:
            # By another launcher, or because it could not be started: a note has told that one.
            self._num_ended = num_ended
            say(f"{self._head} runs have ended")
        self._stop.look(schedule, active)

    def close(self) -> None:
        """There is nothing to put in order."""


class RelayView:
    """Of a single run: what it prints, as it comes.

    Args:
        output: The run's output.log.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._offset = 0
        self._file: tuple[int, int] | None = None
        self._stop = StopNotice()
        with suppress(OSError):
            found = output.stat()
            self._offset, self._file = found.st_size, (found.st_dev, found.st_ino)

    def started(self, active: Active) -> None:
        """A run has begun; what an earlier attempt has printed is not shown again."""
        if active.status.attempt == 1:
            self._offset = 0

    def ended(self, active: Active, record: RunRecord, outcome: Outcome) -> None:
        """An attempt has ended."""
        del active, record, outcome
        self._relay(most_chunks=None)

    def note(self, text: str) -> None:
        """Something that the user should know."""
        say(console.one_line(text), "yellow")

    def refresh(self, schedule: Schedule, active: Sequence[Active]) -> None:
        """Show what has come since the last time."""
        if active:
            self._relay(most_chunks=_MOST_CHUNKS)
        self._stop.look(schedule, active)

    def _relay(self, *, most_chunks: int | None) -> None:
        # Whether it can be shown or not, as when a pager was closed: the run itself goes on.
        with suppress(OSError), self._output.open("rb") as file:
            found = os.fstat(file.fileno())
            if self._file != (found.st_dev, found.st_ino) or found.st_size < self._offset:
                self._file, self._offset = (found.st_dev, found.st_ino), 0
            file.seek(self._offset)
            end = found.st_size  # not the end of the file, which may move away as fast as it is read
            if most_chunks is not None:
                end = min(end, self._offset + most_chunks * _CHUNK_BYTES)
            while data := file.read(min(_CHUNK_BYTES, end - self._offset)):
                self._offset += len(data)
                console.relay(data)


class StopNotice:
    """Says once that the grid is stopping, and why.

    Args:
        lead: What comes first; by default a new line where the terminal has just written ``^C``.
    """

    def __init__(self, lead: str | None = None) -> None:
        self._is_said = False
        self._lead = ("\n" if console.is_interactive() else "") if lead is None else lead

    def look(self, schedule: Schedule, active: Sequence[Active]) -> None:
        """Say so if the grid is stopping and it was not said yet."""
        if self._is_said or schedule.phase is not Phase.STOPPING:
            return
        if schedule.stop_requests:
            self._is_said = True
            say(self._lead + STOPPING, "yellow", bold=True)
        elif active:
            self._is_said = True
            say("A run has failed: the others are stopped, as on_failure='stop' says.", "yellow", bold=True)


def say(text: str, color: str | None = None, *, bold: bool = False) -> None:
    """Print a line, if there still is something to print it on: the runs go on without their audience."""
    with suppress(OSError):
        console.say(text, color, bold=bold)


def title(active: Active) -> str:
    """The run's name and seed, and the attempt if it is not the first."""
    again = f", attempt {active.status.attempt}" if active.status.attempt > 1 else ""
    return f"{console.one_line(active.job.exp_name) or '(no name)'} seed {active.job.seed}{again}"


def failure_line(active: Active, record: RunRecord) -> str:
    """What happened to a run that failed; the last line that it printed, if it could not say so itself."""
    line = f"{title(active)} failed: {failure_text(record)}"
    # The last words of several processes are those of mpiexec, which knows no more than this.
    if record.message or record.rank is not None:
        return line
    # From there on it is Python that reports a crash, and the reason has said that already.
    printed = tail(RunDir(record.directory).output, _ERROR_BYTES).partition("Fatal Python error:")[0]
    last = console.shortened(_last_words(printed), _LONGEST_WORDS, "...")
    return f"{line}, after it had printed {last!r}" if last else line


def _last_words(printed: str) -> str:
    """The last line that says something: no rule, and no row of the logger's table if there is another."""
    lines = [line.strip() for line in printed.splitlines() if any(map(str.isalnum, line))]
    return next((line for line in reversed(lines) if not line.startswith("|")), lines[-1] if lines else "")


def tail(path: Path, num_bytes: int) -> str:
    """The last ``num_bytes`` of a file as text; empty if it cannot be read."""
    with suppress(OSError):
        if path.is_file():  # a pipe would keep the reader waiting
            with path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - num_bytes))
                return file.read(num_bytes).decode("utf-8", "replace")
    return ""


def _end_of(text: str) -> str:
    lines = text.rstrip().splitlines()
    return "\n".join(["...", *lines[-_MOST_ERROR_LINES:]] if len(lines) > _MOST_ERROR_LINES else lines)
