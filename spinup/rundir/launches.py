"""Launch records: which launcher is at work in a directory of results, and which runs it has.

``data_dir/.launches/<id>.json`` is written once, before the first run starts, and once more when the
launcher ends. The file is its own lock: the launcher takes it before the file has its name, and holds it
for as long as it lives. So a record whose lock is free is that of a launcher that is gone, however it went;
without ``ended_at`` it was killed.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from spinup import console
from spinup.errors import RunDirError
from spinup.fingerprint import shorten
from spinup.rundir.atomic import CAREFULLY, is_temporary, write_text
from spinup.rundir.config import LARGEST_FILE_BYTES
from spinup.rundir.layout import LAUNCHES
from spinup.rundir.lock import is_locked
from spinup.rundir.status import host_name, utc_now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_LONGEST_ID = 180
_TEXTS = ("grid_name", "command_line", "working_directory", "host", "started_at")


class LaunchedRun(NamedTuple):
    """A run of a launch.

    Attributes:
        name: Name of the experiment.
        seed: Seed of the run.
        directory: Absolute.
        is_to_run: Whether this launch does it; False for what was kept.
    """

    name: str
    seed: int
    directory: str
    is_to_run: bool = True


@dataclass(frozen=True)
class Launch:
    """What a launch record says.

    Attributes:
        path: The record.
        is_live: Whether the launcher holds its lock: it is alive.
        grid_name: Name of the grid.
        command_line: Of the launcher, as a shell reads it.
        working_directory: Of the launcher.
        host: Name of its machine.
        pid: Its process id on ``host``.
        process_start: What tells this process from a later one with the same id; see `process_start`.
        width: Runs at a time.
        started_at: UTC, ISO 8601, as is the next.
        ended_at: When the launcher ended by itself; None while it lives, and if it was killed.
        runs: Every run of the grid that lies in ``data_dir``, in the grid's order.
    """

    path: Path
    is_live: bool
    grid_name: str
    command_line: str
    working_directory: str
    host: str
    pid: int
    process_start: str | None
    width: int
    started_at: str
    ended_at: str | None
    runs: tuple[LaunchedRun, ...]


@contextmanager
def recorded(
    data_dir: Path, grid_name: str, width: int, runs: Iterable[LaunchedRun]
) -> Iterator[Path | None]:
    """For the length of the block, this process is on record as the launcher of ``runs``; yield the record.

    Records that earlier launchers of a grid of this name have left, and that are dead, are removed. Where
    the record cannot be written, a line says so, and None is yielded: the runs are worth more.

    Args:
        data_dir: Where the results go.
        grid_name: Name of the grid.
        width: Runs at a time.
        runs: Every run of the grid.
    """
    shelf = data_dir / LAUNCHES
    facts = {
        "grid_name": grid_name,
        "command_line": shlex.join([sys.executable or "python", *map(str, sys.argv)]),
        "working_directory": os.getcwd(),
        "host": host_name(),
        "pid": os.getpid(),
        "process_start": process_start(os.getpid()),
        "width": width,
        "started_at": utc_now(),
    }
    text = _runs_text(data_dir, runs)
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        if shelf.is_symlink():
            raise OSError(f"{shelf} is a symbolic link")
        _remove_dead([path for path in _files(shelf) if path.name.startswith(_beginning(grid_name))])
        tidy(data_dir)
        # The time tells launches apart, the process those of one moment.
        moment = re.sub(r"[:.]", "-", str(facts["started_at"]))
        path = shelf / f"{_beginning(grid_name)}{moment}-{os.getpid()}.json"
        file = _write_locked(path, _text(facts, None, text))
    except OSError as error:
        place = console.one_line(str(shelf))
        console.say(f"The launch cannot be put on record in {place}, for spinup status: {error}.", "yellow")
        yield None
        return
    try:
        yield path
    finally:
        # Without that note, the free lock still tells that the launcher is gone.
        with suppress(OSError):
            write_text(path, _text(facts, utc_now(), text), is_durable=False)
        file.close()


def tidy(data_dir: Path) -> None:
    """Remove what dead launchers were just writing when they died."""
    shelf = data_dir / LAUNCHES
    if not shelf.is_symlink():
        _remove_dead([path for path in _files(shelf) if is_temporary(path)])


def read_launches(data_dir: Path) -> list[Launch]:
    """The launches on record in ``data_dir``, oldest first; records that cannot be read are left out."""
    shelf = data_dir / LAUNCHES
    if shelf.is_symlink():
        return []
    found = [launch for path in _files(shelf) if (launch := read_launch(path)) is not None]
    return sorted(found, key=lambda launch: (launch.started_at, str(launch.path)))


def read_launch(path: Path) -> Launch | None:
    """The launch record at ``path``; None where there is none that can be read.

    Runs that lie outside of the directory of results are left out: nothing is looked at there.
    """
    if path.suffix != ".json":
        return None
    try:
        with _open(path) as file:
            is_live = is_locked(file.fileno())
            fields = json.loads(file.read(LARGEST_FILE_BYTES))
        return _launch(path, fields, is_live=is_live)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def forget(data_dir: Path, directories: Collection[str]) -> None:
    """Take runs off the records of launchers that are gone, so that nobody takes them for not begun.

    Args:
        data_dir: Where the results are.
        directories: The runs' directories, absolute.

    Raises:
        RunDirError: A record cannot be written.
    """
    for launch in read_launches(data_dir):
        kept = [run for run in launch.runs if run.directory not in directories]
        if launch.is_live or len(kept) == len(launch.runs):
            continue
        facts = {name: getattr(launch, name) for name in (*_TEXTS, "pid", "process_start", "width")}
        try:
            if kept:
                text = _text(facts, launch.ended_at, _runs_text(data_dir, kept))
                write_text(launch.path, text, is_durable=False)
            else:
                launch.path.unlink(missing_ok=True)
        except OSError as error:
            raise RunDirError(f"{launch.path} cannot be written: {error}.") from error


def is_at_work(path: Path) -> bool:
    """Whether the launcher whose record is at ``path`` is alive; without reading the record."""
    try:
        with _open(path) as file:
            return is_locked(file.fileno())
    except FileNotFoundError:
        return False


def process_start(pid: int) -> str | None:
    """A text that no other process with this id has, before or after; None if there is no such process."""
    with suppress(OSError, ValueError, IndexError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        # The name before it, in parentheses, may hold anything.
        return f"{boot}:{int(stat.rpartition(b')')[2].split()[19])}"
    return None if platform.system() == "Linux" else _process_start_elsewhere(pid)


def _process_start_elsewhere(pid: int) -> str | None:
    import psutil  # noqa: PLC0415 - needed where there is no /proc

    with suppress(psutil.Error):
        return f"{psutil.Process(pid).create_time():.2f}"
    return None


def _runs_text(data_dir: Path, runs: Iterable[LaunchedRun]) -> str:
    """A line for each run, so that a large grid's record can be read with `less`."""
    base = os.path.join(os.path.abspath(data_dir), "")
    lines = (
        json.dumps([name, seed, directory.removeprefix(base), is_to_run])
        for name, seed, directory, is_to_run in runs
    )
    return ",\n".join(lines)


