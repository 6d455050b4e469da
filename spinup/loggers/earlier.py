"""Files of an earlier run in the same directory: moved aside, never overwritten."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from spinup.errors import RecordError
from spinup.rundir.layout import ARCHIVE, RunDir
from spinup.rundir.status import State, read_status, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def earlier_files(output_dir: Path) -> list[Path]:
    """What an earlier run has left in ``output_dir`` beside its tables, and a new one would overwrite."""
    files = [*sorted(output_dir.glob("vars*.pkl")), output_dir / "pyt_save"]
    run_dir = RunDir(output_dir)
    if not _is_launched(run_dir):
        # Even beside an empty table: a run that broke before its first row has left its settings.
        files.insert(0, run_dir.config)
    return [path for path in files if path.exists()]


def move_aside(output_dir: Path, files: Iterable[Path]) -> Path:
    """The new directory below ``output_dir/.archive`` that ``files`` were moved to."""
    archive = new_archive(output_dir)
    for path in files:
        path.rename(archive / path.name)
    return archive


def new_archive(output_dir: Path) -> Path:
    """A new directory below ``output_dir/.archive``, named by the time."""
    return new_directory(output_dir / ARCHIVE, utc_now().replace(":", "-"))


def new_directory(parent: Path, name: str) -> Path:
    """A directory below ``parent`` that was not there before: ``name``, ``name_2``, ..."""
    parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        path = parent / (name if number == 1 else f"{name}_{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError("itertools.count ends")


def _is_launched(run_dir: RunDir) -> bool:
    """True where a launcher has begun this run, or this attempt at it, so that config.json is its own."""
    try:
        status = read_status(run_dir)
    except RecordError:
        return False
    return status is not None and status.state in {State.QUEUED, State.RUNNING}
