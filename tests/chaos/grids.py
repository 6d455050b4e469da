"""Small grids in this process, for what needs no launcher to be killed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psutil

from spinup import ExperimentGrid, GridFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spinup.rundir.record import RunRecord


def run_grid(
    thunk: Callable[..., Any] | str,
    data_dir: Path,
    keywords: dict[str, Any] | None = None,
    /,
    **parameters: Any,
) -> list[RunRecord]:
    """The records of a grid over ``parameters``, whether runs have failed or not."""
    eg = ExperimentGrid(name="g")
    for name, values in parameters.items():
        eg.add(name, values)
    try:
        return eg.run(thunk, data_dir=data_dir, gpus=None, **(keywords or {}))
    except GridFailed as failed:
        return failed.records


def status_of(record: RunRecord) -> dict[str, Any]:
    """What the run's status.json says."""
    return json.loads((record.directory / "status.json").read_text())


def end_of(record: RunRecord) -> tuple[Any, ...]:
    """State, reason, exit code and signal."""
    status = status_of(record)
    return status["state"], status["reason"], status["exit_code"], status["signal"]


def litter(data_dir: Path) -> list[str]:
    """Locks and what was never finished."""
    kinds = (".*.lock", ".*.tmp", "payload.pkl", "*.thunk.*")
    return sorted(str(path.relative_to(data_dir)) for kind in kinds for path in data_dir.rglob(kind))


def alive(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
