"""One of a run's MPI processes, and the guard that tells how it ended when it cannot do so itself.

``mpiexec`` says that some process was killed, each in words of its own. So each rank is a pair: a guard,
which ``mpiexec`` has started, and its child, which calls the thunk.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from spinup import mpi
from spinup.jobs.failures import claim_failure, wait_for_failure
from spinup.rundir.layout import RunDir
from spinup.rundir.status import exit_reason, is_taken, read_status, write_status

if TYPE_CHECKING:
    from pathlib import Path

    from spinup.rundir.status import Status

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(payload: Path) -> int:
    """Do this rank's part of the run whose payload this is; give the exit code of the process."""
    from spinup.jobs.child import run as run_child  # noqa: PLC0415 - the guard does without

    run_dir = RunDir(payload.parent)
    _write_to(run_dir.output)
    if sys.platform != "linux":
        return run_child(payload)
    from spinup.launchers import processes  # noqa: PLC0415 - Linux alone has it

    begun = read_status(run_dir)
    told, tell = os.pipe()
    guard, helper = os.getpid(), os.getppid()
    # The leader of the run's session, which the run server has made; no session of somebody else's.
    leader = os.getsid(helper)
    mpiexec = leader if leader == processes.parent_of(helper) else None
    child = os.fork()
    if child:
        os.close(tell)
        # Without its helper, MPICH's mpiexec waits for ever, and the ranks run on.
        signal.signal(signal.SIGUSR2, lambda *_: _end(child, mpiexec))
        processes.die_with_parent(helper, signal.SIGUSR2)
        _watch(child, told, run_dir, begun)
    os.close(told)
    processes.die_with_parent(guard)
    code = run_child(payload)
    os.write(tell, b".")
    return code


def _write_to(output: Path) -> None:
    """Have this process write to the run's log itself, past an ``mpiexec`` that may be killed."""
    handle = os.open(output, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _watch(child: int, told: int, run_dir: RunDir, begun: Status | None) -> NoReturn:
    """Wait for ``child``, write down a bad end of which it could not tell, and end as it did."""
    # Whoever ends the run tells the child too, which decides.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _, wait_status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(wait_status)
    # Not waiting for the end of the pipe, which a daemon of the thunk's may hold open.
    os.set_blocking(told, False)
    has_returned = False
    with suppress(BlockingIOError):
        has_returned = bool(os.read(told, 1))
    if not has_returned:
        with suppress(Exception):  # the launcher sees that the run has failed, if not where
            _write_down(code, run_dir, begun)
    if code < 0:
        with suppress(OSError):  # SIGKILL has no other handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    # Zero from one that has not returned would leave the others waiting for it.
    os._exit(code or int(not has_returned))


def _end(*pids: int | None) -> None:
    for pid in pids:
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _write_down(code: int, run_dir: RunDir, begun: Status | None) -> None:
    if begun is None or is_taken(run_dir, begun):
        return
    if claim_failure(run_dir):
        reason, name = exit_reason(code)
        exit_code = code if code >= 0 else None
        # Read again, for when it began.
        status = read_status(run_dir) or begun
        write_status(run_dir, status.failed(reason, exit_code=exit_code, signal=name, rank=_rank()))
    else:
        # With the end of this process mpiexec ends the others, and one of them is writing.
        wait_for_failure(run_dir)


def _rank() -> int | None:
    """The number of this rank as its launcher says it: the guard has no MPI of its own."""
    return next((int(os.environ[name]) for name in mpi.RANK_VARIABLES if name in os.environ), None)
