"""Variants over several tasks: scores normalised by task, and statistics of them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from spinup.errors import RecordError
from spinup.results.groups import variants_of
from spinup.results.stats.aggregates import STATISTICS, normalise
from spinup.results.stats.intervals import estimate
from spinup.results.stats.scores import count, is_usable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spinup.results.groups import Variant
    from spinup.results.stats.scores import FloatArray

_SCHEMA: Final[dict[str, Any]] = {
    "variant": pl.String,
    "num_tasks": pl.Int64,
    "runs": pl.String,
    "num_used": pl.Int64,
    "num_runs": pl.Int64,
    **{
        name: pl.Float64
        for statistic in STATISTICS
        for name in (statistic, f"{statistic}_low", f"{statistic}_high")
    },
}


def summarise_over_tasks(
    table: pl.DataFrame,
    *,
    references: Mapping[str, tuple[float, float]] | None = None,
    column: str = "last",
    task: str | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """Mean, median, IQM and optimality gap of normalised scores over all tasks, with intervals.

    Definitions and the stratified bootstrap: Agarwal et al. 2021. The IQM is of the runs of all tasks
    together: a task with more of them counts more.

    Args:
        table: One row per run: a run table.
        references: For each task the score that becomes 0, such as random play's, and the one that
            becomes 1. By default the lowest and the highest run of the table on that task, so that
            numbers hold for this table only.
        column: Score of a run; higher is better.
        task: Column that tells tasks apart; by default, ``env_name`` and the like if its values differ.
        level: Coverage of the intervals.
        seed: For the bootstrap: the same gives the same.

    Returns:
        One row per variant, best IQM first. Columns: ``variant``, ``num_tasks``, ``runs`` (such as
        ``23 of 24 runs``), ``num_used``, ``num_runs``, and each statistic with ``_low`` and ``_high``;
        null where a task lacks a result or has one seed.

    Raises:
        RecordError: As for `summarise`; a task has no reference, or its two scores are the same.
    """
    variants = variants_of(table, column=column, task=task)
    tasks = list(dict.fromkeys(variant.task for variant in variants))
    scales = {name: _scale(name, variants, references) for name in tasks}
    rng = np.random.default_rng(seed)
    labels = dict.fromkeys(variant.label for variant in variants)
    rows = []
    for label in labels:
        members = {variant.task: variant for variant in variants if variant.label == label}
        rows.append(_row(label, _matrix(members, scales), _num_runs(members), rng, level))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("iqm", descending=True, nulls_last=True)


def _scale(
    task: str | None, variants: Sequence[Variant], references: Mapping[str, tuple[float, float]] | None
) -> tuple[float, float]:
    where = "" if task is None else f" of {task}"
    if references is not None:
        if task is None or task not in references:
            raise RecordError(f"references has no scores{where}. Give the two that become 0 and 1.")
        low, high = references[task]
    else:
        scores = np.array([s for v in variants if v.task == task for s in v.scores.values()])
        scores = scores[is_usable(scores)]
        if not scores.size:
            raise RecordError(f"No run{where} has a result.")
        low, high = float(scores.min()), float(scores.max())
    if low == high:
        raise RecordError(
            f"The scores{where} that become 0 and 1 are both {low:g}. Give references that differ."
        )
    return low, high


def _matrix(
    members: Mapping[str | None, Variant], scales: Mapping[str | None, tuple[float, float]]
) -> FloatArray:
    """Normalised scores, shape (most seeds of a task, num_tasks); NaN where there is none."""
    num_seeds = max(len(variant.scores) for variant in members.values())
    matrix = np.full((num_seeds, len(scales)), np.nan)
    for place, (task, (low, high)) in enumerate(scales.items()):
        if task in members:
            scores = np.array(list(members[task].scores.values()))
            matrix[: scores.size, place] = normalise(scores, low, high)
    return matrix


def _num_runs(members: Mapping[str | None, Variant]) -> int:
    return sum(len(variant.scores) for variant in members.values())


def _row(
    label: str, matrix: FloatArray, num_runs: int, rng: np.random.Generator, level: float
) -> dict[str, Any]:
    num_used = int(is_usable(matrix).sum())
    row: dict[str, Any] = {
        "variant": label,
        "num_tasks": int(is_usable(matrix).any(axis=0).sum()),
        "runs": count(num_used, num_runs, "run"),
        "num_used": num_used,
        "num_runs": num_runs,
    }
    for statistic in STATISTICS:
        found = estimate(matrix, statistic, rng=rng, level=level)
        row |= {statistic: found.value, f"{statistic}_low": found.low, f"{statistic}_high": found.high}
    return row
