"""The right to write a table: one logger's at a time, and gone when its process dies.

It is a lock on the table's own file, which leaves nothing behind and goes with the table when that is
replaced. Within a process a newer logger takes it over from an older one; between processes the first
one keeps it. A forked child does not inherit it: it gets it once its parent has let go.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from spinup.console import say
from spinup.errors import RunDirError, RunIsLive
from spinup.rundir.atomic import CAREFULLY, replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
_TRIES = 100  # about 100 µs: another process may just be asking whether the table is taken

# Table, links in its path resolved → its claim in this process.
_claims: weakref.WeakValueDictionary[Path, Claim] = weakref.WeakValueDictionary()


class Claim:
    """The right to write ``table``.

    Args:
        table: Path of the file, links resolved; it is made when it is not there.

    Attributes:
        table: As given.
        is_new: Whether it was not there.
        on_loss: Called when a newer logger of this process takes the table over.

    Raises:
        RunIsLive: Another process writes the table.
        RunDirError: It is no plain file.
        OSError: It cannot be written.
    """

    def __init__(self, table: Path) -> None:
        if (older := _claims.get(table)) is not None:
            older.on_loss()
            older.release()
        self.table = table
        self.on_loss: Callable[[], object] = lambda: None
        self._is_lost = False
        self.is_new = not os.path.lexists(table)
        self._file: int | None = self._take()
        _claims[table] = self

    @property
    def is_held(self) -> bool:
        """Whether it is held by this process."""
        return self._file is not None

    def ensure(self) -> None:
        """Hold it in a forked child too, from now on.

        Raises:
            RunIsLive: The parent process holds it still.
        """
        if self._is_lost:
            self._file, self._is_lost = self._take(), False

    def open(self) -> IO[bytes]:
        """The table, to append to; its descriptor can be read from as well.

        Raises:
            RunDirError: Another file is in its place.
        """
        self.ensure()
        file = open_plain(self.table, os.O_RDWR | os.O_APPEND)
        if self._file is None or not os.path.samestat(os.fstat(file), os.fstat(self._file)):
            os.close(file)
            raise _replaced(self.table)
        return os.fdopen(file, "ab")

    def is_in_place(self) -> bool:
        """False where the table was deleted.

        Raises:
            RunDirError: Another file is in its place.
        """
        self.ensure()
        if self._file is None or not os.path.lexists(self.table):
            return False
        if not _is_at(self._file, self.table):
            raise _replaced(self.table)
        return True

    @contextmanager
    def replacing(self) -> Iterator[IO[bytes]]:
        """A file to write to, which becomes the table when the block ends well, claimed from the start.

        Raises:
            RunDirError: The directory is gone, or the table is not the one that is claimed.
        """
        if not self.table.parent.is_dir():
            raise RunDirError(f"{self.table.parent} is gone, so {self.table.name} cannot be written.")
        self.is_in_place()
        successor = None
        try:
            with replacing(self.table, mode=0o666) as file:
                yield file
                successor = os.dup(file.fileno())
                _lock(successor)
        except BaseException:
            if successor is not None:
                os.close(successor)
            raise
        self.release()
        self._file = successor

    def renew(self) -> None:
        """Claim a new table, since this one was moved away."""
        self.release()
        self._file = self._take()

    def release(self) -> None:
        """Let go of it; a second call does nothing."""
        file, self._file = self._file, None
        if file is not None:
            _unlock(file)

    def lose(self) -> None:
        """Let go of what was inherited from a parent process, which goes on holding it."""
        if self._file is not None:
            os.close(self._file)
            self._file, self._is_lost = None, True

    def _take(self) -> int:
        while True:
            file = open_plain(self.table, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            try:
                is_free = _lock(file)
            except BaseException:
                os.close(file)
                raise
            if not is_free:
                os.close(file)
                raise RunIsLive(
                    f"Another process is logging to {self.table} right now. Wait for it to end, or give "
                    "this run another output_dir, or another output_fname."
                )
            # Between opening and locking, its last holder may have replaced or moved it.
            if _is_at(file, self.table):
                return file
            _unlock(file)


def is_written_elsewhere(table: Path) -> bool:
    """Whether another process holds the claim to ``table``."""
    if is_written_here(table):
        return False
    try:
        file = open_plain(table, os.O_RDWR)
    except OSError:
        return False  # not there, or nothing that a logger writes
    if _lock(file):
        _unlock(file)
        return False
    os.close(file)
    return True


def is_written_here(table: Path) -> bool:
    """Whether a logger of this process holds the claim to ``table``."""
    claim = _claims.get(table)
    return claim is not None and claim.is_held


def open_plain(path: Path, flags: int) -> int:
    """Descriptor of ``path``.

    Raises:
        RunDirError: It is a link, a pipe, or anything else than a plain file.
        OSError: It cannot be opened.
    """
    try:
        file = os.open(path, flags | CAREFULLY, 0o666)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EISDIR}:
            raise _not_plain(path) from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _not_plain(path)
    return file


def _lock(file: int) -> bool:
    """Whether ``file`` could be locked."""
    from filelock import lock_descriptor  # noqa: PLC0415 - spinup is imported without it

    try:
        return any(lock_descriptor(file, blocking=False) for _ in range(_TRIES))
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        say("This file system has no locks: see to it that no two processes log to one table.", "yellow")
        return True


def _unlock(file: int) -> None:
    from filelock import unlock_descriptor  # noqa: PLC0415 - spinup is imported without it

    # Not by closing alone: a child that is just being started may hold a copy for a moment.
    with suppress(OSError):  # of a file system without locks
        unlock_descriptor(file)
    os.close(file)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _not_plain(path: Path) -> RunDirError:
    return RunDirError(
        f"{path} is a link, a pipe or a directory, not a plain file. "
        "Remove it, or choose another output_fname."
    )


def _replaced(table: Path) -> RunDirError:
    return RunDirError(
        f"Another file has taken the place of {table} since this logger began it. Nothing was overwritten. "
        "Move that file away, and call dump_tabular again."
    )


def _lose_all() -> None:
    for claim in list(_claims.values()):
        claim.lose()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_lose_all)
