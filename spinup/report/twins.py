"""Seeds that are one: runs of a variant that logged the same to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spinup.plots.variants import members_of
from spinup.report.words import listed, many, quoted
from spinup.results.runset import RunSet

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEWEST_VALUES = 3  # distinct returns that a run needs before its twin is no coincidence


def without_twins(table: pl.DataFrame, curves: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """``table`` without the runs that repeat another seed of their variant, and a sentence that says so.

    Seeds that are the same to the last bit were most likely not used. Counted as several, they would have
    no spread, and any difference would look certain.

    Args:
        table: One row per run.
        curves: The rows of their logs: ``directory``, ``steps``, ``return``.

    Raises:
        RecordError: As for `spinup.results.groups.variants_of`.
    """
    logged = dict(_logged(curves))
    if len(set(logged.values())) == len(logged):
        return table, ()
    groups: dict[tuple[str, str | None, bytes], list[str]] = {}
    for directory, variant, task in members_of(table).iter_rows():
        if directory in logged:
            groups.setdefault((variant, task, logged[directory]), []).append(directory)
    same = {key: directories for key, directories in groups.items() if len(directories) > 1}
    if not same:
        return table, ()
    again = [directory for directories in same.values() for directory in directories[1:]]
    names = listed(
        f"{many(len(directories), 'seed')} of {quoted(variant)}" + ("" if task is None else f" on {task}")
        for (variant, task, _), directories in same.items()
    )
    sentence = (
        f"Seeds that are one: {names} logged the same to the last bit. They count as one seed, and one "
        "seed gives no statistics. Does the code use its seed?"
    )
    return table.filter(~pl.col("directory").is_in(again)), (sentence,)


def returns_of(runs: RunSet) -> pl.DataFrame:
    """The rows that tell runs apart: ``directory``, ``steps``, and the usual ``return`` where there is one.

    Another column may count instead, and be a counter, the same in every run.
    """
    usual = RunSet(runs.runs).read(["steps", "return"])
    is_there = not runs.names.added or usual["return"].null_count() < len(usual)
    return usual if is_there else runs.read(["steps", "return"])


def _logged(curves: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """What each run logged, as bytes; not of runs whose returns hardly vary."""
    for (directory,), rows in curves.group_by("directory", maintain_order=True):
        values = rows.select("steps", "return").cast(pl.Float64).to_numpy()
        if np.unique(values[np.isfinite(values[:, 1]), 1]).size >= _FEWEST_VALUES:
            yield str(directory), values.tobytes()
