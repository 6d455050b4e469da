from __future__ import annotations

import argparse
import dataclasses
import json
import threading
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
from loggers.archives import archived

from spinup.errors import LoggerError
from spinup.loggers import EpochLogger, Logger
from spinup.rundir.config import dumps

if TYPE_CHECKING:
    from pathlib import Path


def saved(directory: Path) -> Any:
    return json.loads((directory / "config.json").read_text())


def save(directory: Path, config: object, exp_name: str | None = None) -> Any:
    with Logger(directory, exp_name=exp_name, console=False) as logger:
        logger.save_config(config)
    return saved(directory)


def test_the_file_is_what_the_settings_say_with_the_name_of_the_experiment(tmp_path: Path) -> None:
    save(tmp_path, {"gamma": 0.99}, exp_name="walk")
    assert (tmp_path / "config.json").read_text() == dumps({"gamma": 0.99, "exp_name": "walk"})


def test_no_name_is_added_where_there_is_none(tmp_path: Path) -> None:
    assert save(tmp_path, {"gamma": 0.99}) == {"gamma": 0.99}


def test_the_launcher_s_keys_win_and_the_thunk_s_are_added(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"seed": 10, "exp_name": "asked", "net": "Infinity"}')
    assert save(tmp_path, {"seed": 7, "gamma": 0.99}, exp_name="told") == {
        "seed": 10,
        "exp_name": "asked",
        "net": "Infinity",
        "gamma": 0.99,
    }


def test_a_later_call_renews_the_logger_s_own_keys_only(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"seed": 10}')
    with Logger(tmp_path, console=False) as logger:
        logger.save_config({"seed": 7, "lr": 1, "gamma": 1})
        logger.save_config({"seed": 8, "lr": 2})
    assert saved(tmp_path) == {"seed": 10, "lr": 2, "gamma": 1}


def test_two_loggers_add_to_one_file(tmp_path: Path) -> None:
    with (
        Logger(tmp_path, console=False) as train,
        Logger(tmp_path, output_fname="eval.txt", console=False) as evaluation,
    ):
        train.save_config({"a": 1})
        evaluation.save_config({"a": 2, "b": 2})
    assert saved(tmp_path) == {"a": 1, "b": 2}


def test_the_locals_of_a_thunk_can_be_saved(tmp_path: Path) -> None:
    def thunk(env_fn: Any, seed: int, logger_kwargs: dict[str, Any], ac_kwargs: dict[str, Any]) -> None:
        logger = EpochLogger(**logger_kwargs)
        env = env_fn()
        observation = np.zeros(3, dtype=np.float32)
        lock = threading.Lock()
        everything: list[Any] = [env, lock]
        everything.append(everything)
        logger.save_config(locals())
        logger.close()
        env.close()

    logger_kwargs = {"output_dir": str(tmp_path), "exp_name": "walk", "console": False}
    thunk(lambda: gym.make("CartPole-v1"), 3, logger_kwargs, {"hidden_sizes": (64, 64), "cls": dict})
    config = saved(tmp_path)
    assert config["seed"] == 3
    assert config["exp_name"] == "walk"
    assert config["ac_kwargs"] == {"hidden_sizes": [64, 64], "cls": "dict"}
    assert config["observation"] == [0.0, 0.0, 0.0]
    assert config["logger"] == f"EpochLogger({str(tmp_path)!r})"
    assert config["everything"][2] == "<cycle>"
    assert "CartPole-v1" in config["env"]


def test_an_object_with_attributes_will_do(tmp_path: Path) -> None:
    @dataclasses.dataclass
    class Settings:
        lr: float = 0.1

    assert save(tmp_path / "a", argparse.Namespace(lr=0.2)) == {"lr": 0.2}
    assert save(tmp_path / "b", Settings()) == {"lr": 0.1}


def test_a_list_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(LoggerError, match="takes a dict"):
        save(tmp_path, [1, 2])


@pytest.mark.parametrize("damage", [b"", b'{"seed": ', b"[1]", b"\xff\xfe"])
def test_a_damaged_file_is_moved_aside_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: bytes
) -> None:
    (tmp_path / "config.json").write_bytes(damage)
    assert save(tmp_path, {"gamma": 0.99}) == {"gamma": 0.99}
    [kept] = archived(tmp_path, "config.json")
    assert kept.read_bytes() == damage
    [line] = capsys.readouterr().out.splitlines()
    assert str(kept.parent) in line


def test_the_launcher_s_keys_are_in_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text('{"seed": 10}')
    with Logger(tmp_path) as logger:
        logger.save_config({"gamma": 0.99})
    assert capsys.readouterr().out.endswith(
        'Saving config:\n\n{\n    "gamma":\t0.99,\n    "seed":\t10\n}\n'
    )
