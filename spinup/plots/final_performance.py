"""Final performance: what each variant came to over its seeds, with the interval around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spinup.plots.estimates import OverSeeds, check_over_seeds, explained, of_scores
from spinup.plots.figure import axes_or_new
from spinup.plots.style import COLORS, GRAY, captioned, cut, note, quiet, tick_names, words, wrapped
from spinup.plots.variants import scores_of, variants_of_one_task
from spinup.results.stats.scores import count, is_usable

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl
    from matplotlib.axes import Axes

    from spinup.results.groups import Variant

    FloatArray = npt.NDArray[np.float64]

_LABEL_WIDTH = 45  # characters beside the axis


@dataclass(frozen=True)
class FinalPerformance:
    """What the seeds of one variant came to.

    Attributes:
        name: The variant.
        scores: Of its seeds that have one, shape (num_scores,).
        num_runs: How many runs it has, with a score or without.
        center: Estimate over the seeds; NaN without any.
        low: Lower end of its 95 % interval; NaN with fewer than two seeds.
        high: Upper end of it.
    """

    name: str
    scores: FloatArray
    num_runs: int
    center: float
    low: float
    high: float

    @property
    def label(self) -> str:
        """The variant, and how many of its seeds have a score if not all."""
        k, n = len(self.scores), self.num_runs
        return cut(self.name) + (f" ({count(k, n)})" if k < n else "")


def final_performance_data(
    table: pl.DataFrame, value: str = "last", *, estimate: OverSeeds = "mean"
) -> list[FinalPerformance]:
    """What each variant came to, best first, those without any score last.

    Args:
        table: A row per run of one task: ``spinup.load(...).table``.
        value: Column of scores.
        estimate: ``mean``, ``median``, ``iqm`` (interquartile mean), ``max`` or ``min`` over seeds.

    Raises:
        RecordError: The table has no such column of numbers, or no run, or a seed was run twice.
        PlotError: There are several tasks.
    """
    check_over_seeds(estimate)
    found = [_summary(variant, estimate) for variant in variants_of_one_task(table, value)]
    return sorted(found, key=lambda one: (not one.scores.size, -one.center if one.scores.size else 0.0))


def plot_final_performance(
    table: pl.DataFrame, ax: Axes | None = None, *, value: str = "last", estimate: OverSeeds = "mean"
) -> Axes:
    """Draw each variant's estimate with its 95 % interval, and every seed as a faint dot.

    Args:
        table: As for `final_performance_data`.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        value: Column of scores.
        estimate: As for `final_performance_data`.

    Returns:
        The axes; the best variant is on top.

    Raises:
        RecordError: As for `final_performance_data`.
        PlotError: As for `final_performance_data`.
    """
    data = final_performance_data(table, value, estimate=estimate)
    labels = [wrapped(one.label, _LABEL_WIDTH) for one in data]
    ax = axes_or_new(ax, 8, 1.2 + 0.32 * sum(1 + 0.5 * label.count("\n") for label in labels))
    for place, one in enumerate(data):
        ax.plot(
            one.scores, np.full(one.scores.size, place), "o", color=GRAY, alpha=0.35, markersize=4, mew=0
        )
        if np.isfinite(one.low):
            ax.plot([one.low, one.high], [place, place], color=COLORS[0], linewidth=5, alpha=0.4)
        if np.isfinite(one.center):
            ax.plot(one.center, place, "|", color=COLORS[0], markersize=13, mew=2.5)
        else:
            note(
                ax, "no result", (0, place), xycoords=("axes fraction", "data"), xytext=(6, 0), va="center"
            )
    quiet(ax, grid="x")
    tick_names(ax.yaxis, range(len(data)), labels)
    ax.set_ylim(len(data) - 0.4, -0.6)
    ax.set_xlabel(captioned(words(value), _caption(data, estimate)))
    return ax


def _summary(variant: Variant, estimate: OverSeeds) -> FinalPerformance:
    scores = scores_of(variant)
    center, low, high = of_scores(scores, estimate)
    return FinalPerformance(variant.label, scores[is_usable(scores)], len(scores), center, low, high)


def _caption(data: list[FinalPerformance], estimate: OverSeeds) -> str:
    if all(one.num_runs == 1 for one in data):
        return "one seed each"
    return explained(estimate, "stroke", "bar") + "; dots: single seeds"
