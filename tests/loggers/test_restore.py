from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loggers.archives import archived as archived_files
from loggers.archives import archives

from spinup.errors import LoggerError, RecordError, StateNotSaved
from spinup.loggers import EpochLogger, Logger
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State, Status, write_status

if TYPE_CHECKING:
    from pathlib import Path


def log_row(logger: Logger, /, **row: object) -> None:
    for key, value in row.items():
        logger.log_tabular(key, value)
    logger.dump_tabular()


def begin(directory: Path, *, late_column: bool = False) -> None:
    """An attempt that ends a row after it has saved a state, and in the middle of the next."""
    with Logger(directory, console=False) as logger:
        for epoch in (0, 1):
            log_row(logger, Epoch=epoch, Return=epoch / 2)
        logger.save_state({"epoch": 2})
        log_row(logger, Epoch=2, Return="cut off", **({"Late": 1} if late_column else {}))
    with (directory / "progress.txt").open("a") as file:
        file.write("3\tto")


def table(directory: Path, name: str = "progress.txt") -> str:
    return (directory / name).read_text()


def archived(directory: Path, name: str = "progress.txt") -> list[str]:
    return [path.read_text() for path in archived_files(directory, name)]


def test_the_state_comes_back_and_the_table_ends_where_it_ended_then(tmp_path: Path) -> None:
    begin(tmp_path)
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == {"epoch": 2}
        assert table(tmp_path) == "Epoch\tReturn\n0\t0.0\n1\t0.5\n"


def test_the_next_row_follows(tmp_path: Path) -> None:
    begin(tmp_path)
    with Logger(tmp_path, console=False) as logger:
        logger.restore()
        log_row(logger, Return=1.0, Epoch=2)
    assert table(tmp_path) == "Epoch\tReturn\n0\t0.0\n1\t0.5\n2\t1.0\n"


def test_a_table_whose_rows_are_cut_off_is_kept_whole_in_the_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(tmp_path)
    with Logger(tmp_path, console=False) as logger:
        logger.restore()
    assert archived(tmp_path) == ["Epoch\tReturn\n0\t0.0\n1\t0.5\n2\tcut off\n3\tto"]
    [line] = capsys.readouterr().out.splitlines()
    assert "cut off (1)" in line
    assert str(archives(tmp_path)[0]) in line


