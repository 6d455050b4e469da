from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loggers.archives import archived

from spinup import console, loggers
from spinup.errors import LoggerError, RunDirError
from spinup.loggers import Logger
from spinup.rundir import config
from spinup.rundir.progress import read_rows
from spinup.utils import logx, serialization_utils

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = st.lists(
    st.dictionaries(st.text(max_size=3), st.text(max_size=5), min_size=1, max_size=4), max_size=6
)


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[Logger]:
    with Logger(tmp_path / "run", console=False) as logger:
        yield logger


def log_row(logger: Logger, /, **row: object) -> None:
    for key, value in row.items():
        logger.log_tabular(key, value)
    logger.dump_tabular()


def table(logger: Logger, name: str = "progress.txt") -> str:
    assert logger.output_dir is not None
    return Path(logger.output_dir, name).read_text()


def test_each_row_is_on_disk_once_it_is_dumped(logger: Logger) -> None:
    log_row(logger, Epoch=0, Return=1.5)
    assert table(logger) == "Epoch\tReturn\n0\t1.5\n"
    log_row(logger, Epoch=1, Return=2.5)
    assert table(logger) == "Epoch\tReturn\n0\t1.5\n1\t2.5\n"


def test_a_new_column_widens_the_table(logger: Logger) -> None:
    log_row(logger, Epoch=0)
    log_row(logger, Epoch=1, Late="x")
    log_row(logger, Late="y", Epoch=2)
    assert table(logger) == "Epoch\tLate\n0\t\n1\tx\n2\ty\n"


def test_a_column_that_is_missing_in_a_row_is_an_empty_cell(logger: Logger) -> None:
    log_row(logger, A=0, B=0, C=0)
    log_row(logger, B=1)
    log_row(logger, C=2, A=2)
    assert table(logger) == "A\tB\tC\n0\t0\t0\n\t1\t\n2\t\t2\n"


@given(ROWS)
def test_whatever_is_logged_can_be_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    directory = tmp_path_factory.mktemp("run")
    with Logger(directory, console=False) as logger:
        for row in rows:
            for key, value in row.items():
                logger.log_tabular(key, value)
            logger.dump_tabular()
    columns, cells = read_rows(directory / "progress.txt")
    assert columns == list(dict.fromkeys(key for row in rows for key in row))
    assert cells == [[row.get(column, "") for column in columns] for row in rows]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.int64(3), "3"),
        (np.bool_(True), "True"),
        (np.array(2.5), "2.5"),
        (None, "None"),
        (float("nan"), "nan"),
        (np.nan, "nan"),
        (1e-300, "1e-300"),
        ("a label", "a label"),
        ("two\nlines", r"two\x0alines"),
    ],
)
def test_a_value_is_written_as_spinning_up_writes_it(logger: Logger, value: object, text: str) -> None:
    log_row(logger, Key=value)
    assert table(logger) == f"Key\n{text}\n"


def test_the_same_column_twice_in_a_row_of_the_table_is_an_error(logger: Logger) -> None:
    logger.log_tabular("Epoch", 0)
    with pytest.raises(LoggerError, match=r"'Epoch' is set already.*dump_tabular"):
        logger.log_tabular("Epoch", 1)
    logger.dump_tabular()
    assert table(logger) == "Epoch\n0\n"


def test_a_dump_without_values_writes_nothing(logger: Logger) -> None:
    logger.dump_tabular()
    log_row(logger, Epoch=0)
    logger.dump_tabular()
    assert table(logger) == "Epoch\n0\n"


def test_the_table_is_empty_until_the_first_row(logger: Logger) -> None:
    assert table(logger) == ""


def test_a_full_disk_while_a_column_is_added_costs_no_earlier_row(
    logger: Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *, mode: int) -> IO[bytes]:
        raise OSError(28, "No space left on device")

    log_row(logger, A=0)
    with monkeypatch.context() as patch:
        patch.setattr("spinup.loggers.claim.replacing", full)
        with pytest.raises(OSError, match="No space"):
            log_row(logger, A=1, B=1)
        with pytest.raises(LoggerError, match="or failed"):
            log_row(logger, A=2, B=2)
    logger.dump_tabular()
    log_row(logger, A=2, B=2)
    assert table(logger) == "A\tB\n0\t\n1\t1\n2\t2\n"


def test_nothing_can_be_logged_after_close(logger: Logger) -> None:
    logger.close()
    for use in (
        lambda: logger.log_tabular("A", 0),
        logger.dump_tabular,
        lambda: logger.save_config({}),
        lambda: logger.save_state({}),
    ):
        with pytest.raises(LoggerError, match="is closed"):
            use()


