"""What a reader of tables gives, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from spinup.results.columns import Selection

#: What polars passes over before a number; a cell of nothing else is empty.
BLANKS = " \t"


@dataclass(frozen=True)
class Block:
    """The rows of some runs, one run after the other.

    Attributes:
        frame: Columns by their free names, numbers as Float64 and else text; ``steps`` and ``return``
            where they are wanted and there.
        counts: Rows of each run.
        notes: What was left out of a run, or is odd in it: its directory, and one line.
        started_s: When the runs began, in seconds since 1970, where only the table tells it.
    """

    frame: pl.DataFrame
    counts: list[int]
    notes: list[tuple[str, str]] = field(default_factory=list)
    started_s: float | None = None


class Source(Protocol):
    """A kind of file that holds a run's rows."""

    def claims(self, names: Collection[str]) -> bool:
        """Whether a directory with plain files of these names has such a file."""

    def read(self, directories: Sequence[str], selection: Selection) -> Iterator[Block]:
        """The rows of the runs in these directories, in their order; each is claimed.

        Raises:
            RecordError: A file cannot be read.
            MissingExtra: A package is needed that is not installed.
        """


def finished(frame: pl.DataFrame, header: Sequence[str], selection: Selection) -> pl.DataFrame:
    """``frame`` with numbers where its texts are numbers, and with ``steps`` and ``return`` in front.

    Args:
        frame: Columns by their free names, each of numbers or of text.
        header: Names of the table's columns as they are in the file.
        selection: What is wanted of it.
    """
    columns = {column.name: _settled(column, selection.texts) for column in frame.iter_columns()}
    roles = {role: _numbers(columns[name]) for role, name in selection.roles(header).items()}
    own = [column for name, column in columns.items() if selection.wants(name)]
    return pl.DataFrame([*(column.alias(role) for role, column in roles.items()), *own])


def _settled(column: pl.Series, texts: Collection[str]) -> pl.Series:
    """A column of text as Float64, unless that would lose a cell; its blank cells are null."""
    if column.dtype != pl.String:
        return column
    blank = column.str.strip_chars(BLANKS) == ""
    column = column.set(blank, None) if blank.any() else column
    numbers = _numbers(column)
    is_text = column.name in texts or numbers.null_count() > column.null_count()
    return column if is_text else numbers


def _numbers(column: pl.Series) -> pl.Series:
    """Float64; null for what is no number."""
    if column.dtype != pl.String:
        return column
    return column.str.strip_chars(BLANKS).cast(pl.Float64, strict=False)
