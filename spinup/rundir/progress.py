r"""progress.txt: cells that hold anything, and a reader that forgives a torn last line.

A cell is text without tabs, line breaks, other control characters or double quotes, so that
``str.split``, pandas and polars agree on how many rows and columns there are. What a cell may not
hold is written as ``\xhh`` or ``\uhhhh``; all other text stays as it is, backslashes included.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# Control characters and line separators end a cell or a row somewhere (str.splitlines knows ten of
# them); pandas and polars read on past tabs and line breaks after a double quote; a byte order mark
# vanishes at the start of a file; a lone surrogate has no UTF-8. \t and \n are not the escapes,
# because \tau and C:\new are ordinary text: a backslash is escaped only where it would mean one.
_UNSAFE = re.compile(
    r'["\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]|\\(?=x[0-9a-f]{2}|u[0-9a-f]{4})'
)
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")


def cell(value: object) -> str:
    """``value`` as the text of one cell: no tab, no line break, no double quote."""
    if type(value) is float or type(value) is int:  # most values; their text is always safe
        return str(value)
    return _UNSAFE.sub(_escape, str(value))


def unescape(text: str) -> str:
    """The text that ``cell`` was given, from what it made of it."""
    return _ESCAPED.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def line(cells: Iterable[str]) -> str:
    """One line of the table."""
    text = "\t".join(cells)
    # pandas skips a line that looks blank, which the row of a single column can be.
    return f"{text}\n" if text.strip(" ") else f'"{text}"\n'


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header, and every whole row, as the text that was logged.

    A last line without its line break was cut off by a crash and is left out, as are blank lines. A
    row shorter than the header is filled up with empty cells, a longer one is cut.

    Raises:
        FileNotFoundError: There is no such file.
    """
    header, rows = read_ragged(path)
    return header, [row + [""] * (len(header) - len(row)) for row in rows]


def read_ragged(path: Path) -> tuple[list[str], list[list[str]]]:
    """As `read_rows`, but for rows shorter than the header, which stay as short as they are.

    So that memory is that of the file, not of rows times columns.

    Raises:
        FileNotFoundError: There is no such file.
    """
    header, rows = parse_ragged(path.read_bytes())
    return header, [row[: len(header)] for row in rows]


def parse_ragged(table: bytes) -> tuple[list[str], list[list[str]]]:
    """The header and the whole rows of a table, each with as many cells as it has there.

    Args:
        table: The whole file; what follows its last line break is left out.
    """
    text = table.decode("utf-8-sig", "replace")
    # Not splitlines, which breaks at characters that files of other makers may hold.
    whole_lines = [whole.removesuffix("\r") for whole in text.split("\n")[:-1]]
    header, *rows = [_cells(whole) for whole in whole_lines if whole] or [[]]
    return header, rows


def first_rows(table: bytes, columns: Sequence[object], num_rows: int) -> bytes:
    """The table as it was when it had these columns and rows; what came later is cut off.

    Args:
        table: The whole file, which may end in a torn line.
        columns: Names as they were logged; the table may have got more of them at its end.
        num_rows: Rows without the header. For 0 nothing is left, as before the first row.

    Raises:
        ValueError: The table never was so.
    """
    if not num_rows:
        return b""
    # What follows the last line break is nothing, or a torn line.
    whole_lines = table.split(b"\n")[:-1][: num_rows + 1]
    header, *rows = [b"\t".join(whole.split(b"\t")[: len(columns)]) for whole in whole_lines] or [b""]
    if len(rows) < num_rows:
        raise ValueError(f"it holds {len(rows)} whole rows, not {num_rows}")
    cells = list(map(cell, columns))
    if header not in {"\t".join(cells).encode(), line(cells).rstrip("\n").encode()}:
        raise ValueError("it has other columns")
    return b"\n".join([line(cells).rstrip("\n").encode(), *rows, b""])


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _cells(whole_line: str) -> list[str]:
    cells = whole_line.split("\t")
    if "\\" in whole_line or '"' in whole_line:
        return [unescape(_unquote(text)) for text in cells]
    return cells


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
