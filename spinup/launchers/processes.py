"""Linux's ways to keep hold of processes: die with the parent, inherit orphans, find descendants."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


_libc = ctypes.CDLL(None, use_errno=True)


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


def descendants(pid: int) -> Iterator[int]:
    """The children of ``pid``, their children, and so on, parents first."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def signal_tree(pid: int, number: signal.Signals) -> None:
    """Send a signal to ``pid`` and to all its descendants, whatever their session."""
    # Listed first: once a parent is dead, its children are somebody else's.
    for target in [pid, *descendants(pid)]:
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


def num_threads() -> int:
    """How many threads this process has, those of C libraries included."""
    return len(os.listdir("/proc/self/task"))


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
