"""Files that are whole or not there: written beside, synced, then renamed into place."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: How what may be anything is opened: not following a link, nor waiting for somebody to write to a pipe.
CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

_TEMPORARY = re.compile(r"\..*\.[a-z0-9_]{8}\.tmp", re.DOTALL)


@contextmanager
def replacing(path: Path, *, mode: int = 0o644, is_durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file to write to, which becomes ``path`` when the block ends well.

    When the block raises, ``path`` stays as it was and nothing is left beside it.

    Args:
        path: The file to replace; its directory exists.
        mode: Permissions of the new file, less the umask of the process.
        is_durable: Whether a power cut must not lose it either, which costs a wait for the disk.

    Raises:
        OSError: The file cannot be written, for instance on a full disk.
    """
    # Not by `tempfile`, whose import takes a child longer than all that it writes.
    temporary = path.with_name(f".{path.name[:64]}.{os.urandom(4).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(temporary, flags, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if is_durable:
                # A name must not point at data that a power cut can still lose.
                os.fsync(file.fileno())
        # os.replace, not remove and rename: a reader may be looking.
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_text(path: Path, text: str, *, is_durable: bool = True) -> None:
    """Make ``text``, in UTF-8, the whole content of ``path``."""
    with replacing(path, is_durable=is_durable) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def sync(path: Path) -> None:
    """Wait until what ``path`` holds is on the disk, if it is there."""
    with suppress(FileNotFoundError):
        file = os.open(path, os.O_RDONLY | CAREFULLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def is_temporary(path: Path) -> bool:
    """Whether ``path`` has a name such as `replacing` gives to what it has not renamed yet."""
    return _TEMPORARY.fullmatch(path.name) is not None


def remove_temporary(directory: Path) -> None:
    """Remove what killed processes were writing in ``directory``; no live one may be writing there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in directory.iterdir():
            if is_temporary(path):
                path.unlink(missing_ok=True)
