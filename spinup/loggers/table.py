"""The sink that writes progress.txt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinup.rundir.atomic import replacing
from spinup.rundir.progress import cell, line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class TableSink:
    """A tab-separated file, header first, on disk row by row.

    Args:
        path: The file, which becomes empty; its directory exists.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._num_columns = 0

    def set_columns(self, columns: Sequence[str]) -> None:
        """Write the header, or widen the file where columns were added."""
        header = line(map(cell, columns)).encode()
        if self._num_columns:
            self._widen(header, len(columns) - self._num_columns)
        else:
            self._file.write(header)  # flushed together with the first row
        self._num_columns = len(columns)

    def write(self, values: Sequence[object]) -> None:
        """Append one row."""
        self._file.write(line([cell(value) for value in values]).encode())
        self._file.flush()

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