def test_nothing_is_archived_where_no_whole_row_is_cut_off(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        log_row(logger, Epoch=0)
        logger.save_state({})
    with (tmp_path / "progress.txt").open("a") as file:
        file.write("1")
    with Logger(tmp_path, console=False) as logger:
        logger.restore()
    assert table(tmp_path) == "Epoch\n0\n"
    assert archives(tmp_path) == []


def test_columns_that_came_after_the_state_are_gone_and_may_come_again(tmp_path: Path) -> None:
    begin(tmp_path, late_column=True)
    assert table(tmp_path).startswith("Epoch\tReturn\tLate\n")
    with Logger(tmp_path, console=False) as logger:
        logger.restore()
        assert table(tmp_path) == "Epoch\tReturn\n0\t0.0\n1\t0.5\n"
        log_row(logger, Epoch=2, Return=1.0, Late=1)
    assert table(tmp_path) == "Epoch\tReturn\tLate\n0\t0.0\t\n1\t0.5\t\n2\t1.0\t1\n"


def test_without_a_state_there_is_none_and_the_table_begins_anew(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() is None
        log_row(logger, Epoch=0)
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() is None
        assert table(tmp_path) == ""
        log_row(logger, Other=1)
    assert table(tmp_path) == "Other\n1\n"
    assert archived(tmp_path) == ["Epoch\n0\n"]


def test_a_state_saved_before_the_first_row_leaves_an_empty_table(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        logger.save_state({"epoch": 0})
        log_row(logger, Epoch=0)
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == {"epoch": 0}
        assert table(tmp_path) == ""
        log_row(logger, Other=0)
    assert table(tmp_path) == "Other\n0\n"


def test_a_thunk_that_does_not_restore_begins_anew(tmp_path: Path) -> None:
    begin(tmp_path)
    with Logger(tmp_path, console=False) as logger:
        log_row(logger, Epoch=0)
        assert not (tmp_path / "vars.pkl").exists()
    assert table(tmp_path) == "Epoch\n0\n"
    assert len(archived(tmp_path)) == len(archived_files(tmp_path, "vars.pkl")) == 1


@pytest.mark.parametrize("use", ["row", "half a row", "state"])
def test_restore_comes_first(tmp_path: Path, use: str) -> None:
    begin(tmp_path)
    with Logger(tmp_path, console=False) as logger:
        if use == "state":
            logger.save_state({})
        else:
            logger.log_tabular("Epoch", 0)
        if use == "row":
            logger.dump_tabular()
        with pytest.raises(LoggerError, match=r"restore\(\) comes before"):
            logger.restore()
        logger.dump_tabular()


def test_after_a_restore_and_a_row_it_is_too_late_for_another(tmp_path: Path) -> None:
    begin(tmp_path)
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == logger.restore() == {"epoch": 2}
        log_row(logger, Epoch=2, Return=1.0)
        with pytest.raises(LoggerError, match="call it earlier"):
            logger.restore()
    assert table(tmp_path) == "Epoch\tReturn\n0\t0.0\n1\t0.5\n2\t1.0\n"


def test_a_closed_logger_restores_nothing(tmp_path: Path) -> None:
    logger = Logger(tmp_path, console=False)
    logger.close()
    with pytest.raises(LoggerError, match="is closed"):
        logger.restore()


def test_a_state_that_could_not_be_saved_leaves_the_last_one_with_its_rows(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        log_row(logger, Epoch=0)
        logger.save_state({"epoch": 1})
        log_row(logger, Epoch=1)
        with pytest.raises(StateNotSaved):
            logger.save_state({"epoch": 2, "bad": (x for x in "")})
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == {"epoch": 1}
    assert table(tmp_path) == "Epoch\n0\n"


def test_the_state_saved_last_counts_whatever_its_number(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        for itr in (None, 20, 3):
            logger.save_state({"itr": itr}, itr)
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == {"itr": 3}
        logger.save_state({"itr": "again"})
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == {"itr": "again"}


def test_a_restored_run_can_be_restored_again(tmp_path: Path) -> None:
    for epoch in range(4):
        with Logger(tmp_path, console=False) as logger:
            assert logger.restore() == ({"epoch": epoch} if epoch else None)
            log_row(logger, Epoch=epoch)
            logger.save_state({"epoch": epoch + 1})
            log_row(logger, Epoch="cut off")
    with Logger(tmp_path, console=False) as logger:
        logger.restore()
    assert table(tmp_path) == "Epoch\n0\n1\n2\n3\n"


def test_stored_values_that_were_not_dumped_are_gone(tmp_path: Path) -> None:
    with EpochLogger(tmp_path, console=False) as logger:
        logger.store(Return=1.0)
        logger.save_state({})
    with EpochLogger(tmp_path, console=False) as logger:
        logger.restore()
        logger.store(Return=5.0)
        logger.log_tabular("Return", average_only=True)
        logger.dump_tabular()
    assert table(tmp_path) == "Return\n5.0\n"


def test_a_table_that_lost_rows_is_an_error_and_nothing_is_changed(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / "progress.txt").write_text("Epoch\tReturn\n0\t0.0\n1\t")
    with Logger(tmp_path, console=False) as logger, pytest.raises(RecordError, match="1 whole rows, not 2"):
        logger.restore()
    assert table(tmp_path) == "Epoch\tReturn\n0\t0.0\n1\t"
    assert (tmp_path / "vars.pkl").exists()


def test_a_table_with_other_columns_is_an_error(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / "progress.txt").write_text("Epoch\tOther\n0\t0.0\n1\t1\n")
    with Logger(tmp_path, console=False) as logger, pytest.raises(RecordError, match="other columns"):
        logger.restore()


def test_one_damaged_table_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    begin(tmp_path)
    with Logger(tmp_path, console=False) as train, Logger(tmp_path, "z.txt", console=False) as second:
        train.restore()
        log_row(second, Z=0)
        train.save_state({})
        log_row(train, Epoch=2)
    (tmp_path / "z.txt").write_text("")
    before = table(tmp_path)
    with Logger(tmp_path, console=False) as logger, pytest.raises(RecordError, match=r"z\.txt is not"):
        logger.restore()
    assert table(tmp_path) == before


def test_a_table_with_nothing_to_cut_off_is_left_alone(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        log_row(logger, Epoch=0)
        logger.save_state({})
    before = (tmp_path / "progress.txt").stat()
    with Logger(tmp_path, console=False) as logger:
        logger.restore()
    after = (tmp_path / "progress.txt").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_no_state_is_saved_that_is_further_than_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError(5, "Input/output error")

    with Logger(tmp_path, console=False) as logger:
        log_row(logger, Epoch=0)
        with monkeypatch.context() as patch:
            patch.setattr("spinup.loggers.table.os.fsync", fail)
            with pytest.raises(StateNotSaved, match=r"since progress\.txt could not be written"):
                logger.save_state({})
    assert not (tmp_path / "vars.pkl").exists()


def test_a_table_that_is_gone_is_an_error(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / "progress.txt").unlink()
    with Logger(tmp_path, console=False) as logger, pytest.raises(RecordError, match="0 whole rows, not 2"):
        logger.restore()


@pytest.mark.parametrize("who", ["progress.txt", "eval.txt"])
def test_all_tables_of_the_run_go_on_together(tmp_path: Path, who: str) -> None:
    names = ("progress.txt", "eval.txt")

    def attempt(first: int, last: int) -> None:
        with (
            Logger(tmp_path, console=False) as train,
            Logger(tmp_path, output_fname="eval.txt", console=False) as evaluation,
        ):
            state = {"progress.txt": train, "eval.txt": evaluation}[who].restore()
            assert state == ({"epoch": first} if first else None)
            if first:
                assert [table(tmp_path, name) for name in names] == ["Epoch\n0\n1\n", "Test\n0\n1\n"]
            for epoch in range(first, last):
                log_row(train, Epoch=epoch)
                log_row(evaluation, Test=epoch)
                if epoch == 1:
                    train.save_state({"epoch": 2})

    attempt(0, 3)
    attempt(2, 4)
    assert [table(tmp_path, name) for name in names] == ["Epoch\n0\n1\n2\n3\n", "Test\n0\n1\n2\n3\n"]


def test_a_table_opened_after_the_restore_goes_on_too(tmp_path: Path) -> None:
    for first in (0, 1):
        with Logger(tmp_path, console=False) as train:
            train.restore()
            with Logger(tmp_path, output_fname="eval.txt", console=False) as evaluation:
                log_row(evaluation, Test=first)
            train.save_state({})
            with Logger(tmp_path, output_fname="late.txt", console=False) as late:
                log_row(late, Late=first)
    assert table(tmp_path, "eval.txt") == "Test\n0\n1\n"
    # It began after the state was saved, so all of it is logged again.
    assert table(tmp_path, "late.txt") == "Late\n1\n"
    assert archived(tmp_path, "late.txt") == ["Late\n0\n"]


def test_a_table_not_opened_again_keeps_its_rows_for_the_next_attempt(tmp_path: Path) -> None:
    with (
        Logger(tmp_path, console=False) as train,
        Logger(tmp_path, output_fname="eval.txt", console=False) as evaluation,
    ):
        log_row(evaluation, Test=0)
        train.save_state({"attempt": 1})
    with Logger(tmp_path, console=False) as train:
        train.restore()
        train.save_state({"attempt": 2})
    with (
        Logger(tmp_path, console=False) as train,
        Logger(tmp_path, output_fname="eval.txt", console=False) as evaluation,
    ):
        assert train.restore() == {"attempt": 2}
        log_row(evaluation, Test=1)
    assert table(tmp_path, "eval.txt") == "Test\n0\n1\n"


def test_settings_of_a_script_that_goes_on_keep_their_first_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logger(tmp_path, console=False) as logger:
        logger.save_config({"gamma": 0.9, "epochs": 10})
        logger.save_state({})
    with Logger(tmp_path, console=False) as logger:
        logger.save_config({"gamma": 0.9, "epochs": 20, "new": 1})
        logger.restore()
    assert json.loads((tmp_path / "config.json").read_text()) == {"gamma": 0.9, "epochs": 10, "new": 1}
    assert "keeps the first ones: epochs.\n" in capsys.readouterr().out


def test_an_attempt_of_a_launcher_goes_on_in_its_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def launch(attempt: int) -> None:
        status = Status(state=State.QUEUED, exp_name="x", seed=0, identity="x", attempt=attempt)
        write_status(RunDir(tmp_path), status.running())

    launch(1)
    (tmp_path / "config.json").write_text('{"gamma": 0.9}')
    begin(tmp_path)
    launch(2)
    with Logger(tmp_path, console=False) as logger:
        logger.save_config({"gamma": 0.5, "lam": 1})
        assert json.loads((tmp_path / "config.json").read_text()) == {"gamma": 0.9, "lam": 1}
        assert logger.restore() == {"epoch": 2}
        log_row(logger, Epoch=2)
        logger.save_config({"gamma": 0.5})
    assert table(tmp_path) == "Epoch\tReturn\n0\t0.0\n1\t0.5\n2\t\n"
    # As ever: a launcher writes down what it was asked for, not each thunk's locals.
    assert "other settings" not in capsys.readouterr().out


def test_a_run_without_a_directory_has_nothing_to_go_on_from() -> None:
    with Logger(console=False) as logger:
        assert logger.restore() is None


def test_every_rank_gets_the_state_and_only_rank_0_cuts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path)
    before = table(tmp_path)
    monkeypatch.setattr("spinup.mpi.rank", lambda: 1)
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() == {"epoch": 2}
        assert logger.output_dir is None
        log_row(logger, Epoch=2)
        with pytest.raises(LoggerError, match="before the first row"):
            logger.restore()
    assert table(tmp_path) == before
    assert sorted(os.listdir(tmp_path)) == ["progress.txt", "vars.pkl"]


@pytest.mark.parametrize("output_dir", [None, "not there"])
def test_other_ranks_get_none_where_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output_dir: str | None
) -> None:
    monkeypatch.setattr("spinup.mpi.rank", lambda: 1)
    with Logger(output_dir and tmp_path / output_dir, console=False) as logger:
        assert logger.restore() is None
    assert os.listdir(tmp_path) == []


def test_the_console_says_where_the_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(tmp_path)
    with Logger(tmp_path) as logger:
        logger.restore()
        log_row(logger, Epoch=2)
    out = capsys.readouterr().out
    assert "Going on after row 2 of progress.txt\n" in out
    assert "|          Return |                 |" in out


# What a deterministic thunk does in one step: the values that it stores under each key, whether it
# saves a state after the row, and under which number.
NAMES = st.sampled_from(["A", "B", "", " ", "\t", "\N{GREEK SMALL LETTER ALPHA}", "\ud800"])
STEPS = st.lists(
    st.tuples(
        st.dictionaries(NAMES, st.lists(st.floats(-9, 9), max_size=2), min_size=1, max_size=3),
        st.sampled_from([None, "vars.pkl", "vars1.pkl", "vars2.pkl"]),
    ),
    max_size=8,
)
# Where an attempt breaks off: in which of the steps it does, where in it, and with what left behind.
CRASHES = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.sampled_from(["before", "after store", "after dump", "after save"]),
        st.sampled_from(["", "torn", "to\trn"]),
    ),
    max_size=5,
)


class Crash(Exception):
    pass


def thunk(directory: Path, steps: Any, crash: Any = (None, None, "")) -> None:
    with EpochLogger(directory, console=False) as logger:
        state = logger.restore()
        first = state["step"] if state else 0
        for done, (number, (values, save)) in enumerate(list(enumerate(steps))[first:]):

            def reach(point: str, done: int = done) -> None:
                if (done, point) == crash[:2]:
                    raise Crash

            reach("before")
            for key, numbers in values.items():
                for value in numbers:
                    logger.store(**{key: value})
            reach("after store")
            for key in values:
                logger.log_tabular(key, with_min_and_max=number % 2 == 0)
            logger.dump_tabular()
            reach("after dump")
            if save:
                itr = save.removeprefix("vars").removesuffix(".pkl")
                logger.save_state({"step": number + 1}, int(itr) if itr else None)
            reach("after save")


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, crashes=CRASHES)
def test_however_often_it_breaks_off_the_table_is_that_of_an_undisturbed_run(
    tmp_path_factory: pytest.TempPathFactory, steps: Any, crashes: Any
) -> None:
    whole, broken = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("broken")
    thunk(whole, steps)
    for crash in crashes:
        try:
            thunk(broken, steps, crash)
        except Crash:
            with (broken / "progress.txt").open("a") as file:
                file.write(crash[2])
    thunk(broken, steps)
    assert (broken / "progress.txt").read_bytes() == (whole / "progress.txt").read_bytes()