def _text(facts: Mapping[str, Any], ended_at: str | None, runs: str) -> str:
    head = json.dumps({**facts, "ended_at": ended_at, "columns": LaunchedRun._fields}, indent=4)
    beginning = head.removesuffix("\n}")
    return f'{beginning},\n    "runs": [\n{runs}\n]}}\n'


def _beginning(grid_name: str) -> str:
    # Every name has one of its own, whatever characters are in it.
    return f"{shorten(quote(grid_name, safe='', errors='surrogatepass'), _LONGEST_ID)}@"


def _write_locked(path: Path, text: str) -> IO[bytes]:
    """Write ``path``; the file, whose lock is held until it is closed."""
    while True:
        temporary = path.with_name(f".{path.name[:64]}.{os.urandom(4).hex()}.tmp")
        file = _locked_file(temporary)
        try:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.replace(temporary, path)
        except FileNotFoundError:  # another launcher has removed it, before it was locked
            file.close()
            continue
        except BaseException:
            temporary.unlink(missing_ok=True)
            with suppress(OSError):  # what is left to be written cannot be, once more
                file.close()
            raise
        return file


def _locked_file(path: Path) -> IO[bytes]:
    from filelock import lock_descriptor  # noqa: PLC0415 - only a launch needs it

    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644), "wb")
    lock_descriptor(file.fileno())
    return file


def _remove_dead(paths: Iterable[Path]) -> None:
    """Remove those of ``paths`` that no launcher holds."""
    for path in paths:
        with suppress(OSError), _open(path) as file:
            if not is_locked(file.fileno()):
                path.unlink(missing_ok=True)


def _files(shelf: Path) -> list[Path]:
    try:
        return list(shelf.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _open(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | CAREFULLY), "rb")


def _launch(path: Path, fields: Mapping[str, Any], *, is_live: bool) -> Launch:
    data_dir = path.parent.parent
    for name, kinds in {**dict.fromkeys(_TEXTS, str), "pid": int, "width": int, "runs": list}.items():
        if type(fields[name]) is not kinds:
            raise TypeError(f"{name} is {fields[name]!r}")
    runs = (_run(data_dir, *row) for row in fields["runs"])
    return Launch(
        path=path,
        is_live=is_live and fields["ended_at"] is None,
        **{name: fields[name] for name in (*_TEXTS, "pid", "ended_at", "process_start")},
        width=max(1, fields["width"]),
        runs=tuple(run for run in runs if run is not None),
    )


def _run(data_dir: Path, name: Any, seed: Any, directory: Any, is_to_run: Any) -> LaunchedRun | None:
    if not (isinstance(name, str) and type(seed) is int and isinstance(directory, str)):
        raise TypeError(f"{name!r} is no run")
    parts = directory.split("/")
    if directory.startswith("/") or ".." in parts or "\0" in directory:
        return None
    return LaunchedRun(name, seed, os.path.join(data_dir, directory), bool(is_to_run))
