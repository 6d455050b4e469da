"""Learning curves of several seeds on common steps, smoothed, and averaged over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from spinup.results.stats.scores import is_usable, require_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from spinup.results.stats.scores import FloatArray


class Curve(NamedTuple):
    """One run: ``steps`` and ``values``, both of shape (num_rows,)."""

    steps: npt.ArrayLike
    values: npt.ArrayLike


class CurveBand(NamedTuple):
    """Statistics over seeds along the steps, each of shape (num_points,).

    Attributes:
        mean: NaN where no seed has a value.
        low: Lower end of Student's interval; NaN where fewer than two seeds have a value.
        high: Upper end.
        num_used: Seeds that have a value there.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    num_used: npt.NDArray[np.int64]


def common_grid(curves: Sequence[Curve], *, most_points: int = 1_000) -> FloatArray:
    """Steps on which all ``curves`` can be compared: every step that one of them has, increasing.

    Args:
        curves: The runs; may be empty, and so may each.
        most_points: Where there are more steps, so many even ones from the first to the last.

    Returns:
        Shape (num_points,), from the first step of any run to the last of any.

    Raises:
        ValueError: ``most_points`` is less than 2.
    """
    if most_points < 2:
        raise ValueError(f"most_points must be at least 2, not {most_points}.")
    steps = [_ordered(curve)[0] for curve in curves]
    grid: FloatArray = np.unique(np.concatenate([*steps, np.empty(0)]))
    return np.linspace(grid[0], grid[-1], most_points) if grid.size > most_points else grid


def align(curves: Sequence[Curve], grid: FloatArray) -> FloatArray:
    """The curves at the steps of ``grid``, interpolated linearly; NaN where a run has not been.

    That is, before its first step and beyond its last. Rows without a step are left out. Of rows with
    the same step the last counts: a run that went on from a saved state writes them again. A value that
    is not finite leaves a gap up to its neighbours.

    Args:
        curves: The runs.
        grid: Shape (num_points,), increasing.

    Returns:
        Shape (num_runs, num_points), in the unit of the values.
    """
    aligned = np.full((len(curves), grid.size), np.nan)
    for row, curve in zip(aligned, curves, strict=True):
        steps, values = _ordered(curve)
        if steps.size:
            row[:] = np.interp(grid, steps, values, left=np.nan, right=np.nan)
    return aligned


def _ordered(curve: Curve) -> tuple[FloatArray, FloatArray]:
    """Steps, strictly increasing, and the values there; what is not usable is NaN."""
    steps = np.asarray(curve.steps, dtype=np.float64)
    values = np.asarray(curve.values, dtype=np.float64)
    if steps.ndim != 1 or steps.shape != values.shape:
        raise ValueError(f"Steps and values need one shape, (num_rows,): {steps.shape}, {values.shape}.")
    has_step = is_usable(steps)
    steps, values = steps[has_step][::-1], values[has_step][::-1]
    steps, places = np.unique(steps, return_index=True)  # the first of the reversed ones: the last
    values = values[places]
    return steps, np.where(is_usable(values), values, np.nan)


def smooth(values: npt.ArrayLike, window: int) -> FloatArray:
    """A centred moving average of each run that neither moves its ends nor fills its gaps.

    Towards a run's first and last value the window shrinks, evenly to both sides, so that a rising
    curve does not end too low. Gaps (NaN) count for nothing and stay gaps.

    Args:
        values: Shape (num_points,) or (num_runs, num_points), on even steps.
        window: Points that are averaged; an even number counts as the next odd one.

    Returns:
        The same shape.

    Raises:
        ValueError: ``window`` is less than 1.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, not {window}.")
    array = np.asarray(values, dtype=np.float64)
    rows = [_smooth_row(row, window // 2) for row in np.atleast_2d(array)]
    return np.asarray(rows, dtype=np.float64).reshape(array.shape)


def _smooth_row(values: FloatArray, half: int) -> FloatArray:
    smoothed = np.full(values.size, np.nan)
    places = np.flatnonzero(is_usable(values))
    if not places.size:
        return smoothed
    # The run itself, from its first value to its last: what is around it is no gap.
    part = values[places[0] : places[-1] + 1]
    has_value = is_usable(part)
    filled = np.where(has_value, part, 0.0)
    half = min(half, (part.size - 1) // 2)
    # Sums of each window by itself: with running sums, one huge value would blot out all that follow it.
    kernel = np.ones(2 * half + 1)
    sums, counts = np.convolve(filled, kernel, "same"), np.convolve(has_value, kernel, "same")
    for reach in range(half):
        for place in (reach, part.size - 1 - reach):
            around = slice(place - reach, place + reach + 1)
            sums[place], counts[place] = filled[around].sum(), has_value[around].sum()
    means = np.divide(sums, counts, out=np.full(part.size, np.nan), where=has_value)
    smoothed[places[0] : places[-1] + 1] = means
    return smoothed


def band(aligned: FloatArray, *, level: float = 0.95) -> CurveBand:
    """Mean over seeds and Student's interval at each step, of the seeds that have a value there.

    The interval holds for one step at a time, not for the curve as a whole. Where runs ended early
    the mean is of fewer seeds: draw ``num_used``, or stop where it drops.

    Args:
        aligned: Shape (num_runs, num_points), as from `align`.
        level: Coverage at each step, in (0, 1).

    Raises:
        ValueError: ``level`` is outside (0, 1).
    """
    require_between("level", level)
    has_value = is_usable(aligned)
    num_used = has_value.sum(axis=0).astype(np.int64)
    filled = np.where(has_value, aligned, 0.0)
    nowhere = np.full(aligned.shape[1], np.nan)
    mean = np.divide(filled.sum(axis=0), num_used, out=nowhere.copy(), where=num_used > 0)
    squares = np.sum(np.where(has_value, aligned - mean, 0.0) ** 2, axis=0)
    df = np.maximum(num_used - 1, 1)
    error = np.sqrt(squares / (df * np.maximum(num_used, 1)))
    reach = np.where(num_used > 1, special.stdtrit(df, (1.0 + level) / 2.0) * error, np.nan)
    return CurveBand(mean, mean - reach, mean + reach, num_used)
