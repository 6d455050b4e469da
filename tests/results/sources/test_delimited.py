from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from spinup.results.columns import Selection
from spinup.results.sources.delimited import PROGRESS_CSV, PROGRESS_TXT, Delimited

EVERYTHING = Selection()

CELLS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(
        [
            "",
            " ",
            "  ",
            "1",
            " 2",
            "3 ",
            "1_0",
            "0x10",
            "nan",
            "-inf",
            "+5",
            ".5",
            "5.",
            "1e400",
            "1e",
            "None",
            "True",
        ]
    ),
    st.text(st.sampled_from('ab\\x09"\r\t,\n é\ufeff\0'), max_size=4),
)
HEADERS = st.lists(
    st.sampled_from(["a", "b", "c", "return", "seed", '"q"', "a\\x09", "TotalEnvInteracts"]), max_size=4
)


@st.composite
def files(draw: st.DrawFn, separator: str) -> bytes:
    """A table, mostly well-formed; and sometimes cut, or with blank lines and odd bytes in it."""
    header = draw(HEADERS)
    width = st.just(len(header)) if draw(st.booleans()) else st.integers(0, 5)
    is_tame = draw(st.booleans())
    cells = st.floats().map(repr) if is_tame else CELLS
    rows = draw(st.lists(width.flatmap(lambda n: st.lists(cells, min_size=n, max_size=n)), max_size=5))
    text = "".join(separator.join(row) + "\n" for row in [header, *rows])
    data = text.encode()
    if draw(st.booleans()):
        data = data[: draw(st.integers(0, len(data)))]
    if draw(st.integers(0, 9)) == 0:
        data = draw(st.sampled_from([b"\xef\xbb\xbf", b"\n", b"\xff", b""])) + data
    return data


def by_both(source: Delimited, tables: list[bytes], root, selection: Selection):
    """What the reader gives, and what the careful one gives for each file alone."""
    directories = []
    for index, data in enumerate(tables):
        directory = root / str(index)
        directory.mkdir(exist_ok=True)
        (directory / source.file_name).write_bytes(data)
        directories.append(str(directory))
    blocks = list(source.read(directories, selection))
    careful = [source.careful(source.load(directory), selection) for directory in directories]
    return blocks, careful


def rows_of(blocks) -> list[list[dict[str, object]]]:
    """For each run, its rows: a column that is text in one run and numbers in another is as text here."""
    runs = []
    for block in blocks:
        assert block.frame.height == sum(block.counts) or not block.frame.width
        start = 0
        for count in block.counts:
            runs.append(block.frame.slice(start, count).to_dicts())
            start += count
    return runs


def same(left: object, right: object) -> bool:
    if isinstance(left, str) != isinstance(right, str):
        # The batch has text in this column: the careful reader saw only this run's numbers.
        text, number = (left, right) if isinstance(left, str) else (right, left)
        return number is not None and same(float(str(text)), number)
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return left == right


@pytest.mark.parametrize("source", [PROGRESS_TXT, PROGRESS_CSV], ids=["txt", "csv"])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_many_files_read_fast_are_what_each_is_read_carefully(source, tmp_path_factory, data):
    tables = data.draw(st.lists(files(source.separator), min_size=1, max_size=4))
    if data.draw(st.booleans()):
        head = tables[0].partition(b"\n")[0]
        tables = [head + b"\n" + table.partition(b"\n")[2] for table in tables]
    columns = data.draw(st.sampled_from([None, ("a",), ("return",), ("steps", "b")]))
    blocks, careful = by_both(source, tables, tmp_path_factory.mktemp("runs"), Selection(columns))
    fast_rows, careful_rows = rows_of(blocks), rows_of(careful)
    assert [len(rows) for rows in fast_rows] == [len(rows) for rows in careful_rows]
    for fast_run, careful_run in zip(fast_rows, careful_rows, strict=True):
        for fast, slow in zip(fast_run, careful_run, strict=True):
            assert list(fast) == list(slow)
            assert all(same(fast[name], slow[name]) for name in fast), (fast, slow)
    if columns is None:
        assert sorted(n for b in blocks for n in b.notes) == sorted(n for b in careful for n in b.notes)


def test_well_formed_files_of_one_header_are_read_in_one_go(tmp_path):
    blocks, careful = by_both(PROGRESS_TXT, [b"a\tb\n1\t2\n", b"a\tb\n3\t4\n5\t6\n"], tmp_path, EVERYTHING)
    (block,) = blocks
    assert block.counts == [1, 2]
    assert_frame_equal(block.frame, pl.concat(one.frame for one in careful))


def notes_of(tmp_path, data: bytes, source: Delimited = PROGRESS_TXT) -> list[str]:
    blocks, _ = by_both(source, [data], tmp_path, EVERYTHING)
    return [note for block in blocks for _, note in block.notes]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"", "progress.txt is empty"),
        (b"a\tb\n1\t2\n3\t", "the last line is not whole, and was left out (2 bytes)"),
        (b"a\tb\n1\n", "1 row is shorter than the header; the cells are empty"),
        (
            b"a\tb\n1\t2\t3\n1\t2\t3\n",
            "2 rows are longer than the header; the cells beyond it were left out",
        ),
        (b"a\tb\n1\t2\na\tb\n3\t4\n", "1 row is the header again, and left out"),
        (b"a\tb\n1\t\xff\n", "there are bytes that are no text; each became the sign \ufffd"),
        (b"a\tb\n1\t2\n3\toops\n", "column 'b' holds numbers and text, such as 'oops' in row 2"),
    ],
)
def test_what_is_left_out_or_odd_is_noted(tmp_path, data, note):
    assert notes_of(tmp_path, data) == [note]


@pytest.mark.parametrize(
    "data", [b"a\tb\n1\t2\n", b"a\tb\n", b"a\tb\n1\tx\n", b"a\tb\n1\t\n", b"a\tb\nnan\tnan\n"]
)
def test_nothing_is_noted_of_a_file_that_is_whole(tmp_path, data):
    assert notes_of(tmp_path, data) == []


def test_a_cell_in_quotes_may_hold_commas_and_line_breaks(tmp_path):
    blocks, _ = by_both(PROGRESS_CSV, [b'a,b\n1,"x,\ny"\n2,z\n'], tmp_path, EVERYTHING)
    assert blocks[0].frame.rows() == [(1.0, "x,\ny"), (2.0, "z")]


@pytest.mark.parametrize("source", [PROGRESS_TXT, PROGRESS_CSV])
def test_columns_of_one_name_are_noted(tmp_path, source):
    for third in "bc":
        table = f"a\tb\t{third}\n1\t2\t3\n".replace("\t", source.separator)
        notes = notes_of(tmp_path, table.encode(), source)
        assert len(notes) == (third == "b")
        assert all("2 columns are called 'b'" in note for note in notes)
