"""What a script may count on when it ends, done while the process can still write down how that went.

Its threads are waited for, its `atexit` functions called, what nobody holds any more finalized, and its
open files written. A fresh interpreter's own end finds that done, and goes on to tear itself down. A forked
run is not torn down (see `spinup.launchers.quick_exit`): only what its own modules hold is let go of, and
what it shares with the process that it was forked from is left alone.
"""

from __future__ import annotations

import _io  # `io` hides the base of every stream behind abstract classes, whose checks run foreign code
import atexit
import gc
import os
import sys
import threading
import time
import types
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from spinup.jobs.imports import Module, raw_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How long threads that go on may hold up the streams that they write to, in seconds.
PATIENCE_S = 3.0
_LEAST_PATIENCE_S = 0.05

#: Streams that were opened before the fork, by modules that were imported there.
_inherited: list[Any] = []
#: Names of those modules in their order, in a fork.
_shared: dict[str, None] | None = None
#: Found by the collector, unless somebody has frozen what there was.
_unfrozen: list[Any] = []
_finished_in = 0


def freeze() -> None:
    """Before a fork: leave what is here out of every collection, less its streams."""
    global _shared, _unfrozen  # noqa: PLW0603 - of this process and those that are forked from it
    _is_own({"__name__": "x", "__file__": "/x.py"})  # once here, so that not each run looks for the library
    gc.collect()
    _inherited.extend(_streams(gc.get_objects()))
    _shared = dict.fromkeys(sys.modules)
    gc.freeze()  # a child's collector need not touch, and so copy, these pages
    _unfrozen = []


def finish() -> None:
    """Bring to an end what this process has under way; a second call does nothing."""
    global _finished_in  # noqa: PLW0603 - once a process, whoever asks
    if _finished_in == os.getpid():
        return
    _finished_in = os.getpid()
    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - what the interpreter calls
    with suppress(BaseException):
        atexit._run_exitfuncs()  # noqa: SLF001 - the same
    give_up_s = time.monotonic() + PATIENCE_S
    with suppress(BaseException):
        # First: of garbage, what a stream writes to can be closed before the stream.
        _each("flush", [thing for thing in _streams(_objects()) if _is_made_in_c(thing)], give_up_s)
        if _shared is None:
            gc.collect()
        else:
            _let_go(_shared)
    _write_out([sys.stdout, sys.stderr, *_inherited, *_streams(_objects())], give_up_s)


# -- What the interpreter's teardown does for a script's own modules


def _let_go(shared: dict[str, None]) -> None:
    """Have what this run's own modules hold finalized, in the order that a teardown has.

    First the modules go, while all that finalizers may use is there still; then, of modules that somebody
    holds on to, the values.
    """
    modules = []
    for name in [name for name in sys.modules if name not in shared]:
        module = sys.modules[name]
        if isinstance(module, types.ModuleType) and _is_own(cast("dict[str, Any]", raw_dict(module))):
            modules.append(weakref.ref(module))
            del sys.modules[name]
        # Not held here: what only the module holds ends with it, each thing before what it is made of.
        del module
    _empty(cast("dict[str, Any]", raw_dict(sys.modules.get("__main__"))))
    _objects()
    gc.collect()
    if is_alone():
        for reference in reversed(modules):
            if (held := reference()) is not None:
                _empty(cast("dict[str, Any]", raw_dict(held)))


def _is_own(namespace: dict[str, Any]) -> bool:
    """Whether this is a module of the project, or one that was made by hand."""
    module = Module.of(namespace)
    return module.is_project if module.file else namespace.get("__spec__") is None


def _empty(namespace: dict[str, Any]) -> None:
    for name, value in list(namespace.items()):
        # What finalizers use stays: functions, classes and modules are not what is to be finalized.
        is_kept = isinstance(value, (types.FunctionType, types.ModuleType, type)) or name.startswith("__")
        if not is_kept:
            namespace[name] = None


def _objects() -> list[Any]:
    """All objects that the collector looks after, of those that were made since the fork."""
    objects = gc.get_objects()
    if _shared is not None and not any(thing is _unfrozen for thing in objects):
        gc.unfreeze()  # the thunk has frozen its own
        objects = gc.get_objects()
    return objects


def is_alone() -> bool:
    """Whether no other thread of this process can run Python."""
    return len(sys._current_frames()) == 1  # noqa: SLF001 - `threading` does not know them all


# -- Streams


def _streams(objects: Iterable[Any]) -> list[Any]:
    """The streams among ``objects``."""
    return [thing for thing in objects if issubclass(type(thing), _io._IOBase)]  # noqa: SLF001


def _is_made_in_c(stream: Any) -> bool:
    return type(stream).__module__ == "_io"


def _write_out(streams: list[Any], give_up_s: float) -> None:
    """Write out what ``streams`` still hold."""
    # What Python code makes of a stream, a compressed file for one, may be between two that C makes.
    made_in_c = [stream for stream in streams if _is_made_in_c(stream)]
    by_python = [stream for stream in streams if not _is_made_in_c(stream)]
    # What a thunk has put in the place of its output may be used again, to say how it ended.
    standard = [stream for stream in by_python if stream is sys.stdout or stream is sys.stderr]
    _each("flush", standard, give_up_s)
    _each("flush", made_in_c, give_up_s)
    _each("close", [stream for stream in by_python if not any(stream is s for s in standard)], give_up_s)
    _each("flush", made_in_c, give_up_s)


def _each(method: str, streams: list[Any], give_up_s: float) -> None:
    is_direct = is_alone()
    for stream in streams:
        if is_direct:
            _call(stream, method)
            continue
        # A thread that is blocked in a write has the stream locked; a teardown would not wait for it.
        helper = threading.Thread(target=_call, args=(stream, method), daemon=True)
        helper.start()
        helper.join(max(_LEAST_PATIENCE_S, give_up_s - time.monotonic()))


def _call(stream: Any, method: str) -> None:
    with suppress(BaseException):
        getattr(stream, method)()
