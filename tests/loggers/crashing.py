"""Processes that kill themselves at a chosen point."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

from loggers.fake_torch import fake_torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def in_a_fork(directory: Path, work: Callable[[Path], None], kill_before: int | None = None) -> int:
    """Do ``work`` in a new process, which kills itself in front of one event; give its wait status."""
    with warnings.catch_warnings():
        # NumPy's threads do not survive a fork, and are not needed for what is done in one here.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    try:
        sys.modules["torch"] = fake_torch()
        if kill_before is not None:
            kill_self_before(kill_before, directory)
        work(directory)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - shown, and the exit code says it
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def kill_self_before(number: int, directory: Path) -> None:
    """SIGKILL in front of the ``number``-th file of the run that is opened, renamed, removed or made."""
    count = itertools.count()

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in {"open", "os.rename", "os.remove", "os.mkdir", "shutil.copyfile"}:
            return
        if any(str(directory) in str(arg) for arg in args) and next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
