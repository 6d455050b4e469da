"""Where runs come from: commands, code, machines and packages, as their directories tell it."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.results.columns import encodable
from spinup.results.files import read_object
from spinup.rundir.launches import read_launches
from spinup.rundir.layout import LAUNCHES, RunDir

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spinup.results.runs import Run
    from spinup.rundir.launches import Launch

# Anything else in its place could be an option of git.
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_MOST_LEVELS = 4  # a name such as `sweep/ppo` makes directories within directories


@dataclass(frozen=True)
class Command:
    """What somebody typed to start runs.

    Attributes:
        line: As a shell reads it; quoted anew, so that a record cannot make a shell do anything else.
        working_directory: Where.
    """

    line: str
    working_directory: str


@dataclass(frozen=True)
class Code:
    """What git says of the code.

    Attributes:
        commit: The commit.
        is_dirty: Whether something had changed since; None where git did not say.
        diff: What had changed, as bytes of its text; 0 for nothing.
        is_cut: Whether the diff on record is not all of it.
        num_untracked: Files that git did not know.
        example: The provenance.json of one run that had this code.
    """

    commit: str
    is_dirty: bool | None
    diff: int
    is_cut: bool
    num_untracked: int
    example: str


@dataclass(frozen=True)
class Origin:
    """Where some runs come from; each thing once, in the order in which the runs have it.

    Attributes:
        commands: What started them.
        thunks: What was called.
        code: Commits, and what was not committed.
        machines: Machine, processors and Python, in words.
        packages: Version of each package, of the first run that says it.
        differing: Packages that had other versions in other runs, and these.
        num_silent: Runs that say nothing of it.
    """

    commands: tuple[Command, ...] = ()
    thunks: tuple[str, ...] = ()
    code: tuple[Code, ...] = ()
    machines: tuple[str, ...] = ()
    packages: Mapping[str, str] | None = None
    differing: Mapping[str, tuple[str, ...]] | None = None
    num_silent: int = 0


def origin_of(runs: Iterable[Run]) -> Origin:
    """Where ``runs`` come from, by their provenance.json; one that cannot be read says nothing."""
    runs = list(runs)
    found = [(run, document) for run in runs if (document := _read(run)) is not None]
    versions = [_texts(document.get("packages")) for _, document in found]
    return Origin(
        commands=_unique(_command(document) for _, document in found),
        thunks=_unique(_thunk(document) for _, document in found),
        code=_code(found),
        machines=_unique(_machine(document) for _, document in found),
        packages=next((one for one in versions if one), None),
        differing=differing_versions(versions),
        num_silent=len(runs) - len(found),
    )


def differing_versions(versions: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """The packages that have several versions, and which, in the order in which they come."""
    every: dict[str, dict[str, None]] = {}
    for one in versions:
        for name, version in one.items():
            every.setdefault(name, {})[version] = None
    return {name: tuple(found) for name, found in sorted(every.items()) if len(found) > 1}


def launches_of(runs: Sequence[Run]) -> list[Launch]:
    """The launches on record that have one of ``runs``, oldest first."""
    known = {os.path.abspath(run.path) for run in runs}
    found: list[Launch] = []
    for data_dir in _data_dirs(known):
        found += [
            launch
            for launch in read_launches(data_dir)
            if any(run.directory in known for run in launch.runs)
        ]
    return found


def num_not_begun(launches: Iterable[Launch]) -> int:
    """How many runs of these launches have no directory yet."""
    planned = {run.directory for launch in launches for run in launch.runs}
    return sum(not os.path.lexists(directory) for directory in planned)


def again(command: Command) -> list[str]:
    """The lines that do what ``command`` did, where it did it."""
    lines = [f"cd {shlex.quote(command.working_directory)}"] if command.working_directory else []
    return [*lines, command.line]


def _data_dirs(paths: Iterable[str]) -> list[Path]:
    """The directories around ``paths`` that hold launch records."""
    found: dict[Path, None] = {}
    seen: dict[Path, bool] = {}
    for path in paths:
        for parent in list(Path(path).parents)[:_MOST_LEVELS]:
            if parent not in seen:
                seen[parent] = (parent / LAUNCHES).is_dir()
            if seen[parent]:
                found[parent] = None
                break
    return sorted(found)


def _read(run: Run) -> dict[str, Any] | None:
    path = str(RunDir(Path(run.path)).provenance)
    if not os.path.lexists(path):
        return None
    try:
        return read_object(path)
    except RecordError:
        return None  # it counts as silent, which the report says


def _unique(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(item for item in items if item is not None))


def _command(document: Mapping[str, Any]) -> Command | None:
    line, place = document.get("command_line"), document.get("working_directory")
    if not isinstance(line, str):
        return None
    try:
        line = shlex.join(shlex.split(line))
    except ValueError:  # a quotation that does not end
        line = shlex.quote(line)
    return Command(encodable(line), encodable(place) if isinstance(place, str) else "")


def _thunk(document: Mapping[str, Any]) -> str | None:
    thunk = _dict(document.get("call")).get("thunk")
    return None if thunk is None else encodable(thunk if isinstance(thunk, str) else json.dumps(thunk))


def _code(found: Iterable[tuple[Run, Mapping[str, Any]]]) -> tuple[Code, ...]:
    codes: dict[tuple[Any, ...], Code] = {}
    for run, document in found:
        git = _dict(document.get("git"))
        commit, diff, untracked = git.get("commit"), git.get("diff"), git.get("untracked_files")
        if isinstance(commit, str) and _COMMIT.fullmatch(commit):
            is_dirty = git.get("is_dirty")
            one = Code(
                commit=commit,
                is_dirty=is_dirty if isinstance(is_dirty, bool) else None,
                diff=len(encodable(diff).encode()) if isinstance(diff, str) else 0,
                is_cut=git.get("diff_is_cut") is True,
                num_untracked=len(untracked) if isinstance(untracked, list) else 0,
                example=encodable(os.path.abspath(RunDir(Path(run.path)).provenance)),
            )
            codes.setdefault((commit, is_dirty, diff if isinstance(diff, str) else None), one)
    return tuple(codes.values())


def _machine(document: Mapping[str, Any]) -> str | None:
    machine = _dict(document.get("machine"))
    cores, gpus = machine.get("cpu_count"), machine.get("gpus")
    parts = [
        _text(machine, "host"),
        _text(machine, "cpu") + (f" ({cores} cores)" if isinstance(cores, int) else ""),
        *(encodable(str(gpu)) for gpu in (gpus if isinstance(gpus, list) else [])),
        _text(machine, "platform"),
        f"Python {_text(machine, 'python')}" if _text(machine, "python") else "",
    ]
    return ", ".join(part for part in parts if part) or None


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return encodable(value) if isinstance(value, str) else ""


def _texts(value: Any) -> dict[str, str]:
    return {
        encodable(name): encodable(text) for name, text in _dict(value).items() if isinstance(text, str)
    }


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
