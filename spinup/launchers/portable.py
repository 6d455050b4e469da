"""Runs on any POSIX machine, each in a fresh interpreter that this process starts and waits for itself.

Where there is no run server (macOS), this takes its place. What a run starts in sessions of its own
can escape it, and so can a run whose launcher is killed; its lock then keeps others out of its directory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from spinup import mpi
from spinup.launchers.base import GRACE_S, Exited, Post, Request, Started, command_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class PortableLauncher:
    """Starts each run in a fresh interpreter, and waits for it in a thread.

    Args:
        post: Where events go.
        environment: Variables of all runs that differ from this process's.
    """

    def __init__(self, post: Post, environment: Mapping[str, str] | None = None) -> None:
        self._post = post
        self._environment = {**(environment or {}), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def start(self, request: Request) -> None:
        """Start a run."""
        try:
            process = self._spawn(request)
        except OSError as error:
            self._post(Exited(request.run, None, error=str(error)))
            return
        with self._lock:
            self._processes[request.run] = process
        note = "warm starts need Linux" if request.isolation == "warm" else None
        self._post(Started(request.run, process.pid, is_warm=False, note=note))
        threading.Thread(target=self._wait, args=(request.run, process), daemon=True).start()

    def stop(self, run: int, grace_s: float = GRACE_S) -> None:
        """End a run, gently first, by force after ``grace_s``; one that has ended is left alone."""
        with self._lock:
            process = self._processes.get(run)
        if process is None:
            return
        if grace_s <= 0:
            _signal_group(process, signal.SIGKILL)
            return
        _signal_group(process, signal.SIGTERM)
        timer = threading.Timer(grace_s, self.stop, (run, 0))
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """End what still runs, at once, and let go of everything."""
        with self._lock:
            processes = list(self._processes.values())
        for process in processes:
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def _spawn(self, request: Request) -> subprocess.Popen[bytes]:
        command = command_of(request.job)
        with request.job.run_dir.output.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                # The child writes its log itself: nothing is lost should this process die.
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**mpi.strip(os.environ), **self._environment, **request.environment},
                pass_fds=[request.lock],
                # Away from the terminal's signals, and one group to end with all its descendants.
                start_new_session=True,
            )

    def _wait(self, run: int, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        _signal_group(process, signal.SIGKILL)
        with self._lock:
            self._processes.pop(run, None)
        self._post(Exited(run, code))


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group outlives its leader while there are descendants in it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