def test_it_can_be_closed_twice(logger: Logger) -> None:
    log_row(logger, A=0)
    logger.close()
    logger.close()
    assert table(logger) == "A\n0\n"


def test_values_that_were_never_dumped_are_named_at_the_end(
    logger: Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.log_tabular("Epoch", 0)
    logger.log_tabular("Return", 1)
    logger.close()
    assert capsys.readouterr().out == "Not in the table, for want of dump_tabular: Epoch, Return.\n"


def test_a_logger_that_is_forgotten_closes_its_table(tmp_path: Path) -> None:
    log_row(Logger(tmp_path, console=False), A=0)
    gc.collect()  # a file left open is a ResourceWarning, which is an error here
    assert (tmp_path / "progress.txt").read_text() == "A\n0\n"


def test_an_interpreter_that_exits_closes_the_logger(tmp_path: Path) -> None:
    script = (
        "import sys; from spinup.utils.logx import Logger\n"
        "logger = Logger(sys.argv[1], console=False)\n"
        "logger.log_tabular('A', 0); logger.dump_tabular(); logger.log_tabular('B', 1)\n"
        "assert 'numpy' not in sys.modules\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, tmp_path], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "Not in the table, for want of dump_tabular: B.\n"
    assert (tmp_path / "progress.txt").read_text() == "A\n0\n"


def test_two_loggers_without_a_directory_share_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("time.time", lambda: 1234.5)
    with Logger(console=False) as first, Logger(console=False) as second:
        assert first.output_dir == str(tmp_path / "experiments" / "1234")
        assert second.output_dir == str(tmp_path / "experiments" / "1234_2")


def test_the_directory_is_made_and_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Logger("data/my run", console=False) as logger:
        os.chdir("elsewhere")
        log_row(logger, A=0)
        log_row(logger, B=1)
        logger.save_state({})
        logger.save_config({})
    directory = tmp_path / "data" / "my run"
    assert logger.output_dir == str(directory)
    assert sorted(os.listdir(directory)) == ["config.json", "progress.txt", "vars.pkl"]
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunDirError, match="file"):
        Logger(tmp_path / "file", console=False)


def test_two_tables_in_one_directory_are_apart(tmp_path: Path) -> None:
    with (
        Logger(tmp_path, console=False) as train,
        Logger(tmp_path, output_fname="eval.txt", console=False) as evaluation,
    ):
        log_row(train, A=0)
        log_row(evaluation, B=1)
        log_row(train, C=2)
    assert table(train) == "A\tC\n0\t\n\t2\n"
    assert table(train, "eval.txt") == "B\n1\n"


def test_a_second_logger_of_one_table_ends_the_first(tmp_path: Path) -> None:
    first = Logger(tmp_path, console=False)
    log_row(first, A=0)
    with Logger(tmp_path, console=False) as second:
        with pytest.raises(LoggerError, match="taken over"):
            first.log_tabular("A", 1)
        log_row(second, B=1)
    assert table(second) == "B\n1\n"
    assert [path.read_text() for path in archived(tmp_path, "progress.txt")] == ["A\n0\n"]


def test_only_rank_0_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("spinup.mpi.rank", lambda: 1)
    with Logger(tmp_path / "run") as logger:
        logger.log("hello")
        log_row(logger, A=0)
        log_row(logger, B=1)
        logger.save_config({"a": 1})
        logger.save_state({"a": 1})
        logger.log_tabular("A", 2)
    assert logger.output_dir is None
    assert os.listdir(tmp_path) == []
    assert capsys.readouterr().out == ""


def test_what_is_printed_is_what_spinning_up_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logger(tmp_path, exp_name="walk") as logger:
        logger.log("Number of parameters: 7")
        log_row(logger, Epoch=1, Return=-0.123456)
        logger.save_config({"gamma": 0.99})
    assert capsys.readouterr().out.splitlines() == [
        f"Logging data to {tmp_path / 'progress.txt'}",
        "Number of parameters: 7",
        "-" * 37,
        "|           Epoch |               1 |",
        "|          Return |          -0.123 |",
        "-" * 37,
        "Saving config:",
        "",
        "{",
        '    "exp_name":\t"walk",',
        '    "gamma":\t0.99',
        "}",
    ]


def test_without_console_nothing_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Logger(tmp_path, console=False) as logger:
        logger.log("hello")
        log_row(logger, Epoch=1)
        logger.save_config({})
    assert capsys.readouterr().out == ""


def test_spinning_ups_paths_lead_to_the_same_things() -> None:
    assert logx.Logger is loggers.Logger
    assert logx.EpochLogger is loggers.EpochLogger
    assert logx.colorize is console.colorize
    assert logx.convert_json is serialization_utils.convert_json is config.to_json
