"""The right to write a run directory: held by one run at a time, and gone when its last process dies."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinup.errors import RunIsLive
from spinup.rundir.atomic import CAREFULLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spinup.rundir.layout import RunDir


_TRIES = 3
_READER_S = 0.001


@dataclass(frozen=True)
class RunLock:
    """A run's lock, held.

    Attributes:
        run_dir: Whose lock it is.
        file: Descriptor of the locked file. A child process that inherits it holds the lock too, also
            when this process is dead.
    """

    run_dir: RunDir
    file: int

    def release(self) -> None:
        """Let go of it, leaving nothing; the run's other processes are gone."""
        try:
            # Where somebody has deleted the file, there may be another one, which another process holds.
            if _is_still(self.run_dir, self.file):
                # While it is held: who opened it before finds a file without a name, and tries again.
                self.run_dir.lock.unlink(missing_ok=True)
        finally:
            _held.discard(self.file)
            os.close(self.file)


def acquire(run_dir: RunDir) -> RunLock | None:
    """The run's lock, or None if another process holds it."""
    from filelock import lock_descriptor  # noqa: PLC0415 - only a launch needs it

    run_dir.lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(run_dir.lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            tries_left = _TRIES
            while not lock_descriptor(file, blocking=False):
                tries_left -= 1
                if tries_left == 0:
                    os.close(file)
                    return None
                time.sleep(_READER_S)  # a reader that asks whether the run is live holds it for an instant
        except BaseException:
            os.close(file)
            raise
        # Between opening and locking, its last holder may have removed it; then it locks nothing.
        if _is_still(run_dir, file):
            _held.add(file)
            return RunLock(run_dir, file)
        os.close(file)


#: Locks of this process.
_held: set[int] = set()


def _let_go() -> None:
    """In a process that was forked from a launcher: leave its locks to it, and to its runs."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


def remove_stale(run_dir: RunDir) -> bool:
    """Remove a lock that a killed launcher has left; False if a process holds it."""
    if not os.path.lexists(run_dir.lock):
        return True
    lock = acquire(run_dir)
    if lock is None:
        return False
    lock.release()
    return True


def is_held(run_dir: RunDir) -> bool:
    """Whether a process holds the run's lock: the run is live. Nothing is changed, made or kept waiting."""
    try:
        file = os.open(run_dir.lock, os.O_RDONLY | CAREFULLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # not to be read by this user: who cannot tell must not take it for free
        return os.path.lexists(run_dir.lock)
    try:
        return is_locked(file)
    finally:
        os.close(file)


def is_locked(file: int) -> bool:
    """Whether a process holds a lock on the open file; never true because another one asks too."""
    import fcntl  # noqa: PLC0415 - a system without it can still launch

    try:
        # Shared: of two who ask at once, neither takes the other for the run.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _is_still(run_dir: RunDir, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), run_dir.lock.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return False


@contextmanager
def locked(run_dir: RunDir) -> Iterator[RunLock]:
    """Hold the run's lock for the length of the block; nothing is left of it afterwards.

    Raises:
        RunIsLive: Another process holds it.
    """
    lock = acquire(run_dir)
    if lock is None:
        raise RunIsLive(
            f"Another process is running {run_dir.path} right now. "
            "Wait for it to end, or give this run another name, seed or data_dir."
        )
    try:
        yield lock
    finally:
        lock.release()
