"""Warm starts, the run server's side: the runs that wait to be forked, and the template that forks them.

The template (`template.py`) imports what it is told to, and so can hang, die or come to harm. Whatever it
does, the server's loop goes on, and no run is lost: each is forked by this template, by the next one, or
started in an interpreter of its own.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from spinup.launchers import messages, processes
from spinup.launchers.template import Template

if TYPE_CHECKING:
    import socket
    from collections.abc import Container

_MOST_TEMPLATES = 2  # that one run may lose before it is not worth another


@dataclass
class Waiting:
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
        """What the launcher calls it."""
        return int(self.message["key"])

    @property
    def is_forced(self) -> bool:
        """Whether it must not have a fresh interpreter."""
        return bool(self.message["is_forced"])

    def close(self) -> None:
        """Let go of its files."""
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
    forking: tuple[Waiting, int] | None = None
    give_up_s: float | None = None

    @property
    def is_idle(self) -> bool:
        return self.give_up_s is None

    def ask(self, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
        with suppress(OSError):  # it is dead, which its parent is about to hear
            messages.send(self.end, message, files)

    def forget_run(self) -> Waiting | None:
        """Give up the run that it is to fork: its process, if there is one, ends before it has begun."""
        if self.forking is None:
            return None
        run, go = self.forking
        self.forking = None
        os.close(go)
        return run


class Host(Protocol):
    """The run server, as its warm starts see it."""

    @property
    def runs(self) -> Container[int]:
        """The processes of the runs that have started."""

    def leave(self) -> None:
        """In a forked child that is to be a template: let go of all that is the server's."""

    def note_start(self, run: Waiting, pid: int, *, is_warm: bool) -> None:
        """Take note of a run's process."""

    def start_fresh(self, run: Waiting, reason: str) -> None:
        """Start a run in an interpreter of its own; ``reason`` says why."""

    def refuse(self, run: Waiting, error: str) -> None:
        """Say that a run could not start."""

    def end_orphans(self) -> None:
        """End what dead runs and templates have left."""


