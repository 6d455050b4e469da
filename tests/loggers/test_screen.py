from __future__ import annotations

import numpy as np
import pytest
from loggers.sink_contract import SinkContract

from spinup.loggers.screen import ScreenSink


class TestScreenIsASink(SinkContract):
    @pytest.fixture
    def sink(self, capsys: pytest.CaptureFixture[str]) -> ScreenSink:
        self.capsys = capsys
        self.seen = ""
        return ScreenSink()

    def shown(self) -> str:
        self.seen += self.capsys.readouterr().out
        return self.seen


class Vector:
    """Has a float and one dimension, as NumPy's arrays of one element had before 2.4."""

    ndim = 1

    def __float__(self) -> float:
        return 1.5

    def __str__(self) -> str:
        return "[1.50000]"


def printed(capsys: pytest.CaptureFixture[str], **row: object) -> list[str]:
    sink = ScreenSink()
    sink.set_columns(list(row))
    sink.write(list(row.values()))
    return capsys.readouterr().out.splitlines()


def test_the_table_looks_as_in_spinning_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, Epoch=3, AverageEpRet=-1234.5678, Note="text", Missing="") == [
        "-------------------------------------",
        "|           Epoch |               3 |",
        "|    AverageEpRet |       -1.23e+03 |",
        "|            Note |            text |",
        "|         Missing |                 |",
        "-------------------------------------",
    ]


def test_a_long_name_makes_the_table_wider(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, Epoch=1, AverageTestEpisodeReturn=2)
    assert {len(line) for line in lines[1:-1]} == {24 + 22}
    assert lines[0] == lines[-1] == "-" * (24 + 22)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456, "   0.123"),
        (np.float32(0.1), "     0.1"),
        (np.int64(7), "       7"),
        (np.array(2.5), "     2.5"),
        (True, "       1"),
        (float("nan"), "     nan"),
        (None, "None"),
        ("1.50000", "1.50000"),
        (np.str_("1.50000"), "1.50000"),
        (np.array([1.5]), "[1.5]"),
        (Vector(), "[1.50000]"),
        (10**400, str(10**400)),
    ],
)
def test_a_number_is_short_and_anything_else_whole(
    capsys: pytest.CaptureFixture[str], value: object, shown: str
) -> None:
    line = printed(capsys, Key=value)[1]
    assert line == f"|             Key | {shown:>15} |"
