from __future__ import annotations

import os
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from spinup.errors import MissingExtra, StateNotSaved
from spinup.loggers import EpochLogger, Logger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[Logger]:
    with Logger(tmp_path, console=False) as logger:
        yield logger


def load(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


def test_the_state_is_a_pickle(logger: Logger, tmp_path: Path) -> None:
    logger.save_state({"weights": np.arange(3.0), "step": 7})
    state = load(tmp_path / "vars.pkl")
    assert state["weights"].tolist() == [0.0, 1.0, 2.0]
    assert state["step"] == 7


def test_a_number_keeps_one_state_beside_another(logger: Logger, tmp_path: Path) -> None:
    for itr in (0, np.int64(10), None):
        logger.save_state({"itr": itr}, itr)
    assert load(tmp_path / "vars0.pkl") == {"itr": 0}
    assert load(tmp_path / "vars10.pkl") == {"itr": 10}
    assert load(tmp_path / "vars.pkl") == {"itr": None}


def test_a_class_that_lives_in_the_thunk_can_be_saved(logger: Logger, tmp_path: Path) -> None:
    class Env:
        gravity = 9.81

    logger.save_state({"env": Env(), "act": lambda obs: obs + 1})
    state = load(tmp_path / "vars.pkl")
    assert state["env"].gravity == 9.81
    assert state["act"](1) == 2


def test_a_state_that_cannot_be_pickled_keeps_the_last_one(logger: Logger, tmp_path: Path) -> None:
    logger.save_state({"step": 1})
    with pytest.raises(StateNotSaved) as caught:
        logger.save_state({"step": 2, "buffer": np.zeros(100_000), "lock": threading.Lock()})
    assert load(tmp_path / "vars.pkl") == {"step": 1}
    assert sorted(os.listdir(tmp_path)) == ["progress.txt", "vars.pkl"]
    assert isinstance(caught.value.__cause__, TypeError)


def test_the_error_names_every_entry_that_cannot_be_pickled(logger: Logger) -> None:
    with pytest.raises(StateNotSaved) as caught:
        logger.save_state({"step": 2, "lock": threading.Lock(), "env": (x for x in "")})
    message = str(caught.value)
    assert "vars.pkl was not saved: " in message
    assert "state_dict['lock'] (lock) cannot be pickled" in message
    assert "state_dict['env'] (generator) cannot be pickled" in message
    assert "step" not in message


def test_a_state_that_is_no_dict_is_named_by_its_type(logger: Logger) -> None:
    with pytest.raises(StateNotSaved, match="lock cannot be pickled"):
        logger.save_state(threading.Lock())  # type: ignore[arg-type]


def test_an_object_that_raises_while_it_is_pickled_is_named(logger: Logger) -> None:
    class Env:
        def __reduce__(self) -> Any:
            raise RuntimeError("the simulator\nis gone.")

    with pytest.raises(StateNotSaved, match=r"\['env'\] \(Env\) cannot be pickled: the simulator\. What"):
        logger.save_state({"env": Env()})


def test_an_interrupt_keeps_the_last_state(logger: Logger, tmp_path: Path) -> None:
    class Slow:
        def __reduce__(self) -> Any:
            raise KeyboardInterrupt

    logger.save_state({"step": 1})
    with pytest.raises(KeyboardInterrupt):
        logger.save_state({"step": Slow()})
    assert load(tmp_path / "vars.pkl") == {"step": 1}
    assert sorted(os.listdir(tmp_path)) == ["progress.txt", "vars.pkl"]


def test_a_file_that_cannot_be_written_is_the_disk_s_fault(logger: Logger, tmp_path: Path) -> None:
    (tmp_path / "vars.pkl").mkdir()
    with pytest.raises(StateNotSaved, match="directory") as caught:
        logger.save_state({"step": 1})
    assert "cannot be pickled" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


def test_without_pytorch_the_error_says_how_to_install_it(
    logger: Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"PyTorch is not installed.*spinup\[torch\]"):
        logger.setup_pytorch_saver(object())


def test_a_model_is_saved_whole(logger: Logger, tmp_path: Path, torch: Any) -> None:
    model = torch.nn.Linear(2, 1)
    logger.setup_pytorch_saver(model)
    logger.save_state({"step": 1})
    logger.save_state({"step": 2}, itr=5)
    for name in ("model.pt", "model5.pt"):
        loaded = torch.load(tmp_path / "pyt_save" / name, weights_only=False)
        assert torch.equal(loaded.weight, model.weight)
    assert sorted(os.listdir(tmp_path / "pyt_save")) == ["model.pt", "model5.pt"]


def test_a_model_whose_class_lives_in_the_thunk_can_be_saved(
    logger: Logger, tmp_path: Path, torch: Any
) -> None:
    class ActorCritic(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.pi = torch.nn.Linear(2, 1)

    model = ActorCritic()
    logger.setup_pytorch_saver(model)
    logger.save_state({})
    loaded = torch.load(tmp_path / "pyt_save" / "model.pt", weights_only=False)
    assert torch.equal(loaded.pi.weight, model.pi.weight)


def test_weights_alone_can_be_loaded_as_weights(logger: Logger, tmp_path: Path, torch: Any) -> None:
    weights = torch.nn.Linear(2, 1).state_dict()
    logger.setup_pytorch_saver(weights)
    logger.save_state({})
    loaded = torch.load(tmp_path / "pyt_save" / "model.pt", weights_only=True)
    assert torch.equal(loaded["weight"], weights["weight"])


def test_a_model_that_cannot_be_saved_keeps_the_last_one(
    logger: Logger, tmp_path: Path, torch: Any
) -> None:
    path = tmp_path / "pyt_save" / "model.pt"
    model = torch.nn.Linear(2, 1)
    logger.setup_pytorch_saver(model)
    logger.save_state({"step": 1})
    before = path.read_bytes()
    model.lock = threading.Lock()
    with pytest.raises(StateNotSaved, match=r"model\.pt was not saved: Linear"):
        logger.save_state({"step": 2})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["model.pt"]
    assert load(tmp_path / "vars.pkl") == {"step": 1}  # the state that this model belongs to


def test_a_state_that_cannot_be_pickled_does_not_cost_the_model(
    logger: Logger, tmp_path: Path, torch: Any
) -> None:
    logger.setup_pytorch_saver(torch.nn.Linear(2, 1))
    with pytest.raises(StateNotSaved, match="lock"):
        logger.save_state({"lock": threading.Lock()})
    assert (tmp_path / "pyt_save" / "model.pt").exists()


def test_tensors_count_in_statistics_even_with_a_gradient(tmp_path: Path, torch: Any) -> None:
    with EpochLogger(tmp_path, console=False) as logger:
        weight = torch.tensor([1.0, 2.0], requires_grad=True)
        logger.store(Loss=weight)
        logger.store(Loss=weight.sum())
        logger.store(Loss=[torch.tensor(4), 5.0])
        logger.store(Loss=torch.tensor([[6.0]], dtype=torch.bfloat16))
        assert logger.get_stats("Loss") == (3.5, pytest.approx(np.std([1, 2, 3, 4, 5, 6])))
        assert all(isinstance(item, (float, np.ndarray)) for item in logger.epoch_dict["Loss"])


def test_a_tensor_is_written_as_its_number(tmp_path: Path, torch: Any) -> None:
    with Logger(tmp_path, console=False) as logger:
        logger.log_tabular("Loss", torch.tensor(0.123456789, dtype=torch.float64, requires_grad=True))
        logger.log_tabular("Steps", torch.tensor([7]))
        logger.dump_tabular()
    assert (tmp_path / "progress.txt").read_text() == "Loss\tSteps\n0.123456789\t7\n"
