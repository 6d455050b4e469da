"""progress.txt: cells that hold anything, and a reader that forgives a torn last line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TABLE = str.maketrans(_ESCAPES)


def cell(value: object) -> str:
    """``value`` as the text of one cell: no tab, no line break."""
    text = str(value)
    # Only a text that could break the table is touched, so that paths and labels stay as they are.
    return text if text.isprintable() else text.translate(_TABLE)


def line(cells: Sequence[str]) -> str:
    """One line of the table."""
    return "\t".join(cells) + "\n"


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header, and every whole row as cells of text.

    A last line without its line break was cut off by a crash and is left out. A row written before
    a column was added is filled up with empty cells.

    Raises:
        FileNotFoundError: There is no such file.
    """
    text = path.read_bytes().decode("utf-8", "replace")
    lines = text.split("\n")[:-1]
    if not lines:
        return [], []
    header = lines[0].split("\t")
    rows = [row.split("\t") for row in lines[1:]]
    return header, [row + [""] * (len(header) - len(row)) for row in rows]
