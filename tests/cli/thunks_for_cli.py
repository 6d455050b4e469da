"""Thunks that the command line loads by their module's name; runs import this module too."""

from __future__ import annotations

import math  # noqa: F401 - what the names of values begin with
from typing import Literal

SCALE = 3


class Net:
    width = 8

    @staticmethod
    def build():
        return "built"


def train(
    lr: float = 1e-3,
    steps: int = 3,
    opt: Literal["adam", "sgd"] = "adam",
    name: str = "x",
    use_gae=False,  # noqa: FBT002 - as users write it
    act=None,
    ac_kwargs: dict | None = None,
    timeout=None,
    seed=0,
):
    """Trains nothing.

    Args:
        lr (float): Step size
            of the optimizer.
        steps: How many steps.
    """
    return {
        "lr": lr,
        "name": name,
        "use_gae": use_gae,
        "act": getattr(act, "__qualname__", act),
        "ac_kwargs": ac_kwargs,
        "timeout": timeout,
    }


def needs(env_fn, gain: float):
    return gain


def take(**kwargs):
    return {key: value for key, value in kwargs.items() if key != "logger_kwargs"}


def fail(a=0):
    raise ValueError("boom")


not_a_function = 3
