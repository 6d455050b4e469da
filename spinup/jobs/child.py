"""The child's side of a run: call the thunk, and write down how that ended."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup import mpi
from spinup.errors import RecordError
from spinup.jobs.failures import claim_failure, wait_for_failure
from spinup.jobs.payload import open_payload
from spinup.rundir.atomic import sync, write_text
from spinup.rundir.config import exact_json
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State, Status, read_status, write_status

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
    try:
        result = _call(payload)
    except BaseException as error:
        if os.getpid() != pid:
            raise  # in a process that the thunk has forked: the run itself goes on elsewhere
        if mpi.size() > 1 and not _is_good_end(error):
            return _end_all(run_dir, status, error)
        mpi.barrier()
        if mpi.rank() > 0:
            return 0
        end = _end_of(run_dir, status, error)
    else:
        if os.getpid() != pid:
            return 0
        mpi.barrier()
        if mpi.rank() > 0:
            return 0
        end = _keep_result(run_dir, status, result)
    if end.state is State.DONE:
        # Before the status: nobody looks again at a run that is done, so nothing may be left to do.
        payload.unlink(missing_ok=True)
        _settle(run_dir)
    write_status(run_dir, end)
    return end.exit_code or 0


def _is_good_end(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and _exit_code(error)[0] == 0


def _end_all(run_dir: RunDir, status: Status, error: BaseException) -> int:
    """In a process of several: write down that this one has failed, and end them all."""
    if claim_failure(run_dir):
        end = _end_of(run_dir, status, error)
        write_status(run_dir, replace(end, rank=mpi.rank()))
    else:
        # Another one was first, and its word counts; it must not be cut short.
        _print_error("".join(traceback.format_exception(error)))
        wait_for_failure(run_dir)
    code = _exit_code(error)[0] if isinstance(error, SystemExit) else 1
    mpi.abort(code)
    return code


def _settle(run_dir: RunDir) -> None:
    """See to it that a power cut after "done" takes nothing of what was done."""
    for path in (run_dir.config, run_dir.provenance, run_dir.progress):
        with suppress(OSError):  # a link or a directory of the thunk's own, or a disk that has no sync
            sync(path)


def _end_of(run_dir: RunDir, status: Status, error: BaseException) -> Status:
    """How a run has ended whose thunk raised."""
    if isinstance(error, SystemExit):
        code, message = _exit_code(error)
        if code == 0:
            return status.done()
        return status.failed(f"exit code {code}", message=message, exit_code=code)
    return status.failed("exception", message=_report(run_dir, error), exit_code=1)


def _call(payload: Path) -> Any:
    import cloudpickle  # noqa: PLC0415 - not before the surroundings are those of the launch script

    surroundings, file = open_payload(payload)
    with file:
        surroundings.enter()
        call = cloudpickle.load(file)
    return call()


def _exit_code(stop: SystemExit) -> tuple[int, str | None]:
    """What the interpreter would make of ``sys.exit(...)``, and the message if that is one."""
    if stop.code is None or isinstance(stop.code, int):
        code = int(stop.code or 0)
        return (code & 0xFF) or int(code != 0), None
    _print_error(f"{stop.code}\n")
    return 1, _first_line(str(stop.code))


def _report(run_dir: RunDir, error: BaseException) -> str:
    """Write the traceback down, without the frames that are ours; give it in one line."""
    lines = traceback.format_exception(type(error), error, _user_part(error.__traceback__))
    text = "".join(lines)
    _print_error(text)
    with suppress(OSError):  # it is in output.log too, and the status still has to be written
        _make_way(run_dir.error, text)
        write_text(run_dir.error, text)
    # Type and first line: what follows in a message of many lines explains it.
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


def _keep_result(run_dir: RunDir, status: Status, result: Any) -> Status:
    """How a run has ended whose thunk returned ``result``, which is kept where JSON can say it."""
    if result is None:
        return status.done()
    try:
        text = json.dumps(exact_json(result), indent=4, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        _print_error(f"The thunk's result is not kept, since JSON cannot say it: {error}.\n")
        return status.done()
    try:
        _make_way(run_dir.result, text)
        write_text(run_dir.result, text)
    except OSError as error:
        message = f"the result could not be written: {error}"
        _print_error(message + "\n")
        return status.failed("record not written", message=message, exit_code=1)
    return status.done(has_result=True)


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
