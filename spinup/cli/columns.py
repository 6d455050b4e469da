"""A table of text that fits its terminal: less important columns give way, then names are cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinup import console

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = "  "
_NARROWEST_NAME = 16


@dataclass(frozen=True)
class Column:
    """A column of figures, to the right of the names.

    Attributes:
        heading: What stands above.
        cells: One for each name.
        worth: Of the columns that do not fit, that of least worth goes first.
    """

    heading: str
    cells: Sequence[str]
    worth: int = 0

    @property
    def width(self) -> int:
        """Its width, without the gap."""
        return max(map(len, [self.heading, *self.cells]))


def fit(
    heading: str, names: Sequence[str], columns: Sequence[Column], width: int | None, mark: str = "..."
) -> list[str]:
    """The lines of the table, its heading first, each no longer than ``width`` as far as that can be.

    Args:
        heading: What stands above the names.
        names: What stands to the left.
        columns: What stands beside them.
        width: Columns of the terminal; None where lines may be of any length.
        mark: Stands for what is cut out of a name.
    """
    kept = list(columns)
    shown = [console.one_line(name) for name in names]
    longest = max(map(len, [heading, *shown]))
    if width is not None:
        enough = min(longest, _NARROWEST_NAME)
        while len(kept) > 1 and enough + _width(kept) > width:
            kept.remove(min(kept, key=lambda column: column.worth))
        longest = min(longest, max(enough, width - _width(kept)))
        shown = console.told_apart(shown, longest, mark)
    rows = zip([heading, *shown], *([column.heading, *column.cells] for column in kept), strict=True)
    return [
        f"{name:<{longest}}"
        + "".join(f"{_GAP}{cell:>{column.width}}" for cell, column in zip(cells, kept, strict=True))
        for name, *cells in rows
    ]


def _width(columns: Sequence[Column]) -> int:
    return sum(len(_GAP) + column.width for column in columns)
