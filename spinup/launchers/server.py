"""The run server: one process beside the launcher that starts each run, and buries it.

It has one thread, imports nothing foreign, and never waits for anything but the next message or death: it
answers at once whatever the runs do. Warm runs it has forked by its template (`template.py`), a child that
imports what they need. It is the parent of every run, and adopts what runs leave behind, so that nothing
can hide in a session of its own. When the launcher dies, its socket says so, and the server ends all runs
and itself. When the server dies, the kernel ends the runs.

`BOOTSTRAP` is the program that starts it, with four arguments: the directory of this package, the
descriptor of its end of a socket pair, the launcher's process, and how long an import may take.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import signal
import socket
import stat
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from spinup.launchers import messages, processes
from spinup.launchers.template import enter_run
from spinup.launchers.warm import Waiting, WarmStarts

#: How long the server waits for one module to be imported, in seconds.
IMPORT_PATIENCE_S = 60.0

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


@dataclass
class Server:
    """Starts runs as the launcher asks, and tells how they ended.

    Attributes:
        end: This end of the socket to the launcher.
        launcher_pid: The launcher; 0 for whoever has the other end.
        import_patience_s: How long one import may take.
        runs: The runs that have started, by their processes.
    """

    end: socket.socket
    launcher_pid: int = 0
    import_patience_s: float = IMPORT_PATIENCE_S
    runs: dict[int, _Run] = field(default_factory=dict)
    _poll: select.poll = field(default_factory=select.poll)
    _wakeup: tuple[int, int] = (-1, -1)
    _mask: set[signal.Signals | int] = field(default_factory=set)
    _limits: tuple[int, int] = (-1, -1)
    _run_dirs: deque[Path] = field(default_factory=lambda: deque(maxlen=_LOCKS_REMEMBERED))

    def __post_init__(self) -> None:
        self._warm = WarmStarts(self, self._poll, self.import_patience_s)

    def serve(self) -> None:
        """Serve until the launcher is gone."""
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
        # A launch script may have blocked any signal. Its runs are to have its mask, this process none.
        self._mask = signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # Each run takes several descriptors.
        self._limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._limits[1], self._limits[1]))
        self._poll.register(self.end, select.POLLIN)
        self._poll.register(self._wakeup[0], select.POLLIN)
        launcher = self._watch_launcher()
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll(self._timeout_ms())]
            if self._wakeup[0] in ready:
                with suppress(BlockingIOError):
                    os.read(self._wakeup[0], 4096)
            self._warm.hear()
            self._bury()
            self._end_overdue()
            if self.end.fileno() in ready or launcher in ready:
                # Dead it may be while its end is open: in a process that it has forked.
                received = None if launcher in ready else messages.receive(self.end)
                if received is None:
                    self._end_all()
                    self._remove_locks()
                    return
                self._answer(*received)
            self._warm.go_on()

    def _watch_launcher(self) -> int:
        """A descriptor that is ready when the launcher is dead; -1 where the kernel has no such thing."""
        if self.launcher_pid == 0:
            return -1
        try:
            launcher = os.pidfd_open(self.launcher_pid)
        except OSError:
            return -1
        if os.getppid() != self.launcher_pid:  # it was dead already, and this is another process
            self.end.shutdown(socket.SHUT_RDWR)
        self._poll.register(launcher, select.POLLIN)
        return launcher

    # -- Requests

    def _answer(self, message: dict[str, Any], files: list[int]) -> None:
        if message["do"] == "start":
            self._start(message, files)
        elif message["do"] == "preload":
            self._warm.preload(message["sys_path"], message["modules"])
        elif message["do"] == "stop":
            self._stop(message["key"], message["grace_s"])
        elif message["do"] == "answer":
            self._tell(event="answer")

    def _start(self, message: dict[str, Any], locks: list[int]) -> None:
        if not locks:  # the kernel had none to give
            self._tell_unstarted(message["key"], os.strerror(errno.EMFILE))
            return
        try:
            output = _open_output(message["output"])
        except OSError as error:
            os.close(locks[0])
            self._tell_unstarted(message["key"], f"its output cannot be written: {error}")
            return
        run = Waiting(message, (locks[0], output))
        self._run_dirs.append(Path(message["payload"]).parent)
        if message["is_warm"]:
            self._warm.add(run)
        else:
            self.start_fresh(run)

    def start_fresh(self, run: Waiting, reason: str | None = None) -> None:
        """Start a run in an interpreter of its own; ``reason`` says why it is not forked."""
        server_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self.refuse(run, str(error))
            return
        if pid == 0:
            os.setsid()
            processes.die_with_parent(server_pid)
            processes.adopt_orphans()
            self._restore()
            enter_run(run.message, *run.files)
            command = run.message["command"]
            os.execv(command[0], command)  # noqa: S606 - made by the launcher
        self.note_start(run, pid, is_warm=False, reason=reason)

    def note_start(self, run: Waiting, pid: int, *, is_warm: bool, reason: str | None = None) -> None:
        """Take note of the process of a run, and tell the launcher."""
        run.close()
        self.runs[pid] = _Run(run.key, pid)
        self._tell(key=run.key, event="started", pid=pid, is_warm=is_warm, reason=reason)

    def _restore(self) -> None:
        """In a child: have signals and limits as a process has them that the launch script starts."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        resource.setrlimit(resource.RLIMIT_NOFILE, self._limits)

    def _stop(self, key: int, grace_s: float) -> None:
        for run in self._warm.take_out(key):
            self.refuse(run, "it was stopped before it had started")
        for started in self.runs.values():
            if started.key == key:
                if grace_s > 0:
                    processes.signal_tree(started.pid, signal.SIGTERM)
                started.kill_at_s = time.monotonic() + grace_s

    # -- Deaths

    def _bury(self) -> None:
        """Reap what has died, end what a dead run has left behind, and tell the launcher."""
        while (pid := _dead_child()) is not None:
            self._warm.hear()  # of a run it has spoken before that could die
            if pid == self._warm.pid:
                self._warm.lose("ended the process that did it")
            try:
                _, wait_status, usage = os.wait4(pid, 0)
            except ChildProcessError:  # ended with what a template has left
                continue
            run = self.runs.pop(pid, None)
            if run is not None:
                self.end_orphans()
                code = os.waitstatus_to_exitcode(wait_status)
                self._tell(key=run.key, event="ended", code=code, error=None, max_rss_kb=usage.ru_maxrss)

    def end_orphans(self) -> None:
        """End whatever a run that is dead now has left: a run adopts its orphans while it lives."""
        while True:
            found = processes.children(os.getpid())
            self._warm.hear()  # of a run it has spoken before that could be found here
            own = {*self.runs, *filter(None, [self._warm.pid])}
            orphans = [pid for pid in found if pid not in own]
            if not orphans:
                return
            for pid in orphans:
                processes.signal_tree(pid, signal.SIGKILL, spare=own)
            for pid in orphans:
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _end_overdue(self) -> None:
        now_s = time.monotonic()
        for run in self.runs.values():
            if run.kill_at_s is not None and run.kill_at_s <= now_s:
                processes.signal_tree(run.pid, signal.SIGKILL)
                run.kill_at_s = None
        if self._warm.give_up_s is not None and self._warm.give_up_s <= now_s:
            self._warm.lose(f"took more than {self.import_patience_s:g} s")

    def _end_all(self) -> None:
        for run in self.runs.values():
            processes.signal_tree(run.pid, signal.SIGKILL)
        self.runs.clear()
        self._warm.close()
        self.end_orphans()

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
        times = [run.kill_at_s for run in self.runs.values() if run.kill_at_s is not None]
        if self._warm.give_up_s is not None:
            times.append(self._warm.give_up_s)
        return max(0.0, min(times) - time.monotonic()) * 1e3 + 1 if times else None

    def leave(self) -> None:
        """In a forked child that is to be a template: let go of all that is the server's."""
        self._restore()
        for descriptor in (*self._wakeup, self.end.detach()):
            os.close(descriptor)
        self.runs.clear()

    def refuse(self, run: Waiting, error: str) -> None:
        """Let go of a run that could not start, and tell the launcher why."""
        run.close()
        self._tell_unstarted(run.key, error)

    def _tell_unstarted(self, key: int, error: str) -> None:
        self._tell(key=key, event="ended", code=None, error=error)

    def _tell(self, **message: Any) -> None:
        with suppress(OSError):  # the launcher is gone, which the next poll says
            messages.send(self.end, message)


def _open_output(path: str) -> int:
    """A run's output, opened for appending; without waiting, whatever is there under its name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        file = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link, or a pipe that nobody reads
            raise OSError(f"{path} is no regular file") from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{path} is no regular file")
    os.set_blocking(file, True)
    return file


def _dead_child() -> int | None:
    """A child that has died and was not reaped yet."""
    with suppress(ChildProcessError):
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return None if found is None else found.si_pid
    return None


#: A program rather than this file: the directory of a file would come first on the path.
BOOTSTRAP = """
import sys
sys.path[:] = [sys.argv[1], *filter(None, sys.path)]  # not the working directory: modules may lie there
from spinup.launchers.server import main
main()
"""


def main() -> NoReturn:
    """Serve on the socket that the command line names."""
    end = socket.socket(fileno=int(sys.argv[2]))
    # It had to be, for this process to have it; a run must not, nor what that leaves behind.
    end.set_inheritable(False)
    Server(end, int(sys.argv[3]), float(sys.argv[4])).serve()
    os._exit(0)
