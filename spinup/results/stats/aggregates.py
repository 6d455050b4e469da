"""One number for many scores: mean, median, interquartile mean and optimality gap.

Definitions over tasks: Agarwal et al. 2021, Deep RL at the Edge of the Statistical Precipice, section 4.3.
Each function works along one axis per task, so that a bootstrap can call it for all resamples at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import stats

from spinup.results.stats.scores import by_task, require_pooled

if TYPE_CHECKING:
    import numpy.typing as npt

    from spinup.results.stats.scores import FloatArray


class Statistic(Protocol):
    """A function of the tasks' scores, each of shape (..., num_seeds of that task); gives shape (...)."""

    def __call__(self, *tasks: FloatArray) -> FloatArray: ...  # noqa: D102 - the class says it


def mean_of(*tasks: FloatArray) -> FloatArray:
    """Mean over tasks of the mean over seeds: each task counts the same."""
    return np.asarray(np.mean([task.mean(axis=-1) for task in tasks], axis=0), dtype=np.float64)


def median_of(*tasks: FloatArray) -> FloatArray:
    """Median over tasks of the mean over seeds; of one task, the median over its seeds."""
    if len(tasks) == 1:
        return np.asarray(np.median(tasks[0], axis=-1), dtype=np.float64)
    return np.asarray(np.median([task.mean(axis=-1) for task in tasks], axis=0), dtype=np.float64)


def iqm_of(*tasks: FloatArray) -> FloatArray:
    """Mean of the middle half of all scores: a quarter of them is cut off at either end."""
    pooled = np.concatenate(tasks, axis=-1)
    return np.asarray(stats.trim_mean(pooled, 0.25, axis=-1), dtype=np.float64)


def optimality_gap_of(*tasks: FloatArray) -> FloatArray:
    """How far the mean falls short of 1, scores above 1 counting as 1: for normalised scores."""
    return 1.0 - mean_of(*(np.minimum(task, 1.0) for task in tasks))


STATISTICS: dict[str, Statistic] = {
    "mean": mean_of,
    "median": median_of,
    "iqm": iqm_of,
    "optimality_gap": optimality_gap_of,
}


def statistic_named(name: str) -> Statistic:
    """The function of that name.

    Raises:
        ValueError: There is none.
    """
    if name not in STATISTICS:
        raise ValueError(f"No statistic named {name!r}. Known: {', '.join(STATISTICS)}.")
    return STATISTICS[name]


def aggregate(scores: npt.ArrayLike, statistic: str = "mean") -> float:
    """A statistic of the usable scores, without an interval; `estimate` also says how many there are.

    Args:
        scores: Shape (num_seeds,) or (num_seeds, num_tasks); what is not finite has no result.
        statistic: ``mean``, ``median``, ``iqm`` or ``optimality_gap``.

    Raises:
        ValueError: A task has no usable score, or there is no such statistic.
    """
    tasks = by_task(scores)
    require_pooled(tasks)
    return float(statistic_named(statistic)(*tasks))


def normalise(scores: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> FloatArray:
    """Scores per task with ``low`` (such as random play) at 0 and ``high`` (such as an expert) at 1.

    Args:
        scores: Shape (num_seeds,) or (num_seeds, num_tasks).
        low: The score of each task that becomes 0, shape (num_tasks,) or one number.
        high: The score of each task that becomes 1.

    Returns:
        The same shape; values outside [0, 1] stay outside.

    Raises:
        ValueError: ``low`` and ``high`` of a task are the same, or are not finite.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    span = high - low
    if not np.all(np.isfinite(span)) or np.any(span == 0):
        raise ValueError("To normalise, low and high of each task must be finite and must differ.")
    return np.asarray((np.asarray(scores, dtype=np.float64) - low) / span, dtype=np.float64)
