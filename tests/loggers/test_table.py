from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from loggers.sink_contract import SinkContract

from spinup.loggers.table import TableSink
from spinup.rundir.progress import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.txt"


@pytest.fixture
def table(path: Path) -> Iterator[TableSink]:
    sink = TableSink(path)
    yield sink
    sink.close()


class TestTableIsASink(SinkContract):
    @pytest.fixture
    def sink(self, path: Path) -> TableSink:
        self.path = path
        return TableSink(path)

    def shown(self) -> str:
        return self.path.read_text()


def test_the_file_is_there_and_empty_before_the_first_row(table: TableSink, path: Path) -> None:
    table.set_columns(["Epoch"])
    assert path.read_bytes() == b""


def test_the_header_comes_first_and_rows_are_tab_separated(table: TableSink, path: Path) -> None:
    table.set_columns(["Epoch", "Return"])
    table.write([0, 1.5])
    table.write([1, "text"])
    assert path.read_bytes() == b"Epoch\tReturn\n0\t1.5\n1\ttext\n"


def test_earlier_rows_get_empty_cells_under_a_new_column(table: TableSink, path: Path) -> None:
    table.set_columns(["A"])
    table.write([0])
    table.write([1])
    table.set_columns(["A", "B", "C\t"])
    table.write([2, 3, 4])
    assert path.read_bytes() == b"A\tB\tC\\x09\n0\t\t\n1\t\t\n2\t3\t4\n"


def test_a_blank_row_survives_a_new_column(table: TableSink, path: Path) -> None:
    table.set_columns(["A"])
    table.write([""])
    table.set_columns(["A", "B"])
    table.write(["", ""])
    assert read_rows(path) == (["A", "B"], [["", ""], ["", ""]])


def test_a_row_that_a_full_disk_held_back_is_there_after_a_new_column(table: TableSink, path: Path) -> None:
    table.set_columns(["A"])
    table.write([0])
    table._file.write(b"1\n")  # what stays in the buffer when flush raises
    table.set_columns(["A", "B"])
    table.write([2, 2])
    assert read_rows(path)[1] == [["0", ""], ["1", ""], ["2", "2"]]


def test_a_reader_that_holds_the_file_sees_no_half_of_a_change(table: TableSink, path: Path) -> None:
    table.set_columns(["A"])
    table.write([0])
    with path.open() as reader:
        table.set_columns(["A", "B"])
        table.write([1, 2])
        assert reader.read() == "A\n0\n"


def test_a_new_column_leaves_the_permissions_and_no_other_file(table: TableSink, path: Path) -> None:
    before = stat.S_IMODE(path.stat().st_mode)
    table.set_columns(["A"])
    table.write([0])
    table.set_columns(["A", "B"])
    assert stat.S_IMODE(path.stat().st_mode) == before
    assert [file.name for file in path.parent.iterdir()] == ["progress.txt"]
