"""Tables of text, row by row: progress.txt and progress.csv.

There are two readers. The careful one, in Python, forgives whatever can be wrong with a file, and notes
what it left out. The fast one lets polars parse many files of the same header at a time, and trusts
nothing of it that the careful one could see otherwise: such files are read again, one by one.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spinup.results.columns import encodable, free_names
from spinup.results.files import read_table
from spinup.results.sources.base import BLANKS, Block, finished
from spinup.rundir.progress import parse_ragged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from spinup.results.columns import Selection

    Parsed = tuple[list[str], list[list[str]]]

_BATCH_BYTES = 1 << 25
_BATCH_FILES = 64
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_CELL = 1 << 20


@dataclass(frozen=True)
class Delimited:
    """Tables of one file name.

    Attributes:
        file_name: Name of the file.
        separator: What is between two cells.
        parse: The careful reader: the header and the whole rows of a file.
    """

    file_name: str
    separator: str
    parse: Callable[[bytes], Parsed]

    def claims(self, names: Collection[str]) -> bool:
        """Whether the file is among ``names``."""
        return self.file_name in names

    def read(self, directories: Sequence[str], selection: Selection) -> Iterator[Block]:
        """The rows of the runs in ``directories``."""
        tables = (self.load(directory) for directory in directories)
        # A batch is loaded while polars parses the one before; no more than three are in memory twice.
        with ThreadPoolExecutor(max_workers=1) as parser:
            parsing: Future[list[Block]] | None = None
            for batch in _batches(tables):
                following = parser.submit(self._blocks, batch, selection)
                if parsing is not None:
                    yield from parsing.result()
                parsing = following
            if parsing is not None:
                yield from parsing.result()

    def load(self, directory: str) -> Table:
        """The file of one run, as bytes."""
        return Table.of(directory, read_table(os.path.join(directory, self.file_name)))

    def _blocks(self, batch: list[Table], selection: Selection) -> list[Block]:
        # Without a header that the fast reader can take, there is none that they share.
        return self._fast(batch, selection) if batch[0].head else self._careful(batch, selection)

    def _fast(self, batch: list[Table], selection: Selection) -> list[Block]:
        frame = _parsed(batch, self.separator, selection)
        if frame is not None:
            repeated = _repeated(batch[0].head.decode().removesuffix("\n").split(self.separator))
            notes = [(table.directory, note) for table in batch for note in repeated]
            notes += [note for table in batch for note in table.torn_note()]
            return [Block(frame, [table.num_rows for table in batch], notes)]
        if len(batch) == 1:
            return self._careful(batch, selection)
        return [block for table in batch for block in self._fast([table], selection)]

    def _careful(self, batch: list[Table], selection: Selection) -> list[Block]:
        return [self.careful(table, selection) for table in batch]

    def careful(self, table: Table, selection: Selection) -> Block:
        """The rows of one run, whatever is wrong with its file."""
        header, rows = self.parse(table.data)
        notes = [*_repeated(header), *_odd_rows(header, rows), *_odd_bytes(table.data)]
        rows = [row for row in rows if row != header]
        frame = finished(_text_frame(header, rows, selection), header, selection)
        notes += [_odd_cell(frame[name], row) for name, row in _mixed(frame).items()]
        empty = [] if header else [f"{self.file_name} is empty"]
        own = [(table.directory, note) for note in [*empty, *notes]]
        return Block(frame, [len(rows)], [*own, *table.torn_note()])


@dataclass(frozen=True)
class Table:
    """A file as it was found.

    Attributes:
        directory: Of the run.
        data: Its whole lines.
        head: Its first line, where the fast reader can take it; else empty.
        num_torn: Bytes after the last line break, which a crash has cut off, or which are still written.
    """

    directory: str
    data: bytes
    head: bytes
    num_torn: int

    @classmethod
    def of(cls, directory: str, data: bytes) -> Table:
        """The table in ``data``, without a last line that has no line break."""
        end = data.rfind(b"\n") + 1
        head = data[: data.find(b"\n") + 1]
        whole = data if end == len(data) else data[:end]
        return cls(directory, whole, head if _is_plain(head) else b"", len(data) - end)

    @cached_property
    def num_rows(self) -> int:
        """Lines below the first."""
        return self.count(b"\n") - 1

    def count(self, byte: bytes) -> int:
        """How often ``byte`` is in the table."""
        # Several times as fast as bytes.count, where there are many.
        return int(np.count_nonzero(np.frombuffer(self.data, np.uint8) == byte[0]))

    def torn_note(self) -> list[tuple[str, str]]:
        """A note on the last line, where it was left out."""
        note = f"the last line is not whole, and was left out ({self.num_torn} bytes)"
        return [(self.directory, note)] if self.num_torn else []


def _is_plain(head: bytes) -> bool:
    """Whether a header reads the same to every reader."""
    try:
        head.decode()
    except UnicodeDecodeError:
        return False
    odd = any(byte in head for byte in (b'"', b"\\", b"\r", b"\0"))
    return bool(head.strip()) and not odd and not head.startswith(_BYTE_ORDER_MARK)


def _batches(tables: Iterable[Table]) -> Iterator[list[Table]]:
    """``tables`` in their order, a batch never with two headers."""
    for _, alike in groupby(tables, key=lambda table: table.head):
        batch: list[Table] = []
        num_bytes = 0
        for table in alike:
            batch.append(table)
            num_bytes += len(table.data)
            if num_bytes >= _BATCH_BYTES or len(batch) == _BATCH_FILES:
                yield batch
                batch, num_bytes = [], 0
        if batch:
            yield batch


def _parsed(batch: list[Table], separator: str, selection: Selection) -> pl.DataFrame | None:
    """The rows of tables with one header; None where the careful reader may see them otherwise."""
    header = batch[0].head.decode().removesuffix("\n").split(separator)
    filled = [table.data for table in batch if len(table.data) > len(table.head)]
    names = selection.of(header)
    schema = _schema(header, filled, separator, selection)
    if not filled:
        return finished(pl.DataFrame(schema=dict.fromkeys(names, pl.String)), header, selection)
    # In comma-separated values, a carriage return alone may end a row.
    needs_plain = pl.String in schema.values() or separator == ","
    if needs_plain and not all(map(_is_plain_text, filled)):
        return None
    # As one text, which polars divides between the cores; a list it would take one by one.
    data = b"".join(memoryview(table)[len(batch[0].head) :] for table in filled)
    try:
        frame = (
            pl.scan_csv(data, separator=separator, has_header=False, schema=schema, quote_char=None)
            .select(names)
            .collect()
        )
    except pl.exceptions.PolarsError:
        return None
    if not _is_sound(frame, batch, separator, header):
        return None
    frame = finished(frame, header, selection)
    # Numbers and text in one column: in which file, only each alone can tell.
    return None if _mixed(frame) else frame


def _schema(
    header: list[str], filled: list[bytes], separator: str, selection: Selection
) -> dict[str, type[pl.DataType]]:
    """Type of each column, as the first row makes believe; a wrong guess costs time, nothing else."""
    first = filled[0].split(b"\n", 2)[1].split(separator.encode()) if filled else []
    is_text = [not _is_number(cell) for cell in first] + [False] * len(header)
    names = free_names(header)
    return {
        name: pl.String if text or name in selection.texts else pl.Float64
        for name, text in zip(names, is_text, strict=False)
    }


def _is_number(cell: bytes) -> bool:
    try:
        float(cell or b"0")
    except ValueError:
        return False
    return True


def _is_plain_text(data: bytes) -> bool:
    """Whether the cells of a table are the text that they look like, and its header is there once."""
    head = data[: data.index(b"\n") + 1]
    return not any(byte in data for byte in (b'"', b"\\", b"\r", b"\0")) and b"\n" + head not in data


def _is_sound(frame: pl.DataFrame, batch: list[Table], separator: str, header: list[str]) -> bool:
    """Whether every line was a row, and had as many cells as the header."""
    num_rows = sum(table.num_rows for table in batch)
    if frame.height != num_rows:
        return False
    # A blank line is a row of nulls to polars, and a short one ends in nulls; a long one is an error.
    has_all = frame.width == len(header) and not frame.to_series(-1).null_count()
    if has_all or (frame.width < len(header) and any(not column.null_count() for column in frame)):
        return True
    num_separators = sum(table.count(separator.encode()) for table in batch)
    # A column alone: a blank line has as many separators as any other.
    return len(header) > 1 and num_separators == (num_rows + len(batch)) * (len(header) - 1)


def _text_frame(header: list[str], rows: list[list[str]], selection: Selection) -> pl.DataFrame:
    """The columns that are wanted, all cells as text; null for a cell that is not there."""
    wanted = set(selection.of(header))
    names = free_names(header)
    longest = max(map(len, rows), default=0)
    empty = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    columns = []
    for index, name in enumerate(names):
        if name not in wanted:
            continue
        if index >= longest:
            columns.append(empty.alias(name))
            continue
        cells = [encodable(row[index]) or None if index < len(row) else None for row in rows]
        columns.append(pl.Series(name, cells, dtype=pl.String))
    return pl.DataFrame(columns)


def _repeated(header: list[str]) -> list[str]:
    return [
        f"{number} columns are called {name!r}; the later ones have a number or (progress) behind it"
        for name, number in Counter(header).items()
        if number > 1
    ]


def _odd_rows(header: list[str], rows: list[list[str]]) -> list[str]:
    num_short = sum(len(row) < len(header) for row in rows)
    num_long = sum(len(row) > len(header) for row in rows)
    num_headers = rows.count(header)
    return [
        *([f"{_rows(num_short)} shorter than the header; the cells are empty"] if num_short else []),
        *(
            [f"{_rows(num_long)} longer than the header; the cells beyond it were left out"]
            if num_long
            else []
        ),
        *([f"{_rows(num_headers)} the header again, and left out"] if num_headers else []),
    ]


def _rows(number: int) -> str:
    return "1 row is" if number == 1 else f"{number} rows are"


def _odd_bytes(data: bytes) -> list[str]:
    try:
        data.decode()
    except UnicodeDecodeError:
        return ["there are bytes that are no text; each became the sign \ufffd"]
    return []


def _mixed(frame: pl.DataFrame) -> dict[str, int]:
    """The columns that hold both numbers and text, and the first row of each that holds text."""
    found = {}
    for column in frame.iter_columns():
        if column.dtype != pl.String or column.null_count() == len(column):
            continue
        is_text = (
            column.str.strip_chars(BLANKS).cast(pl.Float64, strict=False).is_null() & column.is_not_null()
        )
        if is_text.any() and is_text.sum() < len(column) - column.null_count():
            found[column.name] = int(is_text.arg_true()[0])
    return found


def _odd_cell(column: pl.Series, row: int) -> str:
    text = str(column[row])
    shown = repr(text if len(text) <= 40 else text[:40] + "...")
    return f"column {column.name!r} holds numbers and text, such as {shown} in row {row + 1}"


def _parse_csv(data: bytes) -> Parsed:
    """The header and the rows of a file of comma-separated values, quoted where they need it."""
    text = data.decode("utf-8-sig", "replace").replace("\0", "\ufffd")
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row] or [[]]
    return header, rows


PROGRESS_TXT = Delimited("progress.txt", "\t", parse_ragged)
PROGRESS_CSV = Delimited("progress.csv", ",", _parse_csv)
