"""The run server: one process beside the launcher that starts each run, and buries it.

It has one thread, imports nothing foreign, and never waits for anything but the next message or death: it
answers at once whatever the runs do. Warm runs it has forked by its template (`template.py`), a child that
imports what they need. It is the parent of every run, and adopts what runs leave behind, so that nothing
can hide in a session of its own. When the launcher dies, its socket says so, and the server ends all runs
and itself. When the server dies, the kernel ends the runs.

`BOOTSTRAP` is the program that starts it, with three arguments: the directory of this package, the
descriptor of its end of a socket pair, and how long an import may take.
"""

from __future__ import annotations

import errno
import os
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
from spinup.launchers.template import Template, enter_run

#: How long the server waits for one module to be imported, in seconds.
IMPORT_PATIENCE_S = 60.0

_LOCKS_REMEMBERED = 1_000  # more than a launcher can have runs whose ends it has not heard of
_LAUNCHER_DIES_S = 1.0
_MOST_TEMPLATES = 2  # that one run may lose before it is not worth another


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
class _Waiting:
    """A run that is to be started.

    Attributes:
        message: What the launcher has asked for.
        files: Its lock, held for as long as it is there, and its output.
        lost: How many templates were lost while they forked it.
    """

    message: dict[str, Any]
    files: tuple[int, int]
    lost: int = 0

    @property
    def key(self) -> int:
        return int(self.message["key"])

    @property
    def is_forced(self) -> bool:
        """Whether it must not have a fresh interpreter."""
        return bool(self.message["is_forced"])

    def close(self) -> None:
        for file in self.files:
            os.close(file)


