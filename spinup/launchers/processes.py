"""Linux's ways to keep hold of processes: die with the parent, inherit orphans, find descendants."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def die_with_parent(parent_pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel kill this process when the one that forked it dies, however that happens.

    Args:
        parent_pid: The process that forked this one; if it is dead already, so is this one now.
        number: The signal that it gets.
    """
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), number)


def adopt_orphans() -> None:
    """Make this process the parent of its descendants whose own parents die, in any session."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def leave_orphans() -> None:
    """Take that back: they go to the nearest process above that adopts them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 0)


def fork_away(tell: Callable[[int], None]) -> int:
    """Fork a process that goes to the nearest one above which adopts orphans, never to this one.

    It is forked by one that ends at once. Otherwise this is what `os.fork` does; but the process between
    wakes nothing of the interpreter, which would cost more than the fork itself.

    Args:
        tell: Called in the process between, with the number of the new one.

    Returns:
        In the new process 0, in this one the process between: its exit code is an ``errno``.
    """
    _libpython.PyOS_BeforeFork()
    pid = int(_libpython.fork())
    if pid == 0:
        try:
            pid = int(_libpython.fork())
            if pid > 0:
                tell(pid)
        finally:
            if pid != 0:
                os._exit(ctypes.get_errno() if pid < 0 else 0)
        _libpython.PyOS_AfterFork_Child()
        return 0
    error = ctypes.get_errno()
    _libpython.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, os.strerror(error))
    return pid


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


_libc = ctypes.CDLL(None, use_errno=True)
_libpython = ctypes.PyDLL(None, use_errno=True)


def parent_of(pid: int) -> int | None:
    """The parent of ``pid``; None if it is gone."""
    # After the name, which may hold anything but is in the last pair of parentheses.
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else None


def children(pid: int) -> list[int]:
    """The children of ``pid``, of all its threads; none if it is gone."""
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def descendants(pid: int, spare: Container[int] = ()) -> Iterator[int]:
    """The children of ``pid``, their children, and so on, parents first; none of ``spare``, nor theirs."""
    left = children(pid)
    while left:
        child = left.pop()
        if child not in spare:
            yield child
            left += children(child)


def signal_tree(pid: int, number: signal.Signals, spare: Container[int] = ()) -> None:
    """Send a signal to ``pid`` and to all its descendants, whatever their session, but not to ``spare``."""
    # Listed first: once a parent is dead, its children are somebody else's.
    for target in [pid, *descendants(pid, spare)]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(target, number)


def resident_bytes(pid: int) -> int:
    """Memory that ``pid`` and its descendants hold in RAM; pages that they share count for each."""
    return sum(map(_resident_bytes, [pid, *descendants(pid)]))


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def threads() -> set[str]:
    """The numbers of this process's threads other than the first, those of C libraries included."""
    return {*os.listdir("/proc/self/task")} - {str(os.getpid())}


def kill_marked(mark: str) -> None:
    """End every process of this user that has ``mark``, a ``NAME=value``, in its environment.

    Asked again and again until none is left: a process can fork while it is looked for.
    """
    entry = b"\0" + mark.encode() + b"\0"
    while found := [pid for pid in _pids() if entry in b"\0" + _read(f"/proc/{pid}/environ")]:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
