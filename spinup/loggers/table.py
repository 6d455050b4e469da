"""The sink that writes progress.txt."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spinup.loggers.claim import Claim
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
        claim: The right to write it, which stays with whom it belongs to; by default, one of its own.

    Raises:
        RunIsLive: Another process writes the file.
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, extent: Extent | None = None, claim: Claim | None = None) -> None:
        self._has_own_claim = claim is None
        self._claim = Claim(path) if claim is None else claim
        self._columns = list(extent.columns) if extent else []
        self._num_rows = extent.num_rows if extent else 0
        self._file = self._claim.open()
        if not self._num_rows:
            self._file.truncate(0)

    @property
    def extent(self) -> Extent:
        """How far the table has come; still known after close."""
        return Extent(list(self._columns), self._num_rows) if self._num_rows else Extent()

    def set_columns(self, columns: Sequence[str]) -> None:
        """Write the header, or widen the file where columns were added.

        Raises:
            RunDirError: The directory is gone, or another file is in the table's place.
        """
        self._check_held()
        header = line(map(cell, columns)).encode()
        if self._columns:
            self._rewrite(header, len(columns) - len(self._columns))
        else:
            self._file.write(header)  # flushed together with the first row
        self._columns = list(columns)

    def write(self, values: Sequence[object]) -> None:
        """Append one row.

        Raises:
            RunIsLive: This is a forked child, and its parent writes the table.
        """
        self._check_held()
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
            if not self._claim.is_in_place():  # deleted; a state that tells of its rows needs them
                self._rewrite(line(map(cell, self._columns)).encode() if self._columns else b"", 0)
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._has_own_claim:
            self._claim.release()

    def _check_held(self) -> None:
        if not self._claim.is_held and not self._file.closed:
            self._claim.ensure()
            self._claim.is_in_place()

    def _rewrite(self, header: bytes, num_added: int) -> None:
        self._file.flush()
        padding = b"\t" * num_added + b"\n"
        # From the open file, not from its path: the table may have been deleted, or be another's by now.
        with os.fdopen(os.dup(self._file.fileno()), "rb") as narrow, self._claim.replacing() as wide:
            narrow.seek(0)
            narrow.readline()
            wide.write(header)
            # A reader never sees half of the change.
            wide.writelines(row.removesuffix(b"\n") + padding for row in narrow)
        self._file.close()
        self._file = self._claim.open()