@dataclass
class _Template:
    """The server's side of its template.

    Attributes:
        pid: Its process.
        end: This end of the socket to it, which does not block.
        sys_path: Where it looks for modules.
        modules: What it was asked to import.
        importing: What it imports now.
        forking: The run that it is to fork, and the descriptor by which that is told to begin.
        give_up_s: When it has taken too long; None while it has nothing to do.
    """

    pid: int
    end: socket.socket
    sys_path: list[str] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)
    importing: str | None = None
    forking: tuple[_Waiting, int] | None = None
    give_up_s: float | None = None

    @property
    def is_idle(self) -> bool:
        return self.give_up_s is None

    def ask(self, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
        with suppress(OSError):  # it is dead, which its parent is about to hear
            messages.send(self.end, message, files)

    def forget_run(self) -> _Waiting | None:
        """Give up the run that it is to fork: its process, if there is one, ends before it has begun."""
        if self.forking is None:
            return None
        run, go = self.forking
        self.forking = None
        os.close(go)
        return run


@dataclass
class Server:
    """Starts runs as the launcher asks, and tells how they ended.

    Attributes:
        end: This end of the socket to the launcher.
        import_patience_s: How long one import may take.
    """

    end: socket.socket
    import_patience_s: float = IMPORT_PATIENCE_S
    _runs: dict[int, _Run] = field(default_factory=dict)  # by pid
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _template: _Template | None = None
    _harmful: dict[str, str] = field(default_factory=dict)  # what importing a module did to a template
    _poll: select.poll = field(default_factory=select.poll)
    _wakeup: tuple[int, int] = (-1, -1)
    _mask: set[signal.Signals | int] = field(default_factory=set)
    _run_dirs: deque[Path] = field(default_factory=lambda: deque(maxlen=_LOCKS_REMEMBERED))

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
        self._poll.register(self.end, select.POLLIN)
        self._poll.register(self._wakeup[0], select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll(self._timeout_ms())]
            if self._wakeup[0] in ready:
                with suppress(BlockingIOError):
                    os.read(self._wakeup[0], 4096)
            self._hear_template()
            self._bury()
            self._end_overdue()
            if self.end.fileno() in ready:
                received = messages.receive(self.end)
                if received is None:
                    self._end_all()
                    self._remove_locks()
                    return
                self._answer(*received)
            self._go_on()

    # -- Requests

    def _answer(self, message: dict[str, Any], files: list[int]) -> None:
        if message["do"] == "start":
            self._start(message, *files)
        elif message["do"] == "preload":
            self._preload(message["sys_path"], message["modules"])
        elif message["do"] == "stop":
            self._stop(message["key"], message["grace_s"])
        elif message["do"] == "answer":
            self._tell(event="answer")

    def _preload(self, sys_path: list[str], modules: list[str]) -> None:
        if self._template is None and isinstance(template := self._get_template(), _Template):
            self._have_imported(template, sys_path, modules)

    def _start(self, message: dict[str, Any], lock: int) -> None:
        try:
            output = _open_output(message["output"])
        except OSError as error:
            os.close(lock)
            self._tell_unstarted(message["key"], f"its output cannot be written: {error}")
            return
        run = _Waiting(message, (lock, output))
        self._run_dirs.append(Path(message["payload"]).parent)
        if message["is_warm"]:
            self._waiting.append(run)
        else:
            self._start_fresh(run)

    def _start_fresh(self, run: _Waiting, reason: str | None = None) -> None:
        server_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            run.close()
            self._tell_unstarted(run.key, str(error))
            return
        if pid == 0:
            os.setsid()
            processes.die_with_parent(server_pid)
            processes.adopt_orphans()
            self._restore_signals()
            enter_run(run.message, *run.files)
            command = run.message["command"]
            os.execv(command[0], command)  # noqa: S606 - made by the launcher
        self._note_start(run, pid, is_warm=False, reason=reason)

    def _note_start(self, run: _Waiting, pid: int, *, is_warm: bool, reason: str | None = None) -> None:
        run.close()
        self._runs[pid] = _Run(run.key, pid)
        self._tell(key=run.key, event="started", pid=pid, is_warm=is_warm, reason=reason)

    def _restore_signals(self) -> None:
        """In a child: have signals as a process has them that the launch script starts."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _stop(self, key: int, grace_s: float) -> None:
        unstarted = [run for run in self._waiting if run.key == key]
        for run in unstarted:
            self._waiting.remove(run)
        if self._template is not None and self._template.forking and self._template.forking[0].key == key:
            unstarted += filter(None, [self._template.forget_run()])
        for run in unstarted:
            run.close()
            self._tell_unstarted(key, "it was stopped before it had started")
        for started in self._runs.values():
            if started.key == key:
                if grace_s > 0:
                    processes.signal_tree(started.pid, signal.SIGTERM)
                started.kill_at_s = time.monotonic() + grace_s

    # -- The template

    def _go_on(self) -> None:
        """Give the template the next thing to do, if it has nothing."""
        while self._waiting and (self._template is None or self._template.is_idle):
            run = self._waiting[0]
            harm = {name: what for name in run.message["modules"] if (what := self._harm_of(name))}
            reason = None if run.is_forced else next(iter(harm.values()), None)
            if run.lost >= _MOST_TEMPLATES:
                reason = "the process that was to fork it was lost"
            template = reason or self._get_template()
            if isinstance(template, str):
                self._refuse(self._waiting.popleft(), template)
            else:
                # What has harmed a template is left to the run, which may never come to import it.
                modules = [name for name in run.message["modules"] if name not in harm]
                self._have_forked(template, run, modules)

    def _refuse(self, run: _Waiting, reason: str) -> None:
        """Start ``run`` without a template, if it may be."""
        if run.is_forced:
            run.close()
            self._tell_unstarted(run.key, reason)
        else:
            self._start_fresh(run, reason)

    def _have_forked(self, template: _Template, run: _Waiting, modules: list[str]) -> None:
        """Have ``run`` forked; first, have what is lacking imported, while the run goes on waiting."""
        sys_path = run.message["sys_path"]
        if sys_path != template.sys_path or not template.modules.issuperset(modules):
            self._have_imported(template, sys_path, modules)
            return
        self._waiting.popleft()
        go, write_end = os.pipe()
        template.forking = (run, write_end)
        template.give_up_s = time.monotonic() + self.import_patience_s
        part = {name: run.message[name] for name in ("key", "payload", "environment", "is_forced")}
        template.ask({"do": "fork", **part}, (*run.files, go))
        os.close(go)

    def _have_imported(self, template: _Template, sys_path: list[str], modules: list[str]) -> None:
        template.sys_path = sys_path
        template.modules.update(modules)
        template.give_up_s = time.monotonic() + self.import_patience_s
        template.ask({"do": "import", "sys_path": sys_path, "modules": modules})

    def _get_template(self) -> _Template | str:
        """The template, forked if there is none; why there cannot be one."""
        if self._template is not None:
            return self._template
        server_pid = os.getpid()
        ours, theirs = messages.make_pair()
        try:
            pid = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            return f"there can be no process to fork from: {error}"
        if pid == 0:
            self._become_template(server_pid, ours)
            Template(theirs, server_pid).serve()
        theirs.close()
        ours.setblocking(False)
        self._poll.register(ours, select.POLLIN)
        self._template = _Template(pid, ours)
        return self._template

    def _become_template(self, server_pid: int, ours: socket.socket) -> None:
        """In the forked child: leave the server's things behind."""
        os.setsid()
        processes.die_with_parent(server_pid)
        self._restore_signals()
        for run in self._waiting:
            run.close()
        for descriptor in (*self._wakeup, self.end.detach(), ours.detach()):
            os.close(descriptor)
        _silence()  # what modules print when they are imported is no run's
        self._runs.clear()

    def _hear_template(self) -> None:
        """Take note of all that the template has said."""
        while (template := self._template) is not None:
            try:
                received = messages.receive(template.end)
            except BlockingIOError:
                return
            if received is None:
                self._lose_template("ended the process that did it")
                return
            self._note_of_template(template, received[0])

    def _note_of_template(self, template: _Template, message: dict[str, Any]) -> None:
        if message["event"] == "importing":
            template.importing = message["module"]
            template.give_up_s = time.monotonic() + self.import_patience_s
            return
        template.importing = template.give_up_s = None
        if message["event"] == "imported" or template.forking is None:
            return
        run, go = template.forking
        if message["key"] != run.key:
            return
        if message["event"] == "forked":
            self._note_start(run, message["pid"], is_warm=True)
            with suppress(BrokenPipeError):  # it was killed already
                os.write(go, b"\0")
            template.forget_run()
            return
        template.forget_run()
        if message["event"] == "unfit":
            self._start_fresh(run, message["reason"])
        else:
            run.close()
            self._tell_unstarted(run.key, message["error"])

    def _lose_template(self, what: str) -> None:
        """Let go of a template that is dead or is to die, and see to the runs that wait for it.

        Args:
            what: What importing a module did, if it was importing one.
        """
        template = self._template
        assert template is not None
        self._template = None
        self._poll.unregister(template.end)
        template.end.close()
        processes.signal_tree(template.pid, signal.SIGKILL, spare=self._runs)
        self._end_orphans()
        if template.importing is not None:
            self._harmful[template.importing] = f"importing {template.importing} {what}"
        run = template.forget_run()
        if run is not None:
            self._waiting.appendleft(run)
        if self._waiting and template.importing is None and not template.is_idle:
            self._waiting[0].lost += 1

    def _harm_of(self, name: str) -> str | None:
        """Why ``name`` must not be imported here: it, or a package around it, has harmed a template."""
        return next((what for bad, what in self._harmful.items() if f"{name}.".startswith(f"{bad}.")), None)

    # -- Deaths

    def _bury(self) -> None:
        """Reap what has died, end what a dead run has left behind, and tell the launcher."""
        while (pid := _dead_child()) is not None:
            self._hear_template()  # of a run it has spoken before that could die
            if self._template is not None and pid == self._template.pid:
                self._lose_template("ended the process that did it")
            try:
                _, wait_status, usage = os.wait4(pid, 0)
            except ChildProcessError:  # ended with what a template has left
                continue
            run = self._runs.pop(pid, None)
            if run is not None:
                self._end_orphans()
                code = os.waitstatus_to_exitcode(wait_status)
                self._tell(key=run.key, event="ended", code=code, error=None, max_rss_kb=usage.ru_maxrss)

    def _end_orphans(self) -> None:
        """End whatever a run that is dead now has left: a run adopts its orphans while it lives."""
        while True:
            found = processes.children(os.getpid())
            self._hear_template()  # of a run it has spoken before that could be found here
            own = {*self._runs, self._template.pid} if self._template is not None else {*self._runs}
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
        for run in self._runs.values():
            if run.kill_at_s is not None and run.kill_at_s <= now_s:
                processes.signal_tree(run.pid, signal.SIGKILL)
                run.kill_at_s = None
        template = self._template
        if template is not None and template.give_up_s is not None and template.give_up_s <= now_s:
            self._lose_template(f"took more than {self.import_patience_s:g} s")

    def _end_all(self) -> None:
        for run in self._runs.values():
            processes.signal_tree(run.pid, signal.SIGKILL)
        self._runs.clear()
        if self._template is not None:
            self._lose_template("was broken off")
        while self._waiting:
            self._waiting.popleft().close()
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
        if self._template is not None and self._template.give_up_s is not None:
            times.append(self._template.give_up_s)
        return max(0.0, min(times) - time.monotonic()) * 1e3 + 1 if times else None

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


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


#: A program rather than this file: the directory of a file would come first on the path.
BOOTSTRAP = """
import sys
sys.path[:] = [sys.argv[1], *filter(None, sys.path)]  # not the working directory: modules may lie there
from spinup.launchers.server import main
main()
"""


def main() -> NoReturn:
    """Serve on the socket that the command line names."""
    Server(socket.socket(fileno=int(sys.argv[2])), float(sys.argv[3])).serve()
    os._exit(0)
