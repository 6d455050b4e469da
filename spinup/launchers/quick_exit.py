"""Ending a forked run without tearing the interpreter down.

Tearing down visits every object that was imported before the fork, and so copies the memory that the two
share: tens of milliseconds to free what the kernel frees at once. What a script may count on when it
ends happens all the same (`spinup.jobs.ending`), and the exit handlers of C libraries are called.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
from contextlib import suppress
from typing import NoReturn

from spinup.jobs.ending import finish, is_alone

#: How long the exit handlers of C libraries may take, in seconds; the run has written down its end.
PATIENCE_S = 5.0


def quick_exit(code: int) -> NoReturn:
    """End this process with ``code``, as the end of a script would."""
    finish()
    # In C: handlers that hang may do so with the interpreter locked. It ends the process with code 1.
    with suppress(BaseException):
        faulthandler.dump_traceback_later(PATIENCE_S, exit=True, file=os.open(os.devnull, os.O_WRONLY))
    # No daemon thread may run while libraries go, so that the interpreter stays locked; but where there
    # is none, handlers may wait for threads of C libraries that need it, as they may after a teardown.
    library = ctypes.CDLL(None) if is_alone() else ctypes.PyDLL(None)
    library.exit(code)
    raise AssertionError("exit() has returned")
