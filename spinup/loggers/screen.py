"""The sink that prints each row as a small table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinup.console import say
from spinup.rundir.progress import cell

if TYPE_CHECKING:
    from collections.abc import Sequence

_NARROWEST_KEY = 15
_FRAME_WIDTH = 22  # dashes beyond the key's: what the bars, the blanks and the value take


class ScreenSink:
    """A table of two columns for each row, between lines of dashes."""

    def __init__(self) -> None:
        self._keys: list[str] = []

    def set_columns(self, columns: Sequence[str]) -> None:
        """Show these names beside the values."""
        self._keys = [cell(name) for name in columns]

    def write(self, values: Sequence[object]) -> None:
        """Print one row."""
        width = max([_NARROWEST_KEY, *map(len, self._keys)])
        dashes = "-" * (_FRAME_WIDTH + width)
        lines = [
            f"| {key:>{width}} | {_short(value):>15} |"
            for key, value in zip(self._keys, values, strict=True)
        ]
        say("\n".join([dashes, *lines, dashes]))

    def close(self) -> None:
        """Do nothing: there is no file to let go of."""


def _short(value: object) -> str:
    """Three digits of a number; all of anything else."""
    # NumPy's strings and arrays have __float__ too, and mean something else by it.
    if hasattr(value, "__float__") and not isinstance(value, str) and not getattr(value, "ndim", 0):
        try:
            return f"{float(value):8.3g}"
        except (TypeError, ValueError, OverflowError):
            pass  # it only looked like a number
    return cell(value)
