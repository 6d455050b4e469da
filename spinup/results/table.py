"""Run directories as one table, and what the seeds of each experiment came to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from spinup.errors import RecordError
from spinup.results.runs import find_runs
from spinup.rundir.layout import RunDir

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from spinup.results.runs import Run

_MOST_COLUMNS = 20_000
_MOST_CELLS = 100_000_000
_MOST_NAMES = 50
_IDENTITY = {"exp_name": pl.String, "seed": pl.Int64, "directory": pl.String}


def load_curves(data_dir: str | os.PathLike[str]) -> pl.DataFrame:
    """Every row of every progress.txt at or below ``data_dir``, in one long table.

    Which directories count as runs: `spinup.results.runs.find_runs`. Names and seeds come from
    config.json, or, with a warning where that file is damaged, from the directory's name. A last
    line that was cut off is left out; a run without a row yet has none here.

    Args:
        data_dir: Directory of the runs; the directory of one experiment, or of one run, will do.

    Returns:
        One row per row of a progress.txt, ordered by name, seed and directory, then as in the file.
        Columns: ``exp_name`` (text), ``seed`` (integer, null where unknown), ``directory`` (text),
        then those of all progress.txt. A column is Float64 where every filled cell of every run is
        a number, else text. Null: the cell is empty, or the run lacks the column. A column of
        progress.txt that bears a name already taken gets `` (progress)`` appended, the next one
        `` (progress 2)``.

    Raises:
        RecordError: There is no run, or a directory or progress.txt cannot be read, or all of them
            together have more than 20,000 columns or 100 million cells.
    """
    texts = pl.concat(_run_frames(find_runs(data_dir)), how="diagonal")
    numbers = [_as_number(column) for column in texts.iter_columns() if column.name not in _IDENTITY]
    return texts.with_columns(numbers)


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
    names = [name for name in curves.columns if name not in _IDENTITY]
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


def _run_frames(runs: Iterable[Run]) -> list[pl.DataFrame]:
    """The rows of each run, all cells as text; refused before they would exhaust the memory."""
    frames, columns, num_rows = [], set(_IDENTITY), 0
    for run in runs:
        header, rows = run.progress()
        names = _column_names(map(_encodable, header))
        columns.update(names)
        num_rows += len(rows)
        if len(columns) > _MOST_COLUMNS or len(columns) * num_rows > _MOST_CELLS:
            raise RecordError(
                f"Too much to read: with {RunDir(run.directory).progress} there are {len(columns):,} "
                f"columns and {num_rows:,} rows. Move that run elsewhere, or read fewer runs at a time."
            )
        frames.append(_run_frame(run, names, rows))
    return frames


def _run_frame(run: Run, names: Sequence[str], rows: Sequence[Sequence[str]]) -> pl.DataFrame:
    identity = [_encodable(run.exp_name), run.seed, _encodable(str(run.directory))]
    columns = [
        pl.repeat(value, len(rows), dtype=dtype, eager=True).alias(name)
        for (name, dtype), value in zip(_IDENTITY.items(), identity, strict=True)
    ]
    longest = max(map(len, rows), default=0)
    for index, name in enumerate(names[:longest]):
        cells = [_encodable(row[index]) or None if index < len(row) else None for row in rows]
        columns.append(pl.Series(name, cells, dtype=pl.String))
    empty = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    columns += [empty.alias(name) for name in names[longest:]]
    return pl.DataFrame(columns)


def _column_names(header: Iterable[str]) -> list[str]:
    """Names that differ from each other and from those of the identity."""
    names = dict.fromkeys(_IDENTITY)
    repeats: Counter[str] = Counter()
    for name in header:
        free = name
        while free in names:
            repeats[name] += 1
            free = f"{name} (progress{f' {repeats[name]}' if repeats[name] > 1 else ''})"
        names[free] = None
    return list(names)[len(_IDENTITY) :]


def _as_number(column: pl.Series) -> pl.Series:
    """``column`` as Float64, or as it is where that would lose a cell."""
    numbers = column.cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == column.null_count() else column


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False)


def _encodable(text: str) -> str:
    """``text`` with what UTF-8 cannot hold, such as an undecodable byte of a path, escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
