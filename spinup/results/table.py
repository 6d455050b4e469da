"""Run directories as one table, and what the seeds of each experiment came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from spinup.errors import RecordError
from spinup.results.columns import IDENTITY
from spinup.results.runset import load

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

_MOST_NAMES = 50


def load_curves(data_dir: str | os.PathLike[str]) -> pl.DataFrame:
    """The curves of all runs at or below ``data_dir``: ``spinup.load(data_dir).curves``."""
    return load(data_dir).curves


def final_returns(curves: pl.DataFrame, column: str = "AverageEpRet", *, last: int = 5) -> pl.DataFrame:
    """How each experiment ended: over its seeds, the mean, spread and range of their final values.

    A seed's final value is the mean of its last ``last`` rows that have a value: one row is one
    epoch, whose mean return is noisy. A run with fewer rows gives the mean of those it has, however
    short it is. Nothing but seeds is averaged over; a run whose seed is unknown counts as a seed.

    Args:
        curves: As `load_curves` returns it.
        column: Column of progress.txt to summarise.
        last: Rows per seed, at least 1.

    Returns:
        One row per experiment, best mean first, NaN (a seed diverged) and null (no seed has a value)
        last. Columns: ``exp_name``, ``num_seeds`` (seeds that have a value), ``mean``, ``std``
        (over seeds, ddof=1, null for one seed), ``min``, ``max``, all in the unit of ``column``.

    Raises:
        RecordError: No run has ``column``, it holds text, or a seed was run twice.
        ValueError: ``last`` is less than 1.
    """
    if last < 1:
        raise ValueError(f"last must be at least 1, not {last}.")
    check_numbers(curves, [column])
    check_seeds(curves)
    run = ["exp_name", "seed", "directory"]
    final = curves.group_by(run, maintain_order=True).agg(
        pl.col(column).drop_nulls().tail(last).mean().alias("final")
    )
    over_seeds = pl.col("final")
    return (
        final.group_by("exp_name", maintain_order=True)
        .agg(
            over_seeds.count().cast(pl.Int64).alias("num_seeds"),
            over_seeds.mean().alias("mean"),
            over_seeds.std(ddof=1).alias("std"),
            # min and max of polars pass over NaN, and would hide a seed that diverged.
            over_seeds.nan_min().alias("min"),
            over_seeds.nan_max().alias("max"),
        )
        .sort(
            pl.col("mean").fill_nan(None),
            pl.col("mean").is_null(),
            "exp_name",
            descending=[True, False, False],
            nulls_last=True,
        )
    )


def check_numbers(curves: pl.DataFrame, columns: Sequence[str]) -> None:
    """Raise RecordError unless ``curves`` has each of ``columns``, and only numbers in them."""
    for column in columns:
        if column not in curves.columns:
            raise RecordError(f"No run has a column {column!r}. There is: {_known(curves)}.")
        if curves.schema[column] == pl.String:
            cells = curves.filter(pl.col(column).is_not_null() & _number(column).is_null())
            where = f" {cells[column][0]!r} in {cells['directory'][0]}." if len(cells) else ""
            raise RecordError(f"Column {column!r} holds text, not numbers.{where}")


def _known(curves: pl.DataFrame) -> str:
    names = [name for name in curves.columns if name not in IDENTITY]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more or "no column yet"


def check_seeds(curves: pl.DataFrame) -> None:
    """Raise RecordError where two directories hold the same seed of an experiment.

    To average over both would give that seed two votes, to take one would be a guess.
    """
    runs = curves.filter(pl.col("seed").is_not_null()).unique(["exp_name", "seed", "directory"])
    twice = (
        runs.group_by("exp_name", "seed")
        .agg(pl.col("directory").sort())
        .filter(pl.col("directory").list.len() > 1)
        .sort("exp_name", "seed")
    )
    for exp_name, seed, directories in twice.iter_rows():
        raise RecordError(
            f"Seed {seed} of {exp_name!r} is there {len(directories)} times: {', '.join(directories)}. "
            "Move all but one elsewhere, or filter the table by its column 'directory'."
        )


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False)
