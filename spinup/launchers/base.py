"""What every way of starting runs has in common."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from spinup.jobs.job import Job

#: Time that a run has to end by itself once it is asked to.
GRACE_S = 10.0

#: What a fresh interpreter executes, with a payload as its only argument.
ENTRYPOINT = str(Path(__file__).parents[1] / "utils" / "run_entrypoint.py")

Isolation = Literal["auto", "warm", "fresh"]


def command_of(job: Job) -> list[str]:
    """The command line of a process in a fresh interpreter, or of several under ``mpiexec``.

    Raises:
        OSError: This Python does not know its own executable.
        MpiError: There is no MPI for a run of several processes.
    """
    if not sys.executable:
        raise OSError("this Python does not know its own executable")
    payload = str(job.run_dir.payload)
    if job.num_cpu == 1:
        return [sys.executable, "-u", ENTRYPOINT, payload]
    from spinup.launchers.mpi import find_mpi  # noqa: PLC0415 - most runs are one process

    # Absolute, and never this process's own command line, which would begin the whole grid again.
    return find_mpi().command(job.num_cpu, [sys.executable, "-u", "-m", "mpi4py", ENTRYPOINT, payload])


@dataclass(frozen=True)
class Request:
    """A run to be started; its directory is prepared.

    Attributes:
        run: What the caller calls it; comes back with its events.
        job: The run.
        lock: Descriptor of the run's lock, to be held until the run's last process is gone.
        isolation: ``warm``, ``fresh``, or ``auto`` for warm where that is safe.
        modules: What the run is going to import, for a warm start.
        environment: Variables that differ from this process's.
    """

    run: int
    job: Job
    lock: int
    isolation: Isolation = "auto"
    modules: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A run's process is there.

    Attributes:
        run: Which run.
        pid: Its process, or None if it is not on this machine.
        is_warm: Whether it was forked from a process that had imported its modules.
        note: Why it was not, where it was asked to be.
    """

    run: int
    pid: int | None = None
    is_warm: bool = False
    note: str | None = None


@dataclass(frozen=True)
class Exited:
    """A run's process is gone, and all that it had started.

    Attributes:
        run: Which run.
        code: Exit code, or minus the number of the signal that ended it; None if nobody can know.
        error: Why nobody can know, or why the run could not start.
        max_rss_bytes: The most memory that its main process held, where that is known.
    """

    run: int
    code: int | None
    error: str | None = None
    max_rss_bytes: int | None = None


Post = Callable[[Started | Exited], None]


class Launcher(Protocol):
    """A way to start runs. Its events go to the function that it was made with, from any thread.

    Each `start` is followed by at most one `Started` and exactly one `Exited`.
    """

    def start(self, request: Request) -> None:
        """Start a run."""

    def stop(self, run: int, grace_s: float = GRACE_S) -> None:
        """End a run, gently first, by force after ``grace_s``; one that has ended is left alone."""

    def close(self) -> None:
        """End what still runs, at once, and let go of everything."""
