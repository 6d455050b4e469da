from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from loggers.archives import archived as archived_files
from loggers.archives import archives
from loggers.otherprocess import OtherProcess

from spinup.errors import RunDirError
from spinup.loggers import Logger
from spinup.loggers.earlier import data_dir_of, looks_like_table, new_directory
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State, Status, write_status
from spinup.utils.run_utils import setup_logger_kwargs


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A directory in which a script of another process has run."""
    tmp_path = tmp_path / "run"
    tmp_path.mkdir()
    (tmp_path / "progress.txt").write_text("Epoch\n0\n")
    (tmp_path / "config.json").write_text('{"gamma": 0.9}')
    (tmp_path / "vars.pkl").write_bytes(b"state")
    (tmp_path / "vars10.pkl").write_bytes(b"state 10")
    (tmp_path / "pyt_save").mkdir()
    (tmp_path / "pyt_save" / "model.pt").write_bytes(b"model")
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def contents(directory: Path) -> list[str]:
    """Every file below ``directory``."""
    files = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(map(str, files))


def archived(directory: Path) -> list[list[str]]:
    return [contents(archive) for archive in archives(directory)]


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
    [table] = archived_files(earlier, "progress.txt")
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
    [config] = archived_files(earlier, "config.json")
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
    [archive] = archives(earlier)
    [line] = capsys.readouterr().out.splitlines()
    assert str(earlier) in line
    assert str(archive) in line


def test_the_archive_is_named_by_the_time_in_utc(earlier: Path) -> None:
    run(earlier)
    [name] = os.listdir(earlier.parent / ".archive")
    assert re.fullmatch(r"run@\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", name)


def test_the_directory_that_a_launcher_has_made_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "vars.pkl").write_bytes(b"state to go on from")
    Logger(tmp_path, console=False).close()
    assert contents(tmp_path) == ["config.json", "progress.txt", "vars.pkl"]
    assert archived(tmp_path) == []


def test_what_cannot_be_moved_is_not_overwritten(earlier: Path) -> None:
    for directory in (earlier, earlier.parent):
        (directory / ".archive").write_text("a file in the way")
    with Logger(earlier, console=False) as logger:
        logger.log_tabular("Epoch", 1)
        with pytest.raises(RunDirError, match=r"could not be moved to an archive"):
            logger.dump_tabular()
        assert (earlier / "progress.txt").read_text() == "Epoch\n0\n"
        (earlier.parent / ".archive").unlink()
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


def test_the_earlier_one_of_a_second_table_is_moved_with_the_rest(earlier: Path) -> None:
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
    assert list(map(len, archived(earlier))) == [6]


def test_the_first_row_in_any_table_moves_all_of_them(earlier: Path) -> None:
    (earlier / "eval.txt").write_text("Epoch\n0\n")
    with (
        Logger(earlier, console=False) as train,
        Logger(earlier, output_fname="eval.txt", console=False) as evaluation,
    ):
        train.save_config({"gamma": 0.5})
        evaluation.log_tabular("Epoch", 2)
        evaluation.dump_tabular()
        assert contents(earlier) == ["config.json", "eval.txt", "notes.txt", "progress.txt"]
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
    found = {
        name: sorted(path.read_text() for path in [tmp_path / name, *archived_files(tmp_path, name)])
        for name in ("progress.txt", "config.json", "eval.txt")
    }
    assert found["progress.txt"] == found["eval.txt"] == [f"Epoch\n{epoch}\n" for epoch in range(3)]
    assert found["config.json"] == [f'{{\n    "epoch":\t{epoch}\n}}' for epoch in range(3)]


FIRST = ("logger = open(D, 'a.txt')", "logger.save_config({'lr': 1})")
ROW, STATE = "row(logger, Epoch=0)", "logger.save_state({'lr': 1})"


@pytest.mark.parametrize("use", [(STATE,), (ROW, STATE), (ROW,), ()])
def test_the_run_of_an_earlier_process_is_moved_as_a_whole_whatever_its_table_is_called(
    tmp_path: Path, use: tuple[str, ...]
) -> None:
    directory = tmp_path / "run"
    with OtherProcess(directory) as first:
        assert {first.run(line) for line in (*FIRST, *use)} == {"done"}
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.stat().st_size}
    with OtherProcess(directory) as second:
        for line in ("logger = open(D, 'b.txt')", "logger.save_config({'lr': 2})"):
            assert second.run(line) == "done"
        assert second.run("logger.save_state({'lr': 2})") == "done"
    [archive] = archives(directory)
    assert {path.name: path.read_bytes() for path in archive.iterdir()} == before
    assert (directory / "config.json").read_text() == '{\n    "lr":\t2\n}'
    with Logger(directory, "b.txt", console=False) as logger:
        assert logger.restore() == {"lr": 2}


def test_before_the_first_row_another_table_moves_nothing(tmp_path: Path) -> None:
    with OtherProcess(tmp_path) as first:
        assert {first.run(line) for line in (*FIRST, ROW)} == {"done"}
    with Logger(tmp_path, "b.txt", console=False):
        assert archives(tmp_path) == []


def test_a_logger_of_another_table_may_go_on_with_the_run(tmp_path: Path) -> None:
    with OtherProcess(tmp_path) as first:
        assert {first.run(line) for line in (*FIRST, ROW, STATE)} == {"done"}
    with Logger(tmp_path, "b.txt", console=False) as logger:
        assert logger.restore() == {"lr": 1}
        run_of(logger)
    assert (tmp_path / "a.txt").read_text() == "Epoch\n0\n"
    assert archives(tmp_path) == []


def run_of(logger: Logger) -> None:
    logger.log_tabular("Epoch", 1)
    logger.dump_tabular()


def test_another_table_of_a_launched_run_moves_nothing_of_it(tmp_path: Path) -> None:
    write_status(RunDir(tmp_path), Status(state=State.RUNNING, exp_name="walk", seed=0, identity="x"))
    with OtherProcess(tmp_path) as first:
        assert {first.run(line) for line in (*FIRST, ROW, STATE)} == {"done"}
    with Logger(tmp_path, "b.txt", console=False) as logger:
        run_of(logger)
    assert contents(tmp_path) == ["a.txt", "b.txt", "config.json", "status.json", "vars.pkl"]


def test_another_table_of_this_process_moves_nothing_of_the_run(tmp_path: Path) -> None:
    with Logger(tmp_path, "a.txt", console=False) as first:
        first.save_config({"lr": 1})
        run_of(first)
    with Logger(tmp_path, "b.txt", console=False) as second:
        run_of(second)
    assert contents(tmp_path) == ["a.txt", "b.txt", "config.json"]


@pytest.mark.parametrize(
    ("start", "is_table"),
    [
        (b"", True),
        (b"A\tB\n", True),
        (b"A\tB\n0\t1\n2\t", True),
        (b"A\n0\n1e-3\nnan\n", True),
        (b"A", False),
        (b"A\n", False),
        (b"1\n2\n", False),
        (b"torch\nnumpy\n", False),
        (b"A\tB\n0\n", False),
        (b"A\tB\n\0\t1\n", False),
    ],
)
def test_a_table_is_known_by_its_looks(start: bytes, *, is_table: bool) -> None:
    assert looks_like_table(start) is is_table


DATA = Path("/data")


@pytest.mark.parametrize(
    ("output_dir", "data_dir"),
    [
        ("ppo/ppo_s0", "."),
        ("ppo/ppo_s-1", "."),
        ("deep/er/ppo/ppo_s0", "deep/er"),
        ("2026-01-02_ppo/2026-01-02_03-04-05_ppo_s0", "."),
        ("a/b/a/b_s0", "."),
        ("2026-01-02_a/b/2026-01-02_03-04-05_a/b_s0", "."),
        ("ppo", "."),
        ("ppo/vpg_s0", "ppo"),
        ("b/a/b_s0", "b/a"),
        ("ppo/ppo", "ppo"),
    ],
)
def test_the_directory_that_a_run_belongs_to_is_above_its_experiment(
    output_dir: str, data_dir: str
) -> None:
    assert data_dir_of(DATA / output_dir) == DATA / data_dir


@pytest.mark.parametrize("exp_name", ["ppo", "a/b"])
def test_an_earlier_run_is_moved_out_of_its_experiment(tmp_path: Path, exp_name: str) -> None:
    kwargs = setup_logger_kwargs(exp_name, 3, tmp_path)
    directory = Path(kwargs["output_dir"])
    for _ in range(2):
        run(directory)
    # Spinning Up's plotter takes each of these for a seed.
    assert list((tmp_path / exp_name).rglob("progress.txt")) == [directory / "progress.txt"]
    [archive] = (tmp_path / ".archive").iterdir()
    assert archive.name.startswith(f"{directory.name}@")


def test_an_archive_is_inside_where_it_cannot_be_beside(tmp_path: Path) -> None:
    (tmp_path / ".archive").write_text("a file in the way")
    for _ in range(2):
        run(tmp_path / "run")
    [table] = (tmp_path / "run" / ".archive").glob("run@*/progress.txt")
    assert table.read_text() == "Epoch\n1\n"


def test_the_message_says_what_was_moved(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(10):
        (earlier / f"vars{number}.pkl").touch()
    run(earlier)
    out = capsys.readouterr().out
    assert "config.json, vars.pkl, vars0.pkl" in out
    assert "and 7 more.\n" in out


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    names = [new_directory(tmp_path / "a" / "b", "now").name for _ in range(3)]
    assert names == ["now", "now_2", "now_3"]
