from __future__ import annotations

import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from loggers.archives import archived
from loggers.fake_torch import fake_torch

from spinup.errors import RecordError, StateNotSaved
from spinup.loggers import Logger

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", fake_torch())


def save(directory: Path, *states: dict[str, Any], itr: int | None = None, model: Any = None) -> None:
    """One attempt that saves these states, each with a model that says the same; errors are caught."""
    with Logger(directory, console=False) as logger:
        logger.restore()
        for state in states:
            logger.setup_pytorch_saver(dict(state if model is None else model, bad=None))
            try:
                logger.save_state(state, itr)
            except StateNotSaved:
                assert "bad" in state or model is not None


def restore(directory: Path) -> Any:
    with Logger(directory, console=False) as logger:
        return logger.restore()


def model(directory: Path, name: str = "model.pt") -> Any:
    return pickle.loads((directory / "pyt_save" / name).read_bytes())["step"]


def test_the_model_of_the_state_is_in_its_place(tmp_path: Path) -> None:
    save(tmp_path, {"step": 1}, {"step": 2})
    assert restore(tmp_path) == {"step": 2}
    assert model(tmp_path) == 2


def test_a_model_that_has_not_moved_to_its_place_yet_is_found(tmp_path: Path) -> None:
    save(tmp_path, {"step": 1})
    place = tmp_path / "pyt_save" / "model.pt"
    place.rename(place.with_name(".model.pt.next"))
    place.write_bytes(b"the model before")
    assert restore(tmp_path) == {"step": 1}
    assert model(tmp_path) == 1


def test_a_model_whose_state_was_not_saved_is_not_taken_for_the_state_s(tmp_path: Path) -> None:
    save(tmp_path, {"step": 1})
    (tmp_path / "pyt_save" / ".model.pt.next").write_bytes(b"trained further")
    assert restore(tmp_path) == {"step": 1}
    assert model(tmp_path) == 1


def test_a_state_that_cannot_be_saved_leaves_a_pair_to_go_on_from(tmp_path: Path) -> None:
    bad = {"bad": threading.Lock()}
    save(tmp_path, {"step": 1}, {"step": 2} | bad, {"step": 3} | bad)
    assert model(tmp_path) == 3
    assert restore(tmp_path) == {"step": 1}
    assert model(tmp_path) == 1
    [further] = archived(tmp_path, "model.pt")
    assert pickle.loads(further.read_bytes())["step"] == 3


def test_a_pair_saved_after_a_failure_is_the_one_to_go_on_from(tmp_path: Path) -> None:
    save(tmp_path, {"step": 1}, {"step": 2, "bad": threading.Lock()}, {"step": 3})
    assert [path.name for path in (tmp_path / "pyt_save").iterdir()] == ["model.pt"]
    assert restore(tmp_path) == {"step": 3}
    assert model(tmp_path) == 3


def test_a_model_that_cannot_be_saved_leaves_a_pair_to_go_on_from(tmp_path: Path) -> None:
    save(tmp_path, {"step": 1})
    save(tmp_path, {"step": 2}, model={"lock": threading.Lock()})
    assert restore(tmp_path) == {"step": 1}
    assert model(tmp_path) == 1


def test_numbered_pairs_stay_apart(tmp_path: Path) -> None:
    save(tmp_path, {"step": 1})
    save(tmp_path, {"step": 10}, itr=10)
    assert restore(tmp_path) == {"step": 10}
    assert (model(tmp_path), model(tmp_path, "model10.pt")) == (1, 10)


@pytest.mark.parametrize("content", [None, b"another model"])
def test_a_state_whose_model_is_gone_is_an_error_and_nothing_is_changed(
    tmp_path: Path, content: bytes | None
) -> None:
    save(tmp_path, {"step": 1})
    with (tmp_path / "progress.txt").open("w") as file:
        file.write("Epoch\n0\n")
    place = tmp_path / "pyt_save" / "model.pt"
    place.unlink()
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(RecordError, match=r"model\.pt is not the model that was saved with .*vars\.pkl"):
        restore(tmp_path)
    assert (tmp_path / "progress.txt").read_text() == "Epoch\n0\n"


def test_a_state_without_a_model_asks_for_none(tmp_path: Path) -> None:
    save(tmp_path, {"step": 1})
    with Logger(tmp_path, console=False) as logger:
        logger.restore()
        logger.save_state({"step": 2})
    (tmp_path / "pyt_save" / "model.pt").unlink()
    assert restore(tmp_path) == {"step": 2}
