from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from spinup.errors import RunDirError
from spinup.loggers import Logger
from spinup.loggers.earlier import new_directory
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State, Status, write_status

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A directory in which a script of another process has run."""
    (tmp_path / "progress.txt").write_text("Epoch\n0\n")
    (tmp_path / "config.json").write_text('{"gamma": 0.9}')
    (tmp_path / "vars.pkl").write_bytes(b"state")
    (tmp_path / "vars10.pkl").write_bytes(b"state 10")
    (tmp_path / "pyt_save").mkdir()
    (tmp_path / "pyt_save" / "model.pt").write_bytes(b"model")
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def contents(directory: Path) -> list[str]:
    """Every file below ``directory``, but those of the archive."""
    files = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.parts[0] != ".archive")


def archived(directory: Path) -> list[list[str]]:
    return [contents(archive) for archive in sorted(directory.glob(".archive/*"))]


def run(directory: Path) -> None:
    """What a script does that knows nothing of earlier attempts."""
    with Logger(directory, console=False) as logger:
        logger.log_tabular("Epoch", 1)
        logger.dump_tabular()


def test_the_first_row_moves_the_files_of_an_earlier_run_aside(earlier: Path) -> None:
    run(earlier)
    assert contents(earlier) == ["notes.txt", "progress.txt"]
    assert (earlier / "progress.txt").read_text() == "Epoch\n1\n"
    assert archived(earlier) == [
        ["config.json", "progress.txt", "pyt_save/model.pt", "vars.pkl", "vars10.pkl"]
    ]
    [table] = earlier.glob(".archive/*/progress.txt")
    assert table.read_text() == "Epoch\n0\n"


def test_the_first_saved_state_moves_them_too(earlier: Path) -> None:
    with Logger(earlier, console=False) as logger:
        logger.save_state({})
    assert contents(earlier) == ["notes.txt", "progress.txt", "vars.pkl"]
    assert (earlier / "progress.txt").read_text() == ""
    assert len(archived(earlier)) == 1


@pytest.mark.parametrize("is_launched", [True, False])
def test_before_that_everything_of_an_earlier_run_stays(earlier: Path, *, is_launched: bool) -> None:
    if is_launched:
        status = Status(state=State.RUNNING, exp_name="walk", seed=0, identity="x", attempt=2)
        write_status(RunDir(earlier), status)
    before = {path: path.read_bytes() for path in earlier.rglob("*.*") if path.is_file()}
    del before[earlier / "config.json"]  # a launched run adds to it
    with Logger(earlier, console=False) as logger:
        logger.save_config({"gamma": 0.9})
        logger.log_tabular("Epoch", 0)
        assert {path: path.read_bytes() for path in before} == before
        assert archived(earlier) == []
    assert {path: path.read_bytes() for path in before} == before


def test_settings_are_written_once_the_earlier_ones_are_moved(
    earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logger(earlier) as logger:
        logger.save_config({"gamma": 0.5})
        logger.save_config({"lam": 1})
        assert '"gamma":\t0.5,\n    "lam":\t1' in capsys.readouterr().out
        assert (earlier / "config.json").read_text() == '{"gamma": 0.9}'
        logger.log_tabular("Epoch", 0)
        logger.dump_tabular()
        assert (earlier / "config.json").read_text() == '{\n    "gamma":\t0.5,\n    "lam":\t1\n}'
    [config] = earlier.glob(".archive/*/config.json")
    assert config.read_text() == '{"gamma": 0.9}'
    assert "Not written" not in capsys.readouterr().out


def test_settings_that_were_never_written_are_named_at_the_end(
    earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logger(earlier, console=False) as logger:
        logger.save_config({"gamma": 0.5, "lam": 1})
    assert (earlier / "config.json").read_text() == '{"gamma": 0.9}'
    assert "Not written: gamma, lam." in capsys.readouterr().out


def test_the_move_is_said_in_one_line_even_without_console(
    earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(earlier)
    [archive] = earlier.glob(".archive/*")
    [line] = capsys.readouterr().out.splitlines()
    assert str(earlier) in line
    assert str(archive) in line


def test_the_archive_is_named_by_the_time_in_utc(earlier: Path) -> None:
    run(earlier)
    [name] = os.listdir(earlier / ".archive")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z", name)


def test_the_directory_that_a_launcher_has_made_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "vars.pkl").write_bytes(b"state to go on from")
    Logger(tmp_path, console=False).close()
    assert contents(tmp_path) == ["config.json", "progress.txt", "vars.pkl"]
    assert archived(tmp_path) == []


def test_what_cannot_be_moved_is_not_overwritten(earlier: Path) -> None:
    (earlier / ".archive").write_text("a file in the way")
    with Logger(earlier, console=False) as logger:
        logger.log_tabular("Epoch", 1)
        with pytest.raises(RunDirError, match=r"could not be moved to its \.archive"):
            logger.dump_tabular()
        (earlier / ".archive").unlink()
        logger.dump_tabular()
    assert (earlier / "progress.txt").read_text() == "Epoch\n1\n"
    assert len(archived(earlier)) == 1


def test_an_empty_table_alone_is_not_worth_a_move(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "progress.txt").touch()
    Logger(tmp_path, console=False).close()
    assert archived(tmp_path) == []
    assert capsys.readouterr().out == ""


def test_settings_of_a_run_that_broke_before_its_first_row_are_moved(earlier: Path) -> None:
    (earlier / "progress.txt").write_text("")
    for path in (*earlier.glob("vars*"), earlier / "pyt_save" / "model.pt"):
        path.unlink()
    (earlier / "pyt_save").rmdir()
    with Logger(earlier, console=False) as logger:
        logger.save_config({"gamma": 0.5})
    assert (earlier / "config.json").read_text() == '{\n    "gamma":\t0.5\n}'
    assert archived(earlier) == [["config.json"]]


@pytest.mark.parametrize(("state", "is_kept"), [(State.RUNNING, True), (State.DONE, False)])
def test_settings_that_a_launcher_has_just_written_stay(
    earlier: Path, state: State, *, is_kept: bool
) -> None:
    write_status(RunDir(earlier), Status(state=state, exp_name="walk", seed=0, identity="x"))
    run(earlier)
    assert ("config.json" in contents(earlier)) is is_kept
    assert "vars.pkl" not in contents(earlier)


def test_a_damaged_status_counts_as_none(earlier: Path) -> None:
    (earlier / "status.json").write_text("{")
    run(earlier)
    assert "config.json" not in contents(earlier)


def test_a_second_table_moves_only_its_own_earlier_one(earlier: Path) -> None:
    (earlier / "eval.txt").write_text("Epoch\n0\n")
    with Logger(earlier, console=False) as train:
        train.save_config({"gamma": 0.5})
        train.save_state({})
        train.log_tabular("Epoch", 1)
        train.dump_tabular()
        with Logger(earlier, output_fname="eval.txt", console=False) as evaluation:
            evaluation.log_tabular("Epoch", 2)
            evaluation.dump_tabular()
            assert contents(earlier) == [
                "config.json",
                "eval.txt",
                "notes.txt",
                "progress.txt",
                "vars.pkl",
            ]
    assert (earlier / "progress.txt").read_text() == "Epoch\n1\n"
    assert (earlier / "eval.txt").read_text() == "Epoch\n2\n"
    assert sorted(map(len, archived(earlier))) == [1, 5]


def test_the_first_row_in_any_table_moves_all_of_them(earlier: Path) -> None:
    (earlier / "eval.txt").write_text("Epoch\n0\n")
    with (
        Logger(earlier, console=False) as train,
        Logger(earlier, output_fname="eval.txt", console=False) as evaluation,
    ):
        train.save_config({"gamma": 0.5})
        evaluation.log_tabular("Epoch", 2)
        evaluation.dump_tabular()
        assert contents(earlier) == ["config.json", "eval.txt", "notes.txt"]
        train.log_tabular("Epoch", 1)
        train.dump_tabular()
    assert (earlier / "config.json").read_text() == '{\n    "gamma":\t0.5\n}'
    assert (earlier / "progress.txt").read_text() == "Epoch\n1\n"
    assert list(map(len, archived(earlier))) == [6]


def test_a_state_that_was_there_before_any_logger_is_not_the_newest(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        logger.save_state({"of": "another run"})
        logger.save_state({"of": "another run"}, itr=7)
    (tmp_path / "progress.txt").unlink()
    with Logger(tmp_path, console=False) as logger:
        logger.save_state({"of": "this run"})
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == {"of": "this run"}


def test_the_same_run_once_more_in_one_process_moves_everything(tmp_path: Path) -> None:
    for epoch in range(3):
        with Logger(tmp_path, console=False) as train:
            train.save_config({"epoch": epoch})
            with Logger(tmp_path, output_fname="eval.txt", console=False) as evaluation:
                for logger in (train, evaluation):
                    logger.log_tabular("Epoch", epoch)
                    logger.dump_tabular()
        assert contents(tmp_path) == ["config.json", "eval.txt", "progress.txt"]
    tables = sorted(path.read_text() for path in tmp_path.rglob("progress.txt"))
    settings = sorted(path.read_text() for path in tmp_path.rglob("config.json"))
    assert tables == [f"Epoch\n{epoch}\n" for epoch in range(3)]
    assert settings == [f'{{\n    "epoch":\t{epoch}\n}}' for epoch in range(3)]
    assert len(list(tmp_path.rglob("eval.txt"))) == 3


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    names = [new_directory(tmp_path / "a" / "b", "now").name for _ in range(3)]
    assert names == ["now", "now_2", "now_3"]
