"""Runs on this machine, each in a fresh interpreter and a session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from spinup.errors import RunDirError
from spinup.launchers.base import GRACE_S, Exit

if TYPE_CHECKING:
    from spinup.jobs.job import Job

_ENTRYPOINT = Path(__file__).parents[1] / "utils" / "run_entrypoint.py"


class LocalLauncher:
    """Starts each run in a fresh interpreter."""

    def start(self, job: Job, lock: int) -> LocalProcess:
        """Start the child of ``job``, whose directory is prepared."""
        if not sys.executable:
            raise RunDirError("This Python does not know its own executable, so no run can be started.")
        command = [sys.executable, str(_ENTRYPOINT), str(job.run_dir.payload)]
        with job.run_dir.output.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                # The child writes its log itself: nothing is lost should this process die.
                stdout=output,
                stderr=subprocess.STDOUT,
                # What it prints goes to a file, which takes all that a terminal may not.
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                # Should this process die, the run still holds its lock, and no other one joins it.
                pass_fds=[lock],
                # Away from the terminal's signals, and one group to end with all its descendants.
                start_new_session=True,
            )
        return LocalProcess(process)


class LocalProcess:
    """A run in a process of this machine."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def wait(self, timeout_s: float) -> Exit | None:
        """How the run ended, or None if it has not within ``timeout_s``."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._signal_group(signal.SIGKILL)
        return Exit(code)

    def stop(self, grace_s: float = GRACE_S) -> Exit:
        """End the run, gently first, by force after ``grace_s``; nothing of it is left."""
        if grace_s > 0 and self._process.poll() is None:
            self._signal_group(signal.SIGTERM)
        ended = self.wait(grace_s)
        if ended is None:
            self._signal_group(signal.SIGKILL)
            ended = Exit(self._process.wait())
        return ended

    def _signal_group(self, number: signal.Signals) -> None:
        if hasattr(os, "killpg"):
            # The group outlives its leader while there are descendants in it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
        elif self._process.poll() is None:
            self._process.terminate()
