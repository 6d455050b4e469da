"""The state file: a pickle that anybody can load, and behind it a note of how far the run had come.

``pickle.load`` and ``joblib.load`` stop where the pickle ends, so that Spinning Up's readers get what
they always got. The note is in the same file because two files cannot be replaced in one step, and a
note that belongs to another state would lose rows or log them twice.

Behind the pickle come the note as JSON, then its length and the SHA-256 of all before, in 80 bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.loggers.table import Extent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = re.compile(r"vars(-?\d+)?\.pkl")
_TAIL = re.compile(rb"(\d{8}) ([0-9a-f]{64}) note1\n")
_TAIL_BYTES = 80
_CHUNK_BYTES = 1 << 20
_OTHERS_MAY_WRITE = 0o022


@dataclass(frozen=True)
class Note:
    """How far a run had come when a state was saved.

    Attributes:
        number: Which of the run's saves it was, from 1.
        tables: Name of each table in the directory → its extent.
        model: SHA-256 of the model that belongs to the state, None where there is none.
    """

    number: int = 0
    tables: dict[str, Extent] = field(default_factory=dict)
    model: str | None = None


@dataclass(frozen=True)
class SavedState:
    """A state file and its note.

    Attributes:
        path: The file.
        itr: The number in its name.
        note: What stands behind the pickle.
    """

    path: Path
    itr: int | None
    note: Note


def write_state(file: IO[bytes], state: Any, note: Note) -> None:
    """Write ``state``, pickled, and ``note`` to ``file``; raises whatever pickling raises."""
    import cloudpickle  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - only to save

    hashing = _Hashing(file)
    cloudpickle.dump(state, hashing)
    text = json.dumps(asdict(note), default=str).encode()
    hashing.write(text)
    file.write(b"%08d %s note1\n" % (len(text), hashing.sha256.hexdigest().encode()))


def newest_state(output_dir: Path) -> SavedState | None:
    """The state that was saved last, under whatever number; None where there is none.

    Raises:
        RecordError: A state file has no note, or somebody else could have written it.
    """
    return max(_states(output_dir), key=lambda saved: saved.note.number, default=None)


def last_number(output_dir: Path) -> int:
    """The number of the last save, as far as it can be told; 0 for none."""
    number = 0
    for path, _ in _state_files(output_dir):
        with suppress(RecordError, OSError):
            number = max(number, _read_note(path).number)
    return number


def noted_tables(output_dir: Path) -> set[str]:
    """The names of the tables that the saved states tell of, as far as they can be told."""
    names: set[str] = set()
    for path, _ in _state_files(output_dir):
        with suppress(RecordError, OSError):
            names |= _read_note(path).tables.keys()
    return names


def is_state_name(name: str) -> bool:
    """Whether a state file is called so."""
    return _NAME.fullmatch(name) is not None


def load_state(path: Path) -> Any:
    """The state in ``path``.

    Raises:
        RecordError: The file is damaged, cannot be unpickled, or could be somebody else's.
    """
    with _open_own(path) as file:
        _check(file, path)
        file.seek(0)
        try:
            # What this user's own run has written, as was just checked, and nobody else could.
            return pickle.load(file)  # noqa: S301
        except Exception as error:
            raise RecordError(
                f"{path} is as it was saved, but cannot be unpickled: {type(error).__name__}: {error}. "
                f"Has the code changed? {_WAY_OUT}"
            ) from error


_WAY_OUT = "Move the file away to go on from another state, or from the beginning."


class _Hashing:
    """A file to write to that keeps the SHA-256 of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        return self._file.write(data)


def _states(output_dir: Path) -> Iterator[SavedState]:
    for path, itr in _state_files(output_dir):
        yield SavedState(path, itr, _read_note(path))


def _state_files(output_dir: Path) -> Iterator[tuple[Path, int | None]]:
    for path in sorted(output_dir.glob("vars*.pkl")):
        if match := _NAME.fullmatch(path.name):
            yield path, None if match[1] is None else int(match[1])


def _open_own(path: Path) -> IO[bytes]:
    """``path``, opened to read, once it is known that only this user could have written it."""
    try:
        # No link is followed: it could lead to a file that somebody else has written.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise RecordError(f"{path} cannot be opened: {error.strerror}. {_WAY_OUT}") from error
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        problem = "is not a file"
    elif hasattr(os, "geteuid") and facts.st_uid != os.geteuid():
        problem = "belongs to another user"
    elif hasattr(os, "geteuid") and facts.st_mode & _OTHERS_MAY_WRITE:
        problem = "can be written by other users (chmod go-w, if you trust what is in it)"
    else:
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise RecordError(f"{path} {problem}, so it is not unpickled. {_WAY_OUT}")


def _read_note(path: Path) -> Note:
    with _open_own(path) as file:
        _, length, _ = _read_tail(file, path)
        file.seek(-_TAIL_BYTES - length, os.SEEK_END)
        text = file.read(length)
    try:
        fields = json.loads(text)
        tables = {name: Extent(**extent) for name, extent in fields["tables"].items()}
        return Note(int(fields["number"]), tables, fields["model"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"{path} is damaged: {error!r} in its note. {_WAY_OUT}") from error


def _read_tail(file: IO[bytes], path: Path) -> tuple[int, int, str]:
    """(bytes before the tail, how many of them the note takes, their SHA-256)."""
    num_bytes = file.seek(0, os.SEEK_END) - _TAIL_BYTES
    file.seek(max(num_bytes, 0))
    match = _TAIL.fullmatch(file.read())
    if match is None or int(match[1]) > num_bytes:
        raise RecordError(
            f"{path} does not say how far the run had come: it was cut off, or not saved by this logger. "
            f"{_WAY_OUT}"
        )
    return num_bytes, int(match[1]), match[2].decode()


def _check(file: IO[bytes], path: Path) -> None:
    left_bytes, _, expected = _read_tail(file, path)
    file.seek(0)
    sha256 = hashlib.sha256()
    while left_bytes and (chunk := file.read(min(left_bytes, _CHUNK_BYTES))):
        sha256.update(chunk)
        left_bytes -= len(chunk)
    if sha256.hexdigest() != expected:
        raise RecordError(f"{path} is damaged: its bytes are not those that were saved. {_WAY_OUT}")
