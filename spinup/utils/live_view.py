"""What the user sees while a grid runs on a terminal: how far it is, and what runs just now."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from spinup import console
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State
from spinup.scheduler.events import Outcome
from spinup.scheduler.state import Phase
from spinup.utils.views import StopNotice, Tally, failure_line, say, tail

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from spinup.console import Line
    from spinup.rundir.record import RunRecord
    from spinup.scheduler.crew import Active
    from spinup.scheduler.state import Schedule

#: Columns that may hold the return of the latest epoch; the first one that is there is shown.
RETURN_COLUMNS = ("AverageEpRet", "AverageTestEpRet", "EpRet", "AverageReturn", "EpisodeReturn", "Return")

_BLOCK_BYTES = 1 << 13
_SHORTEST_INTERVAL_S, _LONGEST_INTERVAL_S = 0.1, 1.0
_NARROW = 60
_LONGEST_BAR = 40
_HEADINGS = ("seed", "try", "epoch", "return", "time")


@dataclass(frozen=True)
class Row:
    """A run that is under way, as text: its name, and under ``_HEADINGS`` what is known of it."""

    name: str
    cells: tuple[str, str, str, str, str]


class LiveView:
    """Keeps a picture of the grid at the bottom of the terminal; what goes wrong is printed above.

    Args:
        region: Where to draw; this process's terminal by default.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        region: console.LiveRegion | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = Tally()
        self._region = region or console.LiveRegion()
        self._clock = clock
        self._stop = StopNotice(lead="")
        self._schedule: Schedule | None = None
        self._began_s = clock()
        self._drawn_s = -math.inf
        self._done_s: list[float] = []
        self._shown = {"seed", "time"}

    def started(self, active: Active) -> None:
        """A run has begun; the next picture shows it."""

    def ended(self, active: Active, record: RunRecord, outcome: Outcome) -> None:
        """An attempt has ended."""
        again = self.tally.end(active, outcome)
        if record.state is State.DONE:
            self._done_s.append(self._clock() - active.began_s)
        elif again:
            say(f"{failure_line(active, record)}; {again}", "yellow")
        elif outcome is not Outcome.INTERRUPTED:
            say(failure_line(active, record), "red")

    def note(self, text: str) -> None:
        """Something that the user should know."""
        say(console.one_line(text), "yellow")

    def refresh(self, schedule: Schedule, active: Sequence[Active]) -> None:
        """Draw how it stands, unless it was drawn a moment ago."""
        self._schedule = schedule
        self.tally.look(schedule)
        self._stop.look(schedule, active)
        since_s = self._clock() - self._drawn_s
        # Where the two differ, an event is on its way, and so is the next refresh.
        is_settled = len(active) == len(schedule.running) or since_s > _LONGEST_INTERVAL_S
        if schedule.phase is not Phase.NEW and is_settled and since_s >= _SHORTEST_INTERVAL_S:
            self._drawn_s = self._clock()
            self._draw(schedule, active)

    def close(self) -> None:
        """Leave the last overview where it is, and the terminal as it was."""
        try:
            if self._schedule is not None:
                self._draw(replace(self._schedule, phase=Phase.FINISHED), ())
        finally:
            self._region.close()

    def _draw(self, schedule: Schedule, active: Sequence[Active]) -> None:
        width, height = self._region.size
        width -= 3  # what the region keeps free
        now_s = self._clock()
        eta = eta_s(schedule, self._done_s, [now_s - each.began_s for each in active])
        lines = overview(
            schedule, eta, now_s - self._began_s, width=width, has_unicode=self._region.has_unicode
        )
        num_shown = _num_shown(len(active), height - len(lines) - 2)
        rows = [_row(each, now_s) for each in islice(active, num_shown)]
        # Columns stay once they are there.
        for columns in ({"try"}, {"epoch", "return"}):
            cells = (
                cell
                for row in rows
                for name, cell in zip(_HEADINGS, row.cells, strict=True)
                if name in columns
            )
            if any(cells):
                self._shown |= columns
        lines += running(
            rows,
            len(active) - num_shown,
            width=width,
            shown=self._shown,
            mark="…" if self._region.has_unicode else "...",
        )
        self._region.draw(lines)


def eta_s(schedule: Schedule, done_s: Sequence[float], running_s: Sequence[float]) -> float | None:
    """Time until all is done, if each run takes as long as those that are done; None before the first.

    Runs that have failed say little about the others, and do not count.

    Args:
        schedule: How it stands.
        done_s: How long each run took that is done.
        running_s: For how long each has run that is running.
    """
    if not done_s or schedule.phase is Phase.STOPPING:
        return None
    mean_s = sum(done_s) / len(done_s)
    left_s = [max(0.0, mean_s - each_s) for each_s in running_s]
    counts = schedule.counts
    num_waiting = counts.not_started + counts.retrying + counts.elsewhere
    in_all_s = sum(left_s) + mean_s * num_waiting
    # A run is not divided: its own time is the least, however many slots there are.
    least_s = max([mean_s if num_waiting else 0.0, *left_s])
    return max(least_s, in_all_s / schedule.policy.width)


