"""Warnings that save weeks: what a run table and its curves give away about the grid itself."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from spinup.results.groups import parameters_of, require_columns, variants_of
from spinup.results.stats.diagnostics import (
    Finding,
    Length,
    RunCurve,
    Severity,
    best_at_edge,
    identical_seeds,
    mixed_code,
    seed_counts,
    unconnected_parameters,
    unequal_lengths,
)
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from spinup.results.groups import Variant


def diagnose(
    table: pl.DataFrame, curves: pl.DataFrame, *, column: str = "last", task: str | None = None
) -> list[Finding]:
    """What a reader of the table has to know before its numbers: warnings first, then notes.

    Hyperparameters and seeds that changed nothing to the last bit, runs made by different code, runs
    of different lengths, runs that lack a result, too few seeds, and best values at the edge of the grid.

    Args:
        table: One row per run: a run table.
        curves: The rows of their progress.txt: ``directory``, ``steps``, ``return``.
        column: Score of a run; higher is better.
        task: Column that tells tasks apart; by default, ``env_name`` and the like if its values differ.

    Raises:
        RecordError: A column is missing or holds no numbers, there is no run, or a seed was run twice.
    """
    variants = variants_of(table, column=column, task=task)
    if len(curves):
        require_columns(curves, ["directory", "steps", "return"])
    runs = _run_curves(table, curves, variants)
    findings = [
        *unconnected_parameters(runs),
        *identical_seeds(runs),
        *mixed_code(*(_column(table, name) for name in ("code", "commit", "is_dirty"))),
        *_lengths(table, variants),
        *seed_counts({variant.title: variant.counts for variant in variants}),
        *_edges(variants),
    ]
    return sorted(findings, key=lambda finding: finding.severity is not Severity.WARNING)


def _run_curves(table: pl.DataFrame, curves: pl.DataFrame, variants: Sequence[Variant]) -> list[RunCurve]:
    titles = {path: variant.title for variant in variants for path in variant.directories.values()}
    names = parameters_of(table)
    by_directory = (
        {
            str(directory): rows.select("steps", "return").cast(pl.Float64).to_numpy().T.copy()
            for (directory,), rows in curves.group_by("directory", maintain_order=True)
        }
        if len(curves)
        else {}
    )
    return [
        RunCurve(
            variant=titles[row["directory"]],
            seed=row["seed"],
            parameters={name: row[name] for name in names},
            curve=by_directory.get(row["directory"], np.empty((2, 0))),
        )
        for row in table.iter_rows(named=True)
    ]


def _lengths(table: pl.DataFrame, variants: Sequence[Variant]) -> list[Finding]:
    if "num_rows" not in table.columns:
        return []
    rows, steps = _column(table, "num_rows"), _column(table, "steps")
    ends = dict(zip(table["directory"].to_list(), zip(rows, steps, strict=True), strict=True))
    by_task: dict[str | None, dict[str, list[Length]]] = defaultdict(dict)
    for variant in variants:
        by_task[variant.task][variant.title] = [
            _length(seed, ends[path])
            for seed, path in variant.directories.items()
            if is_usable(variant.scores[seed])
        ]
    return [finding for lengths in by_task.values() for finding in unequal_lengths(lengths)]


def _length(seed: Hashable, end: tuple[int | None, float | None]) -> Length:
    num_rows, steps = end
    return Length(str(seed), num_rows or 0, float("nan") if steps is None else float(steps))


def _column(table: pl.DataFrame, name: str) -> list[Any]:
    return table[name].to_list() if name in table.columns else [None] * len(table)


def _edges(variants: Sequence[Variant]) -> list[Finding]:
    findings = []
    for task in dict.fromkeys(variant.task for variant in variants):
        members = [variant for variant in variants if variant.task == task]
        columns = {name: [v.parameters[name] for v in members] for name in members[0].parameters}
        findings += best_at_edge(columns, [_mean(variant) for variant in members])
    return list(dict.fromkeys(findings))


def _mean(variant: Variant) -> float:
    scores = np.array(list(variant.scores.values()))
    scores = scores[is_usable(scores)]
    return float(scores.mean()) if scores.size else float("nan")
