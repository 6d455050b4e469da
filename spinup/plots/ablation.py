"""Ablations: what each change does to the baseline's return, with intervals and verdicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import PlotError
from spinup.plots.figure import axes_or_new
from spinup.plots.style import (
    BETTER,
    UNDECIDED,
    UNJUDGED,
    WORSE,
    captioned,
    cut,
    note,
    quiet,
    tick_names,
    words,
    wrapped,
)
from spinup.plots.variants import variants_of_one_task
from spinup.results.comparison import compare_with_baseline
from spinup.results.stats.comparison import Verdict
from spinup.results.stats.formatting import format_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from matplotlib.axes import Axes

_LABEL_WIDTH = 40  # characters beside the axis
_COLORS = {Verdict.BETTER: BETTER, Verdict.WORSE: WORSE, Verdict.TOO_FEW: UNJUDGED}
_LEGEND = {
    "better": BETTER,
    "worse": WORSE,
    "not told apart from the baseline": UNDECIDED,
    "too few seeds to judge": UNJUDGED,
}


@dataclass(frozen=True)
class Change:
    """One bar: a variant against the baseline.

    Attributes:
        label: What it changes.
        difference: Variant less baseline; NaN where either has no result.
        low: Lower end of its 95 % interval; NaN for too few seeds.
        high: Upper end of it.
        verdict: Corrected for the number of comparisons.
        seeds: How many seeds have a result, such as ``4 of 5 seeds``; empty if all.
    """

    label: str
    difference: float
    low: float
    high: float
    verdict: Verdict
    seeds: str


@dataclass(frozen=True)
class Ablation:
    """Changes of a baseline, the largest first.

    Attributes:
        baseline: What it comes to itself, such as ``350 [340, 360], 5 of 5 seeds``.
        changes: Its variants.
    """

    baseline: str
    changes: tuple[Change, ...]


def ablation_data(table: pl.DataFrame, value: str = "last", *, baseline: str | None = None) -> Ablation:
    """Each variant against the baseline, as `spinup.results.comparison.compare_with_baseline` finds it.

    Args:
        table: A row per run of one task: ``spinup.load(...).table``.
        value: Column of scores; more is better.
        baseline: Name of the baseline; by default, the variant that is marked as such.

    Raises:
        RecordError: There is no such column of numbers, no baseline, no run, or a seed was run twice.
        PlotError: There are several tasks, or nothing but the baseline.
    """
    variants_of_one_task(table, value)
    first, *rest = compare_with_baseline(table, column=value, baseline=baseline).iter_rows(named=True)
    if not rest:
        raise PlotError(f"There is nothing but the baseline, {first['variant']}: no bar to draw.")
    mean = format_interval(first["mean"], first["mean_low"], first["mean_high"])
    return Ablation(f"{mean}, {first['seeds']}", tuple(map(_change, rest)))


def plot_ablation(
    table: pl.DataFrame, ax: Axes | None = None, *, value: str = "last", baseline: str | None = None
) -> Axes:
    """Draw each change's difference to the baseline as a bar with its 95 % interval, coloured by verdict.

    The interval is of this comparison alone; the verdict is corrected for the number of comparisons.

    Args:
        table: As for `ablation_data`.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        value: As for `ablation_data`.
        baseline: As for `ablation_data`.

    Returns:
        The axes; the change that makes the largest difference is on top.

    Raises:
        RecordError: As for `ablation_data`.
        PlotError: As for `ablation_data`.
    """
    data = ablation_data(table, value, baseline=baseline)
    labels = [wrapped(_label(change), _LABEL_WIDTH) for change in data.changes]
    ax = axes_or_new(ax, 8, 1.9 + 0.36 * sum(1 + 0.5 * label.count("\n") for label in labels))
    for place, change in enumerate(data.changes):
        _draw(ax, place, change)
    ax.axvline(0, color="black", linewidth=1.2)
    quiet(ax, grid="x")
    # Bars would otherwise begin at the very edge.
    ax.use_sticky_edges = False
    ax.margins(x=0.08)
    tick_names(ax.yaxis, range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlabel(captioned(f"difference to the baseline in {words(value)}", f"baseline: {data.baseline}"))
    _name_colors(ax, data)
    return ax


def _change(row: Mapping[str, Any]) -> Change:
    difference, low, high = (
        math.nan if row[key] is None else row[key]
        for key in ("difference", "difference_low", "difference_high")
    )
    seeds = row["seeds"] if row["num_used"] < row["num_runs"] else ""
    return Change(row["variant"], difference, low, high, Verdict(row["verdict"]), seeds)


def _label(change: Change) -> str:
    return cut(change.label) + (f" ({change.seeds})" if change.seeds else "")


def _color(change: Change) -> str:
    return _COLORS.get(change.verdict, UNDECIDED)


def _draw(ax: Axes, place: int, change: Change) -> None:
    if math.isnan(change.difference):
        note(ax, "no result", (0, place), xytext=(6, 0), va="center")
        return
    ax.barh(place, change.difference, height=0.62, color=_color(change), alpha=0.85)
    if not math.isnan(change.low):
        reach = [[change.difference - change.low], [change.high - change.difference]]
        ax.errorbar(
            change.difference, place, xerr=reach, fmt="none", ecolor="black", capsize=4, linewidth=1.3
        )


def _name_colors(ax: Axes, data: Ablation) -> None:
    """A legend of the colours that are there, above the bars."""
    from matplotlib.patches import Patch  # noqa: PLC0415 - with what uses it

    there = {_color(change) for change in data.changes if not math.isnan(change.difference)}
    shown = [
        Patch(color=color, alpha=0.85, label=name) for name, color in _LEGEND.items() if color in there
    ]
    if shown:
        ax.legend(
            handles=shown, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9
        )
