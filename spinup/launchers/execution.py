"""One run from its lock to its record, whatever becomes of the child."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from spinup import console
from spinup.errors import RecordError
from spinup.jobs.prepare import prepare
from spinup.launchers.base import GRACE_S
from spinup.rundir.lock import locked
from spinup.rundir.record import RunRecord, read_record
from spinup.rundir.status import State, Status, read_status, write_status

if TYPE_CHECKING:
    from pathlib import Path

    from spinup.jobs.job import Job
    from spinup.launchers.base import Exit, Launcher, RunProcess

_RELAY_INTERVAL_S = 0.05
_CHUNK_BYTES = 1 << 20


def execute(job: Job, launcher: Launcher, *, relays_output: bool) -> RunRecord:
    """Do ``job``, and give what became of it.

    Args:
        job: The run.
        launcher: Starts its child.
        relays_output: Show on this process's stdout what the run prints, as it comes.

    Raises:
        RunIsLive: Another process is doing this run.
        RunDirError: The run directory cannot be made.
        KeyboardInterrupt: Ctrl-C; the run has been ended and is recorded as interrupted.
    """
    with locked(job.run_dir) as lock:
        prepare(job)
        try:
            process = launcher.start(job, lock.file)
        except OSError as error:
            write_status(job.run_dir, job.queued().failed("could not start", message=str(error)))
            return read_record(job.run_dir)
        try:
            ended = _watch(process, _Tail(job.run_dir.output) if relays_output else None)
        except BaseException:
            console.say(f"Stopping the run, within {GRACE_S:.0f} s; once more to end it at once.", "yellow")
            conclude(job, _stop(process), is_interrupted=True)
            raise
        conclude(job, ended)
        return read_record(job.run_dir)


def _stop(process: RunProcess) -> Exit:
    try:
        return process.stop()
    except KeyboardInterrupt:
        return process.stop(grace_s=0)


def _watch(process: RunProcess, tail: _Tail | None) -> Exit:
    ended = None
    while ended is None:
        ended = process.wait(_RELAY_INTERVAL_S if tail is not None else 3600.0)
        if tail is not None:
            tail.relay()
    return ended


def conclude(job: Job, ended: Exit, *, is_interrupted: bool = False) -> None:
    """Write down how the run ended, where the child itself could not."""
    status = _last_status(job)
    if status.state in {State.DONE, State.FAILED}:
        return
    code = ended.code
    name = _signal_name(-code) if code < 0 else None
    if is_interrupted:
        reason = "interrupted"
    elif name is not None:
        reason = f"signal {name}"
    elif code == 0:
        reason = "exit code 0 before the thunk returned"
    else:
        reason = f"exit code {code}"
    exit_code = code if code >= 0 else None
    job.run_dir.path.mkdir(parents=True, exist_ok=True)  # the thunk may have deleted it
    write_status(job.run_dir, status.failed(reason, exit_code=exit_code, signal=name))


def _last_status(job: Job) -> Status:
    with suppress(RecordError, OSError):
        status = read_status(job.run_dir)
        if status is not None and status.identity == job.identity:
            return status
    # The thunk, or somebody else, has damaged it; what was asked is still known.
    return job.queued()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class _Tail:
    """Shows what is added to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def relay(self) -> None:
        """Show what has come since the last time."""
        # Whether it can be shown or not, as when a pager was closed: the run itself goes on.
        with suppress(OSError), self._path.open("rb") as file:
            file.seek(self._offset)
            while data := file.read(_CHUNK_BYTES):
                self._offset += len(data)
                console.relay(data)
