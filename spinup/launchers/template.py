"""The template: the process that warm runs are forked from, and that imports what they will need.

What is imported can do anything to its process: hang, exit, start threads, change how signals are
handled. So the run server imports nothing of it, has patience with this child of its own, and makes
another when this one is gone. To a module the template looks like a fresh interpreter.

A run is forked by way of a process that ends at once: the run becomes a child of the server, which hears
its end first hand. It begins when the server says so, and not at all if it was stopped before.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from spinup.jobs.ending import freeze
from spinup.jobs.imports import MAIN, Module, raw_dict
from spinup.jobs.payload import note_additions
from spinup.launchers import messages, processes
from spinup.launchers.base import ENTRYPOINT
from spinup.launchers.quick_exit import quick_exit
from spinup.launchers.threads import Threads

if TYPE_CHECKING:
    import socket
    from collections.abc import Container, Iterable, Iterator

_POLL_S = 0.0002


@dataclass
class Template:
    """Imports modules and forks runs, as the run server asks.

    Attributes:
        end: This end of the socket to the server.
        server_pid: The server.
    """

    end: socket.socket
    server_pid: int
    _pid: int = field(default_factory=os.getpid)
    _threads: Threads = field(default_factory=Threads)

    def serve(self) -> NoReturn:
        """Serve until the server is gone."""
        try:
            self._serve()
        finally:
            if os.getpid() == self._pid:
                os._exit(0)  # past all that modules would do at the end; a run goes on to its own
        raise AssertionError("a run returns from nowhere")

    def _serve(self) -> None:
        processes.adopt_orphans()  # a helper that a module starts is not what a run has left behind
        while (received := messages.receive(self.end)) is not None:
            message, files = received
            if message["do"] == "import":
                sys.path[:] = message["sys_path"]
                self._import(message["modules"])
                note_additions(message["sys_path"])
                messages.send(self.end, {"event": "imported"})
                continue
            reason = None if message["is_forced"] else self._threads.reason()
            if reason is not None:
                messages.send(self.end, {"event": "unfit", "key": message["key"], "reason": reason})
            else:
                self._fork(message, files)
            for file in files:
                os.close(file)

    def _import(self, modules: Iterable[str]) -> None:
        """Import ``modules``; one that cannot be is left to the run, which fails with its own traceback."""
        for name in _with_parents(modules):
            if name not in sys.modules:
                messages.send(self.end, {"event": "importing", "module": name})
                before = set(sys.modules)
                with suppress(BaseException):
                    _import_one(name)
                if os.getpid() != self._pid:
                    os._exit(0)  # a process that the module has forked: its parent goes on here
                self._threads.note(name)
                if _is_spoiled(before):
                    # The user's own modules belong to each run. With this one here, none can be forked.
                    messages.send(self.end, {"event": "spoiled", "module": name})
                    signal.pause()  # until the server ends this process
        freeze()

    def _fork(self, message: dict[str, Any], files: list[int]) -> None:
        def tell(pid: int) -> None:
            # Before it can become the server's child, which so never has one that it does not know.
            messages.send(self.end, {"event": "forked", "key": message["key"], "pid": pid})

        processes.leave_orphans()  # for the server, until the run is its child
        between, failure = -1, ""
        try:
            between = processes.fork_away(tell)
        except OSError as error:
            failure = str(error)
        if between == 0:
            self._become_run(message, *files)
        if between > 0:
            with suppress(ChildProcessError):  # a module has SIGCHLD ignored
                failure = _failure(os.waitpid(between, 0)[1])
        processes.adopt_orphans()
        if failure:
            messages.send(self.end, {"event": "failed", "key": message["key"], "error": failure})

    def _become_run(self, message: dict[str, Any], lock: int, output: int, go: int) -> NoReturn:
        """In the forked run: leave the template's things behind, take on those of a run, and do it."""
        parent = os.getppid()
        self.end.close()
        os.setsid()
        enter_run(message, lock, output)
        if not os.read(go, 1):
            os._exit(0)  # it was stopped, or the server is dead
        os.close(go)
        while os.getppid() == parent != self.server_pid:  # its last steps; its death is not to count
            time.sleep(_POLL_S)
        processes.die_with_parent(self.server_pid)
        processes.adopt_orphans()
        run_warm(Path(message["payload"]))


def _is_spoiled(before: Container[str]) -> bool:
    """Whether a module of the user's is among those that were imported since."""
    new = [raw_dict(module) for name, module in list(sys.modules.items()) if name not in before]
    return any(Module.of(namespace).is_users for namespace in new if namespace.get("__name__") not in MAIN)


def enter_run(message: dict[str, Any], lock: int, output: int) -> None:
    """In a forked child: take on a run's output, environment and lock."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.update(message["environment"])
    os.set_inheritable(lock, True)  # held for as long as any process of the run is there


def run_warm(payload: Path) -> NoReturn:
    """In the forked child: do the run, and exit as an interpreter of its own would."""
    sys.argv = [ENTRYPOINT, str(payload)]
    _forget_random_state()
    from spinup.jobs.child import run  # noqa: PLC0415 - not what the run server needs

    quick_exit(run(payload))


def _forget_random_state() -> None:
    """Random numbers that nobody seeded must differ from run to run, as in interpreters of their own."""
    # Python's own `random` does this at each fork.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _failure(wait_status: int) -> str:
    """Why there is no run, by how the process ended that was to fork it; empty if there is one."""
    code = os.waitstatus_to_exitcode(wait_status)
    if code == 0:
        return ""
    return f"no process could be forked: {os.strerror(code) if code > 0 else signal.Signals(-code).name}"


def _with_parents(modules: Iterable[str]) -> Iterator[str]:
    """``modules``, the packages around each before it."""
    # numpy first: what threads its BLAS starts can then be told from those of others.
    for name in sorted(modules, key=lambda name: (name != "numpy", name)):
        parts = name.split(".")
        yield from (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _import_one(name: str) -> None:
    parent, _, last = name.rpartition(".")
    # ``from a import b`` takes what a has under that name: a module b.py of the same name is not meant, and
    # would hide it. Where a could not be imported, neither can this.
    if not parent or not hasattr(sys.modules[parent], last):
        importlib.import_module(name)
