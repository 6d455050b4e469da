"""The code behind a run, as a hash for each file of the project: it tells that a finished run is stale.

Files are read again when their time or size has changed, and else never: asking for the same thunk ten
thousand times looks at the files' times, not into them. The launch script is read once: its functions are
in memory, whatever becomes of the file. Nothing is imported or run to find out.
"""

from __future__ import annotations

import ast
import functools
import linecache
import os
import sys
import types
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.fingerprint import fingerprint
from spinup.jobs.imports import MAIN, Module, find_module, imported_names, with_parents
from spinup.jobs.origins import is_notebook, namespace_of, origins, used_globals
from spinup.jobs.script import find_class, find_function, reachable
from spinup.jobs.syntax import DIGITS, bytes_hash, parse, syntax_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spinup.jobs.origins import Origin
    from spinup.jobs.script import Found

#: Stands for the code of a notebook or a prompt, which is in no file.
NOTEBOOK = "<notebook>"

#: Time of the last change (ns) and size (bytes); None for a file that is not there.
_Stamp = tuple[int, int] | None

#: What of a launch script is used: functions by their code, classes by their qualified name.
_Root = types.CodeType | str

_CONSTANTS = (str, int, float, complex, bytes, bool, type(None))


def code_of(thunk: Any, values: Iterable[Any] = ()) -> dict[str, str]:
    """Hashes of the project's code that a call of ``thunk`` may run, by file.

    The files are those of the thunk, of functions and classes among ``values``, and of the modules of
    the project that these import, directly or not. Comments, layout and docstrings do not enter. Of a
    launch script only what the thunk can reach counts, not the grid.

    Args:
        thunk: What is called. Of anything without Python source nothing is said, but for the files that
            its ``source_files`` name, as `spinup.utils.shell.ShellCommand` does.
        values: The hyperparameters; lists and dicts of them are looked into.

    Returns:
        From a file's path below the directory that it is imported from, such as ``pkg/networks.py``, to
        16 hexadecimal digits. Sorted by path.
    """
    roots: dict[Module, set[_Root]] = {}
    in_notebook: list[Origin] = []
    for origin in origins([thunk, *values]):
        namespace = namespace_of(origin)
        module = origin if isinstance(origin, Module) else Module.of(namespace)
        if is_notebook(namespace):
            in_notebook.append(origin)
        elif module.is_project:
            if used := _roots(origin, namespace):
                _keep_script(module, namespace)
            roots.setdefault(module, set()).update(used)
    hashes: dict[str, str] = {}
    # Scripts first: one that is imported too counts as a whole.
    for module, used in sorted(roots.items(), key=lambda item: not item[1]):
        hashes.update(_hashes_from(module, frozenset(used)))
    if in_notebook:
        hashes[NOTEBOOK] = _notebook_hash(in_notebook)
    for file in getattr(thunk, "source_files", ()):
        hashes.update(_hashes_of_program(file))
    return dict(sorted(hashes.items()))


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The files that are not the same in both: changed, new or gone. Sorted."""
    return sorted(label for label in {*before, *now} if before.get(label) != now.get(label))


@dataclass(frozen=True)
class _Source:
    """What is taken from a file: the hash of its code (empty if there is none), what it may import."""

    hash: str = ""
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Script:
    """The launch script as it was when it was first read: what it has defined stays as it was then.

    Attributes:
        namespace: Of its module, which tells when another script was run in this process.
        stamp: Of the file.
        content: Of the file; None if it could not be read.
    """

    namespace: Mapping[str, Any]
    stamp: _Stamp
    content: bytes | None


_scripts: dict[str, _Script] = {}  # by file: a prompt can run several


@dataclass(frozen=True)
class _Walk:
    """What was found from one module on, and the stamps of the files that this rests on."""

    hashes: dict[str, str]
    stamps: dict[str, _Stamp]


def _hashes_of_program(file: str) -> dict[str, str]:
    """Hashes of a file that another process will run, and of what it can import if it is Python."""
    if file.endswith(".py"):
        with _importing_from(os.path.dirname(file)):
            return _hashes_from(Module(MAIN[0], file), frozenset())
    try:
        return {os.path.basename(file): bytes_hash(Path(file).read_bytes())}
    except OSError:  # gone in between
        return {}


@contextmanager
def _importing_from(directory: str) -> Iterator[None]:
    """Look for modules in ``directory`` first, as Python does when it runs a script there."""
    sys.path.insert(0, directory)
    try:
        yield
    finally:
        sys.path.remove(directory)


def _roots(origin: Origin, namespace: Mapping[str, Any]) -> set[_Root]:
    """What of its module ``origin`` uses; nothing for the whole of it."""
    if namespace.get("__name__") not in MAIN:
        return set()
    if isinstance(origin, types.FunctionType):
        return {origin.__code__}
    return {origin.__qualname__} if isinstance(origin, type) else set()


def _keep_script(module: Module, namespace: Mapping[str, Any]) -> None:
    kept = _scripts.get(module.file)
    if kept is None or kept.namespace is not namespace:
        stamp, content = _stamp(module.file), None
        with suppress(OSError, ValueError):
            content = Path(module.file).read_bytes()
        _scripts[module.file] = _Script(namespace, stamp, content)


def _hashes_from(start: Module, roots: frozenset[_Root]) -> dict[str, str]:
    walk = _walk(start, roots)
    stamps = dict(walk.stamps)
    is_same_script = not roots or stamps.pop(start.file) == _scripts[start.file].stamp
    if not is_same_script or any(_stamp(file) != stamp for file, stamp in stamps.items()):
        _walk.cache_clear()
        walk = _walk(start, roots)
    return walk.hashes


@functools.lru_cache(maxsize=1024)
def _walk(start: Module, roots: frozenset[_Root]) -> _Walk:
    """Hashes of ``start`` and of all modules of the project that can be reached from it."""
    walk, seen, left = _Walk({}, {}), {start.name}, [start]
    while left:
        module = left.pop()
        walk.stamps[module.file], source = _look_at(module, roots if module is start else frozenset())
        if source.hash:
            walk.hashes[module.label] = source.hash
        new = (source.imports | with_parents({module.name})) - seen
        seen |= new
        found = (find_module(name) for name in sorted(new))
        left += [module for module in found if module is not None and module.is_project]
    return walk


def _look_at(module: Module, roots: frozenset[_Root]) -> tuple[_Stamp, _Source]:
    if roots:
        script = _scripts[module.file]
        tree = None if script.content is None else parse(script.content)
        return script.stamp, _part_of_script(tree, module, roots)
    stamp = _stamp(module.file)
    if stamp is not None:
        try:
            return stamp, _read(module, stamp)
        except OSError:  # gone in between
            pass
    return None, _Source()


def _stamp(file: str) -> _Stamp:
    try:
        facts = os.stat(file)
    except (OSError, ValueError):
        return None
    return facts.st_mtime_ns, facts.st_size


@functools.lru_cache(maxsize=4096)
def _read(module: Module, _stamp: _Stamp) -> _Source:
    content = Path(module.file).read_bytes()
    tree = parse(content)
    if tree is None:
        return _Source(bytes_hash(content))
    return _Source(syntax_hash(tree), frozenset(imported_names(tree, module.package)))


def _part_of_script(tree: ast.Module | None, module: Module, roots: frozenset[_Root]) -> _Source:
    """What of a script counts for ``roots``; of functions that are not in the file the compiled code."""
    found, names, lost = [], set[str](), []
    for root in roots:
        here = _find(tree, root)
        found += here
        if not here and isinstance(root, str):
            names.add(root.partition(".")[0])  # a class that was made by a call
        elif not here:
            lost.append(fingerprint(root))
    try:
        part = reachable(tree or ast.Module([], []), found, names)
    except RecursionError:  # a sum of a thousand terms
        return _Source(fingerprint(sorted(map(fingerprint, roots)))[:DIGITS])
    code = syntax_hash(part)
    return _Source(
        fingerprint((code, sorted(lost)))[:DIGITS] if lost else code,
        frozenset(imported_names(part, module.package)),
    )


def _find(tree: ast.Module | None, root: _Root) -> list[Found]:
    if tree is None:
        return []
    if isinstance(root, str):
        return find_class(tree, root)
    # Not what was typed at a prompt or made by exec.
    return [] if root.co_filename.startswith("<") else find_function(tree, root)


def _notebook_hash(found: list[Origin]) -> str:
    """Hash of functions by their code, and by the plain values of the globals that they use."""
    functions = [origin for origin in found if isinstance(origin, types.FunctionType)]
    said = [(f.__qualname__, _cell_hash(f.__code__), _constants(f)) for f in functions]
    return fingerprint(sorted(map(fingerprint, said)))[:DIGITS]


def _constants(function: types.FunctionType) -> dict[str, Any]:
    return {name: value for name, value in used_globals(function).items() if type(value) in _CONSTANTS}


@functools.lru_cache(maxsize=1024)
def _cell_hash(code: types.CodeType) -> str:
    """Hash of the definition, if the notebook or the prompt keeps sources, else of the compiled code."""
    tree = parse("".join(linecache.getlines(code.co_filename)))
    found = find_function(tree, code) if tree is not None else []
    return syntax_hash(found[0].node) if found else fingerprint(code)[:DIGITS]
