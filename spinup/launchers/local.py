"""Runs on this Linux machine, started and buried by a run server."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup import mpi
from spinup.jobs.payload import Surroundings
from spinup.launchers import messages, processes
from spinup.launchers.base import GRACE_S, Exited, Post, Request, Started, command_of
from spinup.launchers.server import BOOTSTRAP, IMPORT_PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: In the environment of every process of a run server's runs, so that none can get lost.
MARK = "SPINUP_LAUNCH"

#: How long a run server may take to answer, in seconds; one that is stopped or stuck is ended.
PATIENCE_S = 5.0

_KILLED = "the run server was killed"
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
            with suppress(FileNotFoundError):  # the working directory is gone, as each run will say
                sys_path = Surroundings.of_this_process().sys_path
                self._get_server().send({"do": "preload", "sys_path": sys_path, "modules": list(preloads)})

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
            "sys_path": Surroundings.of_this_process().sys_path,
            "modules": request.modules,
        }
        error = self._get_server().begin(request.run, message, request.lock)
        if error is not None:
            self._post(Exited(request.run, None, error=error))

    def stop(self, run: int, grace_s: float = GRACE_S) -> None:
        """End a run, gently first, by force after ``grace_s``; one that has ended is left alone."""
        with self._lock:
            server = self._server
        if server is not None:
            server.stop(run, grace_s)

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
        self._changed = threading.Condition(self._lock)
        self._num_answers = 0
        self._is_closing = False
        self.is_dead = False
        self._end, theirs = messages.make_pair()
        # A server that does not listen any more must not hold up who speaks to it.
        patience = struct.pack("ll", int(PATIENCE_S), int(PATIENCE_S % 1 * 1e6))
        self._end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        arguments = [_PACKAGE_HOME, str(theirs.fileno()), str(os.getpid()), str(IMPORT_PATIENCE_S)]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-c", BOOTSTRAP, *arguments],
                stdin=subprocess.DEVNULL,
                # A launcher that was started with these closed may have files of its user's there.
                stdout=subprocess.DEVNULL,
                stderr=None if sys.__stderr__ is not None else subprocess.DEVNULL,
                env={**mpi.strip(os.environ), **environment, MARK: self._mark},
                pass_fds=[theirs.fileno()],
                # Away from the terminal's signals: what to stop is said over the socket.
                start_new_session=True,
            )
        try:
            self._listener = threading.Thread(target=self._listen, args=(self._end,), daemon=True)
            self._listener.start()
        except BaseException:  # there can be no more threads, or Ctrl-C came
            self._process.kill()
            self._process.wait()
            self._end.close()
            raise

    def begin(self, run: int, message: dict[str, Any], lock: int) -> str | None:
        """Ask for a run to be started; why that cannot be and no event will come, or None if it can."""
        with self._lock:
            if self.is_dead:
                return _KILLED
            try:
                messages.send(self._end, message, (lock,))
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    return "its environment, paths and names of modules are too long for the run server"
                self._process.kill()  # dead already, or it does not listen
            # Should it be dead, the listener is about to notice, and posts the run's end.
            self._runs.add(run)
        return None

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            if not self.is_dead:
                try:
                    messages.send(self._end, message)
                except OSError as error:
                    if error.errno != errno.EMSGSIZE:  # what is only a hint may be too long
                        self._process.kill()  # dead already, or it does not listen

    def stop(self, run: int, grace_s: float) -> None:
        """End a run, and the server too if that does not answer."""
        self.send({"do": "stop", "key": run, "grace_s": grace_s})
        with self._lock:
            is_there = run in self._runs
        if is_there:
            threading.Thread(target=self._see_to_end, args=(run, grace_s), daemon=True).start()

    def _see_to_end(self, run: int, grace_s: float) -> None:
        """Wait for a run's end; kill the server if it does not answer after that time.

        A run can take longer, because its disk hangs, and the server would be needed for the others.
        """
        timeout_s = min(grace_s + PATIENCE_S, threading.TIMEOUT_MAX)
        with self._changed:
            if self._changed.wait_for(lambda: run not in self._runs, timeout_s):
                return
            num_answers = self._num_answers
        self.send({"do": "answer"})
        with self._changed:
            if not self._changed.wait_for(
                lambda: self.is_dead or self._num_answers > num_answers, PATIENCE_S
            ):
                self._process.kill()  # the runs die with it, and are lost

    def close(self) -> None:
        # The server takes the end of the conversation as its launcher's death, and ends all runs.
        with self._lock:
            self._is_closing = True
            if not self.is_dead:
                self._end.shutdown(socket.SHUT_RDWR)
        self._listener.join(PATIENCE_S)
        if self._listener.is_alive():
            self._process.kill()
            self._listener.join()

    def _listen(self, end: socket.socket) -> None:
        for message in self._messages(end):
            self._hear(message)
        self._process.wait()
        with self._lock:
            self.is_dead = True
            lost, self._runs = sorted(self._runs), set()
            self._changed.notify_all()
            end.close()
        if lost or not self._is_closing:
            # The kernel has ended the runs; what they had started in sessions of their own is left.
            processes.kill_marked(f"{MARK}={self._mark}")
        for run in lost:
            self._post(Exited(run, None, error=_KILLED))

    def _messages(self, end: socket.socket) -> Iterator[dict[str, Any]]:
        """What the server says, until it is dead, whoever else may have its end open."""
        poll = select.poll()
        poll.register(end, select.POLLIN)
        with _watched(self._process.pid, poll):
            while True:
                ready = [descriptor for descriptor, _ in poll.poll()]
                # First what it has said, then that it is dead.
                received = messages.receive(end) if end.fileno() in ready else None
                if received is None:
                    return
                yield received[0]

    def _hear(self, message: dict[str, Any]) -> None:
        if message["event"] == "answer":
            with self._changed:
                self._num_answers += 1
                self._changed.notify_all()
            return
        run = int(message["key"])
        if message["event"] == "started":
            self._post(Started(run, message["pid"], message["is_warm"], message["reason"]))
            return
        with self._lock:
            self._runs.discard(run)
            self._changed.notify_all()
        rss_kb = message.get("max_rss_kb")
        rss_bytes = None if rss_kb is None else rss_kb * 1024
        self._post(Exited(run, message["code"], message["error"], rss_bytes))


@contextmanager
def _watched(pid: int, poll: select.poll) -> Iterator[None]:
    """Have ``poll`` return when a child is dead, where the kernel can tell."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        yield
        return
    poll.register(process, select.POLLIN)
    try:
        yield
    finally:
        os.close(process)
