"""The rows of many runs as one frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spinup.errors import RecordError
from spinup.results.columns import IDENTITY, RETURN, SECONDS, STEPS, encodable
from spinup.results.sources.base import Block

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spinup.results.columns import Selection
    from spinup.results.runs import Run

RUN = "_run"

_MOST_COLUMNS = 20_000
_MOST_CELLS = 100_000_000
_FIRST = (STEPS, RETURN, SECONDS)


@dataclass(frozen=True)
class Rows:
    """What was read of some runs.

    Attributes:
        frame: The rows of all runs in their order. ``_run`` (the number of the run in ``runs``),
            ``steps``, ``return``, then the columns that were asked for.
        counts: Rows of each run.
        notes: What was left out, or is odd: the run's directory, and one line.
        started_s: When each run began, in seconds since 1970, where only its table tells it.
    """

    frame: pl.DataFrame
    counts: list[int]
    notes: list[tuple[str, str]]
    started_s: list[float | None]


def read_rows(runs: Sequence[Run], selection: Selection) -> Rows:
    """The rows of ``runs``.

    Raises:
        RecordError: A file cannot be read, or all together have more than 20,000 columns or 100
            million cells.
        MissingExtra: There are event files, and the package that reads them is not installed.
    """
    blocks = _blocks(runs, selection)
    if mixed := _mixed(blocks) - selection.texts:
        # Text in one run, and in another only numbers, whose text is lost: 007 would be 7.0.
        blocks = _blocks(runs, replace(selection, texts=selection.texts | mixed))
        blocks = [replace(block, frame=_with_texts(block.frame, mixed)) for block in blocks]
    counts = [count for block in blocks for count in block.counts]
    return Rows(
        frame=_joined(blocks, counts, selection),
        counts=counts,
        notes=[note for block in blocks for note in block.notes],
        started_s=[block.started_s for block in blocks for _ in block.counts],
    )


def curves_of(runs: Sequence[Run], rows: Rows) -> pl.DataFrame:
    """The long frame: name, seed and directory of the run before each of its rows."""
    index = rows.frame[RUN]
    identity = [
        pl.Series("exp_name", [run.exp_name for run in runs], dtype=pl.String).gather(index),
        pl.Series("seed", [run.seed for run in runs], dtype=pl.Int64).gather(index),
        pl.Series("directory", [encodable(run.path) for run in runs], dtype=pl.String).gather(index),
    ]
    return pl.DataFrame([*identity, *rows.frame.drop(RUN).iter_columns()])


def diverged(runs: Sequence[Run], rows: Rows) -> list[tuple[str, str]]:
    """A note for each run whose return is NaN somewhere."""
    is_nan = pl.col(RETURN).is_nan()
    found = rows.frame.group_by(RUN, maintain_order=True).agg(
        is_nan.sum().alias("num_nan"), pl.col(STEPS).filter(is_nan).first()
    )
    return [
        (runs[run].path, f"the return is NaN in {number} of its rows{_since(step)}")
        for run, number, step in found.filter(pl.col("num_nan") > 0).iter_rows()
    ]


def _since(step: float | None) -> str:
    return "" if step is None else f", first at step {step:,.0f}"


def _blocks(runs: Sequence[Run], selection: Selection) -> list[Block]:
    blocks: list[Block] = []
    columns: set[str] = set()
    num_rows = 0
    for source, group in groupby(runs, key=lambda run: run.source):
        if source is None:
            blocks += [_without_rows(run) for run in group]
            continue
        for block in source.read([run.path for run in group], selection):
            blocks.append(block)
            columns.update(block.frame.columns)
            num_rows += block.frame.height
            _check_size(
                len(columns) + len(IDENTITY), num_rows, runs[sum(len(b.counts) for b in blocks) - 1]
            )
    return blocks


def _without_rows(run: Run) -> Block:
    return Block(pl.DataFrame(), [0], [(run.path, "there is no progress.txt yet")])


def _check_size(num_columns: int, num_rows: int, run: Run) -> None:
    if num_columns > _MOST_COLUMNS or num_columns * num_rows > _MOST_CELLS:
        raise RecordError(
            f"Too much to read: with {run.path} there are {num_columns:,} columns and {num_rows:,} rows. "
            "Move that run elsewhere, or read fewer runs or columns at a time."
        )


def _mixed(blocks: Iterable[Block]) -> set[str]:
    """Columns that are text in one block, and hold numbers in another."""
    texts: set[str] = set()
    numbers: set[str] = set()
    for block in blocks:
        for column in block.frame.iter_columns():
            if column.dtype == pl.String:
                texts.add(column.name)
            elif column.null_count() < len(column):
                numbers.add(column.name)
    return texts & numbers


def _with_texts(frame: pl.DataFrame, texts: set[str]) -> pl.DataFrame:
    """``frame`` with text in these columns, also where its file knows only numbers."""
    return frame.with_columns(pl.col(name).cast(pl.String) for name in frame.columns if name in texts)


def _joined(blocks: Sequence[Block], counts: Sequence[int], selection: Selection) -> pl.DataFrame:
    texts = {name for block in blocks for name, dtype in block.frame.schema.items() if dtype == pl.String}
    frames = [_with_texts(_with_height(block), texts) for block in blocks if any(block.counts)]
    joined = pl.concat(frames, how="diagonal") if frames else pl.DataFrame()
    index = pl.Series(RUN, np.repeat(np.arange(len(counts), dtype=np.uint32), counts))
    columns = {column.name: column for column in joined.iter_columns()}
    for block in blocks:  # what has no row yet has columns all the same
        for name in block.frame.columns:
            if name not in columns:
                dtype = pl.String if name in texts else pl.Float64
                columns[name] = pl.repeat(None, len(index), dtype=dtype, eager=True).alias(name)
    empty = pl.repeat(None, len(index), dtype=pl.Float64, eager=True)
    first = [columns.pop(name, empty).alias(name) for name in _FIRST if selection.wants(name)]
    # Put together, not selected: polars would copy all of it to have it in pieces of one length.
    return pl.DataFrame(
        [index, *first, *(column for name, column in columns.items() if name not in _FIRST)]
    )


def _with_height(block: Block) -> pl.DataFrame:
    """The block's frame; with an empty column if it has none, as otherwise it has no rows either."""
    if block.frame.width:
        return block.frame
    return pl.DataFrame({STEPS: pl.repeat(None, sum(block.counts), dtype=pl.Float64, eager=True)})
