"""What an earlier run has left in a directory: found, and moved aside, never overwritten."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from spinup.errors import RecordError, RunDirError
from spinup.loggers.claim import is_written_elsewhere, open_plain
from spinup.loggers.statefile import is_state_name, noted_tables
from spinup.rundir import archive
from spinup.rundir.layout import ARCHIVE, RunDir, model_file
from spinup.rundir.status import State, read_status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spinup.loggers.claim import Claim

_MODELS = model_file(Path(), None).parent.name
_PROGRESS = RunDir(Path()).progress.name
_RECORDS = {
    getattr(RunDir(Path("run")), name).name
    for name, member in vars(RunDir).items()
    if isinstance(member, property)
} - {_PROGRESS}
_LOOK_BYTES = 1 << 16
# What setup_logger_kwargs may put in front of the name: of the experiment's directory, and of the run's.
_DATE = r"(?:\d{4}-\d\d-\d\d_)?"
_TIME = r"(?:\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_)?"


def is_record(name: str) -> bool:
    """Whether a file of the run that is no table is called so."""
    name = name.casefold()  # as some file systems do
    return name in _RECORDS | {_MODELS, ARCHIVE} or is_state_name(name)


def left_by_an_earlier_run(directory: Path, claim: Claim) -> tuple[list[Path], list[Path]]:
    """What is to be moved should the run begin anew, but for the table itself.

    Args:
        directory: The run's directory, links resolved.
        claim: The right to the table that is going to be written.

    Returns:
        (files that are no tables, tables of other names).
    """
    if is_begun_elsewhere(directory):
        return [], []
    tables = [path for path in find_tables(directory) if path != claim.table]
    if _is_launched(directory):
        # Other tables may be of another process of the same run, and are moved when their logger comes.
        return ([] if claim.is_new else _files_beside_tables(directory)), []
    if claim.is_new and not tables:
        return [], []
    return _files_beside_tables(directory), [path for path in tables if _has_rows(path)]


def _files_beside_tables(output_dir: Path) -> list[Path]:
    """What an earlier run has left in ``output_dir`` beside its tables, and a new one would overwrite."""
    files = [*sorted(output_dir.glob("vars*.pkl")), output_dir / _MODELS]
    if not _is_launched(output_dir):
        # Even beside an empty table: a run that broke before its first row has left its settings.
        files.insert(0, RunDir(output_dir).config)
    return [path for path in files if path.exists()]


def _is_launched(output_dir: Path) -> bool:
    """True where a launcher has begun this run, or this attempt at it, so that config.json is its own."""
    try:
        status = read_status(RunDir(output_dir))
    except RecordError:
        return False
    return status is not None and status.state in {State.QUEUED, State.RUNNING}


def find_tables(output_dir: Path) -> list[Path]:
    """Files in ``output_dir`` that a logger has written, or, where they are empty, may have begun.

    Nothing but its name tells progress.txt; others are known from a saved state, or by their looks.
    """
    known = noted_tables(output_dir) | {_PROGRESS}
    with os.scandir(output_dir) as entries:
        names = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    return [output_dir / name for name in names if name in known or _may_be_table(output_dir / name)]


def is_begun_elsewhere(output_dir: Path) -> bool:
    """Whether what is in ``output_dir`` may be of a run that another process is writing.

    Where that process has no row yet, and somebody no longer there has left some, they are of an earlier
    run, which is moved by whoever comes to its first row.
    """
    tables = find_tables(output_dir)
    live = [path for path in tables if is_written_elsewhere(path)]
    with_rows = [path for path in tables if _has_rows(path)]
    return bool(live) and (not with_rows or any(path in live for path in with_rows))


def _has_rows(table: Path) -> bool:
    try:
        return table.stat().st_size > 0
    except FileNotFoundError:
        return False


def _may_be_table(path: Path) -> bool:
    if is_record(path.name) or path.name.startswith("."):
        return False
    try:
        with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
            return looks_like_table(file.read(_LOOK_BYTES))
    except OSError:
        return False  # gone, or not this user's


def looks_like_table(start: bytes) -> bool:
    """Whether a file that begins so is a table: tabs, the same number in each row, or a column of numbers.

    An empty file is one too, whose logger has not come to a row.
    """
    if not start:
        return True
    whole_lines = start.split(b"\n")[:-1]
    if b"\0" in start or not whole_lines:
        return False
    header, *rows = whole_lines
    num_tabs = header.count(b"\t")
    if any(row.count(b"\t") != num_tabs for row in rows):
        return False
    return num_tabs > 0 or (bool(rows) and not _is_number(header) and all(map(_is_number, rows)))


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def move_aside(output_dir: Path, files: Iterable[Path]) -> Path:
    """The new archive that ``files`` of ``output_dir`` were moved to."""
    place = new_archive(output_dir)
    for path in files:
        path.rename(place / path.name)
    return place


def new_archive(output_dir: Path) -> Path:
    """A new directory for files of ``output_dir``, outside of it and its experiment where possible.

    Spinning Up's plotter takes every progress.txt below an experiment's directory for a seed of it.

    Raises:
        OSError: There is no place to move files to.
    """
    run_dir = RunDir(output_dir)
    data_dir = data_dir_of(output_dir)
    try:
        # A file cannot be renamed to another file system: output_dir may be a mount point.
        if data_dir.stat().st_dev == output_dir.stat().st_dev:
            return archive.new_archive(run_dir, data_dir)
    except RunDirError:
        pass  # data_dir may be somebody else's; then inside
    return archive.new_archive(run_dir, output_dir)


def data_dir_of(output_dir: Path) -> Path:
    """The directory that a run belongs to: where setup_logger_kwargs was told, or else the parent.

    Args:
        output_dir: ``data_dir/<exp_name>/<exp_name>_s<seed>``, dates in front of the names or not, if
            setup_logger_kwargs has named it; an ``exp_name`` may have several parts.
    """
    *parents, last = output_dir.parts
    name = re.fullmatch(r"(.+)_s-?\d+", last, re.DOTALL)
    for num_parts in range(1, len(parents) // 2 + 1) if name else ():
        inner = [*parents[len(parents) - num_parts + 1 :], name[1] if name else ""]
        outer = parents[len(parents) - 2 * num_parts + 1 : len(parents) - num_parts + 1]
        if _bare(inner, _TIME) == _bare(outer, _DATE):
            return output_dir.parents[2 * num_parts - 1]
    return output_dir.parent


def _bare(parts: list[str], stamp: str) -> list[str]:
    return [re.sub(f"^{stamp}", "", parts[0]), *parts[1:]]


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
