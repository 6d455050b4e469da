"""Files that are whole or not there: written beside, synced, then renamed into place."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEMPORARY = re.compile(r"\..*\.[a-z0-9_]{8}\.tmp", re.DOTALL)


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A binary file to write to, which becomes ``path`` when the block ends well.

    When the block raises, ``path`` stays as it was and nothing is left beside it.

    Args:
        path: The file to replace; its directory exists.
        mode: Permissions of the new file, less the umask of the process.

    Raises:
        OSError: The file cannot be written, for instance on a full disk.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode & ~_umask())
            # A name must not point at data that a power cut can still lose.
            os.fsync(file.fileno())
        # os.replace, not remove and rename: a reader may be looking.
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Make ``text``, in UTF-8, the whole content of ``path``."""
    with replacing(path, mode=mode) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def is_temporary(path: Path) -> bool:
    """Whether ``path`` has a name such as `replacing` gives to what it has not renamed yet."""
    return _TEMPORARY.fullmatch(path.name) is not None


def remove_temporary(directory: Path) -> None:
    """Remove what killed processes were writing in ``directory``; no live one may be writing there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in directory.iterdir():
            if is_temporary(path):
                path.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
