"""Scores as arrays: one number a run. What is not finite is a run that has no result."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray: TypeAlias = npt.NDArray[np.float64]

_SMALLEST = 1e-150  # below, squares vanish
_LARGEST = 1e150  # beyond, squares overflow; a run with such a return has diverged


def as_scores(scores: npt.ArrayLike) -> FloatArray:
    """``scores`` as floats, of shape (num_seeds,) or (num_seeds, num_tasks).

    Raises:
        ValueError: There are no scores, or they have another shape.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim not in {1, 2} or not array.size:
        raise ValueError(
            f"Scores need the shape (num_seeds,) or (num_seeds, num_tasks), not empty: {array.shape}."
        )
    return array


def is_usable(values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Where ``values``, of any shape, are results: finite, and of a size that can be squared."""
    # NaN compares as False, without a warning.
    return np.abs(np.asarray(values, dtype=np.float64)) < _LARGEST


def usable(scores: FloatArray) -> FloatArray:
    """Those of ``scores`` that are results, flattened."""
    kept: FloatArray = scores[is_usable(scores)]
    return kept


def by_task(scores: npt.ArrayLike) -> list[FloatArray]:
    """The usable scores of each task; tasks may have different numbers of them, or none.

    Args:
        scores: Shape (num_seeds,), one task, or (num_seeds, num_tasks).

    Raises:
        ValueError: As for `as_scores`.
    """
    array = as_scores(scores)
    return [usable(column) for column in np.atleast_2d(array.T)]


def is_constant(values: FloatArray, *, size: float | None = None) -> bool:
    """Whether ``values`` differ by no more than rounding does in numbers of ``size``, by default theirs."""
    if size is None:
        size = float(np.abs(values).max())
    return bool(np.ptp(values) <= max(1e-12 * size, _SMALLEST))


def count(num_used: int, num_runs: int, noun: str = "seed") -> str:
    """``4 of 5 seeds``: how many of the runs that were started are in a statistic."""
    return f"{num_used} of {num_runs} {noun}{'' if num_runs == 1 else 's'}"


def require_between(name: str, value: float, low: float = 0.0, high: float = 1.0) -> None:
    """Raise ValueError unless ``low < value < high``."""
    if not low < value < high:
        raise ValueError(f"{name} must be between {low:g} and {high:g}, not {value!r}.")


def require_pooled(tasks: Sequence[FloatArray]) -> None:
    """Raise ValueError where a task has no usable score."""
    for number, task in enumerate(tasks):
        if not task.size:
            raise ValueError(f"Task {number} has no usable score; every task needs one.")
