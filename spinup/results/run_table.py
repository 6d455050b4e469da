"""A row for each run: how it is, how it ended, and with which hyperparameters."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from spinup.errors import RecordError
from spinup.results.columns import RETURN, SECONDS, STEPS, Selection, encodable
from spinup.results.curves import RUN, read_rows
from spinup.results.files import read_object
from spinup.results.find import PROVENANCE
from spinup.results.hyperparameters import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spinup.results.columns import ColumnMap
    from spinup.results.runs import Run

#: Rows at the end of a run whose mean return is its last one: a row is an epoch, whose return is noisy.
LAST_ROWS = 5

_TIME = pl.Datetime("us", "UTC")
_STATE: dict[str, pl.DataType | type[pl.DataType]] = {
    "exp_name": pl.String,
    "seed": pl.Int64,
    "directory": pl.String,
    "state": pl.String,
    "reason": pl.String,
    "is_baseline": pl.Boolean,
    "changed": pl.List(pl.String),
    "started_at": _TIME,
    "duration_s": pl.Float64,
}
_CODE: dict[str, type[pl.DataType]] = {"code": pl.String, "commit": pl.String, "is_dirty": pl.Boolean}
_ENDS = ("num_rows", STEPS, "last", "best")
_INT64 = range(-(2**63), 2**63)
#: Columns before those of the hyperparameters.
FIXED = (*_STATE, *_ENDS, *_CODE)


def states_of(runs: Sequence[Run]) -> pl.DataFrame:
    """The part of the table that no progress file is read for."""
    values = {
        "exp_name": [run.exp_name for run in runs],
        "seed": [run.seed for run in runs],
        "directory": [encodable(run.path) for run in runs],
        "state": [run.state for run in runs],
        "reason": [run.reason for run in runs],
        "is_baseline": [run.is_baseline for run in runs],
        "changed": [run.changed for run in runs],
        "started_at": [run.started_at for run in runs],
        "duration_s": [run.duration_s for run in runs],
    }
    return pl.DataFrame(values, schema=_STATE)


def table_of(runs: Sequence[Run], names: ColumnMap) -> pl.DataFrame:
    """The run table.

    Raises:
        RecordError: A file cannot be read.
        MissingExtra: There are event files, and the package that reads them is not installed.
    """
    states = states_of(runs)
    rows = read_rows(runs, Selection((STEPS, RETURN, SECONDS), names))
    ends = _ends(rows.frame, rows.counts)
    begun = [None if s is None else datetime.fromtimestamp(s, UTC) for s in rows.started_s]
    started = states["started_at"].zip_with(
        states["started_at"].is_not_null(), pl.Series(begun, dtype=_TIME)
    )
    # Of what runs elsewhere or was killed, what it has logged itself is all that there is.
    duration = states["duration_s"].zip_with(states["duration_s"].is_not_null(), ends[SECONDS])
    return pl.DataFrame(
        [
            *states.drop("started_at", "duration_s").iter_columns(),
            started.alias("started_at"),
            duration.alias("duration_s"),
            *ends.drop(SECONDS).iter_columns(),
            *_code(runs).iter_columns(),
            *_hyperparameters(runs),
        ]
    )


def _ends(rows: pl.DataFrame, counts: Sequence[int]) -> pl.DataFrame:
    """Rows, last steps, last and best return, and seconds of each run."""
    value = pl.col(RETURN).drop_nulls()
    found = rows.group_by(RUN).agg(
        pl.col(STEPS).drop_nulls().last(),
        value.tail(LAST_ROWS).mean().alias("last"),
        value.drop_nans().max().alias("best"),
        pl.col(SECONDS).drop_nulls().last(),
    )
    runs = pl.DataFrame({RUN: pl.Series(range(len(counts)), dtype=pl.UInt32), "num_rows": list(counts)})
    runs = runs.with_columns(pl.col("num_rows").cast(pl.Int64))
    return runs.join(found, on=RUN, how="left").sort(RUN).select(*_ENDS, SECONDS)


def _code(runs: Iterable[Run]) -> pl.DataFrame:
    fields = [(_digest(run.status.get("code")), *_commit(run)) for run in runs]
    return pl.DataFrame(fields, schema=_CODE, orient="row")


def _digest(code: Any) -> str | None:
    """A short name for the files that a run used and what was in them; equal for equal code."""
    if not isinstance(code, dict) or not code:
        return None
    return hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()[:12]


def _commit(run: Run) -> tuple[str | None, bool | None]:
    """The commit that a run was started from, and whether there was more than that."""
    path = f"{run.path}{os.sep}{PROVENANCE}"
    if not run.status or not os.path.lexists(path):
        return None, None
    try:
        git = read_object(path).get("git")
    except RecordError:
        return None, None  # `notes` says so
    if not isinstance(git, dict):
        return None, None
    commit, is_dirty = git.get("commit"), git.get("is_dirty")
    return (
        encodable(commit) if isinstance(commit, str) else None,
        is_dirty if isinstance(is_dirty, bool) else None,
    )


def _hyperparameters(runs: Sequence[Run]) -> list[pl.Series]:
    """A column for each hyperparameter that a run has; null where another has it not."""
    found: dict[str, None] = {}
    for run in runs:
        found.update(dict.fromkeys(run.hyperparameters))
    columns, taken = [], set(FIXED)
    for key in found:
        name = encodable(key)
        while name in taken:
            name += " (config)"
        taken.add(name)
        columns.append(_column(name, [run.hyperparameters.get(key) for run in runs]))
    return columns


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    """``values`` as a column of their one type: truth values, integers, numbers or text; else JSON text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float} and all(value is None or abs(value) < 2**63 for value in values):
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
    if kinds == {str}:
        return pl.Series(name, [None if v is None else encodable(v) for v in values], dtype=pl.String)
    texts = [None if value is None else text_of(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)
