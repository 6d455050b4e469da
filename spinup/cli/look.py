"""How a run is, as far as its directory and its lock tell: what they say is not believed, but compared."""

from __future__ import annotations

import math
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.results.columns import RETURN, ColumnMap
from spinup.rundir.atomic import CAREFULLY
from spinup.rundir.config import read_json_object
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import is_held
from spinup.rundir.status import State, host_name, read_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import IO

    from spinup.rundir.status import Status

#: What a run can be. A run that was ended from outside is interrupted; one that says it runs, but whose
#: lock is free, was killed. Without a status.json, as in Spinning Up's own directories, nothing is known.
STATES = ("done", "running", "queued", "failed", "interrupted", "unknown")

LAST_ROWS = 5

_BLOCK_BYTES = 1 << 13
_MOST_BYTES = 1 << 22
_NAME = re.compile(r"(?P<exp_name>.+?)(?:_s(?P<seed>-?[0-9]+))?", re.DOTALL)


@dataclass(frozen=True)
class Look:
    """A run, as it is now.

    Attributes:
        directory: Where it is.
        exp_name: Name of the experiment.
        seed: Seed of the run; None where nothing tells it.
        state: One of `STATES`.
        reason: Why it failed, or why its state is unknown.
        message: The error in one line.
        host: Where it ran, or runs.
        is_elsewhere: Whether it says that it runs on another machine, whose word is taken for it.
        attempt: How often it was tried.
        started_s: When its process began, in seconds since 1970; None if it did not.
        ended_s: When it was done or had failed; None while it runs, and if it was killed.
        code: Hash of each file of its code; None where that is not known.
    """

    directory: Path
    exp_name: str
    seed: int | None
    state: str
    reason: str | None = None
    message: str | None = None
    host: str | None = None
    is_elsewhere: bool = False
    attempt: int = 1
    started_s: float | None = None
    ended_s: float | None = None
    code: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def is_live(self) -> bool:
        """Whether it runs, or is about to."""
        return self.state in {"running", "queued"}


def look_at(directory: Path) -> Look:
    """How the run in ``directory`` is."""
    run_dir = RunDir(directory)
    try:
        status = read_status(run_dir)
    except (RecordError, OSError) as error:
        return _without_status(run_dir, f"status.json cannot be read: {error}")
    if status is None:
        return _without_status(run_dir, "no status.json")
    state, reason, is_elsewhere = _true_state(run_dir, status)
    name, seed = _named(run_dir, {"exp_name": status.exp_name, "seed": status.seed})
    return Look(
        directory=directory,
        exp_name=name,
        seed=seed,
        state=state,
        reason=reason,
        message=status.message if isinstance(status.message, str) else None,
        host=status.host if isinstance(status.host, str) else None,
        is_elsewhere=is_elsewhere,
        attempt=status.attempt,
        started_s=seconds(status.started_at),
        ended_s=seconds(status.ended_at),
        code=status.code,
    )


def _true_state(run_dir: RunDir, status: Status) -> tuple[str, str | None, bool]:
    """State and reason, and whether another machine would have to be asked."""
    if status.state is State.DONE:
        return "done", None, False
    if status.state is State.FAILED:
        return ("interrupted" if status.reason == "interrupted" else "failed"), status.reason, False
    if is_held(run_dir):
        return str(status.state), None, False
    # It may have ended between the two looks.
    with suppress(RecordError, OSError):
        again = read_status(run_dir)
        if again is not None and again.state in {State.DONE, State.FAILED}:
            return _true_state(run_dir, again)
    # Locks of other machines are not seen on every file system; the file is removed when the run ends.
    if status.host not in {None, host_name()} and os.path.lexists(run_dir.lock):
        return str(status.state), f"on {status.host}, by its own word", True
    return "interrupted", "killed, with its launcher", False


def _without_status(run_dir: RunDir, reason: str) -> Look:
    config: dict[str, Any] = {}
    with suppress(RecordError, OSError):
        config = read_json_object(run_dir.config)
    name, seed = _named(run_dir, config)
    if is_held(run_dir):
        return Look(run_dir.path, name, seed, "queued")
    return Look(run_dir.path, name, seed, "unknown", reason)


def _named(run_dir: RunDir, fields: Mapping[str, Any]) -> tuple[str, int | None]:
    """Name and seed by the record, or else by the directory."""
    match = _NAME.fullmatch(run_dir.path.name)
    name, seed = fields.get("exp_name"), fields.get("seed")
    if not isinstance(name, str) or not name:
        name = match["exp_name"] if match else run_dir.path.name
    if type(seed) is not int:
        seed = int(match["seed"]) if match and match["seed"] else None
    return name, seed


def seconds(text: object) -> float | None:
    """A time in UTC as seconds since 1970; None for what is no time."""
    with suppress(TypeError, ValueError, OverflowError):
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]
        return moment.timestamp() if moment.tzinfo is not None else None
    return None


def last_return(progress: Path, *, last: int = LAST_ROWS) -> float | None:
    """The mean return of the last rows that have one; None if there is none. NaN if one of them is NaN.

    Only the file's two ends are read, however long it is.
    """
    try:
        file = os.open(progress, os.O_RDONLY | CAREFULLY)
    except OSError:
        return None
    facts = os.fstat(file)
    if not stat.S_ISREG(facts.st_mode):
        os.close(file)
        return None
    with os.fdopen(file, "rb") as stream:
        header = stream.readline(_MOST_BYTES).decode("utf-8-sig", "replace").rstrip("\r\n").split("\t")
        names = [name.strip('"') for name in header]
        column = ColumnMap().find(RETURN, names)
        if column is None:
            return None
        values = _last_values(stream, facts.st_size, names.index(column), last)
    return math.fsum(values) / len(values) if values else None


def _last_values(stream: IO[bytes], size: int, place: int, last: int) -> list[float]:
    begin, block = stream.tell(), _BLOCK_BYTES
    while True:
        start = max(begin, size - block)
        stream.seek(start)
        # Behind the last line break is a torn line; before the first one in a block the end of another.
        lines = stream.read(size - start).split(b"\n")[:-1]
        values = _values(lines if start == begin else lines[1:], place)
        if len(values) >= last or start == begin or block >= _MOST_BYTES:
            return values[-last:]
        block *= 8


def _values(lines: list[bytes], place: int) -> list[float]:
    found = []
    for line in lines:
        cells = line.split(b"\t")
        with suppress(ValueError, IndexError):
            found.append(float(cells[place]))
    return found
