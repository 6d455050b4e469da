"""The right to write a run directory: held by one process at a time, and gone when it dies."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spinup.errors import RunIsLive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spinup.rundir.layout import RunDir


@contextmanager
def locked(run_dir: RunDir) -> Iterator[None]:
    """Hold the run's lock for the length of the block; nothing is left of it afterwards.

    Raises:
        RunIsLive: Another process holds it.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only a launch needs it

    run_dir.lock.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(run_dir.lock, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunIsLive(
            f"Another process is running {run_dir.path} right now. "
            "Wait for it to end, or give this run another name, seed or data_dir."
        ) from error
    try:
        yield
    finally:
        # Removed while it is held: who opened it before finds a file without a name, and tries again.
        run_dir.lock.unlink(missing_ok=True)
        lock.release()
