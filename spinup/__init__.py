"""Hyperparameter grids for reinforcement learning, in runs that can be trusted.

The five lines of Spinning Up, unchanged::

    from spinup import ExperimentGrid
    from spinup.algos.ars import ars

    eg = ExperimentGrid(name="ars-cartpole")
    eg.add("env_name", "CartPole-v1")
    eg.add("seed", [0, 10, 20])
    eg.add("nu", [0.1, 0.5], in_name=True)
    eg.run(ars)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spinup.errors import ExperimentFailed as ExperimentFailed
    from spinup.errors import GridFailed as GridFailed
    from spinup.errors import SpinupError as SpinupError
    from spinup.loggers import EpochLogger as EpochLogger
    from spinup.loggers import Logger as Logger
    from spinup.rundir.record import RunRecord as RunRecord
    from spinup.utils.run_utils import ExperimentGrid as ExperimentGrid
    from spinup.utils.run_utils import call_experiment as call_experiment
    from spinup.utils.run_utils import setup_logger_kwargs as setup_logger_kwargs

# Looked up when they are first used: each child process imports this package, and needs little of it.
_HOMES = {
    "EpochLogger": "spinup.loggers",
    "ExperimentFailed": "spinup.errors",
    "ExperimentGrid": "spinup.utils.run_utils",
    "GridFailed": "spinup.errors",
    "Logger": "spinup.loggers",
    "RunRecord": "spinup.rundir.record",
    "SpinupError": "spinup.errors",
    "call_experiment": "spinup.utils.run_utils",
    "setup_logger_kwargs": "spinup.utils.run_utils",
}

__all__ = [
    "EpochLogger",
    "ExperimentFailed",
    "ExperimentGrid",
    "GridFailed",
    "Logger",
    "RunRecord",
    "SpinupError",
    "call_experiment",
    "setup_logger_kwargs",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'spinup' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
