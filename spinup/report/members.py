"""Which runs make up a variant, as the statistics and the pictures of a report count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from spinup.results.groups import task_column, variants_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spinup.results.runset import RunSet

_SCHEMA = {"directory": pl.String, "task": pl.String, "variant": pl.String}


def whole_table(runs: RunSet) -> pl.DataFrame:
    """The run table, in which a run that ended before it had noted its settings has those of its variant.

    Without them it would count as a variant of its own, and not as a seed that its variant lacks.
    """
    groups = {run.path: number for number, variant in enumerate(runs.variants) for run in variant.runs}
    number = pl.Series("_variant", [groups[run.path] for run in runs])
    keys = {key for run in runs for key in run.hyperparameters}
    names = [name for name in runs.table.columns if name in keys]
    own = [pl.col(name).fill_null(pl.col(name).drop_nulls().first().over(number)) for name in names]
    return runs.table.with_columns(own) if own else runs.table


def members_of(table: pl.DataFrame, *, column: str = "last") -> pl.DataFrame:
    """A row for each run: ``directory``, and ``task`` and ``variant`` as `groups.Variant` has them."""
    task = task_column(table)
    variants = variants_of(table, column=column)
    names = list(variants[0].parameters)
    labels = {_key(one.exp_name, one.task, one.parameters.values()): one.label for one in variants}
    rows = []
    for row in table.iter_rows(named=True):
        of_task = None if task is None else str(row[task])
        label = labels[_key(row["exp_name"], of_task, (row[name] for name in names))]
        rows.append((row["directory"], of_task, label))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _key(exp_name: str, task: str | None, values: Iterable[object]) -> tuple[str, ...]:
    # As text: NaN is then the same as NaN.
    return exp_name, repr(task), *map(repr, values)
