"""Warnings that save weeks: what a run table and its curves give away about the grid itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from spinup.results.groups import parameters_of, require_columns, variants_of
from spinup.results.stats.diagnostics import (
    Finding,
    RunCurve,
    Severity,
    best_at_edge,
    identical_seeds,
    mixed_code,
    seed_counts,
    unconnected_parameters,
)
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.results.groups import Variant


def diagnose(
    table: pl.DataFrame, curves: pl.DataFrame, *, column: str = "last", task: str | None = None
) -> list[Finding]:
    """What a reader of the table has to know before its numbers: warnings first, then notes.

    Hyperparameters and seeds that changed nothing to the last bit, runs made by different code, runs
    that lack a result, too few seeds, and best values at the edge of the grid.

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
    runs = _run_curves(table, curves)
    findings = [
        *unconnected_parameters(runs),
        *identical_seeds(runs),
        *mixed_code(*(_column(table, name) for name in ("code", "commit", "is_dirty"))),
        *seed_counts({variant.title: variant.counts for variant in variants}),
        *_edges(variants),
    ]
    return sorted(findings, key=lambda finding: finding.severity is not Severity.WARNING)


def _run_curves(table: pl.DataFrame, curves: pl.DataFrame) -> list[RunCurve]:
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
            variant=row["exp_name"],
            seed=row["seed"],
            parameters={name: row[name] for name in names},
            curve=by_directory.get(row["directory"], np.empty((2, 0))),
        )
        for row in table.iter_rows(named=True)
    ]


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
