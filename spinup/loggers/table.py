"""The sink that writes progress.txt."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spinup.rundir.atomic import replacing
from spinup.rundir.progress import cell, line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Extent:
    """How far a table has come.

    Attributes:
        columns: Their names as they were logged; none before the first row.
        num_rows: Rows below the header.
    """

    columns: list[str] = field(default_factory=list)
    num_rows: int = 0


class TableSink:
    """A tab-separated file, header first, on disk row by row.

    Args:
        path: The file; its directory exists.
        extent: What is in it and stays. Without rows the file becomes empty.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, extent: Extent | None = None) -> None:
        self._path = path
        self._columns = list(extent.columns) if extent else []
        self._num_rows = extent.num_rows if extent else 0
        self._file = path.open("ab" if self._num_rows else "wb")

    @property
    def extent(self) -> Extent:
        """How far the table has come; still known after close."""
        return Extent(list(self._columns), self._num_rows) if self._num_rows else Extent()

    def set_columns(self, columns: Sequence[str]) -> None:
        """Write the header, or widen the file where columns were added."""
        header = line(map(cell, columns)).encode()
        if self._columns:
            self._widen(header, len(columns) - len(self._columns))
        else:
            self._file.write(header)  # flushed together with the first row
        self._columns = list(columns)

    def write(self, values: Sequence[object]) -> None:
        """Append one row."""
        self._file.write(line([cell(value) for value in values]).encode())
        # Before the flush: a row that a full disk holds back is in the buffer, and goes out with the next.
        self._num_rows += 1
        self._file.flush()

    def sync(self) -> None:
        """Have all rows on the disk itself, so that not even a power cut takes them back.

        Raises:
            OSError: A row cannot be written.
        """
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _widen(self, header: bytes, num_added: int) -> None:
        self._file.flush()
        padding = b"\t" * num_added + b"\n"
        # The mode that open() gives a new file; a reader never sees half of the change.
        with self._path.open("rb") as narrow, replacing(self._path, mode=0o666) as wide:
            narrow.readline()
            wide.write(header)
            wide.writelines(row.removesuffix(b"\n") + padding for row in narrow)
        self._file.close()
        self._file = self._path.open("ab")
