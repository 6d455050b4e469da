"""``spinup compare``: two sets of runs, variant by variant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from spinup import console
from spinup.cli.columns import Column, fit
from spinup.cli.find import complete_run, data_dir_option
from spinup.cli.output import print_json
from spinup.cli.results import by_option, load_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.report.compare import Change, Pair, SideBySide
    from spinup.results.stats.comparison import Comparison

_MOST_CHANGES = 20

_HELP = """\
Compare B with A: the variants that both have, how much they differ, and what else does.

A and B are directories, or names of experiments or runs: yesterday's results and today's, or two variants.
Variants are the same if they agree in all that varies within A or within B; seeds that both have are
compared pair by pair.

\b
spinup compare data/monday data/tuesday
spinup compare ppo_lr0-001 ppo_lr0-0003
"""


@click.command(help=_HELP, short_help="Compare two directories, variants or runs.")
@click.argument("first", metavar="A", shell_complete=complete_run)
@click.argument("second", metavar="B", shell_complete=complete_run)
@by_option("steps, duration_s, ")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@data_dir_option
def command(first: str, second: str, *, by: str, as_json: bool, data_dir: str | None) -> int:
    """Compare two sets of runs."""
    from spinup.report.compare import side_by_side  # noqa: PLC0415 - heavy, and --help needs none

    before, column = load_runs([first], data_dir, by)
    after, _ = load_runs([second], data_dir, by)
    found = side_by_side(before, after, column=column)
    if as_json:
        print_json(_document(found, first, second, by))
    else:
        _print(found, first, second, by)
    return 0


def _document(found: SideBySide, first: str, second: str, by: str) -> dict[str, Any]:
    from spinup.report.compare import frame_of  # noqa: PLC0415

    changes = {"hyperparameters": found.settings, "code": found.code, "packages": found.packages}
    return {
        "format": 1,
        "a": first,
        "b": second,
        "by": by,
        "sentence": found.sentence,
        "variants": frame_of(found).to_dicts(),
        "only_in_a": list(found.only_before),
        "only_in_b": list(found.only_after),
        **{
            name: [{"name": one.name, "a": one.before or None, "b": one.after or None} for one in each]
            for name, each in changes.items()
        },
    }


def _print(found: SideBySide, first: str, second: str, by: str) -> None:
    console.say(f"A: {_place(first)}\nB: {_place(second)}")
    if found.pairs:
        _print_table(found.pairs, by)
    for side, names in (("A", found.only_before), ("B", found.only_after)):
        if names:
            console.say(f"\nIn {side} alone: {_listed(names)}")
    _print_changes("Hyperparameters that differ", found.settings)
    _print_changes("Code that differs", found.code)
    _print_changes("Packages and machines that differ", found.packages)
    console.say(f"\n{found.sentence}", bold=True)


def _place(text: str) -> str:
    return os.path.abspath(text) if os.path.isdir(text) else text


def _print_table(pairs: Sequence[Pair], by: str) -> None:
    from spinup.report.words import p_cell  # noqa: PLC0415
    from spinup.results.stats.formatting import format_interval  # noqa: PLC0415

    found = [pair.found for pair in pairs]
    columns = [
        Column(f"A: {by}", [format_interval(*pair.before) for pair in pairs], 3),
        Column(f"B: {by}", [format_interval(*pair.after) for pair in pairs], 4),
        Column("B - A", [format_interval(one.difference, one.low, one.high) for one in found], 5),
        Column("p (Holm)", [p_cell(one.p_holm) for one in found], 1),
        Column("seeds (A)", [_seeds(one) for one in found], 2),
        Column("verdict on B", [one.verdict.value for one in found], 6),
    ]
    heading, *lines = fit("variant", [pair.name for pair in pairs], columns, console.columns())
    console.say(f"\n{heading}", bold=True)
    for line in lines:
        console.say(line)


def _seeds(found: Comparison) -> str:
    own, other = (found.num_used, found.num_runs), (found.num_baseline_used, found.num_baseline_runs)
    return f"{own[0]} of {own[1]}" + (f" ({other[0]} of {other[1]})" if own != other else "")


def _print_changes(title: str, changes: Sequence[Change]) -> None:
    if not changes:
        return
    console.say(f"\n{title}", "cyan", bold=True)
    for one in changes[:_MOST_CHANGES]:
        console.say(console.one_line(f"  {one.name}: {one.before or '(none)'} -> {one.after or '(none)'}"))
    if len(changes) > _MOST_CHANGES:
        console.say(f"  and {len(changes) - _MOST_CHANGES} more; --json has all")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_CHANGES} more" if len(names) > _MOST_CHANGES else ""
    return console.one_line(", ".join(names[:_MOST_CHANGES])) + more
