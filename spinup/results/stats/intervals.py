"""Statistics with their intervals, and how many of the runs are in them.

Few seeds of one task: intervals from Student's t, which know that a spread guessed from few values is
guessed. Several tasks: the stratified bootstrap (Agarwal et al. 2021), with its known narrowness for
few seeds taken off (Hesterberg 2015). docs/statistics.md has what each covers in simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special, stats

from spinup.results.stats.aggregates import statistic_named
from spinup.results.stats.formatting import format_interval
from spinup.results.stats.scores import as_scores, by_task, count, is_constant, require_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from spinup.results.stats.aggregates import Statistic
    from spinup.results.stats.scores import FloatArray

#: Lower and upper end; None where there are too few scores for an interval.
Interval: TypeAlias = tuple[float, float] | None

_BATCH_VALUES = 5_000_000  # resampled values held at once: 40 MB


@dataclass(frozen=True)
class Estimate:
    """A statistic over seeds.

    Attributes:
        statistic: ``mean``, ``median``, ``iqm`` or ``optimality_gap``.
        value: The statistic of the usable scores; None where a task has none.
        low: Lower end of the interval; None where there are too few scores for one.
        high: Upper end.
        num_used: Scores that are in it.
        num_runs: Scores asked for, those of failed and diverged runs included.
        level: Coverage that the interval aims at.
        method: How the interval was made, or why there is none.
    """

    statistic: str
    value: float | None
    low: float | None
    high: float | None
    num_used: int
    num_runs: int
    level: float
    method: str

    @property
    def is_complete(self) -> bool:
        """Whether every run has a result."""
        return self.num_used == self.num_runs

    def __str__(self) -> str:
        """Such as ``212 [164, 260], 4 of 5 runs``."""
        runs = count(self.num_used, self.num_runs, "run")
        return f"{format_interval(self.value, self.low, self.high)}, {runs}"


def estimate(
    scores: npt.ArrayLike,
    statistic: str = "mean",
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = 9_999,
) -> Estimate:
    """A statistic with the interval that suits it, and how many of the runs are in it.

    One task: `t_interval` for the mean, `trimmed_t_interval` for the IQM, `median_interval` for the
    median. Several tasks: `bootstrap_interval`, widened for few seeds.

    Args:
        scores: Shape (num_seeds,) or (num_seeds, num_tasks); NaN or infinite for a run without a result.
        statistic: ``mean``, ``median``, ``iqm`` or ``optimality_gap``.
        rng: Source of the bootstrap's draws.
        level: Coverage, in (0, 1).
        draws: Resamples of the bootstrap.

    Raises:
        ValueError: No scores, an unknown statistic, or a level outside (0, 1).
    """
    require_between("level", level)
    array, function = as_scores(scores), statistic_named(statistic)
    tasks = by_task(array)
    num_used = sum(task.size for task in tasks)
    if not all(task.size for task in tasks):
        what = "no run has a result" if not num_used else "a task has no result"
        return Estimate(statistic, None, None, None, num_used, array.size, level, f"none: {what}")
    interval, method = _interval(tasks, statistic, function, rng=rng, level=level, draws=draws)
    low, high = interval or (None, None)
    return Estimate(statistic, float(function(*tasks)), low, high, num_used, array.size, level, method)


def _interval(
    tasks: Sequence[FloatArray],
    statistic: str,
    function: Statistic,
    *,
    rng: np.random.Generator,
    level: float,
    draws: int,
) -> tuple[Interval, str]:
    """The interval, and the method's name or the reason why there is none."""
    fewest = min(task.size for task in tasks)
    if fewest < 2:
        return None, "none: one seed has no spread"
    if len(tasks) > 1:
        interval = bootstrap_interval(tasks, function, rng=rng, level=level, draws=draws, is_widened=True)
        return interval, "stratified bootstrap, widened"
    (only,) = tasks
    if statistic == "median":
        return median_interval(only, level=level), "order statistics"
    if statistic == "iqm":
        return trimmed_t_interval(only, level=level), "trimmed t"
    if statistic == "optimality_gap":
        low, high = t_interval(np.minimum(only, 1.0), level=level) or (math.nan, math.nan)
        return (1.0 - high, 1.0 - low), "Student t"
    return t_interval(only, level=level), "Student t"


def t_interval(scores: FloatArray, *, level: float = 0.95) -> Interval:
    """Student's interval for the mean of ``scores``, shape (num_seeds,), all finite; None for one seed.

    Exact for normal scores. Strongly skewed scores of three to five seeds are covered less often.
    """
    num = scores.size
    if num < 2:
        return None
    center, error = float(scores.mean()), float(scores.std(ddof=1)) / math.sqrt(num)
    return _around(center, t_quantile(level, num - 1) * error)


def trimmed_t_interval(scores: FloatArray, *, level: float = 0.95, cut: float = 0.25) -> Interval:
    """Interval for the trimmed mean, by the winsorised variance; None for fewer than two kept scores.

    Tukey and McLaughlin 1963; the standard error as in Yuen 1974, The two-sample trimmed t.

    Args:
        scores: Shape (num_seeds,), all finite.
        level: Coverage.
        cut: Share cut off at each end; 0.25 makes the interquartile mean.
    """
    num, num_cut = scores.size, int(cut * scores.size)
    num_kept = num - 2 * num_cut
    if num_kept < 2:
        return None
    ordered = np.sort(scores)
    kept = ordered[num_cut : num - num_cut]
    winsorised = np.clip(ordered, kept[0], kept[-1])
    squares = float(np.sum((winsorised - winsorised.mean()) ** 2))
    error = math.sqrt(squares / (num_kept * (num_kept - 1)))
    return _around(float(kept.mean()), t_quantile(level, num_kept - 1) * error)


