"""Files of an earlier run in the same directory: moved aside, never overwritten."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from spinup.errors import RecordError
from spinup.rundir.layout import ARCHIVE, RunDir
from spinup.rundir.status import State, read_status, utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Directory → the tables that this process has begun in it. A second logger beside the first (a table
# of evaluations, say) must leave alone what the first one has written; the same table once more is a
# new run in an old directory.
_begun: dict[Path, set[str]] = {}


def make_room(output_dir: Path, output_fname: str) -> Path | None:
    """Move what a logger would overwrite out of its way.

    Args:
        output_dir: Absolute path of an existing directory.
        output_fname: Name of the table that the logger is about to begin.

    Returns:
        The directory that the files are in now, or None when there were none.
    """
    begun = _begun.setdefault(output_dir, set())
    is_second_logger = bool(begun) and output_fname not in begun
    if not is_second_logger:
        begun.clear()
    begun.add(output_fname)
    files = _earlier_files(output_dir, output_fname, table_only=is_second_logger)
    return move_aside(output_dir, files) if files else None


def move_aside(output_dir: Path, files: Sequence[Path]) -> Path:
    """The new directory below ``output_dir/.archive`` that ``files`` were moved to."""
    archive = new_directory(output_dir / ARCHIVE, utc_now().replace(":", "-"))
    for path in files:
        path.rename(archive / path.name)
    return archive


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


def _earlier_files(output_dir: Path, output_fname: str, *, table_only: bool) -> list[Path]:
    table = output_dir / output_fname
    if not table.exists():
        return []  # no logger was here: config.json, if any, is the launcher's
    tables = [table] if table.stat().st_size else []
    if table_only:
        return tables
    shared = [*sorted(output_dir.glob("vars*.pkl")), output_dir / "pyt_save"]
    run_dir = RunDir(output_dir)
    if not _is_launched(run_dir):
        # Even beside an empty table: a run that broke before its first row has left its settings.
        shared.insert(0, run_dir.config)
    # The table last: it shows that there is something to move, should this be interrupted.
    return [path for path in shared if path.exists()] + tables


def _is_launched(run_dir: RunDir) -> bool:
    """True where a launcher has just begun this run, so that config.json is already the new one."""
    try:
        status = read_status(run_dir)
    except RecordError:
        return False
    return status is not None and status.state in {State.QUEUED, State.RUNNING}
