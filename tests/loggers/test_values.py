from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from spinup.errors import LoggerError
from spinup.loggers import EpochLogger, Logger

if TYPE_CHECKING:
    from pathlib import Path


class Textless:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Numberless:
    def __str__(self) -> str:
        return "text"

    def __float__(self) -> float:
        raise RuntimeError("no number")


def table(directory: Path) -> str:
    return (directory / "progress.txt").read_text()


@pytest.mark.parametrize("is_first", [True, False])
def test_a_value_without_text_is_named_and_costs_no_row(tmp_path: Path, *, is_first: bool) -> None:
    with Logger(tmp_path) as logger:
        if not is_first:
            logger.log_tabular("A", 0)
            logger.dump_tabular()
        before = table(tmp_path)
        logger.log_tabular("A", 1)
        logger.log_tabular("Bad", Textless())
        with pytest.raises(LoggerError, match="value of 'Bad' has no text: RuntimeError") as caught:
            logger.dump_tabular()
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert table(tmp_path) == before
        logger._row["Bad"] = 2
        logger.dump_tabular()
    assert table(tmp_path).endswith("1\t2\n")


def test_a_value_whose_number_fails_is_shown_as_its_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logger(tmp_path) as logger:
        logger.log_tabular("A", Numberless())
        logger.dump_tabular()
    assert table(tmp_path) == "A\ntext\n"
    assert "|            text |" in capsys.readouterr().out


def test_a_number_of_another_type_is_whole_in_the_table_and_short_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logger(tmp_path) as logger:
        logger.log_tabular("A", np.float64(0.123456))
        logger.dump_tabular()
    assert table(tmp_path) == "A\n0.123456\n"
    assert "|           0.123 |" in capsys.readouterr().out


@pytest.mark.parametrize("key", [[1], 1, None])
def test_a_column_is_called_by_a_string(tmp_path: Path, key: Any) -> None:
    with EpochLogger(tmp_path, console=False) as logger:
        for value in (1, None):
            with pytest.raises(LoggerError, match="must be a string"):
                logger.log_tabular(key, value)


def test_a_list_that_holds_itself_cannot_be_stored(tmp_path: Path) -> None:
    endless: list[Any] = [1.0]
    endless.append(endless)
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep, "x"]
    with EpochLogger(tmp_path, console=False) as logger:
        for value in (endless, deep):
            with pytest.raises(LoggerError, match=r"Cannot store x=\["):
                logger.store(x=value)
        assert logger.epoch_dict == {}
