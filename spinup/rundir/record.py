"""What became of a run: what `call_experiment` and `ExperimentGrid.run` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.rundir.config import read_json
from spinup.rundir.status import State, read_status

if TYPE_CHECKING:
    from pathlib import Path

    from spinup.rundir.layout import RunDir
    from spinup.rundir.status import Status


@dataclass(frozen=True)
class RunRecord:
    """One run, as its directory tells it.

    Attributes:
        name: Name of the experiment.
        seed: Seed of the run.
        directory: Where everything is that the run wrote.
        state: ``done`` or ``failed`` once it has ended.
        result: What the thunk returned, as JSON says it; None if it cannot, or if the run failed.
        reason: Why the run failed, in a few words.
        message: The error in one line.
        rank: Which of its processes failed first, where it has several.
    """

    name: str
    seed: int
    directory: Path
    state: State
    result: Any = None
    reason: str | None = None
    message: str | None = None
    rank: int | None = None


def read_record(run_dir: RunDir, status: Status | None = None) -> RunRecord:
    """The record of the run in ``run_dir``.

    Args:
        run_dir: The run.
        status: Its status, where that was read already.

    Raises:
        RecordError: There is no readable status.
    """
    status = status or read_status(run_dir)
    if status is None:
        raise RecordError(f"{run_dir.path} holds no run: there is no {run_dir.status.name} in it.")
    result = read_json(run_dir.result) if status.state is State.DONE and status.has_result else None
    return record_of(run_dir, status, result)


def read_record_or_failure(
    run_dir: RunDir, name: str, seed: int, status: Status | None = None
) -> RunRecord:
    """The record of the run in ``run_dir``; if it cannot be read, a failed one that says why.

    Args:
        run_dir: The run.
        name: Name of its experiment.
        seed: Its seed.
        status: Its status, where that was read already.
    """
    try:
        return read_record(run_dir, status)
    except (RecordError, OSError) as error:
        reason = "record not readable"
        return RunRecord(name, seed, run_dir.path, State.FAILED, reason=reason, message=str(error))


def record_of(run_dir: RunDir, status: Status, result: Any = None) -> RunRecord:
    """The record of a run that is as ``status`` says."""
    return RunRecord(
        name=status.exp_name,
        seed=status.seed,
        directory=run_dir.path,
        state=status.state,
        result=result,
        reason=status.reason,
        message=status.message,
        rank=status.rank,
    )
