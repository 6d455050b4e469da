from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loggers.sink_contract import SinkContract

from spinup.loggers.table import Extent, TableSink
from spinup.rundir.progress import first_rows, read_rows

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


def test_a_table_that_goes_on_keeps_its_rows(path: Path) -> None:
    path.write_text("A\n0\n")
    table = TableSink(path, Extent(["A"], 1))
    table.write([1])
    table.set_columns(["A", "B"])
    table.write([2, 3])
    table.close()
    assert path.read_text() == "A\tB\n0\t\n1\t\n2\t3\n"
    assert table.extent == Extent(["A", "B"], 3)


def test_before_the_first_row_a_table_has_come_nowhere(table: TableSink) -> None:
    table.set_columns(["A"])
    assert table.extent == Extent([], 0)


def test_its_rows_can_be_had_on_the_disk(table: TableSink, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    table.sync()
    assert len(synced) == 1
    table.close()
    table.sync()
    assert len(synced) == 1


@given(
    columns=st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True),
    num_early=st.integers(1, 4),
    rows=st.lists(st.lists(st.text(max_size=3), min_size=4, max_size=4), min_size=1, max_size=5),
    num_rows=st.integers(0, 5),
    torn=st.sampled_from(["", "x", "x\ty"]),
)
def test_the_first_rows_are_the_table_as_it_was_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory,
    columns: list[str],
    num_early: int,
    rows: list[list[str]],
    num_rows: int,
    torn: str,
) -> None:
    path = tmp_path_factory.mktemp("run") / "progress.txt"
    early = columns[:num_early]
    num_rows = min(num_rows, len(rows))
    table = TableSink(path)
    table.set_columns(early)
    for row in rows[:num_rows]:
        table.write(row[: len(early)])
    as_it_was = path.read_bytes()
    table.set_columns(columns)
    for row in rows[num_rows:]:
        table.write(row[: len(columns)])
    table.close()
    now = path.read_bytes() + torn.encode()
    assert first_rows(now, early, num_rows) == as_it_was


@pytest.mark.parametrize("table", [b"", b"A", b"A\n", b"A\n0", b"A\n0\n1"])
def test_rows_that_are_not_there_are_an_error(table: bytes) -> None:
    with pytest.raises(ValueError, match="whole rows, not 2"):
        first_rows(table, ["A"], 2)


def test_columns_that_are_not_those_of_the_table_are_an_error() -> None:
    for columns in (["B"], ["A", "B"]):
        with pytest.raises(ValueError, match="other columns"):
            first_rows(b"A\n0\n", columns, 1)


class FullDisk:
    """A file that cannot be flushed as long as ``is_full``."""

    is_full = True

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def flush(self) -> None:
        if self.is_full:
            raise OSError(28, "No space left on device")
        self._file.flush()


def test_a_row_that_a_full_disk_held_back_counts_and_comes_with_the_next_sync(
    table: TableSink, path: Path
) -> None:
    table.set_columns(["A"])
    disk = table._file = FullDisk(table._file)  # type: ignore[assignment]
    for act in (lambda: table.write([0]), table.sync):
        with pytest.raises(OSError, match="No space"):
            act()
    disk.is_full = False
    table.sync()
    assert path.read_bytes() == b"A\n0\n"
    assert table.extent == Extent(["A"], 1)
