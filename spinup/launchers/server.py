"""The run server: one process beside the launcher that forks each run, and buries it.

It has one thread and imports little by itself; for warm starts it imports what the thunks need, and
its children find that done. It is the parent of every run, and adopts what runs leave behind, so that
nothing can hide in a session of its own. When the launcher dies, its socket says so, and the server
ends all runs and itself. When the server dies, the kernel ends the runs.

`BOOTSTRAP` is the program that starts it, with two arguments: the directory of this package, and the
descriptor of its end of a socket pair.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from spinup.launchers import messages, processes
from spinup.launchers.base import ENTRYPOINT
from spinup.launchers.quick_exit import freeze, quick_exit

_LOCKS_REMEMBERED = 1_000  # more than a launcher can have runs whose ends it has not heard of
_LAUNCHER_DIES_S = 1.0


@dataclass
class _Run:
    """A run that was started.

    Attributes:
        key: What the launcher calls it.
        pid: Its process, leader of its session.
        kill_at_s: When it is ended by force; None if nobody asked it to stop.
    """

    key: int
    pid: int
    kill_at_s: float | None = None


@dataclass(frozen=True)
class _Task:
    """What a forked child has to do.

    Attributes:
        payload: Its payload.
        command: The program that it becomes; None for a warm start.
    """

    payload: str
    command: list[str] | None


@dataclass
class Server:
    """Starts runs as the launcher asks, and tells how they ended.

    Attributes:
        end: This end of the socket to the launcher.
    """

    end: socket.socket
    _runs: dict[int, _Run] = field(default_factory=dict)  # by pid
    _wakeup: tuple[int, int] = (-1, -1)
    _run_dirs: deque[Path] = field(default_factory=lambda: deque(maxlen=_LOCKS_REMEMBERED))

    def serve(self) -> _Task | None:
        """Serve until the launcher is gone: None in the server, in each forked child its task."""
        processes.adopt_orphans()
        self._wakeup = os.pipe()
        for descriptor in self._wakeup:
            os.set_blocking(descriptor, False)
        # A child's death wakes the loop through this pipe; the handler itself has nothing to do.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup[1])
        # Ctrl-C is the launcher's to answer: it says here what is to stop.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        poll = select.poll()
        poll.register(self.end, select.POLLIN)
        poll.register(self._wakeup[0], select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(self._timeout_ms())]
            if self._wakeup[0] in ready:
                with suppress(BlockingIOError):
                    os.read(self._wakeup[0], 4096)
            self._bury()
            self._kill_overdue()
            if self.end.fileno() in ready:
                received = messages.receive(self.end)
                if received is None:
                    self._end_all()
                    self._remove_locks()
                    return None
                task = self._answer(*received)
                if task is not None:
                    return task

    # -- Requests

    def _answer(self, message: dict[str, Any], files: list[int]) -> _Task | None:
        if message["do"] == "start":
            return self._start(message, files)
        if message["do"] == "preload":
            preload(message["sys_path"], message["modules"])
        if message["do"] == "stop":
            self._stop(message["key"], message["grace_s"])
        return None

    def _start(self, message: dict[str, Any], files: list[int]) -> _Task | None:
        is_warm, reason = bool(message["is_warm"]), None
        if is_warm:
            reason = preload(message["sys_path"], message["modules"])
            is_warm = reason is None or message["is_forced"]
        server_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            for file in files:
                os.close(file)
            self._tell(key=message["key"], event="ended", code=None, error=str(error))
            return None
        if pid == 0:
            self._become_run(server_pid, message)
            for file in files:  # the run's lock: held for as long as the run is there
                os.set_inheritable(file, True)
            return _Task(message["payload"], None if is_warm else message["command"])
        for file in files:
            os.close(file)
        self._runs[pid] = _Run(message["key"], pid)
        self._run_dirs.append(Path(message["payload"]).parent)
        self._tell(key=message["key"], event="started", pid=pid, is_warm=is_warm, reason=reason)
        return None

    def _become_run(self, server_pid: int, message: dict[str, Any]) -> None:
        """In the forked child: leave the server's things behind, and take on those of a run."""
        os.setsid()
        processes.die_with_parent(server_pid)
        processes.adopt_orphans()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in (*self._wakeup, self.end.detach()):
            os.close(descriptor)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        output = os.open(message["output"], flags, 0o666)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        os.environ.update(message["environment"])
        self._runs.clear()

    def _stop(self, key: int, grace_s: float) -> None:
        for run in self._runs.values():
            if run.key == key:
                if grace_s > 0:
                    processes.signal_tree(run.pid, signal.SIGTERM)
                run.kill_at_s = time.monotonic() + grace_s

    # -- Deaths

    def _bury(self) -> None:
        """Reap what has died, end what a dead run has left behind, and tell the launcher."""
        while True:
            try:
                pid, wait_status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            run = self._runs.pop(pid, None)
            if run is not None:
                self._end_orphans()
                code = os.waitstatus_to_exitcode(wait_status)
                self._tell(key=run.key, event="ended", code=code, error=None, max_rss_kb=usage.ru_maxrss)

    def _end_orphans(self) -> None:
        """End whatever a run that is dead now has left: a run adopts its orphans while it lives."""
        while True:
            orphans = [pid for pid in processes.children(os.getpid()) if pid not in self._runs]
            if not orphans:
                return
            for pid in orphans:
                processes.signal_tree(pid, signal.SIGKILL)
            for pid in orphans:
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _kill_overdue(self) -> None:
        for run in self._runs.values():
            if run.kill_at_s is not None and run.kill_at_s <= time.monotonic():
                processes.signal_tree(run.pid, signal.SIGKILL)
                run.kill_at_s = None

    def _end_all(self) -> None:
        for run in self._runs.values():
            processes.signal_tree(run.pid, signal.SIGKILL)
        self._runs.clear()
        self._end_orphans()

    def _remove_locks(self) -> None:
        """Remove the locks of a killed launcher: of a run that is done, nobody would ever take them."""
        from spinup.rundir.layout import RunDir  # noqa: PLC0415 - not in what a run is forked from
        from spinup.rundir.lock import remove_stale  # noqa: PLC0415

        give_up_s = time.monotonic() + _LAUNCHER_DIES_S
        for run_dir in map(RunDir, self._run_dirs):
            with suppress(OSError):
                # The launcher's files are closed one after another: its locks may follow its socket.
                while not remove_stale(run_dir) and time.monotonic() < give_up_s:
                    time.sleep(0.01)

    def _timeout_ms(self) -> float | None:
        times = [run.kill_at_s for run in self._runs.values() if run.kill_at_s is not None]
        return max(0.0, min(times) - time.monotonic()) * 1e3 + 1 if times else None

    def _tell(self, **message: Any) -> None:
        with suppress(OSError):  # the launcher is gone, which the next poll says
            messages.send(self.end, message)