def median_interval(scores: FloatArray, *, level: float = 0.95) -> Interval:
    """Interval between two order statistics, of whatever distribution the scores are.

    The coverage is at least ``level`` (Conover 1999, section 3.2). None where not even the extremes
    reach it, which for 95 % takes six seeds.
    """
    found = stats.quantile_test(scores, q=0, p=0.5).confidence_interval(level)
    return None if np.isnan(found.low) or np.isnan(found.high) else (float(found.low), float(found.high))


def bootstrap_interval(
    tasks: Sequence[FloatArray],
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = 9_999,
    method: str = "percentile",
    is_widened: bool = False,
) -> Interval:
    """Stratified bootstrap interval: seeds are resampled within their task, tasks stay as they are.

    With ``method="percentile"``, and not widened, it is that of Agarwal et al. 2021 and of rliable.
    It is too narrow for few seeds: a resample of n varies by (n - 1) / n of the variance, and no
    allowance is made for guessing it. Widened, it aims at a level so much higher as makes up for both
    (Hesterberg 2015, What Teachers Should Know About the Bootstrap, section 5.3).

    Args:
        tasks: The scores of each task, each of shape (num_seeds,), all finite.
        statistic: A function such as `spinup.results.stats.aggregates.iqm_of`.
        rng: Source of the draws.
        level: Coverage, in (0, 1).
        draws: Resamples.
        method: ``percentile``, ``basic`` or ``BCa``, as `scipy.stats.bootstrap` knows them.
        is_widened: Aim at a higher level for few seeds.

    Returns:
        (low, high); None where a task has fewer than two seeds.
    """
    if min(task.size for task in tasks) < 2:
        return None
    if all(is_constant(task) for task in tasks):
        value = float(statistic(*tasks))
        return value, value
    if is_widened:
        level = _widened(level, tasks)
    found = _resample(tasks, statistic, rng=rng, level=level, draws=draws, method=method)
    return float(found[0]), float(found[1])


def bootstrap_interval_rows(
    tasks: Sequence[FloatArray],
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    level: float,
    draws: int,
) -> tuple[FloatArray, FloatArray]:
    """Percentile interval for each row of ``tasks``, all rows resampled alike.

    Args:
        tasks: Each of shape (num_rows, num_seeds), all finite.
        statistic: Gives shape (num_rows,).
        rng: Source of the draws.
        level: Coverage, in (0, 1).
        draws: Resamples.

    Returns:
        Lower and upper ends, each of shape (num_rows,); NaN where a task has fewer than two seeds.
    """
    if min(task.shape[-1] for task in tasks) < 2:
        nowhere = np.full(tasks[0].shape[0], np.nan)
        return nowhere, nowhere
    return _resample(tasks, statistic, rng=rng, level=level, draws=draws, method="percentile")


def _resample(
    tasks: Sequence[FloatArray],
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    level: float,
    draws: int,
    method: str,
) -> tuple[FloatArray, FloatArray]:
    """SciPy's bootstrap, which resamples each of several samples by itself: that is, by task."""

    def along_last(*samples: FloatArray, axis: int) -> FloatArray:
        assert axis in {-1, samples[0].ndim - 1}
        return statistic(*samples)

    values = sum(task.size for task in tasks) * max(task.shape[-1] for task in tasks)
    found = stats.bootstrap(
        list(tasks),
        along_last,
        axis=-1,
        vectorized=True,
        confidence_level=level,
        n_resamples=draws,
        batch=max(1, _BATCH_VALUES // values),
        method=method,
        random_state=rng,  # SciPy's name for it before 1.15, and still known after
    ).confidence_interval
    return found.low, found.high


def _widened(level: float, tasks: Sequence[FloatArray]) -> float:
    """The level at which percentiles of a normal bootstrap lie where Student's interval ends."""
    fewest = min(task.size for task in tasks)
    variances = np.array([task.var(ddof=1) / task.size for task in tasks])
    df = effective_df(variances, np.array([task.size - 1 for task in tasks]))
    reach = t_quantile(level, df) * math.sqrt(fewest / (fewest - 1))
    return float(1.0 - 2.0 * special.ndtr(-reach))


def effective_df(variances: FloatArray, dfs: npt.NDArray[np.int_]) -> float:
    """Degrees of freedom of a sum of estimated variances (Satterthwaite 1946); not all may be 0."""
    shares = variances / variances.sum()  # first, so that nothing overflows or vanishes
    return float(1.0 / np.sum(shares**2 / dfs))


def t_quantile(level: float, df: float) -> float:
    """How many standard errors a two-sided interval of Student's t reaches to either side."""
    return float(special.stdtrit(df, (1.0 + level) / 2.0))


def _around(center: float, reach: float) -> tuple[float, float]:
    return center - reach, center + reach
