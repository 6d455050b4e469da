"""What every sink must do, whatever it does with the rows."""

from __future__ import annotations

import abc
import math
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spinup.loggers import Sink


class SinkContract(abc.ABC):
    """Inherit from this, and say how to make the sink and how to see what came out of it."""

    @pytest.fixture
    @abc.abstractmethod
    def sink(self) -> Sink:
        """A new sink."""

    @abc.abstractmethod
    def shown(self) -> str:
        """All text that the sink has put out since the test began."""

    def test_a_row_is_out_as_soon_as_it_is_written(self, sink: Sink) -> None:
        sink.set_columns(["Epoch", "Return"])
        sink.write([7, 0.25])
        shown = self.shown()
        sink.close()
        assert all(text in shown for text in ("Epoch", "Return", "7", "0.25"))

    def test_a_column_may_be_added_after_rows(self, sink: Sink) -> None:
        sink.set_columns(["Epoch"])
        sink.write([7])
        sink.set_columns(["Epoch", "Late"])
        sink.write([8, 0.25])
        sink.close()
        assert all(text in self.shown() for text in ("Late", "7", "8", "0.25"))

    @pytest.mark.parametrize(
        "value", ["", "a\tb\nc", "\ud800", None, math.nan, 10**400, 1j, [1, 2], object, b"x", True]
    )
    def test_any_value_can_be_written(self, sink: Sink, value: object) -> None:
        sink.set_columns(["Key"])
        sink.write([value])
        sink.close()
        assert "Key" in self.shown()

    def test_a_line_break_in_a_name_or_value_breaks_nothing(self, sink: Sink) -> None:
        sink.set_columns(["plain"])
        sink.write(["plain"])
        num_lines = len(self.shown().splitlines())
        sink.set_columns(["plain", "bro\nken\u2028"])
        sink.write(["plain", "al\rso"])
        sink.close()
        assert not {"ken", "so"} & {line.strip() for line in self.shown().splitlines()}
        assert len(self.shown().splitlines()) > num_lines

    def test_it_can_be_closed_twice_and_before_any_row(self, sink: Sink) -> None:
        sink.close()
        sink.close()
