"""The child's side of a run: call the thunk, and write down how that ended."""

from __future__ import annotations

import faulthandler
import json
import os
import pickle
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup import mpi
from spinup.errors import RecordError
from spinup.jobs.ending import finish
from spinup.jobs.failures import claim_failure, wait_for_failure
from spinup.jobs.payload import open_payload
from spinup.rundir import config
from spinup.rundir.atomic import sync, write_text
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State, Status, is_taken, read_status, write_status

if TYPE_CHECKING:
    from types import TracebackType

_LONGEST_MESSAGE = 1_000
_OUR_FILES = (__file__, str(Path(__file__).with_name("call.py")))


def run(payload: Path) -> int:
    """Do the run whose payload this is, or this process's part of it; give the exit code of the process.

    The status is written when the thunk begins and when it has ended, however it did. Where the run has
    several processes, it has ended well when each of them has, and badly with the first that does.
    """
    run_dir = RunDir(payload.parent)
    status = read_status(run_dir)
    if status is None:
        raise RecordError(f"{run_dir.path} holds no run: there is no {run_dir.status.name} in it.")
    mpi.join()
    status = status.running()
    if mpi.rank() == 0:
        write_status(run_dir, status)
    pid = os.getpid()
    faulthandler.enable(file=2)  # a crash of C code says where, in output.log
    result, error = None, None
    try:
        result = _call(payload)
    except BaseException as raised:
        if os.getpid() != pid:
            raise  # in a process that the thunk has forked: the run itself goes on elsewhere
        error = raised
    return _end(run_dir, status, result, error) if os.getpid() == pid else 0


def _end(run_dir: RunDir, status: Status, result: Any, error: BaseException | None) -> int:
    """Write down how the run has ended, once all of its processes have; the exit code of this one."""
    if error is not None and not _is_good_exit(error):
        return _end_badly(run_dir, status, error)
    rank = mpi.rank()  # now: what is called at a process's end may finalize MPI
    has_returned = _finish_all(has_returned=error is None)
    if rank > 0:
        return 0
    if is_taken(run_dir, status):
        return _leave_alone(run_dir)
    end = _keep_result(run_dir, status, result, has_returned=has_returned)
    if end.state is State.DONE:
        # Before the status: nobody looks again at a run that is done, so nothing may be left to do.
        run_dir.payload.unlink(missing_ok=True)
        _settle(run_dir)
    write_status(run_dir, end)
    return end.exit_code or 0