def overview(
    schedule: Schedule, eta: float | None, elapsed_s: float, *, width: int, has_unicode: bool
) -> list[Line]:
    """The bar, and how many runs are in which state."""
    counts = schedule.counts
    num_ended = counts.done + counts.failed
    is_over = schedule.phase is Phase.FINISHED
    waits = "stopping" if schedule.phase is Phase.STOPPING else f"ETA {'-' if eta is None else span(eta)}"
    figures = f"  {num_ended}/{schedule.total}  " + (f"in {span(elapsed_s)}" if is_over else waits)
    bar_width = max(0, min(_LONGEST_BAR, width - len(figures)))
    done = bar_width * counts.done // schedule.total
    failed = bar_width * num_ended // schedule.total - done
    full, empty = ("━", "─") if has_unicode else ("#", ".")
    bar = [(full * done, "green"), (full * failed, "red"), (empty * (bar_width - done - failed), "dim")]
    numbers = {
        "done": (counts.done, ""),
        "failed": (counts.failed, "red"),
        "interrupted": (counts.interrupted, "yellow"),
        "running": (counts.running, ""),
        "not run" if is_over else "waiting": (counts.not_started + counts.retrying, ""),
        "elsewhere": (counts.elsewhere, "yellow"),
    }
    always = {"done"} if is_over else {"done", "failed", "running", "waiting"}
    line = [
        (f"{', ' if place else ''}{number} {name}", style if number else "")
        for place, (name, (number, style)) in enumerate(numbers.items())
        if number or name in always
    ]
    while len(line) > 1 and sum(len(text) for text, _ in line) > width:
        line.pop()
    return [[*bar, (figures, "bold")], line]


def running(
    rows: Sequence[Row], num_more: int, *, width: int, shown: Collection[str], mark: str = "…"
) -> list[Line]:
    """A table of what runs, no wider than ``width``, and how many more there are.

    Args:
        rows: What runs.
        num_more: How many more do.
        width: Columns of the terminal that may be used.
        shown: Headings of the columns that are shown.
        mark: Stands for what is left out of a name.
    """
    more: list[Line] = [[(f"... and {num_more} more", "dim")]] if num_more else []
    if not rows:
        return more
    kept = [place for place, name in enumerate(_HEADINGS) if name in shown]
    heading = [_HEADINGS[place] for place in kept]
    table = [heading, *([row.cells[place] for place in kept] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    gap = " " if width < _NARROW else "  "
    longest = max(len("running"), *(len(row.name) for row in rows))
    name_width = min(longest, max(8, width - sum(widths) - len(gap) * len(widths)))
    names = ["running", *console.told_apart([row.name for row in rows], name_width, mark)]
    lines = [
        f"{name:<{name_width}}"
        + "".join(f"{gap}{text:>{each}}" for text, each in zip(cells, widths, strict=True))
        for name, cells in zip(names, table, strict=True)
    ]
    return [[(lines[0], "dim")], *([(line, "")] for line in lines[1:]), *more]


def newest(progress: Path) -> tuple[str, str]:
    """Epoch and return in the last whole row of a progress.txt; each is empty where it is not known."""
    with suppress(OSError):
        if not progress.is_file():
            return "", ""
        with progress.open("rb") as file:
            header, whole, _ = file.read(_BLOCK_BYTES).partition(b"\n")
        # A row that is longer than the block gives no whole line, or one that does not fit the header.
        lines = tail(progress, _BLOCK_BYTES).split("\n")[:-1]
        names = header.decode("utf-8-sig", "replace").rstrip("\r").split("\t")
        cells = lines[-1].rstrip("\r").split("\t") if lines else []
        if whole and len(cells) == len(names) and cells != names:
            row = dict(zip(names, cells, strict=True))
            column = next((name for name in RETURN_COLUMNS if name in row), "")
            return figure(row.get("Epoch", "")), figure(row.get(column, ""))
    return "", ""


def figure(text: str) -> str:
    """A number with four digits or so, in few columns; empty if ``text`` is none."""
    try:
        value = float(text)
    except ValueError:
        return ""
    is_whole = value.is_integer() or abs(value) >= 1e3
    return f"{value:.0f}" if is_whole and abs(value) < 1e7 else f"{value:.4g}"


def span(time_s: float) -> str:
    """A time as minutes and seconds, or hours, minutes and seconds; a part of a second counts as one."""
    minutes, seconds = divmod(math.ceil(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _row(active: Active, now_s: float) -> Row:
    epoch, value = newest(RunDir(active.job.run_dir.path).progress)
    attempt = str(active.status.attempt) if active.status.attempt > 1 else ""
    name = console.one_line(active.job.exp_name) or "(no name)"
    return Row(name, (str(active.job.seed), attempt, epoch, value, span(max(0.0, now_s - active.began_s))))


def _num_shown(num_running: int, room: int) -> int:
    """How many runs fit in ``room`` lines, with a line that tells how many more there are."""
    return num_running if num_running <= room else max(0, room - 1)
