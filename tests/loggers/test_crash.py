"""Runs killed with SIGKILL in front of each thing that they do to the file system, then run again."""

from __future__ import annotations

import itertools
import os
import pickle
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
from loggers.archives import archives
from loggers.crashing import in_a_fork

from spinup.loggers import EpochLogger

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")

EPOCHS = 4


def resuming_thunk(directory: Path) -> None:
    """Saves every second epoch; the model is to be that of the state, whenever it goes on."""
    with EpochLogger(directory, console=False) as logger:
        logger.save_config({"epochs": EPOCHS})
        state = logger.restore()
        model = {"epoch": 0}
        if state is not None:
            model = pickle.loads((directory / "pyt_save" / "model.pt").read_bytes())
            assert model["epoch"] == state["epoch"]
            # Once it was saved it is never lost again.
            assert len((directory / "progress.txt").read_text().splitlines()) == state["epoch"] + 1
        logger.setup_pytorch_saver(model)
        for epoch in range(model["epoch"], EPOCHS):
            logger.store(Return=epoch / 3)
            logger.log_tabular("Epoch", epoch)
            logger.log_tabular("Return")
            if epoch >= 1:
                logger.log_tabular("Late", "x")
            logger.dump_tabular()
            model["epoch"] = epoch + 1
            if epoch % 2 == 0 or epoch == EPOCHS - 1:
                logger.save_state({"epoch": epoch + 1})


def starting_thunk(directory: Path) -> None:
    """Saves states, and never looks at them."""
    with EpochLogger(directory, console=False) as logger:
        logger.setup_pytorch_saver({"epoch": EPOCHS})
        logger.save_config({"epochs": EPOCHS})
        for epoch in range(2):
            logger.log_tabular("Epoch", epoch)
            logger.dump_tabular()
            logger.save_state({"epoch": epoch + 1})


def outcome(directory: Path) -> dict[str, Any]:
    """All that the run has left, but for what a killed process could not clean up."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in files
        if path.suffix not in {".tmp", ".next", ".kept"}
    }


def everything_kept(directory: Path) -> set[bytes]:
    """Every line of every table, and every state and model, those of the archive included."""
    roots = [directory, *archives(directory)]
    tables = [path for root in roots for path in root.rglob("progress.txt")]
    lines = {line for path in tables for line in path.read_bytes().split(b"\n")}
    saved = [path for root in roots for name in ("vars.pkl", "model.pt") for path in root.rglob(name)]
    return lines | {path.read_bytes() for path in saved}


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, Any]:
    directory = tmp_path / "undisturbed"
    assert in_a_fork(directory, resuming_thunk) == 0
    return outcome(directory)


def test_wherever_a_run_is_killed_it_ends_as_if_it_was_not(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    for number in itertools.count():
        directory = tmp_path / str(number)
        if in_a_fork(directory, resuming_thunk, number) == 0:
            break
        assert in_a_fork(directory, resuming_thunk) == 0, number
        assert outcome(directory) == undisturbed, number
    assert number > 30
    assert sorted(undisturbed) == ["config.json", "progress.txt", "pyt_save/model.pt", "vars.pkl"]


def test_wherever_it_is_killed_while_it_goes_on_it_ends_as_if_it_was_not(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    broken = tmp_path / "broken"
    # Before the third save: a state, and rows after it that are to be cut off.
    thirds = (n for n in itertools.count() if killed_after_rows(broken, n) == 3)
    next(thirds)
    for number in itertools.count():
        directory = tmp_path / str(number)
        shutil.copytree(broken, directory)
        if in_a_fork(directory, resuming_thunk, number) == 0:
            break
        assert in_a_fork(directory, resuming_thunk) == 0, number
        assert outcome(directory) == undisturbed, number
    assert number > 10


def killed_after_rows(directory: Path, number: int) -> int:
    """How many rows a new run had logged when it was killed in front of event ``number``."""
    shutil.rmtree(directory, ignore_errors=True)
    assert os.WIFSIGNALED(in_a_fork(directory, resuming_thunk, number))
    table = directory / "progress.txt"
    return table.read_bytes().count(b"\n") - 1 if table.exists() else 0


def test_wherever_a_new_start_is_killed_nothing_of_the_run_before_is_lost(tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert in_a_fork(first, resuming_thunk) == 0
    for number in itertools.count():
        directory = tmp_path / str(number)
        shutil.copytree(first, directory)
        status = in_a_fork(directory, starting_thunk, number)
        assert everything_kept(first) <= everything_kept(directory), number
        if status == 0:
            break
        assert in_a_fork(directory, starting_thunk) == 0, number
        assert (directory / "progress.txt").read_text() == "Epoch\n0\n1\n"
        assert everything_kept(first) <= everything_kept(directory), number
    assert number > 15


@pytest.mark.parametrize("num_bytes", [0, 1, 7])
def test_a_run_killed_in_the_middle_of_a_row_logs_it_again(
    tmp_path: Path, undisturbed: dict[str, Any], num_bytes: int
) -> None:
    def thunk(directory: Path) -> None:
        import spinup.loggers.table as module

        rows = itertools.count()
        whole_line = module.line

        def line(cells: Any) -> str:
            text = whole_line(cells)
            if next(rows) < 5:  # among them two headers
                return text
            with (directory / "progress.txt").open("a") as file:
                file.write(text[:num_bytes])
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

        module.line = line
        resuming_thunk(directory)

    directory = tmp_path / "torn"
    assert os.WIFSIGNALED(in_a_fork(directory, thunk))
    torn = (directory / "progress.txt").read_bytes()
    assert torn.endswith(b"\n") is (num_bytes == 0)
    assert torn.count(b"\n") == 4
    assert in_a_fork(directory, resuming_thunk) == 0
    assert outcome(directory) == undisturbed
