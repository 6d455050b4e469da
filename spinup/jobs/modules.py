"""Which modules a run will import: read off its payload and its thunk, without running either."""

from __future__ import annotations

import dis
import functools
import pickletools
import sys
import types
from typing import TYPE_CHECKING, Any

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


def modules_of(pickled: bytes, thunk: Any) -> list[str]:
    """Names of the modules that a child will import to unpickle ``pickled`` and to call ``thunk``.

    Args:
        pickled: The pickled call. Of a large one, which is large because of its data, only the
            beginning is read.
        thunk: The thunk itself, whose code tells what it imports when it runs.
    """
    names = set(ALWAYS)
    names.update(_named_in(pickled))
    names.update(_imported_by(getattr(thunk, "func", thunk)))
    for name in tuple(names):
        names.update(_LATER.get(name, ()))
    return sorted(names)


def _named_in(pickled: bytes) -> Iterator[str]:
    """Modules that this process knows and the pickle mentions."""
    try:
        for opcode, text, _ in pickletools.genops(pickled[:_LARGEST_SCAN_BYTES]):
            if opcode.name in {"SHORT_BINUNICODE", "BINUNICODE", "GLOBAL"} and isinstance(text, str):
                # 'module attribute' of the old opcode, 'module:attribute' of an entry point.
                name = text.partition(":")[0].partition(" ")[0]
                if name in sys.modules or (":" in text and name.partition(".")[0] in sys.modules):
                    yield name
    except ValueError:  # the rest was not read
        return


def _imported_by(thunk: Any) -> frozenset[str]:
    """Modules that the code of ``thunk`` imports inside functions."""
    function = getattr(thunk, "__func__", thunk)
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return _imported_in(code) if isinstance(code, types.CodeType) else frozenset()


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
