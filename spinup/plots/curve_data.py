"""What the seeds of each variant came to, step by step: the numbers behind learning curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spinup.errors import PlotError
from spinup.plots.estimates import OverSeeds, check_over_seeds, over_seeds
from spinup.plots.style import cut
from spinup.results.stats.curves import Curve, align, common_grid
from spinup.results.stats.curves import smooth as smoothed
from spinup.results.stats.scores import is_usable
from spinup.results.table import check_numbers, check_seeds

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]


_FEWEST = 3  # seeds, of more, that have a band


@dataclass(frozen=True)
class LearningCurve:
    """What the seeds of one variant came to, step by step.

    Attributes:
        name: The variant.
        x: Where, shape (num_points,), increasing.
        center: Estimate over the seeds that have a value there, shape (num_points,); NaN without any.
        low: Lower end of the band, shape (num_points,); NaN where there is none, and where two seeds are
            left of more, whose interval would cover the whole picture.
        high: Upper end of the band, shape (num_points,).
        num_seeds: How many seeds have a value there, shape (num_points,).
        seeds: Each seed's own values, shape (num_runs, num_points); NaN where it has none.
        num_ended: How many seeds came to their end: with as many rows as any, or to the last step.
    """

    name: str
    x: FloatArray
    center: FloatArray
    low: FloatArray
    high: FloatArray
    num_seeds: IntArray
    seeds: FloatArray
    num_ended: int

    @property
    def is_whole(self) -> bool:
        """Whether every seed came to its end; where episodes differ in length, not all at one step."""
        return self.num_ended == len(self.seeds)

    @property
    def legend(self) -> str:
        """The variant, and how many of its seeds came to their end."""
        n, k = len(self.seeds), self.num_ended
        seeds = f"{n} seed{'' if n == 1 else 's'}"
        return f"{cut(self.name)} ({seeds if k == n else f'{k} of {seeds} at the end'})"


def learning_curve_data(
    curves: pl.DataFrame,
    x: str | None = None,
    y: str | None = None,
    *,
    name: str = "exp_name",
    smooth: int = 1,
    estimate: OverSeeds = "mean",
) -> list[LearningCurve]:
    """What the seeds of each variant came to, along ``x``, in the order in which variants come.

    Seeds are interpolated linearly at common steps, never beyond their first or last row. Where a
    seed has no finite value (it diverged, or has not come so far) it does not count, and
    ``num_seeds`` says so. Of rows with the same ``x`` the last counts. Nothing but seeds is averaged.

    Args:
        curves: A row per logged row, with ``seed`` and ``directory``: `spinup.load` or
            `spinup.results.table.load_curves`. A run that has none yet counts if it has a row of nulls.
        x: Column to follow; by default ``steps``, or ``TotalEnvInteracts``.
        y: Column to summarise; by default ``return``, or ``AverageEpRet``.
        name: Column that names the variant.
        smooth: Each seed's values become means over this many of its rows.
        estimate: ``mean``, ``median``, ``iqm`` (interquartile mean), ``max`` or ``min`` over seeds.

    Raises:
        RecordError: A column is missing or holds text, or a seed of a variant was run twice.
        PlotError: No run has a value in both, or an ``x`` is beyond 1e150.
    """
    check_over_seeds(estimate)
    x, y = columns_of(curves, x, y)
    check_numbers(curves, [x, y])
    check_seeds(curves.with_columns(pl.col(name).alias("exp_name")))
    points = curves.filter(pl.col(x).is_finite() & pl.col(y).is_not_null())
    if points.is_empty():
        raise PlotError(f"No run has a row with both {x!r} and {y!r} yet: there is no curve to draw.")
    if not (too_large := points.filter(pl.Series(~is_usable(points[x])))).is_empty():
        raise PlotError(
            f"{x!r} is {too_large[x][0]:g} in {too_large['directory'][0]}: no axis reaches so far. "
            "Follow another column, or filter the table by its column 'directory'."
        )
    found = []
    for (key,), rows in curves.group_by(name, maintain_order=True):
        variant = points.filter(pl.col(name) == key)
        seeds = [_seed(run, x, y, smooth) for run in variant.partition_by("directory", maintain_order=True)]
        # A run without a single point is one that has not come so far either.
        seeds += [Curve([], [])] * (rows["directory"].n_unique() - len(seeds))
        # Where there is no point at all, there is one step at least, for the legend to speak of.
        grid = common_grid(seeds) if len(variant) else points[x].head(1).to_numpy().astype(np.float64)
        values = align(seeds, grid)
        center, low, high, num_seeds = over_seeds(values, estimate)
        too_few = (num_seeds < _FEWEST) & (num_seeds < len(seeds))
        low, high = np.where(too_few, np.nan, low), np.where(too_few, np.nan, high)
        ended = _num_ended(rows, x, y)
        found.append(LearningCurve(str(key), grid, center, low, high, num_seeds, values, ended))
    return found


def _num_ended(rows: pl.DataFrame, x: str, y: str) -> int:
    """How many runs have a value in their last row, and as many rows as any or the last step of all."""
    own = rows.group_by("directory").agg(
        pl.len().alias("num_rows"), pl.col(x).max().alias("end"), pl.col(y).last().is_finite().alias("has")
    )
    is_last = (pl.col("num_rows") == pl.col("num_rows").max()) | (pl.col("end") == pl.col("end").max())
    return own.filter(pl.col("has") & is_last).height


def columns_of(curves: pl.DataFrame, x: str | None, y: str | None) -> tuple[str, str]:
    """``x`` and ``y``, or the columns of steps and returns, whichever names these have here."""
    steps = "steps" if "steps" in curves.columns else "TotalEnvInteracts"
    returns = "return" if "return" in curves.columns else "AverageEpRet"
    return x or steps, y or returns


def _seed(run: pl.DataFrame, x: str, y: str, window: int) -> Curve:
    """The rows of one run by increasing ``x``; of those with the same the last counts."""
    run = run.unique(x, keep="last", maintain_order=True).sort(x)
    return Curve(run[x].to_numpy(), smoothed(run[y].to_numpy(), window))
