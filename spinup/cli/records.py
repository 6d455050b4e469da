"""What ``spinup run --json`` prints: the records of the runs."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.cli.output import print_json
from spinup.errors import RecordError
from spinup.rundir.launches import process_start, read_launches
from spinup.rundir.layout import RunDir
from spinup.rundir.record import RunRecord, read_record_or_failure
from spinup.rundir.status import State, read_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.rundir.launches import Launch, LaunchedRun


def print_records(records: Sequence[Any]) -> None:
    """Print the records as one object."""
    print_json({"runs": [_row(record) for record in records]})


def ended_runs(data_dir: Path) -> list[RunRecord]:
    """The records of the runs of this process's latest launch in ``data_dir`` that have ended."""
    this = os.getpid(), process_start(os.getpid())
    launches = [each for each in read_launches(data_dir) if (each.pid, each.process_start) == this]
    if not launches:
        return []
    runs = [run for run in launches[-1].runs if _has_ended(run, launches[-1])]
    return [read_record_or_failure(RunDir(Path(run.directory)), run.name, run.seed) for run in runs]


def _has_ended(run: LaunchedRun, launch: Launch) -> bool:
    """Whether what is in its directory is its end, and not that of an earlier run, which waits there."""
    status = None
    with suppress(RecordError, OSError):
        status = read_status(RunDir(Path(run.directory)))
    if status is None or status.state not in {State.DONE, State.FAILED}:
        return False
    return not run.is_to_run or (status.ended_at or "") >= launch.started_at


def _row(record: RunRecord) -> dict[str, Any]:
    return {
        "exp_name": record.name,
        "seed": record.seed,
        "directory": str(record.directory),
        "state": str(record.state),
        "reason": record.reason,
        "message": record.message,
        "result": record.result,
    }
