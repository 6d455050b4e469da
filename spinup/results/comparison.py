"""Run tables as answers: what each variant came to, and whether it differs from the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from spinup.results.groups import baselines_of, variants_of
from spinup.results.stats.comparison import compare
from spinup.results.stats.intervals import estimate
from spinup.results.stats.power import ALPHA, POWER
from spinup.results.stats.scores import count

if TYPE_CHECKING:
    from spinup.results.groups import Variant
    from spinup.results.stats.comparison import Comparison, Test

_STATISTICS = ("mean", "median", "iqm")

_SUMMARY: Final[dict[str, Any]] = {
    "variant": pl.String,
    "exp_name": pl.String,
    "task": pl.String,
    "is_baseline": pl.Boolean,
    "seeds": pl.String,
    "num_used": pl.Int64,
    "num_runs": pl.Int64,
    **{
        name: pl.Float64
        for statistic in _STATISTICS
        for name in (statistic, f"{statistic}_low", f"{statistic}_high")
    },
}
_COMPARISON: Final[dict[str, Any]] = {
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p": pl.Float64,
    "p_holm": pl.Float64,
    "test": pl.String,
    "effect_size": pl.Float64,
    "probability_better": pl.Float64,
    "detectable": pl.Float64,
    "seeds_needed": pl.Int64,
    "verdict": pl.String,
    "sentence": pl.String,
}


def summarise(
    table: pl.DataFrame,
    *,
    column: str = "last",
    task: str | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """What each variant came to over its seeds, with intervals, and how many of its seeds are in it.

    Runs that failed, diverged or are not finished are counted in ``seeds``, and in no statistic.

    Args:
        table: One row per run: a run table.
        column: Score of a run.
        task: Column that tells tasks apart; by default, ``env_name`` and the like if its values differ.
        level: Coverage of the intervals.
        seed: For whatever is random: the same gives the same.

    Returns:
        One row per variant and task, best mean first, without a result last. Columns: ``variant`` (what
        it changes, or its name), ``exp_name``, ``task`` (null for one), ``is_baseline``, ``seeds`` (such
        as ``4 of 5 seeds``), ``num_used``, ``num_runs``; ``mean``, ``median`` and ``iqm``, each with its
        interval in ``_low`` and ``_high``, null where there are too few seeds.

    Raises:
        RecordError: A column is missing or holds no numbers, there is no run, or a seed was run twice.
    """
    rng = np.random.default_rng(seed)
    variants = variants_of(table, column=column, task=task)
    rows = [_summary(variant, rng, level) for variant in variants]
    return pl.DataFrame(rows, schema=_SUMMARY, orient="row").sort(
        "task", "mean", "exp_name", descending=[False, True, False], nulls_last=True
    )


def compare_with_baseline(
    table: pl.DataFrame,
    *,
    baseline: str | None = None,
    column: str = "last",
    task: str | None = None,
    test: Test = "t",
    is_paired: bool | None = None,
    alpha: float = ALPHA,
    power: float = POWER,
    wanted: float | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Each variant against the baseline of its task: difference, interval, test, and a verdict in words.

    Methods and their reasons: `spinup.results.stats.comparison`.

    Args:
        table: One row per run: a run table.
        baseline: ``exp_name`` or ``variant`` of the baseline; by default, the variant marked as such.
        column: Score of a run; higher is better.
        task: Column that tells tasks apart; by default, ``env_name`` and the like if its values differ.
        test: ``t`` or ``permutation``.
        is_paired: Compare seed by seed; by default, where a variant has the seeds of its baseline.
        alpha: Level of the tests, and 1 less the level of all intervals.
        power: For the smallest detectable difference, and for the seeds needed.
        wanted: A difference worth finding, in units of ``column``.
        seed: For whatever is random: the same gives the same.

    Returns:
        The columns of `summarise`; then, null for a baseline, ``difference`` (variant less baseline) with
        ``difference_low`` and ``difference_high``, ``p``, ``p_holm`` (corrected for all rows),
        ``test``, ``effect_size`` (Hedges' g), ``probability_better``, ``detectable`` (the smallest
        difference that would have been found), ``seeds_needed`` (of each variant, to find the one that
        is ``wanted``; else null), ``verdict`` and ``sentence``. In each task the baseline
        comes first, then the largest difference.

    Raises:
        RecordError: As for `summarise`, or a task has no baseline, or several.
        ValueError: A probability is out of range, ``test`` is unknown, or ``wanted`` is 0 or out of reach.
    """
    rng = np.random.default_rng(seed)
    variants = variants_of(table, column=column, task=task)
    baselines = baselines_of(variants, baseline)
    others = [variant for variant in variants if variant is not baselines[variant.task]]
    found = compare(
        [variant.scores for variant in others],
        [baselines[variant.task].scores for variant in others],
        rng=rng,
        test=test,
        is_paired=is_paired,
        alpha=alpha,
        power=power,
        wanted=wanted,
    )
    rows = [
        {**_summary(variant, rng, 1 - alpha), **dict.fromkeys(_COMPARISON), "is_baseline": True}
        for variant in baselines.values()
    ]
    for variant, comparison in zip(others, found, strict=True):
        summary = {**_summary(variant, rng, 1 - alpha), "is_baseline": False}
        rows.append({**summary, **_compared(comparison, variant.title)})
    frame = pl.DataFrame(rows, schema={**_SUMMARY, **_COMPARISON}, orient="row")
    order = ["task", pl.col("is_baseline").not_(), -pl.col("difference").abs(), "exp_name"]
    return frame.sort(order, nulls_last=True)


def _summary(variant: Variant, rng: np.random.Generator, level: float) -> dict[str, Any]:
    num_used, num_runs = variant.counts
    row: dict[str, Any] = {
        "variant": variant.label,
        "exp_name": variant.exp_name,
        "task": variant.task,
        "is_baseline": variant.is_baseline,
        "seeds": count(num_used, num_runs),
        "num_used": num_used,
        "num_runs": num_runs,
    }
    for statistic in _STATISTICS:
        found = estimate(list(variant.scores.values()), statistic, rng=rng, level=level)
        row |= {statistic: found.value, f"{statistic}_low": found.low, f"{statistic}_high": found.high}
    return row


def _compared(found: Comparison, title: str) -> dict[str, Any]:
    return {
        "difference": found.difference,
        "difference_low": found.low,
        "difference_high": found.high,
        "p": found.p,
        "p_holm": found.p_holm,
        "test": found.test,
        "effect_size": found.effect_size,
        "probability_better": found.probability_better,
        "detectable": found.detectable,
        "seeds_needed": found.seeds_needed,
        "verdict": found.verdict.value,
        "sentence": found.sentence(title),
    }
