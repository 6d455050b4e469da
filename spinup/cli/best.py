"""``spinup best``: the best variants, and how to get at them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from spinup import console
from spinup.cli.columns import Column, fit
from spinup.cli.find import data_dir_option, default_data_dir
from spinup.cli.output import print_json
from spinup.cli.results import by_option, load_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.report.best import Place, Ranking

_HELP = """\
Show the best variants at or below DIR: what they came to over their seeds, whether the next ones are told
apart from the best, and with which hyperparameters.

\b
spinup best data
spinup best data --by AverageTestEpRet --n 10
spinup best data --by duration_s --lowest
"""


@click.command(help=_HELP, short_help="Show the best variants.")
@click.argument("directories", metavar="[DIR]...", nargs=-1)
@by_option("steps, duration_s, ")
@click.option(
    "--n", "-n", "num", type=click.IntRange(min=1), default=5, show_default=True, help="How many."
)
@click.option("--lowest", "is_lowest", is_flag=True, help="Lower is better.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@data_dir_option
def command(
    directories: tuple[str, ...],
    *,
    by: str,
    num: int,
    is_lowest: bool,
    as_json: bool,
    data_dir: str | None,
) -> int:
    """Show the best variants."""
    from spinup.report.best import rank  # noqa: PLC0415 - heavy, and --help needs none

    runs, column = load_runs(directories, data_dir, by)
    ranking = rank(runs, column=column, num=num, is_lowest=is_lowest)
    if as_json:
        print_json(_document(ranking, by))
    else:
        _print(ranking, by, directories)
    return 0


def _document(ranking: Ranking, by: str) -> dict[str, Any]:
    return {
        "format": 1,
        "by": by,
        "num_variants": ranking.num_variants,
        "variants": [
            {
                "rank": place.rank,
                **place.row,
                "hyperparameters": dict(place.hyperparameters),
                "where": dict(place.where),
                "directories": list(place.directories),
            }
            for place in ranking.places
        ],
        "warnings": list(ranking.warnings),
    }


def _print(ranking: Ranking, by: str, directories: tuple[str, ...]) -> None:
    if ranking.places:
        _print_table(ranking.places, by)
    console.say(f"\n{len(ranking.places)} of {ranking.num_variants} variants.")
    for warning in ranking.warnings:
        console.say(warning, "yellow")
    for place in ranking.places:
        if place.rank == 1:
            _print_how(place, directories)


def _print_table(places: Sequence[Place], by: str) -> None:
    from spinup.results.stats.formatting import format_interval  # noqa: PLC0415

    rows = [place.row for place in places]
    columns = [
        Column(by, [format_interval(row["mean"], row["mean_low"], row["mean_high"]) for row in rows], 4),
        Column("seeds", [f"{row['num_used']} of {row['num_runs']}" for row in rows], 3),
        Column("against the best", [row.get("verdict") or "" for row in rows], 2),
    ]
    if any(row["task"] is not None for row in rows):
        columns.insert(0, Column("task", [console.one_line(row["task"] or "") for row in rows], 1))
    names = [f"{place.rank:>2}. {place.row['variant']}" for place in places]
    heading, *lines = fit("    variant", names, columns, console.columns())
    console.say(heading, bold=True)
    for line in lines:
        console.say(line)


def _print_how(place: Place, directories: tuple[str, ...]) -> None:
    """What the best was run with, and how to load and look at its runs."""
    name = console.one_line(place.row["variant"])
    where = "" if place.row["task"] is None else console.one_line(f" on {place.row['task']}")
    console.say(f"\n{name}{where}", "green", bold=True)
    for key, value in place.where.items():
        console.say(console.one_line(f"  {key}: {value!r}"))
    paths = ", ".join(map(repr, directories)) or repr(default_data_dir())
    chosen = f".where({dict(place.where)!r})" if place.where else ""
    console.say(console.one_line(f"  In Python:  spinup.load({paths}){chosen}"))
    console.say(console.one_line(f"  All of it:  spinup show {shlex.quote(place.directories[0])}"))
