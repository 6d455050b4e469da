"""``spinup status``: how the runs of each variant stand."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spinup import console
from spinup.cli.columns import Column, fit
from spinup.cli.find import default_data_dir, walk
from spinup.cli.look import Look, last_return, look_at, seconds
from spinup.cli.output import figure_of, print_json, utc_text
from spinup.cli.overview import COUNTED, Entry, Variant, latest, variants
from spinup.cli.stale import Staleness
from spinup.rundir.launches import Launch, read_launches
from spinup.rundir.layout import RunDir
from spinup.rundir.status import utc_now
from spinup.utils.live_view import span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from spinup.console import Line

LINK = "a symbolic link, not followed"

_REFRESH_S = 1.0
_REST = 4  # times as long as it took to look
_STYLES = {"failed": "red", "interrupted": "yellow", "running": "cyan", "stale": "yellow", "done": "green"}


@click.command(short_help="Show what is running, done and failed.")
@click.argument("dirs", nargs=-1, metavar="[DIR]...", type=click.Path(file_okay=False))
@click.option("--watch", "-w", is_flag=True, help="Draw it anew each second; Ctrl-C ends that.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
def command(dirs: tuple[str, ...], *, watch: bool, as_json: bool) -> int:
    """Show how the runs of each variant stand, at or below each DIR.

    By default DIR is where results go when nothing else is said. What a run's files say is held against
    its lock: a run that was killed reads interrupted. Stale runs are done, but their code has changed.
    """
    if watch and as_json:
        raise click.UsageError("--watch draws for a person, --json prints for a program: choose one.")
    if watch and not console.can_redraw():
        raise click.UsageError("--watch needs a terminal to draw on. Without one: spinup status --json")
    places = [Path(each).expanduser() for each in dirs or [default_data_dir()]]
    scout = Scout()
    if as_json:
        print_json(_document([scout.survey(place) for place in places]))
    elif watch:
        _watch(scout, places)
    else:
        for number, place in enumerate(places):
            for line in drawn(scout.survey(place), console.columns(), blank_first=number > 0):
                _say(line)
    return 0


@dataclass(frozen=True)
class Survey:
    """What was found at or below a directory.

    Attributes:
        root: The directory.
        variants: The variants, by name.
        launches: The launches that have runs there, oldest first.
        at_s: When that was, in seconds since 1970.
    """

    root: Path
    variants: Sequence[Variant]
    launches: Sequence[Launch]
    at_s: float


class Scout:
    """Surveys directories again and again; what cannot have changed is not looked at twice."""

    def __init__(self) -> None:
        self._staleness = Staleness()
        self._done: dict[Path, tuple[Look, float | None]] = {}

    def survey(self, directory: Path) -> Survey:
        """How everything at or below ``directory`` stands.

        Raises:
            RecordError: It cannot be read.
        """
        place = walk(directory)
        # The runs first: of one that begins meanwhile, the launch knows.
        seen = [self._look(path) for path in place.runs]
        launches = [
            launch
            for data_dir in place.data_dirs
            for each in read_launches(data_dir)
            if (launch := _below(each, place.root)) is not None
        ]
        there = {str(path) for path in place.runs}
        launches = [_unlinked(launch, place.root, there) for launch in launches]
        found = variants(
            [*(look for look, _ in seen), *_behind_links(launches, place.root, there)],
            launches,
            {look.directory: last for look, last in seen},
            {look.directory: self._changed(look) for look, _ in seen if look.state == "done"},
            now_s=(now_s := time.time()),
        )
        return Survey(place.root, found, launches, now_s)

    def _look(self, directory: Path) -> tuple[Look, float | None]:
        look = look_at(directory)
        known = self._done.get(directory)
        if known is not None and known[0] == look:
            return known
        seen = look, last_return(RunDir(directory).progress)
        if look.state == "done":
            self._done[directory] = seen
        return seen

    def _changed(self, look: Look) -> list[str]:
        return self._staleness.changed(look.directory, look.code)


def _below(launch: Launch, root: Path) -> Launch | None:
    """The launch, with its runs at or below ``root`` alone; None if there are none."""
    beginning = f"{root}/"
    runs = tuple(run for run in launch.runs if f"{run.directory}/".startswith(beginning))
    return replace(launch, runs=runs) if runs else None


def _unlinked(launch: Launch, root: Path, there: Collection[str]) -> Launch:
    """The launch; runs that it reaches by a link are where they are, if that is below ``root``."""
    runs = tuple(run._replace(directory=_without_links(run.directory, root, there)) for run in launch.runs)
    return replace(launch, runs=runs)


def _without_links(directory: str, root: Path, there: Collection[str]) -> str:
    if directory in there or not _is_behind_link(directory, root):
        return directory
    real = str(root / os.path.relpath(os.path.realpath(directory), os.path.realpath(root)))
    return real if real in there else directory


def _is_behind_link(directory: str, root: Path) -> bool:
    """Whether ``directory`` is a symbolic link, or below one that is below ``root``."""
    below = [Path(directory), *Path(directory).parents]
    return any(path.is_symlink() for path in below if root in path.parents)


def _behind_links(launches: Iterable[Launch], root: Path, there: Collection[str]) -> list[Look]:
    """The runs of which nothing is known, since there is a link in place of their directory."""
    runs = {run.directory: run for launch in launches for run in launch.runs if run.directory not in there}
    return [
        Look(Path(directory), run.name, run.seed, "unknown", LINK)
        for directory, run in runs.items()
        if _is_behind_link(directory, root)
    ]


def drawn(survey: Survey, width: int | None, *, blank_first: bool = False) -> list[Line]:
    """The lines that show it, no wider than ``width`` where that is given."""
    lines: list[Line] = [[("", "")]] if blank_first else []
    lines.append([(str(survey.root), "bold")])
    if not survey.variants:
        return [*lines, [("No runs here.", "")]]
    heading, *rows = fit("variant", _names(survey), _columns(survey.variants), width)
    lines.append([(heading, "dim")])
    lines += [[(row, _style(variant))] for row, variant in zip(rows, survey.variants, strict=True)]
    lines.append([(_sum(survey), "bold")])
    lines += [[(line, "")] for launch in survey.launches if (line := _launch_line(launch))]
    files = sorted({label for entry in _entries(survey) for label in entry.changed})
    if files:
        more = ", ..." if len(files) > 3 else ""
        lines.append([(f"Stale: {', '.join(files[:3])}{more} changed since.", "yellow")])
    links = sum(entry.look is not None and entry.look.reason == LINK for entry in _entries(survey))
    if links:
        lines.append(
            [(f"Unknown: {links} in place of which there is a link, which is not followed.", "yellow")]
        )
    return lines


def _names(survey: Survey) -> list[str]:
    """A name for each variant; of those that share one, where they are."""
    often = Counter(variant.name for variant in survey.variants)
    return [
        variant.name if often[variant.name] == 1 else os.path.relpath(variant.directory, survey.root)
        for variant in survey.variants
    ]


def _columns(found: Sequence[Variant]) -> list[Column]:
    """What the table shows; of counts that are all zero, nothing."""
    worth = {"running": 8, "failed": 10, "interrupted": 7, "queued": 3, "not begun": 4, "unknown": 5}
    columns = [Column("done", [f"{each.count('done')}/{len(each.entries)}" for each in found], 11)]
    for state in COUNTED[1:]:
        counts = [each.count(state) for each in found]
        if any(counts):
            columns.append(Column(state, [str(number or "") for number in counts], worth[state]))
    if any(each.num_stale for each in found):
        columns.append(Column("stale", [str(each.num_stale or "") for each in found], 6))
    columns.append(Column("elapsed", [_span(each.elapsed_s) for each in found], 1))
    if any(each.count("running") + each.count("queued") for each in found):
        columns.append(Column("ETA", [_eta(each) for each in found], 2))
    columns.append(Column("return", [figure_of(each.last) for each in found], 9))
    return columns


def _eta(variant: Variant) -> str:
    is_live = variant.count("running") + variant.count("queued")
    return (_span(variant.eta_s) or "-") if is_live else ""


def _span(time_s: float | None) -> str:
    return "" if time_s is None else span(time_s)


def _style(variant: Variant) -> str:
    for state in ("failed", "interrupted", "running"):
        if variant.count(state):
            return _STYLES[state]
    if variant.num_stale:
        return _STYLES["stale"]
    return _STYLES["done"] if variant.count("done") == len(variant.entries) else ""


def _sum(survey: Survey) -> str:
    entries = list(_entries(survey))
    counts = Counter(entry.state for entry in entries)
    parts = [f"{counts[state]} {state}" for state in COUNTED if counts[state]]
    num_stale = sum(bool(entry.changed) for entry in entries)
    parts += [f"{num_stale} stale"] if num_stale else []
    eta_s = latest(entries)
    ending = "" if eta_s is None else f"; done in about {span(eta_s)}"
    return f"{len(entries)} run{'s' * (len(entries) != 1)}: {', '.join(parts)}{ending}"


def _launch_line(launch: Launch) -> str:
    """What to know of a launch; empty for one that has ended by itself."""
    name = console.one_line(launch.grid_name) or "(no name)"
    if launch.is_live:
        host = console.one_line(launch.host)
        return f"{name}: {launch.width} at a time, launched by process {launch.pid} on {host}"
    if launch.ended_at:
        return ""
    began_s = seconds(launch.started_at)
    # In this machine's time: a person reads it off their own clock.
    when = "" if began_s is None else f" of {datetime.fromtimestamp(began_s):%Y-%m-%d %H:%M}"  # noqa: DTZ006
    return f"{name}: the launcher{when} was killed. Launch it again to go on."


def _entries(survey: Survey) -> Iterable[Entry]:
    return (entry for variant in survey.variants for entry in variant.entries)


def _say(line: Line) -> None:
    ((text, style),) = line
    color = style if style in {"red", "yellow", "green", "cyan"} else None
    console.say(text, "cyan" if style == "bold" else color, bold=style == "bold")


def _watch(scout: Scout, places: Sequence[Path]) -> None:
    """Draw it again and again, until Ctrl-C."""
    region = console.LiveRegion()
    try:
        while True:
            began_s = time.monotonic()
            width, height = region.size
            lines = [line for place in places for line in drawn(scout.survey(place), width - 3)]
            region.draw(_cut([*lines, [("Ctrl-C ends this; the runs go on.", "dim")]], height - 1))
            # Thousands of runs take a while to look at: most of the time is left to them.
            time.sleep(max(_REFRESH_S, _REST * (time.monotonic() - began_s)))
    except KeyboardInterrupt:
        pass
    finally:
        region.close()


def _cut(lines: list[Line], height: int) -> list[Line]:
    """As many lines as fit: of those in the middle, finished variants go first."""
    if len(lines) <= height:
        return lines
    room = max(1, height - 1)
    worth = {"cyan": 0, "red": 1, "yellow": 2, "": 3, "green": 4}
    order = sorted(range(len(lines)), key=lambda place: (worth.get(lines[place][0][1], -1), place))
    kept = sorted(order[:room])
    more: Line = [(f"... and {len(lines) - room} more lines", "dim")]
    return [*(lines[place] for place in kept), more]


def _document(surveys: Sequence[Survey]) -> dict[str, Any]:
    """What ``--json`` prints; docs/command-line.md describes it."""
    return {
        "format": 1,
        "at": utc_now(),
        "directories": [
            {
                "directory": str(survey.root),
                "variants": [_variant_json(variant) for variant in survey.variants],
                "launches": [_launch_json(launch) for launch in survey.launches],
            }
            for survey in surveys
        ],
    }


def _variant_json(variant: Variant) -> dict[str, Any]:
    return {
        "exp_name": variant.name,
        "directory": variant.directory,
        "num_runs": len(variant.entries),
        **{state.replace(" ", "_"): variant.count(state) for state in COUNTED},
        "stale": variant.num_stale,
        "elapsed_s": variant.elapsed_s,
        "eta_s": variant.eta_s,
        "last_return": variant.last,
        "runs": [_entry_json(entry) for entry in variant.entries],
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    look = entry.look
    return {
        "seed": entry.seed,
        "directory": entry.directory,
        "state": entry.state.replace(" ", "_"),
        "reason": None if look is None else look.reason,
        "message": None if look is None else look.message,
        "host": None if look is None else look.host,
        "started_at": None if look is None else utc_text(look.started_s),
        "ended_at": None if look is None else utc_text(look.ended_s),
        "changed_files": list(entry.changed),
        "eta_s": entry.eta_s,
        "last_return": entry.last,
    }


def _launch_json(launch: Launch) -> dict[str, Any]:
    return {
        "grid_name": launch.grid_name,
        "is_live": launch.is_live,
        "host": launch.host,
        "pid": launch.pid,
        "width": launch.width,
        "num_runs": len(launch.runs),
        "started_at": launch.started_at,
        "ended_at": launch.ended_at,
        "command_line": launch.command_line,
        "working_directory": launch.working_directory,
    }
