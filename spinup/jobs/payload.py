"""The call as a file that only its owner can read: written by the launcher, read by the child.

A line of JSON says what has to be there before anything is unpickled: the paths to import from and
the working directory. The pickled call follows.
"""

from __future__ import annotations

import io
import json
import os
import sys
import types
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from spinup.errors import NotPicklable, PayloadError
from spinup.rundir.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_MAGIC = b"spinup payload 1\n"
_OTHERS = 0o077
_DEEPEST = 12


@dataclass(frozen=True)
class Surroundings:
    """What a thunk expects to find around it."""

    sys_path: list[str]
    working_directory: str

    @classmethod
    def of_this_process(cls) -> Surroundings:
        """Those that the launch script has now, with every path made absolute."""
        here = os.getcwd()
        # What is no text there, such as a Path, Python passes over too.
        paths = [path for path in cast("list[object]", sys.path) if isinstance(path, str)]
        return cls([os.path.join(here, path) for path in paths], here)

    def enter(self) -> None:
        """Make them those of this process."""
        sys.path[:] = [*_added_first, *self.sys_path, *_added_last]
        os.chdir(self.working_directory)


#: What libraries have put on the path when they were imported, in the process this one was forked from.
_added_first: list[str] = []
_added_last: list[str] = []


def note_additions(sys_path: Collection[str]) -> None:
    """Before a fork: have each child find what libraries have added to ``sys_path``, as it was before."""
    known = [place for place, path in enumerate(sys.path) if path in sys_path]
    first = known[0] if known else 0
    for place, path in enumerate(sys.path):
        if path not in (*sys_path, *_added_first, *_added_last):
            (_added_first if place < first else _added_last).append(path)


def write_payload(path: Path, call: Any, surroundings: Surroundings) -> None:
    """Write the pickled ``call``, of any size, to ``path`` with mode 0600.

    Raises:
        NotPicklable: The call cannot be pickled; the message names the part that cannot.
    """
    import cloudpickle  # noqa: PLC0415 - only a launch needs it

    header = json.dumps({"sys_path": surroundings.sys_path, "cwd": surroundings.working_directory})
    # No use after a power cut: the next launch writes it anew.
    with replacing(path, mode=0o600, is_durable=False) as file:
        file.write(_MAGIC + header.encode("utf-8", "surrogatepass") + b"\n")
        try:
            cloudpickle.dump(call, file)
        except OSError:
            raise
        except Exception as error:
            raise _not_picklable(call, "the call", error) from error


def open_payload(path: Path) -> tuple[Surroundings, IO[bytes]]:
    """What stands before the pickle, and the file, now at the pickle's first byte.

    Raises:
        PayloadError: The file is not a payload of this user's that only they can write and read.
    """
    # No link is followed: the payload is the file that the launcher wrote here.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    file = os.fdopen(handle, "rb")
    try:
        facts = os.fstat(handle)
        if hasattr(os, "geteuid") and (facts.st_uid != os.geteuid() or facts.st_mode & _OTHERS):
            raise PayloadError(f"{path} can be read or written by others; it is not unpickled.")
        if file.readline() != _MAGIC:
            raise PayloadError(f"{path} is not a payload of this version of spinup.")
        header = json.loads(file.readline().decode("utf-8", "surrogatepass"))
        return Surroundings(header["sys_path"], header["cwd"]), file
    except BaseException:
        file.close()
        raise


class _Beginning(io.RawIOBase):
    """A file that forgets what is written, but for so many bytes at its beginning."""

    def __init__(self, num_kept: int = 0) -> None:
        self.kept = bytearray()
        self._num_kept = num_kept

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self.kept += view[: self._num_kept - len(self.kept)]
        return len(view)


def beginning_of(value: Any, num_bytes: int) -> bytes:
    """The first bytes of ``value`` when it is pickled; as far as it can be, if it cannot."""
    import cloudpickle  # noqa: PLC0415 - only a launch needs it

    file = _Beginning(num_bytes)
    with suppress(Exception):
        cloudpickle.dump(value, file)
    return bytes(file.kept)


def check_picklable(value: Any, name: str) -> None:
    """Raise NotPicklable unless ``value`` can be sent to the child process.

    Args:
        value: Anything.
        name: What to call it in the error.
    """
    import cloudpickle  # noqa: PLC0415 - only a launch needs it

    try:
        cloudpickle.dump(value, _Beginning())
    except Exception as error:
        raise _not_picklable(value, name, error) from error


def _not_picklable(value: Any, name: str, error: Exception) -> NotPicklable:
    name, culprit = _find_culprit(value, name)
    return NotPicklable(
        f"{name} cannot be sent to the child process: {_describe(culprit)} cannot be pickled ({error}). "
        "Make it inside the thunk, or pass what it is made from."
    )


def _find_culprit(value: Any, name: str) -> tuple[str, Any]:
    """The innermost part of ``value`` that cannot be pickled, and the way to it."""
    for _ in range(_DEEPEST):
        part = next(((n, p) for n, p in _parts(value, name) if not _is_picklable(p)), None)
        if part is None:
            break
        name, value = part
    return name, value


def _parts(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"{name}[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"{name}[{i}]", item) for i, item in enumerate(value))
    elif isinstance(value, types.FunctionType):
        names = value.__code__.co_freevars
        cells = zip(names, value.__closure__ or (), strict=False)
        yield from ((f"{name}, which closes over {n!r},", _contents(cell)) for n, cell in cells)
        used = [n for n in value.__code__.co_names if n in value.__globals__]
        yield from ((f"{name}, which uses the global {n!r},", value.__globals__[n]) for n in used)
    else:
        for attribute in ("func", "args", "keywords", "__self__"):
            if hasattr(value, attribute):
                yield f"{name}.{attribute}", getattr(value, attribute)
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            yield from ((f"{name}.{key}", item) for key, item in attributes.items())


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that is not set yet
        return None


def _is_picklable(value: Any) -> bool:
    import cloudpickle  # noqa: PLC0415 - only a launch needs it

    try:
        cloudpickle.dump(value, _Beginning())
    except Exception:  # noqa: BLE001 - pickling runs the objects' own code
        return False
    return True


def _describe(value: Any) -> str:
    cls = type(value)
    return f"an object of type {cls.__module__}.{cls.__qualname__}"
