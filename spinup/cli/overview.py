"""How variants stand: their runs counted, and when they will be done. Pure: what it needs was looked up."""

from __future__ import annotations

import heapq
import math
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinup.cli.look import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spinup.cli.look import Look
    from spinup.rundir.launches import Launch, LaunchedRun

#: What a run counts as: its state, or ``not begun`` for one that is on record, and has no directory.
COUNTED = ("done", "running", "queued", "failed", "interrupted", "not begun", "unknown")


# With the decimals and the exponent that it has in a name.
_NUMBER = re.compile(r"([0-9]{1,18}(?:-[0-9]{1,18})?(?:e-?[0-9]{1,3}(?![0-9a-z]))?)")
_DASH_INSIDE = re.compile(r"(?<![e])-")


@dataclass(frozen=True)
class Entry:
    """A run in the overview.

    Attributes:
        name: Name of its experiment.
        seed: Its seed; None where nothing tells it.
        directory: Where it is, or will be.
        state: One of `COUNTED`.
        look: What is in its directory; None for nothing.
        last: Its last return; None if there is none.
        changed: Files of its code that have changed since, if it is done.
        eta_s: Seconds until it will be done; None where that cannot be told, or it will not run.
    """

    name: str
    seed: int | None
    directory: str
    state: str
    look: Look | None = None
    last: float | None = None
    changed: tuple[str, ...] = ()
    eta_s: float | None = None


@dataclass(frozen=True)
class Variant:
    """The runs that differ in their seeds alone.

    Attributes:
        name: Name of the experiment.
        directory: The directory around its runs.
        entries: Its runs, by seed.
        elapsed_s: From the beginning of its first run to now, or to the end of its last one.
    """

    name: str
    directory: str
    entries: tuple[Entry, ...]
    elapsed_s: float | None

    def count(self, state: str) -> int:
        """How many of its runs are in this state."""
        return sum(entry.state == state for entry in self.entries)

    @property
    def num_stale(self) -> int:
        """How many of its runs are done, by code that has changed since."""
        return sum(bool(entry.changed) for entry in self.entries)

    @property
    def eta_s(self) -> float | None:
        """Seconds until all that is to run will be done; None where that cannot be told."""
        return latest(self.entries)

    @property
    def last(self) -> float | None:
        """The mean of its runs' last returns; NaN if one of them is."""
        values = [entry.last for entry in self.entries if entry.last is not None]
        return math.fsum(values) / len(values) if values else None


def latest(entries: Iterable[Entry]) -> float | None:
    """Seconds until all that run or wait will be done; None where that cannot be told, or none does."""
    etas = [entry.eta_s for entry in entries if entry.state in {"running", "queued"}]
    known = [eta for eta in etas if eta is not None]
    return max(known) if known and len(known) == len(etas) else None


def variants(
    looks: Iterable[Look],
    launches: Sequence[Launch],
    lasts: Mapping[Path, float | None],
    changed: Mapping[Path, Sequence[str]],
    *,
    now_s: float,
) -> list[Variant]:
    """Every variant: those on record in the order of their launches, then the others by name.

    Args:
        looks: Every run directory that is there.
        launches: Launch records, oldest first.
        lasts: The last return of each run.
        changed: Files that have changed, of runs that are done.
        now_s: The time, in seconds since 1970.
    """
    found = {str(look.directory): look for look in looks}
    planned = _planned(launches)
    etas: dict[str, float] = {}
    for launch in launches:
        if launch.is_live:
            etas.update(_etas(launch, found, now_s))
    on_record = (run.directory for launch in launches for run in launch.runs)
    places = {directory: place for place, directory in enumerate(dict.fromkeys(on_record))}
    groups: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for directory in dict.fromkeys([*found, *planned]):
        look = found.get(directory)
        entry = _entry(directory, look, planned.get(directory), etas.get(directory))
        if look is not None:
            entry = _with_results(entry, lasts.get(look.directory), changed.get(look.directory, ()))
        groups[entry.name, str(Path(directory).parent)].append(entry)
    return [
        Variant(name, parent, tuple(sorted(entries, key=_order)), _elapsed_s(entries, now_s))
        for (name, parent), entries in sorted(groups.items(), key=lambda item: _rank(item, places))
    ]


def _rank(
    group: tuple[tuple[str, str], Sequence[Entry]], places: Mapping[str, int]
) -> tuple[float, list[list[tuple[float, str]]]]:
    """By its first place on record; without one, behind all that have one, by name."""
    names, entries = group
    first = min((places.get(entry.directory, math.inf) for entry in entries), default=math.inf)
    return first, [natural(name) for name in names]


