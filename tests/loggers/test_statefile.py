from __future__ import annotations

import hashlib
import os
import pickle
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.errors import RecordError
from spinup.loggers import Logger
from spinup.loggers.statefile import Note, last_number, load_state, newest_state, write_state
from spinup.loggers.table import Extent

if TYPE_CHECKING:
    from pathlib import Path

NOTES = st.builds(
    Note,
    st.integers(1, 10**9),
    st.dictionaries(
        st.text(max_size=4),
        st.builds(Extent, st.lists(st.text(max_size=4), max_size=3), st.integers(0, 10**9)),
        max_size=3,
    ),
    st.none() | st.just("ab" * 32),
)


def write(path: Path, state: Any, number: int = 1) -> Path:
    with path.open("wb") as file:
        write_state(file, state, Note(number))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "vars.pkl", {"weights": np.arange(100_000.0), "step": 7})


def test_whoever_loads_the_pickle_sees_nothing_of_the_note(path: Path) -> None:
    with path.open("rb") as file:
        assert pickle.load(file)["step"] == 7
    assert pickle.loads(path.read_bytes())["weights"][-1] == 99_999


def test_joblib_sees_nothing_of_the_note(path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    assert joblib.load(path)["weights"][-1] == 99_999


def test_the_state_is_loaded_as_it_was_written(path: Path) -> None:
    state = load_state(path)
    assert state["step"] == 7
    assert state["weights"].tolist() == list(range(100_000))


@given(NOTES)
def test_the_note_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, note: Note) -> None:
    directory = tmp_path_factory.mktemp("run")
    with (directory / "vars-7.pkl").open("wb") as file:
        write_state(file, {}, note)
    saved = newest_state(directory)
    assert saved is not None
    assert (saved.note, saved.itr) == (note, -7)


def test_the_same_state_and_note_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, {"a": [1.5, "x"]}) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_the_note_can_be_read_with_a_pager(path: Path) -> None:
    tail = path.read_bytes()[-200:]
    match = re.search(rb'(\{"number": 1, "tables": \{\}, "model": null\})(\d{8}) (\w{64}) note1\n$', tail)
    assert match is not None
    assert int(match[2]) == len(match[1])
    assert match[3].decode() == hashlib.sha256(path.read_bytes()[:-80]).hexdigest()


def test_other_files_are_no_states(tmp_path: Path) -> None:
    for name in ("vars_old.pkl", "vars1.5.pkl", "vars.pkl.bak", "variables.pkl", ".vars.pkl.x.tmp"):
        (tmp_path / name).write_bytes(b"mine")
    assert newest_state(tmp_path) is None
    assert last_number(tmp_path) == 0


@pytest.mark.parametrize("kept", [0, 1, 79, 80, 81, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_an_error(path: Path, kept: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(RecordError, match=r"vars\.pkl does not say how far .* Move the file away"):
        newest_state(path.parent)


def test_a_pickle_of_another_maker_is_an_error(path: Path) -> None:
    path.write_bytes(pickle.dumps({"env": 1}))
    with pytest.raises(RecordError, match="not saved by this logger"):
        newest_state(path.parent)


@pytest.mark.parametrize("position", [0, 100, 400_000, -120])
def test_a_changed_byte_is_an_error_before_anything_is_unpickled(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(RecordError, match="are not those that were saved"):
        load_state(path)


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b"{}", b'{"number": 1, "tables": {"a": {"b": 1}}, "model": 1}']
)
def test_a_damaged_note_is_an_error(path: Path, text: bytes) -> None:
    path.write_bytes(b"pickle" + text + b"%08d %s note1\n" % (len(text), b"0" * 64))
    with pytest.raises(RecordError, match=r"damaged: .* in its note"):
        newest_state(path.parent)


def test_a_state_whose_class_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    with (tmp_path / "vars.pkl").open("wb") as file:
        write_state(file, {}, Note(1))
    data = (tmp_path / "vars.pkl").read_bytes()[:-80]
    note = data[data.index(b'{"number"') :]
    data = b"cno_such_module\nClass\n." + note
    tail = b"%08d %s note1\n" % (len(note), hashlib.sha256(data).hexdigest().encode())
    (tmp_path / "vars.pkl").write_bytes(data + tail)
    with pytest.raises(RecordError, match=r"cannot be unpickled: ModuleNotFoundError: .*no_such"):
        load_state(tmp_path / "vars.pkl")


class Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_what_others_can_write_is_not_unpickled(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "vars.pkl", Bomb())
    path.chmod(mode)
    with pytest.raises(RecordError, match=r"can be written by other users \(chmod go-w"):
        load_state(path)
    with pytest.raises(RecordError, match="can be written"):
        newest_state(tmp_path)


def test_what_belongs_to_somebody_else_is_not_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "vars.pkl", Bomb())
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(RecordError, match="belongs to another user"):
        load_state(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = write(tmp_path / "elsewhere.pkl", Bomb())
    (tmp_path / "vars.pkl").symlink_to(target)
    with pytest.raises(RecordError, match=r"vars\.pkl cannot be opened"):
        load_state(tmp_path / "vars.pkl")


def test_a_directory_is_not_a_state(tmp_path: Path) -> None:
    (tmp_path / "vars.pkl").mkdir()
    with pytest.raises(RecordError, match="is not a file"):
        newest_state(tmp_path)


def test_a_damaged_state_stops_the_run_instead_of_starting_it_again(tmp_path: Path) -> None:
    with Logger(tmp_path, console=False) as logger:
        logger.log_tabular("Epoch", 0)
        logger.dump_tabular()
        logger.save_state({})
    (tmp_path / "vars.pkl").write_bytes(b"")
    with Logger(tmp_path, console=False) as logger, pytest.raises(RecordError, match=r"vars\.pkl"):
        logger.restore()
    assert (tmp_path / "progress.txt").read_text() == "Epoch\n0\n"
    (tmp_path / "vars.pkl").unlink()
    with Logger(tmp_path, console=False) as logger:
        assert logger.restore() is None


def test_any_umask_gives_a_state_that_can_be_restored(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Logger(tmp_path, console=False) as logger:
            logger.save_state({"a": 1})
        with Logger(tmp_path, console=False) as logger:
            assert logger.restore() == {"a": 1}
    finally:
        os.umask(before)
