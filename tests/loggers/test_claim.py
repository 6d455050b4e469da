"""Who may write a table: with real processes, as it is the kernel that decides."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from loggers.archives import archived, archives
from loggers.crashing import in_a_fork
from loggers.otherprocess import OtherProcess

from spinup.errors import RunDirError, RunIsLive
from spinup.loggers import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def other(directory: Path) -> Iterator[OtherProcess]:
    with OtherProcess(directory) as other:
        yield other


def log_row(logger: Logger, /, **row: object) -> None:
    for key, value in row.items():
        logger.log_tabular(key, value)
    logger.dump_tabular()


def table(directory: Path, name: str = "progress.txt") -> str:
    return (directory / name).read_text()


def refuses(directory: Path, name: str = "progress.txt") -> bool:
    """Whether this process may not log to a table."""
    try:
        Logger(directory, name, console=False).close()
    except RunIsLive as error:
        return str(directory / name) in str(error)
    return False


def test_a_table_that_another_process_writes_is_refused_from_its_logger_to_its_end(
    directory: Path, other: OtherProcess
) -> None:
    assert other.run("logger = open(D)") == "done"
    assert refuses(directory)
    for line in ("row(logger, A=0)", "row(logger, A=1, B=1)", "logger.save_state({})", "row(logger, C=2)"):
        assert other.run(line) == "done"
        assert refuses(directory)
    assert other.run("logger.close()") == "done"
    assert table(directory) == "A\tB\tC\n0\t\t\n1\t1\t\n\t\t2\n"
    assert not refuses(directory)


def test_a_new_column_loses_no_row_of_two_scripts_started_at_once(
    directory: Path, other: OtherProcess
) -> None:
    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        assert other.run("second = open(D)").startswith("RunIsLive: ")
        log_row(logger, A=1, B=1)
    assert table(directory) == "A\tB\n0\t\n1\t1\n"
    assert archives(directory) == []


def test_a_table_that_moved_an_earlier_one_away_is_refused_too(
    directory: Path, other: OtherProcess
) -> None:
    other.run("row(open(D), A=0)")
    other.run("loggers['progress.txt'].close()")
    with Logger(directory, console=False) as logger:
        log_row(logger, A=1)
        assert other.run("open(D)").startswith("RunIsLive: ")
    assert table(directory) == "A\n1\n"


def test_a_table_that_was_cut_back_is_refused_too(directory: Path, other: OtherProcess) -> None:
    other.run("logger = open(D)")
    for line in ("row(logger, A=0)", "logger.save_state({})", "row(logger, A=1)", "logger.close()"):
        other.run(line)
    with Logger(directory, console=False) as logger:
        logger.restore()
        assert other.run("open(D)").startswith("RunIsLive: ")
        log_row(logger, A=1)
    assert table(directory) == "A\n0\n1\n"


def test_a_killed_process_holds_nothing_and_leaves_nothing(directory: Path, other: OtherProcess) -> None:
    other.run("logger = open(D)")
    other.run("row(logger, A=0)")
    assert refuses(directory)
    other.kill()
    assert sorted(path.name for path in directory.iterdir()) == ["progress.txt"]
    assert sorted(path.name for path in directory.parent.iterdir()) == ["run"]
    assert not refuses(directory)


def test_two_processes_with_a_table_each_work_side_by_side(directory: Path, other: OtherProcess) -> None:
    other.run("logger = open(D, 'a.txt')")
    other.run("logger.save_config({'lr': 1})")
    other.run("row(logger, A=0)")
    other.run("logger.save_state({'of': 'the other'})")
    with Logger(directory, "b.txt", console=False) as logger:
        log_row(logger, B=0)
        other.run("row(logger, A=1, C=1)")
        log_row(logger, B=1, D=1)
    assert (table(directory, "a.txt"), table(directory, "b.txt")) == (
        "A\tC\n0\t\n1\t1\n",
        "B\tD\n0\t\n1\t1\n",
    )
    assert (directory / "vars.pkl").exists()
    assert archives(directory) == []


def test_who_began_beside_a_live_run_moves_nothing_of_it_when_it_has_ended(
    directory: Path, other: OtherProcess
) -> None:
    other.run("logger = open(D)")
    with Logger(directory, "eval.txt", console=False) as evaluation:
        for line in ("logger.save_config({'lr': 1})", "row(logger, A=0)", "logger.save_state({})"):
            other.run(line)
        other.end()
        log_row(evaluation, B=0)
    assert archives(directory) == []
    assert table(directory) == "A\n0\n"


def test_a_run_that_began_since_is_not_taken_for_an_earlier_one(
    directory: Path, other: OtherProcess
) -> None:
    with OtherProcess(directory) as earlier:
        for line in ("row(open(D), Old=0)", "loggers['progress.txt'].save_config({'lr': 0})"):
            earlier.run(line)
    with Logger(directory, "eval.txt", console=False) as evaluation:
        for line in ("logger = open(D)", "row(logger, A=0)", "logger.save_config({'lr': 1})"):
            other.run(line)
        log_row(evaluation, B=0)
        assert table(directory) == "A\n0\n"
        assert '"lr":\t1' in table(directory, "config.json")
    assert len(archives(directory)) == 1


def test_restore_leaves_the_table_of_another_process_alone(directory: Path, other: OtherProcess) -> None:
    other.run("logger = open(D)")
    for line in ("row(logger, A=0)", "logger.save_state({})", "row(logger, A=1)"):
        other.run(line)
    with Logger(directory, "b.txt", console=False) as logger, pytest.raises(RunIsLive, match="progress"):
        logger.restore()
    other.run("row(logger, A=2, B=2)")
    assert table(directory) == "A\tB\n0\t\n1\t\n2\t2\n"


def test_one_directory_spelled_in_two_ways_has_one_table(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with Logger(tmp_path / "real", console=False) as first:
        log_row(first, A=0)
        first.save_config({"run": 1})
        with Logger(tmp_path / "link" / ".." / "link", console=False) as second:
            log_row(second, B=1)
            log_row(second, B=2, C=2)
    assert table(tmp_path / "real") == "B\tC\n1\t\n2\t2\n"
    [earlier] = archived(tmp_path / "real", "progress.txt")
    assert earlier.read_text() == "A\n0\n"


def test_two_tables_of_a_directory_spelled_in_two_ways_are_of_one_run(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with Logger(tmp_path / "real", console=False) as train:
        log_row(train, A=0)
        with Logger(tmp_path / "link", "eval.txt", console=False) as evaluation:
            log_row(evaluation, B=1)
        log_row(train, A=1)
    assert table(tmp_path / "real") == "A\n0\n1\n"
    assert archives(tmp_path / "real") == []


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@forks
def test_a_forked_child_cannot_log_beside_its_parent_nor_disturb_it(directory: Path) -> None:
    def work(directory: Path) -> None:
        for use in (lambda: log_row(logger, A=-1), lambda: log_row(logger, New=1)):
            with pytest.raises(RunIsLive):
                use()
            logger._row.clear()
        logger.close()

    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        assert in_a_fork(directory, work) == 0
        with OtherProcess(directory) as other:
            assert other.run("open(D)").startswith("RunIsLive: ")
        log_row(logger, A=1, B=1)
    assert table(directory) == "A\tB\n0\t\n1\t1\n"


@forks
def test_a_forked_child_may_have_a_table_of_its_own(directory: Path) -> None:
    def work(directory: Path) -> None:
        with Logger(directory, "eval.txt", console=False) as evaluation:
            log_row(evaluation, B=0)

    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        assert in_a_fork(directory, work) == 0
        log_row(logger, A=1, C=1)
    assert in_a_fork(directory, work) == 0  # of a run that is over, and this process's
    assert table(directory) == "A\tC\n0\t\n1\t1\n"
    assert archived(directory, "progress.txt") == []


@forks
def test_a_forked_child_does_not_hold_what_its_parent_has_let_go(directory: Path) -> None:
    reader, writer = os.pipe()
    logger = Logger(directory, console=False)
    log_row(logger, A=0)
    if (pid := os.fork()) == 0:
        os.close(writer)
        os.read(reader, 1)  # until the parent closes its end
        os._exit(0)
    os.close(reader)
    logger.close()
    try:
        assert not refuses(directory)
    finally:
        os.close(writer)
        os.waitpid(pid, 0)


@forks
def test_a_forked_child_goes_on_once_its_parent_has_let_go(directory: Path) -> None:
    asks, answers = os.pipe()
    logger = Logger(directory, console=False)
    log_row(logger, A=0)
    if (pid := os.fork()) == 0:
        os.close(answers)
        os.read(asks, 1)
        log_row(logger, A=1)
        log_row(logger, A=2, B=2)
        os._exit(0)
    os.close(asks)
    logger.close()
    os.close(answers)
    assert os.waitpid(pid, 0)[1] == 0
    assert table(directory) == "A\tB\n0\t\n1\t\n2\t2\n"


def test_a_deleted_table_is_whole_again_with_the_next_column(directory: Path) -> None:
    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        (directory / "progress.txt").unlink()
        log_row(logger, A=1)
        log_row(logger, A=2, B=2)
        assert refuses_another_process(directory)
    assert table(directory) == "A\tB\n0\t\n1\t\n2\t2\n"


def refuses_another_process(directory: Path) -> bool:
    with OtherProcess(directory) as other:
        return other.run("open(D)").startswith("RunIsLive: ")


def test_a_deleted_table_is_whole_again_with_the_next_state(directory: Path) -> None:
    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        (directory / "progress.txt").unlink()
        logger.save_state({})
    assert table(directory) == "A\n0\n"


def test_a_deleted_directory_is_an_error_that_keeps_the_row(directory: Path) -> None:
    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        shutil.rmtree(directory)
        with pytest.raises(RunDirError, match="is gone"):
            log_row(logger, A=1, B=1)
        directory.mkdir()
        logger.dump_tabular()
    assert table(directory) == "A\tB\n0\t\n1\t1\n"


def test_a_file_put_in_the_place_of_the_table_is_not_overwritten(directory: Path) -> None:
    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        (directory / "progress.txt").rename(directory / "mine")
        (directory / "progress.txt").write_text("another")
        with pytest.raises(RunDirError, match="Nothing was overwritten"):
            log_row(logger, A=1, B=1)
        assert table(directory) == "another"
        (directory / "progress.txt").unlink()
        logger.dump_tabular()
    assert table(directory) == "A\tB\n0\t\n1\t1\n"


@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "directory"])
def test_what_is_no_plain_file_is_refused(directory: Path, kind: str) -> None:
    directory.mkdir()
    outside, path = directory.parent / "outside", directory / "progress.txt"
    if kind.startswith("link"):
        path.symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    if kind == "link":
        outside.write_text("not mine")
    with pytest.raises(RunDirError, match=r"progress\.txt is a link, a pipe or a directory"):
        Logger(directory, console=False)
    assert not outside.exists() or outside.read_text() == "not mine"


def test_restore_does_not_wait_on_a_pipe(directory: Path) -> None:
    with Logger(directory, console=False) as train, Logger(directory, "b.txt", console=False) as second:
        log_row(second, B=0)
        train.save_state({})
    (directory / "b.txt").unlink()
    os.mkfifo(directory / "b.txt")
    with Logger(directory, console=False) as logger, pytest.raises(RunDirError, match="a pipe"):
        logger.restore()


def test_a_file_system_without_locks_is_said_so(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(handle: int, *, blocking: bool = True) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("filelock.lock_descriptor", fail)
    with Logger(directory, console=False) as logger:
        log_row(logger, A=0)
        log_row(logger, B=0)
    assert table(directory) == "A\tB\n0\t\n\t0\n"
    assert "has no locks" in capsys.readouterr().out
