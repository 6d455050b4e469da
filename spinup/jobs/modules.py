"""Which modules a run will import: read off its payload, its thunk and the project, running none of them.

Only libraries are named. What a module of the project does when it is imported, such as drawing random
numbers or reading the environment, it has to do in each run; what it imports itself is found in its source.
"""

from __future__ import annotations

import dis
import functools
import itertools
import pickletools
import sys
import types
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.jobs.imports import MAIN, Module, find_module, imported_names, with_parents
from spinup.jobs.origins import used_globals
from spinup.jobs.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What every child needs, and what every logger needs.
ALWAYS = ("cloudpickle", "decimal", "filelock", "numpy", "spinup.jobs.child", "spinup.loggers")

# What a module will want later, long after it was imported: an optimizer's first step imports
# torch._dynamo, which takes as long as torch itself; making an environment imports its wrappers.
_LATER = {
    "torch": ("torch._dynamo",),
    "spinup.jobs.environments": ("gymnasium", "gymnasium.wrappers"),
}
_LARGEST_SCAN_BYTES = 1 << 20
_MOST_MODULES = 256  # more than any run needs, and few enough for a message
_LONGEST_NAME = 200


def modules_of(pickled: bytes, thunk: Any) -> list[str]:
    """Names of the libraries that a child will import to unpickle ``pickled`` and to call ``thunk``.

    Args:
        pickled: The pickled call. Of a large one, which is large because of its data, only the
            beginning is read.
        thunk: The thunk itself, whose code tells what it imports when it runs.

    Returns:
        Sorted, and at most 256: of a call that seems to need more, the others are left out.
    """
    names = dict.fromkeys(ALWAYS)
    for name in itertools.chain(_imported_by(getattr(thunk, "func", thunk)), _named_in(pickled)):
        names.update(_libraries_for(name))
    for name in tuple(names):
        names.update(dict.fromkeys(_LATER.get(name, ())))
    return sorted(itertools.islice(names, _MOST_MODULES))


def sets_environment(thunk: Any) -> bool:
    """Whether ``thunk`` changes the environment and imports something, which may read it when imported.

    Its own code counts, and that of the launch script's functions which it uses.
    """
    codes = list(_own_codes(getattr(thunk, "func", thunk)))
    return any(map(_imported_in, codes)) and any(map(_changes_environment, codes))


@functools.lru_cache(maxsize=256)
def _changes_environment(code: types.CodeType) -> bool:
    """Whether ``os.environ[...] = ...`` is in it, or the like; reading is none."""
    recent: deque[str] = deque(maxlen=6)  # environ, the key, and the assignment follow each other
    for instruction in dis.get_instructions(code):
        name = instruction.argval if instruction.opname.startswith(("LOAD_", "STORE_SUBSCR")) else None
        if name in {"putenv", "unsetenv"}:
            return True
        is_change = instruction.opname in {"STORE_SUBSCR", "DELETE_SUBSCR"} or name in _CHANGING
        if is_change and "environ" in recent:
            return True
        if instruction.opname.startswith(("BINARY_", "CALL")):
            recent.clear()  # what was read of it is changed, if anything is
        recent.append(str(name))
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return any(map(_changes_environment, inner))


_CHANGING = {"setdefault", "update", "pop", "clear"}


def _named_in(pickled: bytes) -> Iterator[str]:
    """Modules that the pickle mentions."""
    entry_points = set[str]()
    try:
        for opcode, text, _ in pickletools.genops(pickled[:_LARGEST_SCAN_BYTES]):
            if opcode.name in {"SHORT_BINUNICODE", "BINUNICODE", "GLOBAL"} and isinstance(text, str):
                # 'module attribute' of the old opcode, 'module:attribute' of an entry point.
                name = text.partition(":")[0].partition(" ")[0]
                if name in sys.modules:
                    yield name
                elif ":" in text and _is_dotted(name) and len(entry_points) < _MOST_MODULES:
                    entry_points.add(name)
    except ValueError:  # the rest was not read
        pass
    yield from entry_points


def _is_dotted(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and all(part.isidentifier() for part in name.split("."))


@functools.lru_cache(maxsize=4096)
def _libraries_for(name: str) -> dict[str, None]:
    """The libraries that importing ``name`` imports first, as far as the project's sources tell.

    Once found it stays: a module that is edited later only has its imports made by the run itself.
    """
    module = None if name in MAIN else _find(name)
    if module is None:
        return {}
    return dict.fromkeys(_walk(module) if module.is_project else ()) | (
        {} if module.is_users else {name: None}
    )


def _walk(start: Module) -> Iterator[str]:
    """The libraries that ``start``, and the modules of the project that it imports, may import."""
    seen, left = {start.name}, [start]
    while left:
        module = left.pop()
        new = (_imports_of(module) | with_parents({module.name})) - seen
        seen |= new
        for name in sorted(new):
            found = _find(name)
            if found is not None and found.is_project:
                left.append(found)
            if found is not None and not found.is_users:
                yield name


def _imports_of(module: Module) -> set[str]:
    try:
        tree = parse(Path(module.file).read_bytes())
    except (OSError, ValueError):
        return set()
    return set() if tree is None else imported_names(tree, module.package)


def _find(name: str) -> Module | None:
    return find_module(name) if _is_dotted(name) else None


def _imported_by(thunk: Any) -> set[str]:
    """Modules that the code of ``thunk`` imports inside functions, and that of functions which it uses.

    Those of a launch script alone are looked for: other modules' sources are read.
    """
    return set[str]().union(*map(_imported_in, _own_codes(thunk)))


def _own_codes(thunk: Any) -> Iterator[types.CodeType]:
    """The code of ``thunk``, and of the launch script's functions that it uses."""
    function = getattr(thunk, "__func__", thunk)
    if not isinstance(function, types.FunctionType):
        function = type(function).__dict__.get("__call__")
    left, seen = [function], set[int]()
    while left:
        function = left.pop()
        if isinstance(function, types.FunctionType) and id(function) not in seen:
            seen.add(id(function))
            yield function.__code__
            if function.__globals__.get("__name__") in MAIN:
                left += used_globals(function).values()


@functools.lru_cache(maxsize=256)
def _imported_in(code: types.CodeType) -> frozenset[str]:
    # A relative import has no name of its own: its package is known by the function's module.
    names = {
        str(instruction.argval)
        for instruction in dis.get_instructions(code)
        if instruction.opname == "IMPORT_NAME" and instruction.argval
    }
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(names.union(*map(_imported_in, inner)))