def preload(sys_path: list[str], modules: list[str]) -> str | None:
    """Import ``modules`` for the runs to come; why a fork would not be safe now, or None if it is.

    A module that cannot be imported is left to the run, which fails over it with its own traceback.
    """
    sys.path[:] = sys_path
    for name in modules:
        if name not in sys.modules:
            with suppress(BaseException):
                importlib.import_module(name)
            freeze()
    extra = processes.num_threads() - 1
    if extra > 0 and (extra := extra - _threads_that_recover()) > 0:
        return f"importing {', '.join(modules)} started {extra} threads, which a fork would lose"
    return None


def _threads_that_recover() -> int:
    """Threads of BLAS libraries, which start them again after a fork by themselves."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    libraries = {line.split()[-1] for line in maps if "openblas" in line}
    per_library = int(os.environ.get("OPENBLAS_NUM_THREADS", "1")) - 1
    return len(libraries) * per_library


def run_task(task: _Task) -> NoReturn:
    """In the forked child: do the run, and exit as an interpreter of its own would."""
    if task.command is not None:
        os.execv(task.command[0], task.command)  # noqa: S606 - made by the launcher
    sys.argv = [ENTRYPOINT, task.payload]
    _forget_random_state()
    from spinup.jobs.child import run  # noqa: PLC0415 - a fresh interpreter is on its way without it

    quick_exit(run(Path(task.payload)))


def _forget_random_state() -> None:
    """Random numbers that nobody seeded must differ from run to run, as in interpreters of their own."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


#: A program rather than this file: the directory of a file would come first on the path.
BOOTSTRAP = """
import sys
sys.path.insert(0, sys.argv[1])
from spinup.launchers.server import main
main()
"""


def main() -> None:
    """Serve on the socket that the command line names."""
    task = Server(socket.socket(fileno=int(sys.argv[2]))).serve()
    if task is not None:
        run_task(task)
