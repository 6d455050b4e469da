"""The run table as the statistics and the pictures of a report count its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from spinup.results.groups import FINISHED

if TYPE_CHECKING:
    from spinup.results.runset import RunSet


def whole_table(runs: RunSet) -> pl.DataFrame:
    """The run table, in which a run that ended before it had noted its settings has those of its variant.

    Without them it would count as a variant of its own, and not as a seed that its variant lacks. What is
    finished has noted all it had: its settings are left as they are.
    """
    groups = {run.path: number for number, variant in enumerate(runs.variants) for run in variant.runs}
    number = pl.Series("_variant", [groups[run.path] for run in runs])
    keys = {key for run in runs for key in run.hyperparameters}
    names = [name for name in runs.table.columns if name in keys]
    is_early = ~pl.col("state").is_in(list(FINISHED))
    own = [
        pl.when(is_early & pl.col(name).is_null())
        .then(pl.col(name).drop_nulls().first().over(number))
        .otherwise(pl.col(name))
        .alias(name)
        for name in names
    ]
    return runs.table.with_columns(own) if own else runs.table
