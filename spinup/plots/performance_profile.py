"""Performance profiles: which share of a variant's runs scores above each threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spinup.errors import PlotError
from spinup.plots.figure import axes_or_new
from spinup.plots.style import cut, legend_below, look, quiet, text_width, words, wrapped
from spinup.plots.variants import scores_of
from spinup.results.groups import variants_of
from spinup.results.stats.profiles import performance_profile
from spinup.results.stats.scores import count, is_usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import polars as pl
    from matplotlib.axes import Axes

    from spinup.results.groups import Variant

    FloatArray = npt.NDArray[np.float64]

_NUM_THRESHOLDS = 201


@dataclass(frozen=True)
class PerformanceProfile:
    """The profile of one variant, on the thresholds that all share.

    Attributes:
        name: The variant.
        thresholds: Scores, shape (num_thresholds,).
        share: Share of the runs that score above each, shape (num_thresholds,); tasks count the same. NaN
            for a variant that lacks a score on a task.
        low: Lower end of its 95 % interval; NaN where a task has fewer than two seeds.
        high: Upper end of it.
        num_used: Runs that are in it.
        num_runs: Runs of the variant; those without a score are left out.
        num_tasks: Tasks; of several, scores are normalised.
    """

    name: str
    thresholds: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    num_used: int
    num_runs: int
    num_tasks: int


def performance_profile_data(
    table: pl.DataFrame, value: str = "last", *, task: str | None = None
) -> list[PerformanceProfile]:
    """The profile of each variant (Agarwal et al. 2021, section 4.3).

    Scores of several tasks are normalised: the lowest of the table's on each task becomes 0, the highest 1.

    Args:
        table: A row per run: ``spinup.load(...).table``.
        value: Column of scores.
        task: Column that tells tasks apart; by default, ``env_name`` and the like if its values differ.

    Raises:
        RecordError: The table has no such column of numbers, or no run, or a seed was run twice.
        PlotError: No variant has a score on every task.
    """
    variants = variants_of(table, column=value, task=task)
    tasks = list(dict.fromkeys(variant.task for variant in variants))
    scales = {name: _scale([v for v in variants if v.task == name], len(tasks)) for name in tasks}
    found: dict[str, list[FloatArray]] = {}
    for variant in variants:
        low, span = scales[variant.task]
        found.setdefault(variant.label, []).append((scores_of(variant) - low) / span)
    whole = [
        label
        for label, scores in found.items()
        if len(scores) == len(tasks) and all(is_usable(of_task).any() for of_task in scores)
    ]
    if not whole:
        raise PlotError(f"No variant has a {words(value)} yet on every task: there is no profile to draw.")
    thresholds = _thresholds(np.concatenate([of_task for label in whole for of_task in found[label]]))
    return [
        _profile(label, scores, thresholds, has_all_tasks=label in whole) for label, scores in found.items()
    ]


def plot_performance_profile(
    table: pl.DataFrame, ax: Axes | None = None, *, value: str = "last", task: str | None = None
) -> Axes:
    """Draw each variant's share of runs above each score, in a band of its 95 % interval.

    Args:
        table: As for `performance_profile_data`.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        value: As for `performance_profile_data`.
        task: As for `performance_profile_data`.

    Returns:
        The axes; the legend is below.

    Raises:
        RecordError: As for `performance_profile_data`.
        PlotError: As for `performance_profile_data`.
    """
    data = performance_profile_data(table, value, task=task)
    ax = axes_or_new(ax, 7, 4.4 + 0.2 * len(data))
    handles = []
    for index, one in enumerate(data):
        style = look(index)
        if np.isfinite(one.low).any():
            ax.fill_between(
                one.thresholds, one.low, one.high, color=style.color, alpha=0.16, linewidth=0, step="post"
            )
        (line,) = ax.step(
            one.thresholds, one.share, where="post", color=style.color, linestyle=style.line, linewidth=1.8
        )
        handles.append(line)
    quiet(ax)
    ax.margins(x=0)
    ax.set(ylim=(-0.02, 1.02), ylabel="share of runs that score more")
    ax.set_xlabel(_axis_words(value, max(one.num_tasks for one in data)))
    names = [wrapped(f"{cut(one.name)} ({_runs(one)})", text_width(ax)) for one in data]
    has_band = any(np.isfinite(one.low).any() for one in data)
    legend_below(
        ax, handles, names, title="band: 95 % interval at each score" if has_band else "one seed each"
    )
    return ax


def _scale(variants: Sequence[Variant], num_tasks: int) -> tuple[float, float]:
    """What is taken off the scores of a task, and what they are divided by then; nothing for one task."""
    scores = np.concatenate([scores_of(variant) for variant in variants])
    scores = scores[is_usable(scores)]
    if num_tasks == 1 or not scores.size:
        return 0.0, 1.0
    return float(scores.min()), float(np.ptp(scores)) or 1.0


def _thresholds(scores: FloatArray) -> FloatArray:
    scores = scores[np.isfinite(scores)]
    low, high = float(scores.min()), float(scores.max())
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return np.linspace(low - margin, high + margin, _NUM_THRESHOLDS)


def _profile(
    label: str, tasks: list[FloatArray], thresholds: FloatArray, *, has_all_tasks: bool
) -> PerformanceProfile:
    most = max(map(len, tasks))
    scores = np.full((most, len(tasks)), np.nan)
    for place, task in enumerate(tasks):
        scores[: task.size, place] = task
    num_used, num_runs = int(is_usable(scores).sum()), sum(map(len, tasks))
    if not has_all_tasks:
        nowhere = np.full(thresholds.size, np.nan)
        return PerformanceProfile(
            label, thresholds, nowhere, nowhere, nowhere, num_used, num_runs, len(tasks)
        )
    # The same draws for each, so that a variant's band does not depend on which others there are.
    profile = performance_profile(scores, thresholds, rng=np.random.default_rng(0))
    return PerformanceProfile(label, *profile, num_used, num_runs, len(tasks))


def _axis_words(value: str, num_tasks: int) -> str:
    return words(value) if num_tasks == 1 else f"{words(value)}, normalised on each of {num_tasks} tasks"


def _runs(profile: PerformanceProfile) -> str:
    if profile.num_used < profile.num_runs:
        return count(profile.num_used, profile.num_runs, "run")
    return f"{profile.num_runs} run{'' if profile.num_runs == 1 else 's'}"