def _is_good_exit(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and _exit_code(error) == 0


def _finish_all(*, has_returned: bool) -> bool:
    """Wait until each process of the run is through with all of it; whether the thunk returned in each."""
    have_returned = all(mpi.gather(has_returned))
    finish()
    mpi.barrier()
    # A thread that is still there was not waited for, since a signal came in between.
    main = threading.main_thread()
    return have_returned and all(each.daemon or each is main for each in threading.enumerate())


def _leave_alone(run_dir: RunDir) -> int:
    """Say that the directory is not this run's any more; the exit code."""
    who = "another launcher has begun the run anew there"
    _print_error(f"Nothing is written to {run_dir.path}: it was removed, and {who}.\n")
    return 1


def _end_badly(run_dir: RunDir, status: Status, error: BaseException) -> int:
    """Write down how the run has failed, if no other process of it was first, and end them all."""
    is_alone = mpi.size() == 1
    if is_taken(run_dir, status):
        _leave_alone(run_dir)
    elif is_alone:
        write_status(run_dir, _failure(run_dir, status, error))
    elif claim_failure(run_dir):
        write_status(run_dir, replace(_failure(run_dir, status, error), rank=mpi.rank()))
    else:
        # Another one was first, and its word counts; it must not be cut short.
        _print_error("".join(traceback.format_exception(error)))
        wait_for_failure(run_dir)
    code = _exit_code(error) if isinstance(error, SystemExit) else 1
    if not is_alone:
        mpi.abort(code)
    return code


def _settle(run_dir: RunDir) -> None:
    """See to it that a power cut after "done" takes nothing of what was done."""
    for path in (run_dir.config, run_dir.provenance, run_dir.progress):
        with suppress(OSError):  # a link or a directory of the thunk's own, or a disk that has no sync
            sync(path)


def _failure(run_dir: RunDir, status: Status, error: BaseException) -> Status:
    """How a run has ended whose thunk raised, with the traceback in error.txt."""
    if isinstance(error, SystemExit):
        code, message = _exit_code(error), None
        if not isinstance(error.code, int):
            _print_error(f"{error.code}\n")
            message = _first_line(str(error.code))
        return status.failed(f"exit code {code}", message=message, exit_code=code)
    text = "".join(traceback.format_exception(type(error), error, _user_part(error.__traceback__)))
    _print_error(text)
    has_error = False
    with suppress(OSError):  # it is in output.log too, and the status still has to be written
        _make_way(run_dir.error, text)
        write_text(run_dir.error, text)
        has_error = True
    return status.failed("exception", message=_summary(error), exit_code=1, has_error=has_error)


def _call(payload: Path) -> Any:
    surroundings, file = open_payload(payload)
    with file:
        surroundings.enter()
        # It imports cloudpickle itself where that has pickled something by value.
        call = pickle.load(file)  # noqa: S301 - written by this user's launcher, as was checked
    return call()


def _exit_code(stop: SystemExit) -> int:
    """What the interpreter would make of ``sys.exit(...)``."""
    if stop.code is None or isinstance(stop.code, int):
        code = int(stop.code or 0)
        return (code & 0xFF) or int(code != 0)
    return 1


def _summary(error: BaseException) -> str:
    """Type and first line: what follows in a message of many lines explains it."""
    first = _first_line(_text_of(error))
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception's own __str__ may raise anything
        return ""


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:_LONGEST_MESSAGE]


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    inner = trace
    while inner is not None and inner.tb_frame.f_code.co_filename in _OUR_FILES:
        inner = inner.tb_next
    return inner or trace


def _print_error(text: str) -> None:
    # The thunk may have closed or replaced its stderr; the file descriptor is what output.log hears.
    data = text.encode("utf-8", "backslashreplace")
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    with suppress(OSError):
        while data:
            data = data[os.write(2, data) :]


def _keep_result(run_dir: RunDir, status: Status, result: Any, *, has_returned: bool) -> Status:
    """How a run has ended that came to a good end with ``result``, which is kept where JSON can say it."""
    done = status.done(has_returned=has_returned)
    if result is None:
        return done
    try:
        text = json.dumps(config.exact_json(result), indent=4, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        _print_error(f"The thunk's result is not kept, since JSON cannot say it: {error}.\n")
        return done
    if len(text) > config.LARGEST_FILE_BYTES:  # all of it ASCII
        _print_error(f"The thunk's result is not kept: its {len(text)} bytes of JSON could not be read.\n")
        return done
    try:
        _make_way(run_dir.result, text)
        write_text(run_dir.result, text)
    except OSError as error:
        message = f"the result could not be written: {error}"
        _print_error(message + "\n")
        return status.failed("record not written", message=message, exit_code=1)
    return replace(done, has_result=True)


def _make_way(path: Path, text: str) -> None:
    """Rename a file of the thunk's own that has the name of one of ours, soon to hold ``text``."""
    # An attempt that was killed before it could say "done" has left the same.
    if os.path.lexists(path) and not _holds(path, text):
        own = path.with_name(f"{path.stem}.thunk{path.suffix}")
        path.rename(own)
        _print_error(f"The thunk's own {path.name} is now {own.name}: the run's record uses that name.\n")


def _holds(path: Path, text: str) -> bool:
    with suppress(OSError):
        return path.is_file() and path.read_bytes() == text.encode("utf-8", "backslashreplace")
    return False
