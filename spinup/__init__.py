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
    from spinup.grid import Choice as Choice
    from spinup.grid import IntUniform as IntUniform
    from spinup.grid import LogUniform as LogUniform
    from spinup.grid import Uniform as Uniform
    from spinup.loggers import EpochLogger as EpochLogger
    from spinup.loggers import Logger as Logger
    from spinup.report.make import make_report as make_report
    from spinup.results.runset import RunSet as RunSet
    from spinup.results.runset import load as load
    from spinup.rundir.record import RunRecord as RunRecord
    from spinup.utils.run_utils import ExperimentGrid as ExperimentGrid
    from spinup.utils.run_utils import call_experiment as call_experiment
    from spinup.utils.run_utils import setup_logger_kwargs as setup_logger_kwargs
    from spinup.utils.seeds import spawn_seeds as spawn_seeds

# Looked up when they are first used: each child process imports this package, and needs little of it.
_HOMES = {
    "Choice": "spinup.grid",
    "EpochLogger": "spinup.loggers",
    "ExperimentFailed": "spinup.errors",
    "ExperimentGrid": "spinup.utils.run_utils",
    "GridFailed": "spinup.errors",
    "IntUniform": "spinup.grid",
    "LogUniform": "spinup.grid",
    "Logger": "spinup.loggers",
    "RunRecord": "spinup.rundir.record",
    "RunSet": "spinup.results.runset",
    "SpinupError": "spinup.errors",
    "Uniform": "spinup.grid",
    "call_experiment": "spinup.utils.run_utils",
    "load": "spinup.results.runset",
    "make_report": "spinup.report.make",
    "setup_logger_kwargs": "spinup.utils.run_utils",
    "spawn_seeds": "spinup.utils.seeds",
}

__all__ = [
    "Choice",
    "EpochLogger",
    "ExperimentFailed",
    "ExperimentGrid",
    "GridFailed",
    "IntUniform",
    "LogUniform",
    "Logger",
    "RunRecord",
    "RunSet",
    "SpinupError",
    "Uniform",
    "call_experiment",
    "load",
    "make_report",
    "setup_logger_kwargs",
    "spawn_seeds",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'spinup' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
