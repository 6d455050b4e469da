"""What every way of starting a run has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spinup.jobs.job import Job

#: Time that a run has to end by itself once it is asked to.
GRACE_S = 10.0


@dataclass(frozen=True)
class Exit:
    """How a run's process ended.

    Attributes:
        code: Exit code, or minus the number of the signal that ended it.
    """

    code: int


class RunProcess(Protocol):
    """A run that was started."""

    def wait(self, timeout_s: float) -> Exit | None:
        """How the run ended, or None if it has not within ``timeout_s``."""

    def stop(self, grace_s: float = GRACE_S) -> Exit:
        """End the run, gently first, by force after ``grace_s``; nothing of it is left."""


class Launcher(Protocol):
    """A way to start runs."""

    def start(self, job: Job, lock: int) -> RunProcess:
        """Start the child of ``job``, whose directory is prepared.

        Args:
            job: The run.
            lock: Descriptor of the run's lock, which the child holds too.
        """