@dataclass
class WarmStarts:
    """Has runs forked, in the order in which they were added.

    Attributes:
        host: The run server.
        poll: Where the server waits for what the template says.
        patience_s: How long one import may take.
    """

    host: Host
    poll: select.poll
    patience_s: float
    _waiting: deque[Waiting] = field(default_factory=deque)
    _template: _Template | None = None
    _harmful: dict[str, str] = field(default_factory=dict)  # what importing a module did to a template
    _left_out: set[str] = field(default_factory=set)  # modules that import the user's own

    @property
    def pid(self) -> int | None:
        """The template's process, if there is one."""
        return None if self._template is None else self._template.pid

    @property
    def give_up_s(self) -> float | None:
        """When the template has taken too long; None while it has nothing to do."""
        return None if self._template is None else self._template.give_up_s

    def preload(self, sys_path: list[str], modules: list[str]) -> None:
        """Have ``modules`` imported before the first run asks for them."""
        if self._template is None and isinstance(template := self._get_template(), _Template):
            self._have_imported(template, sys_path, modules)

    def add(self, run: Waiting) -> None:
        """Have ``run`` forked when it is its turn."""
        self._waiting.append(run)

    def take_out(self, key: int) -> list[Waiting]:
        """The run that is called ``key``, if it waits; it will not be forked."""
        found = [run for run in self._waiting if run.key == key]
        for run in found:
            self._waiting.remove(run)
        if self._template is not None and self._template.forking and self._template.forking[0].key == key:
            found += filter(None, [self._template.forget_run()])
        return found

    def go_on(self) -> None:
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
                left_to_run = harm.keys() | self._left_out
                modules = [name for name in run.message["modules"] if name not in left_to_run]
                self._have_forked(template, run, modules)

    def _refuse(self, run: Waiting, reason: str) -> None:
        """Start ``run`` without a template, if it may be."""
        if run.is_forced:
            self.host.refuse(run, reason)
        else:
            self.host.start_fresh(run, reason)

    def _have_forked(self, template: _Template, run: Waiting, modules: list[str]) -> None:
        """Have ``run`` forked; first, have what is lacking imported, while the run goes on waiting."""
        sys_path = run.message["sys_path"]
        if sys_path != template.sys_path or not template.modules.issuperset(modules):
            self._have_imported(template, sys_path, modules)
            return
        self._waiting.popleft()
        try:
            go, write_end = os.pipe()
        except OSError as error:
            self.host.refuse(run, str(error))
            return
        template.forking = (run, write_end)
        template.give_up_s = time.monotonic() + self.patience_s
        part = {name: run.message[name] for name in ("key", "payload", "environment", "is_forced")}
        template.ask({"do": "fork", **part}, (*run.files, go))
        os.close(go)

    def _have_imported(self, template: _Template, sys_path: list[str], modules: list[str]) -> None:
        template.sys_path = sys_path
        template.modules.update(modules)
        template.give_up_s = time.monotonic() + self.patience_s
        template.ask({"do": "import", "sys_path": sys_path, "modules": modules})

    def _get_template(self) -> _Template | str:
        """The template, forked if there is none; why there cannot be one."""
        if self._template is not None:
            return self._template
        server_pid = os.getpid()
        try:
            ours, theirs = messages.make_pair()
        except OSError as error:
            return f"there can be no process to fork from: {error}"
        try:
            pid = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            return f"there can be no process to fork from: {error}"
        if pid == 0:
            os.setsid()
            processes.die_with_parent(server_pid)
            for run in self._waiting:
                run.close()
            ours.close()
            self.host.leave()
            _silence()  # what modules print when they are imported is no run's
            Template(theirs, server_pid).serve()
        theirs.close()
        ours.setblocking(False)
        self.poll.register(ours, select.POLLIN)
        self._template = _Template(pid, ours)
        return self._template

    def hear(self) -> None:
        """Take note of all that the template has said."""
        while (template := self._template) is not None:
            try:
                received = messages.receive(template.end)
            except BlockingIOError:
                return
            if received is None:
                self.lose("ended the process that did it")
                return
            self._take_note(template, received[0])

    def _take_note(self, template: _Template, message: dict[str, Any]) -> None:
        if message["event"] == "importing":
            template.importing = message["module"]
            template.give_up_s = time.monotonic() + self.patience_s
            return
        if message["event"] == "spoiled":
            self._left_out.add(message["module"])
            template.importing = template.give_up_s = None  # it is no fault of the run that waits
            self.lose("was left to the runs")
            return
        template.importing = template.give_up_s = None
        if message["event"] == "imported" or template.forking is None:
            return
        run, go = template.forking
        if message["key"] != run.key:
            return
        if message["event"] == "forked":
            self.host.note_start(run, message["pid"], is_warm=True)
            with suppress(BrokenPipeError):  # it was killed already
                os.write(go, b"\0")
            template.forget_run()
            return
        template.forget_run()
        if message["event"] == "unfit":
            self.host.start_fresh(run, message["reason"])
        else:
            self.host.refuse(run, message["error"])

    def lose(self, what: str) -> None:
        """Let go of the template, which is dead or is to die, and see to the runs that wait for it.

        Args:
            what: What importing a module did, if it was importing one.
        """
        template = self._template
        assert template is not None
        self._template = None
        self.poll.unregister(template.end)
        template.end.close()
        processes.signal_tree(template.pid, signal.SIGKILL, spare=self.host.runs)
        self.host.end_orphans()
        if template.importing is not None:
            self._harmful[template.importing] = f"importing {template.importing} {what}"
        run = template.forget_run()
        if run is not None:
            self._waiting.appendleft(run)
        if self._waiting and template.importing is None and not template.is_idle:
            self._waiting[0].lost += 1

    def close(self) -> None:
        """End the template, and give up the runs that wait for it."""
        if self._template is not None:
            self.lose("was broken off")
        while self._waiting:
            self._waiting.popleft().close()

    def _harm_of(self, name: str) -> str | None:
        """Why ``name`` must not be imported here: it, or a package around it, has harmed a template."""
        return next((what for bad, what in self._harmful.items() if f"{name}.".startswith(f"{bad}.")), None)


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)
