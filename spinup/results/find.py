"""From what a caller names to the run directories that are meant: exact paths or globs."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, NamedTuple

from spinup.errors import RecordError
from spinup.results.sources.choice import source_of
from spinup.results.sources.delimited import PROGRESS_TXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from spinup.results.sources.base import Source

STATUS = "status.json"
CONFIG = "config.json"
PROVENANCE = "provenance.json"


class Found(NamedTuple):
    """A directory that may be a run's.

    Attributes:
        path: The directory.
        name: What it is called, links followed.
        files: Names of the plain files in it.
        source: What reads its rows; None where it has none.
        links: Names of the symbolic links in it, which are not followed.
    """

    path: str
    name: str
    files: Set[str]
    source: Source | None
    links: Set[str] = frozenset()


def find(named: Iterable[str | os.PathLike[str]]) -> list[Found]:
    """Every directory at or below ``named`` that may be a run's, each once.

    Such a one has a plain file with rows (progress.txt, progress.csv, monitor.csv, an event file), a
    status.json or a config.json. Below a run of ours or of Spinning Up, only such runs are looked for:
    what else logs there, does so for that run. Hidden directories are not looked into, and no symbolic link
    below them is followed: it may lead out of them, or count one run twice.

    Raises:
        RecordError: A path is no directory, a glob matches none, or a directory cannot be looked into.
    """
    found: dict[str, Found] = {}
    paths = [os.fspath(path) for path in named]
    if not paths or "" in paths:
        raise RecordError("No directory was named. Say where the runs are, as in load('data').")
    for path in paths:
        for root in _roots(os.path.expanduser(path)):
            real = os.path.realpath(root)
            for directory in _below(root, os.path.basename(real)):
                found.setdefault(real + directory.path[len(root) :], directory)
    return list(found.values())


def _roots(path: str) -> list[str]:
    """The directories that ``path`` means: itself, or what it matches."""
    if os.path.isdir(path):
        return [path]
    if glob.has_magic(path):
        if roots := sorted(match for match in glob.iglob(path, recursive=True) if os.path.isdir(match)):
            return roots
        raise RecordError(f"No directory matches {path!r}: nothing to read results from.")
    if os.path.isfile(path):
        raise RecordError(f"{path} is a file. Name the directory that it is in.")
    raise RecordError(f"There is no directory {path}: nothing to read results from.{_near(path)}")


def _near(path: str) -> str:
    """Names that begin like that of ``path``, which Spinning Up would have read."""
    parent, name = os.path.split(path)
    try:
        names = sorted(entry.name for entry in os.scandir(parent or ".") if entry.is_dir())
    except OSError:
        return ""
    near = [other for other in names if name and other.startswith(name)]
    if not near:
        return ""
    more = " and others" if len(near) > 3 else ""
    return (
        f" There is {', '.join(near[:3])}{more}. A name means itself alone; all that begin so are "
        f"{path + '*'!r}."
    )


def _below(root: str, root_name: str) -> Iterator[Found]:
    """``root`` and the directories below it that may be runs, in no order."""
    pending = [(root, root_name, False)]
    while pending:
        path, name, is_inside = pending.pop()
        files, directories, links = _list(path)
        # A table of ours or a status: more than any library that a run may log with beside.
        is_ours = PROGRESS_TXT.file_name in files or STATUS in files
        source = source_of(files) if files else None
        if is_ours or (not is_inside and (CONFIG in files or source is not None)):
            yield Found(path, name, files, source, links)
        pending += [(f"{path}{os.sep}{child}", child, is_inside or is_ours) for child in directories]


def _list(path: str) -> tuple[set[str], list[str], set[str]]:
    """Names of the plain files, of the directories and of the links in ``path``, without hidden ones."""
    files: set[str] = set()
    links: set[str] = set()
    directories: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                if entry.is_file(follow_symlinks=False):
                    files.add(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    directories.append(entry.name)
                elif entry.is_symlink():
                    links.add(entry.name)
    except FileNotFoundError:  # no more: archived since its parent was listed
        pass
    except OSError as error:
        # Passed over, it would be missing seeds without a word.
        raise RecordError(
            f"Cannot look into {error.filename or path}: {error.strerror}. "
            "Make it readable, or move it elsewhere."
        ) from error
    return files, directories, links
