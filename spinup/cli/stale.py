"""Whether the code of a run has changed since: its files are looked for and hashed, and never imported."""

from __future__ import annotations

import ast
import functools
import itertools
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.cli.look import seconds
from spinup.errors import RecordError
from spinup.jobs.imports import find_module
from spinup.jobs.script import reachable
from spinup.jobs.syntax import bytes_hash, parse, syntax_hash
from spinup.rundir.config import read_json_object
from spinup.rundir.layout import RunDir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LARGEST_SOURCE_BYTES = 1 << 24
_MOST_CHOICES = 64
_LABEL = re.compile(r"(?:[^/\0<>]+/)*[^/\0<>]+\.pyw?")


@dataclass(frozen=True)
class _Origin:
    """Where a run's code was, and what of the launch script it used.

    Attributes:
        script: The launch script.
        working_directory: Of the launcher.
        names: What the call mentions, among it the names of functions and classes.
        is_named: Whether the thunk and the functions among its arguments have names by which to find them.
        began_s: When it was begun, in seconds since 1970.
    """

    script: Path
    working_directory: Path
    names: frozenset[str]
    is_named: bool
    began_s: float


class Staleness:
    """Tells which files have changed since runs were begun; runs of the same code are looked at once."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, str], ...], list[str]] = {}

    def changed(self, directory: Path, code: Mapping[str, Any] | None) -> list[str]:
        """Labels of the files in ``code`` that are not what they were, sorted.

        A file that is not found says nothing: the project may have been moved; and who deletes a file has
        to change those that import it. Nor does a script of which it cannot be told what the run used.
        """
        if not code or not all(isinstance(value, str) for value in code.values()):
            return []
        key = tuple(sorted(code.items()))
        if key not in self._known:
            origin = _origin(directory)
            self._known[key] = [] if origin is None else _changed(origin, code)
        return self._known[key]


def _changed(origin: _Origin, code: Mapping[str, str]) -> list[str]:
    return sorted(label for label, was in code.items() if _is_changed(origin, label, was))


def _is_changed(origin: _Origin, label: str, was: str) -> bool:
    file = _file(origin, label)
    stamp = None if file is None else _stamp(file)
    if file is None or stamp is None:
        return False
    now = _module_hash(str(file), stamp)
    if now is None or now == was:
        return False
    if file != origin.script:
        return True
    # Of a launch script only a part was hashed.
    if not origin.is_named or stamp[0] < origin.began_s * 1e9:
        return False
    parts = _script_hashes(str(file), stamp, origin.names)
    return bool(parts) and was not in parts


def _origin(directory: Path) -> _Origin | None:
    try:
        fields = read_json_object(RunDir(directory).provenance)
        call, here = fields["call"], Path(fields["working_directory"])
        words = shlex.split(fields["command_line"])
        names = {name.partition(".")[0] for name in _texts(call["parameters"])}
        thunk = call["thunk"] if isinstance(call["thunk"], str) else ""
        return _Origin(
            script=Path(os.path.normpath(here / words[1])) if len(words) > 1 else here / "-c",
            working_directory=here,
            names=frozenset({*names, thunk.rpartition(":")[2].partition(".")[0]}),
            is_named=":" in thunk and not any(name.startswith("<") for name in names),
            began_s=seconds(fields["written_at"]) or 0.0,
        )
    except (RecordError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        # The keys too: an object is said as its class, and what it holds.
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(item)


def _file(origin: _Origin, label: str) -> Path | None:
    """Where the file with this label is now; None if it is not found."""
    if not _LABEL.fullmatch(label) or ".." in label.split("/"):
        return None
    if label == origin.script.name and origin.script.is_file():
        return origin.script
    for directory in (origin.script.parent, origin.working_directory):
        if (directory / label).is_file():
            return directory / label
    # Of a project that is installed to be edited, or of spinup's own algorithms.
    name = label.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = find_module(name)
    return Path(module.file) if module is not None and module.file else None


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size


@functools.lru_cache(maxsize=256)
def _tree(file: str, _at: tuple[int, int]) -> ast.Module | bytes | None:
    try:
        with open(file, "rb") as stream:
            content = stream.read(_LARGEST_SOURCE_BYTES)
    except OSError:
        return None
    tree = parse(content)
    return content if tree is None else tree


@functools.lru_cache(maxsize=4096)
def _module_hash(file: str, at: tuple[int, int]) -> str | None:
    tree = _tree(file, at)
    if tree is None:
        return None
    return bytes_hash(tree) if isinstance(tree, bytes) else syntax_hash(tree)


@functools.lru_cache(maxsize=4096)
def _script_hashes(file: str, at: tuple[int, int], names: frozenset[str]) -> frozenset[str]:
    """What the part of a script that a run uses may hash to; nothing if that cannot be told.

    A parameter's text may be the name of a function, or any text: both are tried.
    """
    tree = _tree(file, at)
    if not isinstance(tree, ast.Module):
        return frozenset()
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = sorted(names & {node.name for node in ast.walk(tree) if isinstance(node, definitions)})
    choices = itertools.chain.from_iterable(
        itertools.combinations(defined, size) for size in range(1, len(defined) + 1)
    )
    return frozenset(
        syntax_hash(reachable(tree, [], choice)) for choice in itertools.islice(choices, _MOST_CHOICES)
    )
