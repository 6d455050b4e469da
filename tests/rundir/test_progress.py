from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.rundir.progress import cell, line, read_rows, unescape

if TYPE_CHECKING:
    from pathlib import Path

# Surrogates too, which os.fsdecode puts into names of files; and much of what could break a table.
ANY_TEXT = st.text(st.characters(codec=None)) | st.text(
    st.sampled_from('\t\n\r"\\\x85\u2028\ufeff\ud800\0 x09u2ab,é'), max_size=12
)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(ANY_TEXT.filter(bool), min_size=width, max_size=width, unique=True),
        st.lists(st.lists(ANY_TEXT, min_size=width, max_size=width), min_size=1, max_size=5),
    )
)


def as_file(header: list[str], rows: list[list[str]]) -> str:
    return "".join(line(map(cell, cells)) for cells in [header, *rows])


@given(ANY_TEXT)
def test_unescape_gives_back_the_text_of_a_cell(text: str) -> None:
    assert unescape(cell(text)) == text


@given(ANY_TEXT)
def test_a_cell_stays_one_cell_for_whoever_splits_it(text: str) -> None:
    written = cell(text)
    assert written.splitlines() in ([written], [])
    assert not set(written) & set('\t\n\r"')
    written.encode("utf-8")


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters='"\\')))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    "text",
    [r"C:\temp\new", r"$\tau$ and \nu", r"\d+\x", "Größe, µ=1\u00a0%", "it's", "a/b c", "", "環境", r"\\"],
)
def test_paths_and_labels_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\tb", r"a\x09b"),
        ("a\nb\r\n", r"a\x0ab\x0d\x0a"),
        ('5" disk', r"5\x22 disk"),
        ("a\u2028b", r"a\u2028b"),
        (r"already \x09 escaped", r"already \x5cx09 escaped"),
    ],
)
def test_what_would_break_the_table_is_escaped(text: str, written: str) -> None:
    assert cell(text) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(1, "1"), (0.1, "0.1"), (float("nan"), "nan"), (None, "None"), (True, "True"), ([1, 2], "[1, 2]")],
)
def test_a_value_is_written_as_its_text(value: object, written: str) -> None:
    assert cell(value) == written


@given(TABLES)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[str], list[list[str]]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "progress.txt"
    path.write_bytes(as_file(*table).encode())
    assert read_rows(path) == table


@given(TABLES)
def test_polars_reads_the_same_table(table: tuple[list[str], list[list[str]]]) -> None:
    header, rows = table
    data = as_file(header, rows).encode()
    frame = pl.read_csv(io.BytesIO(data), separator="\t", infer_schema=False)
    assert [unescape(name) for name in frame.columns] == header
    assert [[unescape(text or "") for text in row] for row in frame.rows()] == rows


@given(TABLES)
def test_the_csv_module_reads_the_same_table(table: tuple[list[str], list[list[str]]]) -> None:
    read = csv.reader(io.StringIO(as_file(*table), newline=""), delimiter="\t")
    assert [[unescape(text) for text in row] for row in read] == [table[0], *table[1]]


@given(TABLES, st.data())
def test_a_file_cut_anywhere_gives_its_whole_rows(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[str], list[list[str]]], data: st.DataObject
) -> None:
    header, rows = table
    whole = as_file(header, rows).encode()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    path = tmp_path_factory.mktemp("table") / "progress.txt"
    path.write_bytes(cut)
    num_whole_lines = cut.count(b"\n")
    assert read_rows(path) == ((header, rows[: num_whole_lines - 1]) if num_whole_lines else ([], []))


def test_an_empty_file_has_neither_columns_nor_rows(tmp_path: Path) -> None:
    path = tmp_path / "progress.txt"
    path.touch()
    assert read_rows(path) == ([], [])


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_rows(tmp_path / "progress.txt")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"A\tB\n1\n", [["1", ""]], id="a short row is filled up"),
        pytest.param(b"A\tB\n1\t2\t3\n", [["1", "2"]], id="a long row is cut"),
        pytest.param(b"A\tB\r\n1\t2\r\n", [["1", "2"]], id="line breaks of Windows"),
        pytest.param(b"\xef\xbb\xbfA\tB\n1\t2\n", [["1", "2"]], id="a byte order mark"),
        pytest.param(b"A\tB\n\n1\t2\n\n", [["1", "2"]], id="blank lines"),
        pytest.param(b"A\tB\n\xff\t2\n", [["\ufffd", "2"]], id="bytes that are no text"),
        pytest.param("A\tB\n1\u2028\t2\n".encode(), [["1\u2028", "2"]], id="a separator as it is"),
    ],
)
def test_files_of_other_makers_are_read(tmp_path: Path, content: bytes, expected: list[list[str]]) -> None:
    path = tmp_path / "progress.txt"
    path.write_bytes(content)
    assert read_rows(path) == (["A", "B"], expected)


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_a_row_that_looks_blank_is_written_so_that_no_reader_skips_it(text: str) -> None:
    assert line([text]) == f'"{text}"\n'
    assert line([text, text]) == f"{text}\t{text}\n"
