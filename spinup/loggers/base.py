"""The seam between a logger and the places that its rows go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Stands in a row where nothing was logged under a column.
NOTHING: Final = ""


class Sink(Protocol):
    """One place that rows go to."""

    def set_columns(self, columns: Sequence[str]) -> None:
        """Take the names of the columns: before the first row, and when some are added at the end."""

    def write(self, values: Sequence[object]) -> None:
        """Take one row, as many values as there are columns; it is out when this returns."""

    def close(self) -> None:
        """Let go of files; a second call does nothing."""
