"""The right to write a run directory: held by one run at a time, and gone when its last process dies."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinup.errors import RunIsLive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spinup.rundir.layout import RunDir


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
            os.close(self.file)


def acquire(run_dir: RunDir) -> RunLock | None:
    """The run's lock, or None if another process holds it."""
    from filelock import lock_descriptor  # noqa: PLC0415 - only a launch needs it

    run_dir.lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(run_dir.lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            if not lock_descriptor(file, blocking=False):
                os.close(file)
                return None
        except BaseException:
            os.close(file)
            raise
        # Between opening and locking, its last holder may have removed it; then it locks nothing.
        if _is_still(run_dir, file):
            return RunLock(run_dir, file)
        os.close(file)


def remove_stale(run_dir: RunDir) -> bool:
    """Remove a lock that a killed launcher has left; False if a process holds it."""
    if not os.path.lexists(run_dir.lock):
        return True
    lock = acquire(run_dir)
    if lock is None:
        return False
    lock.release()
    return True


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
