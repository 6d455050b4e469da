"""Ending a forked run without tearing the interpreter down.

Tearing down visits every object that the run server had imported, and so copies the memory that the two
share: tens of milliseconds to free what the kernel frees at once. What a script may count on when it
ends happens all the same: its threads are waited for, its `atexit` functions called, its open files
written, and the exit handlers of C libraries called. As in any interpreter, `__del__` of what is still
alive then is not promised.
"""

from __future__ import annotations

import _io  # `io` hides the base of every stream behind abstract classes, whose checks run foreign code
import atexit
import ctypes
import gc
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

#: Streams that were opened before the fork, by modules that the run server imported.
_inherited: list[Any] = []


def freeze() -> None:
    """In the server, after an import: leave what is here out of every collection, less its streams."""
    gc.collect()
    _inherited.extend(_streams())
    gc.freeze()  # a child's collector need not touch, and so copy, these pages


def quick_exit(code: int) -> NoReturn:
    """End this process with ``code``, as the end of a script would."""
    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - what the interpreter calls
    with suppress(BaseException):
        atexit._run_exitfuncs()  # noqa: SLF001 - the same
    with suppress(BaseException):
        gc.collect()
    with suppress(BaseException):
        sys.stdout.flush()  # of whatever type the thunk has made them
    with suppress(BaseException):
        sys.stderr.flush()
    _finish([*_inherited, *_streams()])
    # With the lock of the interpreter held: no daemon thread may run while libraries go.
    ctypes.PyDLL(None).exit(code)
    raise AssertionError("exit() has returned")


def _streams() -> list[Any]:
    """The open streams among the objects that the collector knows."""
    return [thing for thing in gc.get_objects() if issubclass(type(thing), _io._IOBase)]  # noqa: SLF001


def _finish(streams: list[Any]) -> None:
    """Write out what ``streams`` still hold."""
    # What Python code makes of a stream, a compressed file for one, may be between two that C makes.
    made_in_c = [stream for stream in streams if type(stream).__module__ == "_io"]
    _each("flush", made_in_c)
    _each("close", [stream for stream in streams if type(stream).__module__ != "_io"])
    _each("flush", made_in_c)


def _each(method: str, streams: list[Any]) -> None:
    for stream in streams:
        with suppress(BaseException):
            getattr(stream, method)()
