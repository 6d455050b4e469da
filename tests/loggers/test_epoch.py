from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from spinup.errors import LoggerError
from spinup.loggers import EpochLogger
from spinup.rundir.progress import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[EpochLogger]:
    with EpochLogger(tmp_path, console=False) as logger:
        yield logger


def rows(logger: EpochLogger) -> list[list[str]]:
    """The header, then the rows."""
    logger.dump_tabular()
    assert logger.output_dir is not None
    header, rows = read_rows(Path(logger.output_dir, "progress.txt"))
    return [header, *rows]


def test_an_average_comes_with_its_deviation(logger: EpochLogger) -> None:
    logger.store(Ret=1)
    logger.store(Ret=3)
    logger.log_tabular("Ret")
    assert rows(logger) == [["AverageRet", "StdRet"], ["2.0", "1.0"]]


def test_the_extremes_come_after_the_average_maximum_first(logger: EpochLogger) -> None:
    logger.store(Ret=[1, 2, 6])
    logger.log_tabular("Ret", with_min_and_max=True)
    header, row = rows(logger)
    assert header == ["AverageRet", "StdRet", "MaxRet", "MinRet"]
    assert [row[0], row[2], row[3]] == ["3.0", "6.0", "1.0"]


def test_the_average_alone_has_the_plain_name(logger: EpochLogger) -> None:
    logger.store(Loss=1.5)
    logger.log_tabular("Loss", average_only=True)
    assert rows(logger) == [["Loss"], ["1.5"]]


def test_the_average_alone_may_come_with_extremes(logger: EpochLogger) -> None:
    logger.store(Loss=1.5)
    logger.log_tabular("Loss", None, True, True)
    assert rows(logger)[0] == ["Loss", "MaxLoss", "MinLoss"]


def test_a_value_is_logged_as_it_is(logger: EpochLogger) -> None:
    logger.store(Epoch=5)
    logger.log_tabular("Epoch", 0)
    assert rows(logger) == [["Epoch"], ["0"]]


def test_an_epoch_begins_with_nothing_stored(logger: EpochLogger) -> None:
    logger.store(Ret=1)
    logger.log_tabular("Ret")
    logger.dump_tabular()
    logger.store(Ret=3)
    logger.log_tabular("Ret")
    assert rows(logger)[1:] == [["1.0", "0.0"], ["3.0", "0.0"]]


def test_an_epoch_without_values_has_empty_cells(logger: EpochLogger) -> None:
    for epoch in range(3):
        if epoch == 1:
            logger.store(Ret=7)
        logger.log_tabular("Epoch", epoch)
        logger.log_tabular("Ret", with_min_and_max=True)
        logger.dump_tabular()
    assert rows(logger) == [
        ["Epoch", "AverageRet", "StdRet", "MaxRet", "MinRet"],
        ["0", "", "", "", ""],
        ["1", "7.0", "0.0", "7.0", "7.0"],
        ["2", "", "", "", ""],
    ]


def test_a_row_of_empty_cells_alone_is_a_row(logger: EpochLogger) -> None:
    logger.log_tabular("Loss", average_only=True)
    logger.dump_tabular()
    logger.log_tabular("Loss", average_only=True)
    assert rows(logger) == [["Loss"], [""], [""]]


def test_statistics_cover_numbers_arrays_and_lists_together(logger: EpochLogger) -> None:
    logger.store(V=1, W=0)
    logger.store(V=np.float32(2))
    logger.store(V=np.array([[3, 4], [5, 6]]))
    logger.store(V=[7, np.array(8)])
    assert logger.get_stats("V") == (4.5, pytest.approx(math.sqrt(5.25)))


def test_asking_for_statistics_forgets_nothing(logger: EpochLogger) -> None:
    logger.store(V=1)
    assert logger.get_stats("V") == logger.get_stats("V") == (1.0, 0.0)


def test_the_statistics_of_nothing_are_nan(logger: EpochLogger) -> None:
    mean, std = logger.get_stats("never stored")
    assert math.isnan(mean)
    assert math.isnan(std)


def test_an_array_that_is_reused_later_keeps_what_was_stored(logger: EpochLogger) -> None:
    buffer = np.ones(3)
    logger.store(V=buffer)
    buffer[:] = 9
    assert logger.get_stats("V") == (1.0, 0.0)


def test_a_key_may_be_called_self(logger: EpochLogger) -> None:
    logger.store(self=1)
    assert logger.get_stats("self") == (1.0, 0.0)


def test_text_cannot_be_stored(logger: EpochLogger) -> None:
    with pytest.raises(LoggerError, match="Cannot store Ret='high'"):
        logger.store(Ret="high")


def test_the_same_statistics_twice_in_a_row_are_an_error_that_loses_nothing(logger: EpochLogger) -> None:
    logger.store(Ret=1)
    logger.log_tabular("Ret")
    logger.store(Ret=3)
    with pytest.raises(LoggerError, match="AverageRet"):
        logger.log_tabular("Ret")
    assert logger.get_stats("Ret") == (3.0, 0.0)


def test_nothing_can_be_stored_after_close(logger: EpochLogger) -> None:
    logger.close()
    with pytest.raises(LoggerError, match="is closed"):
        logger.store(Ret=1)


def test_an_empty_cell_is_blank_in_the_printed_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EpochLogger(tmp_path) as logger:
        logger.log_tabular("Ret", average_only=True)
        logger.dump_tabular()
    assert "|             Ret |                 |" in capsys.readouterr().out.splitlines()