def natural(text: str) -> list[tuple[float, str]]:
    """For an order in which lr2 comes before lr10, and lr0-05 before lr0-1: a dash is a decimal point."""
    parts = _NUMBER.split(text)
    return [(_value(part), part) if place % 2 else (0.0, part) for place, part in enumerate(parts)]


def _value(number: str) -> float:
    return float(_DASH_INSIDE.sub(".", number, count=1))


def _planned(launches: Sequence[Launch]) -> dict[str, tuple[Launch, LaunchedRun]]:
    """For each directory the launch that has it: one that lives, or else the newest."""
    by_priority = sorted(launches, key=lambda launch: launch.is_live)
    return {run.directory: (launch, run) for launch in by_priority for run in launch.runs}


def _entry(
    directory: str, look: Look | None, planned: tuple[Launch, LaunchedRun] | None, eta_s: float | None
) -> Entry:
    waits = planned is not None and _is_to_come(*planned, look)
    if look is None:
        assert planned is not None
        run = planned[1]
        return Entry(run.name, run.seed, directory, "queued" if waits else "not begun", eta_s=eta_s)
    state = "queued" if waits else look.state
    return Entry(look.exp_name, look.seed, directory, state, look, eta_s=eta_s)


def _with_results(entry: Entry, last: float | None, changed: Sequence[str]) -> Entry:
    is_done = entry.state == "done"
    return Entry(
        entry.name,
        entry.seed,
        entry.directory,
        entry.state,
        entry.look,
        last,
        tuple(changed) if is_done else (),
        entry.eta_s,
    )


def _is_to_come(launch: Launch, run: LaunchedRun, look: Look | None) -> bool:
    """Whether a launcher that lives has still to begin this run."""
    if not (launch.is_live and run.is_to_run):
        return False
    if look is None:
        return True
    if look.is_live:
        return look.state == "queued"
    # What has ended since the launch began is its end; what did before will be done again.
    began_s, ended_s = seconds(launch.started_at), look.ended_s
    is_of_this_launch = (look.started_s or 0.0) >= (began_s or 0.0)
    return not is_of_this_launch and (ended_s is None or began_s is None or ended_s < began_s)


def _etas(launch: Launch, found: Mapping[str, Look], now_s: float) -> dict[str, float]:
    """Seconds until each run will be done, if each takes as long as those of its variant that are done.

    Where none of its variant is, as long as the others; nothing is told before the first is done. Runs
    that have failed say little about the others. The launcher's slots are filled in its order: that of the
    seeds, and for each seed that of the grid.
    """
    expected_s = _expected_s(launch, found)
    if not expected_s:
        return {}
    order = {seed: place for place, seed in enumerate(dict.fromkeys(run.seed for run in launch.runs))}
    mean_s = math.fsum(expected_s.values()) / len(expected_s)
    slots: list[float] = []
    etas: dict[str, float] = {}
    waiting = []
    for run in sorted(launch.runs, key=lambda run: order[run.seed]):
        look = found.get(run.directory)
        if look is not None and look.state == "running":
            began_s = look.started_s if look.started_s is not None else now_s
            etas[run.directory] = max(0.0, expected_s.get(run.name, mean_s) - (now_s - began_s))
            slots.append(etas[run.directory])
        elif _is_to_come(launch, run, look):
            waiting.append(run)
    slots += [0.0] * (launch.width - len(slots))
    heapq.heapify(slots)
    for run in waiting:
        etas[run.directory] = slots[0] + expected_s.get(run.name, mean_s)
        heapq.heapreplace(slots, etas[run.directory])
    return etas


def _expected_s(launch: Launch, found: Mapping[str, Look]) -> dict[str, float]:
    """How long a run of each variant takes, by those that are done."""
    durations: defaultdict[str, list[float]] = defaultdict(list)
    for run in launch.runs:
        look = found.get(run.directory)
        if look is not None and look.state == "done" and (duration_s := duration(look)) is not None:
            durations[run.name].append(duration_s)
    return {name: math.fsum(each) / len(each) for name, each in durations.items()}


def duration(look: Look) -> float | None:
    """How long the run took, in seconds; None if it has not ended, or that cannot be told."""
    if look.started_s is None or look.ended_s is None:
        return None
    return max(0.0, look.ended_s - look.started_s)


def _elapsed_s(entries: Iterable[Entry], now_s: float) -> float | None:
    looks = [entry.look for entry in entries if entry.look is not None]
    starts = [look.started_s for look in looks if look.started_s is not None]
    if any(look.state == "running" for look in looks):
        ends = [now_s]
    else:
        ends = [look.ended_s for look in looks if look.ended_s is not None]
    return max(0.0, max(ends) - min(starts)) if starts and ends else None


def _order(entry: Entry) -> tuple[bool, int, str]:
    return entry.seed is None, entry.seed or 0, entry.directory
