"""Tables as CSV that a spreadsheet can open: no cell of them is a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from spinup.report.document import Table

_FORMULA = r"^[=+\-@\t\r]"


def csv_of(table: Table) -> str:
    """All rows of the table, with numbers as they are.

    A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, and is no number,
    gets an apostrophe in front: a spreadsheet would compute it, and names come from whoever made the
    runs. Who needs every name as it is reads the frames of `Report.tables`.
    """
    frame = table.frame.rename({name: _header(name) for name in table.frame.columns})
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns(_harmless(name) for name in texts).write_csv()


def header_of(table: Table) -> str:
    """The first line of `csv_of`."""
    return csv_of(table).partition("\n")[0]


def _harmless(name: str) -> pl.Expr:
    cell = pl.col(name)
    is_formula = cell.str.contains(_FORMULA) & cell.cast(pl.Float64, strict=False).is_null()
    return pl.when(is_formula).then(pl.lit("'") + cell).otherwise(cell).alias(name)


def _header(name: str) -> str:
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name
