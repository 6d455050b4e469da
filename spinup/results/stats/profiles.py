"""Performance profiles and the probability of improvement (Agarwal et al. 2021, sections 4.2 and 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spinup.results.stats.intervals import bootstrap_interval_rows
from spinup.results.stats.scores import by_task, require_between, require_pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from spinup.results.stats.scores import FloatArray


class Profile(NamedTuple):
    """A performance profile, each field of shape (num_thresholds,).

    Attributes:
        thresholds: Scores.
        share: Share of the runs that score above each; tasks count the same.
        low: Lower end of the interval at each threshold; NaN where a task has fewer than two seeds.
        high: Upper end.
    """

    thresholds: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray


class Improvement(NamedTuple):
    """How likely a run of one algorithm scores higher than one of the other.

    Attributes:
        probability: Mean over tasks; a tie counts half.
        low: Lower end of the interval; None where a task has fewer than two seeds.
        high: Upper end.
    """

    probability: float
    low: float | None
    high: float | None


def performance_profile(
    scores: npt.ArrayLike,
    thresholds: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = 2_000,
) -> Profile:
    """Share of runs above each threshold, with intervals of the stratified bootstrap.

    Args:
        scores: Shape (num_seeds,) or (num_seeds, num_tasks), normalised by task; what is not finite
            has no result and is left out.
        thresholds: Shape (num_thresholds,).
        rng: Source of the draws.
        level: Coverage at each threshold, in (0, 1).
        draws: Resamples.

    Raises:
        ValueError: A task has no usable score, or ``level`` is outside (0, 1).
    """
    require_between("level", level)
    tasks = by_task(scores)
    require_pooled(tasks)
    taus = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    above = [(task > taus[:, None]).astype(np.float64) for task in tasks]  # (num_thresholds, num_seeds)
    low, high = bootstrap_interval_rows(above, _mean_of_tasks, rng=rng, level=level, draws=draws)
    return Profile(taus, _mean_of_tasks(*above), low, high)


def probability_of_improvement(
    scores: npt.ArrayLike,
    others: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = 2_000,
) -> Improvement:
    """Probability that a run of ``scores`` beats one of ``others`` on the same task; mean over tasks.

    The Mann-Whitney statistic over the number of pairs, which needs no normalised scores.

    Args:
        scores: Shape (num_seeds,) or (num_seeds, num_tasks); what is not finite is left out.
        others: The same for the algorithm compared with; may have another number of seeds.
        rng: Source of the draws.
        level: Coverage, in (0, 1).
        draws: Resamples.

    Raises:
        ValueError: Different numbers of tasks, or a task without a usable score.
    """
    require_between("level", level)
    tasks, other_tasks = by_task(scores), by_task(others)
    if len(tasks) != len(other_tasks):
        raise ValueError(f"{len(tasks)} and {len(other_tasks)} tasks cannot be compared one by one.")
    require_pooled([*tasks, *other_tasks])
    samples = [sample[None, :] for sample in (*tasks, *other_tasks)]
    low, high = bootstrap_interval_rows(samples, _mean_wins, rng=rng, level=level, draws=draws)
    probability = float(_mean_wins(*samples)[0])
    if np.isnan(low[0]):
        return Improvement(probability, None, None)
    return Improvement(probability, float(low[0]), float(high[0]))


def wins(scores: FloatArray, others: FloatArray) -> FloatArray:
    """Share of all pairs that ``scores`` wins, ties counting half, along the last axis of both."""
    difference = scores[..., :, None] - others[..., None, :]
    return np.asarray(0.5 + 0.5 * np.sign(difference).mean(axis=(-2, -1)), dtype=np.float64)


def _mean_wins(*samples: FloatArray) -> FloatArray:
    """The first half of ``samples`` is of the tasks of one algorithm, the second half of the other."""
    pairs: Sequence[tuple[FloatArray, FloatArray]] = list(
        zip(samples[: len(samples) // 2], samples[len(samples) // 2 :], strict=True)
    )
    return np.asarray(np.mean([wins(one, other) for one, other in pairs], axis=0), dtype=np.float64)


def _mean_of_tasks(*tasks: FloatArray) -> FloatArray:
    return np.asarray(np.mean([task.mean(axis=-1) for task in tasks], axis=0), dtype=np.float64)
