"""Runs on this Linux machine, started and buried by a run server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup import mpi
from spinup.launchers import messages, processes
from spinup.launchers.base import GRACE_S, Exited, Post, Request, Started, command_of
from spinup.launchers.server import BOOTSTRAP

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

#: In the environment of every process of a run server's runs, so that none can get lost.
MARK = "SPINUP_LAUNCH"

_PACKAGE_HOME = str(Path(__file__).parents[2])


class LocalLauncher:
    """Starts runs through a run server, and a new server when that one is killed.

    Args:
        post: Where events go.
        environment: Variables of all runs that differ from this process's.
        preloads: What the first run server imports while the first run is still being prepared.
    """

    def __init__(
        self, post: Post, environment: Mapping[str, str] | None = None, preloads: Sequence[str] = ()
    ) -> None:
        self._post = post
        # Unbuffered, so that what a run prints can be read when it prints it.
        self._environment = {**(environment or {}), "PYTHONUNBUFFERED": "1"}
        # What it prints goes to a file, which takes all that a terminal may not.
        self._environment["PYTHONIOENCODING"] = "utf-8"
        self._lock = threading.Lock()
        self._server: _Server | None = None
        if preloads:
            self._get_server().send({"do": "preload", "sys_path": sys.path, "modules": list(preloads)})

    def start(self, request: Request) -> None:
        """Start a run."""
        is_warm = request.isolation != "fresh" and request.job.num_cpu == 1
        message = {
            "do": "start",
            "key": request.run,
            "payload": str(request.job.run_dir.payload),
            "command": command_of(request.job),
            "output": str(request.job.run_dir.output),
            "environment": dict(request.environment),
            "is_warm": is_warm,
            "is_forced": request.isolation == "warm",
            "sys_path": sys.path,
            "modules": request.modules,
        }
        server = self._get_server()
        if not server.begin(request.run, message, request.lock):
            self._post(Exited(request.run, None, error="the run server was killed"))

    def stop(self, run: int, grace_s: float = GRACE_S) -> None:
        """End a run, gently first, by force after ``grace_s``; one that has ended is left alone."""
        with self._lock:
            server = self._server
        if server is not None:
            server.send({"do": "stop", "key": run, "grace_s": grace_s})

    def close(self) -> None:
        """End what still runs, at once, and let go of everything."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def _get_server(self) -> _Server:
        with self._lock:
            if self._server is None or self._server.is_dead:
                self._server = _Server(self._post, self._environment)
            return self._server


class _Server:
    """The run server's other end: a process, its socket, and the thread that listens."""

    def __init__(self, post: Post, environment: Mapping[str, str]) -> None:
        self._post = post
        # Its own: the runs of the server that follows must not be taken for those of a killed one.
        self._mark = uuid.uuid4().hex
        self._runs: set[int] = set()
        self._lock = threading.Lock()
        self.is_dead = False
        self._end, theirs = messages.make_pair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-c", BOOTSTRAP, _PACKAGE_HOME, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env={**mpi.strip(os.environ), **environment, MARK: self._mark},
                pass_fds=[theirs.fileno()],
                # Away from the terminal's signals: what to stop is said over the socket.
                start_new_session=True,
            )
        self._listener = threading.Thread(target=self._listen, args=(self._end,), daemon=True)
        self._listener.start()

    def begin(self, run: int, message: dict[str, Any], lock: int) -> bool:
        """Ask for a run to be started; False if the server is dead, and no event will come."""
        with self._lock:
            if self.is_dead:
                return False
            self._runs.add(run)
            # If it is dead, the listener is about to notice, and posts the run's end.
            with suppress(OSError):
                messages.send(self._end, message, (lock,))
        return True

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            if not self.is_dead:
                with suppress(OSError):  # dead, which the listener is about to notice
                    messages.send(self._end, message)

    def close(self) -> None:
        # The server takes the end of the conversation as its launcher's death, and ends all runs.
        with self._lock:
            if not self.is_dead:
                self._end.shutdown(2)
        self._listener.join()

    def _listen(self, end: socket.socket) -> None:
        while (received := messages.receive(end)) is not None:
            self._hear(received[0])
        self._process.wait()
        with self._lock:
            self.is_dead = True
            lost, self._runs = sorted(self._runs), set()
            end.close()
        if lost:
            # The kernel has ended the runs; what they had started in sessions of their own is left.
            processes.kill_marked(f"{MARK}={self._mark}")
        for run in lost:
            self._post(Exited(run, None, error="the run server was killed"))

    def _hear(self, message: dict[str, Any]) -> None:
        run = int(message["key"])
        if message["event"] == "started":
            self._post(Started(run, message["pid"], message["is_warm"], message["reason"]))
            return
        with self._lock:
            self._runs.discard(run)
        rss_kb = message.get("max_rss_kb")
        rss_bytes = None if rss_kb is None else rss_kb * 1024
        self._post(Exited(run, message["code"], message["error"], rss_bytes))
