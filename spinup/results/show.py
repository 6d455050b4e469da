"""A run set in a notebook."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container

    import polars as pl

_MOST_ROWS = 60
_MOST_COLUMNS = 12
_LONGEST_TEXT = 80
_LEADING = ("exp_name", "seed", "state")
_TRAILING = ("steps", "last", "best", "duration_s")


def html_of(summary: str, table: pl.DataFrame, varying: Container[str]) -> str:
    """The run table as HTML: names, states, the hyperparameters that vary, and how the runs ended.

    Args:
        summary: A line above it.
        table: The run table.
        varying: The hyperparameters to show.
    """
    own = [name for name in table.columns if name in varying][:_MOST_COLUMNS]
    names = [*_LEADING, *own, *_TRAILING]
    head = "".join(f"<th>{_escape(name)}</th>" for name in names)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_escape(_text(cell))}</td>' for cell in row)}</tr>"
        for row in table.select(names).head(_MOST_ROWS).iter_rows()
    )
    left = table.height - _MOST_ROWS
    more = f"<p>and {left:,} more, in <code>.table</code></p>" if left > 0 else ""
    return (
        f"<div><p><b>{_escape(summary)}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>"
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _escape(text: str) -> str:
    cut = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
    return html.escape(cut)
