"""The child's side of a run: call the thunk, and write down how that ended."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.jobs.payload import open_payload
from spinup.rundir.atomic import write_text
from spinup.rundir.config import exact_json
from spinup.rundir.layout import RunDir
from spinup.rundir.status import read_status, write_status

if TYPE_CHECKING:
    from types import TracebackType

_LONGEST_MESSAGE = 1_000
_OUR_FILES = (__file__, str(Path(__file__).with_name("call.py")))


def run(payload: Path) -> int:
    """Do the run whose payload this is; give the exit code of the process.

    The status is written when the thunk begins and when it has ended, however it did.
    """
    run_dir = RunDir(payload.parent)
    status = read_status(run_dir)
    if status is None:
        raise RecordError(f"{run_dir.path} holds no run: there is no {run_dir.status.name} in it.")
    status = status.running()
    write_status(run_dir, status)
    faulthandler.enable(file=2)  # a crash of C code says where, in output.log
    try:
        result = _call(payload)
    except SystemExit as stop:
        code, message = _exit_code(stop)
        if code != 0:
            write_status(run_dir, status.failed(f"exit code {code}", message=message, exit_code=code))
            return code
        result = None
    except BaseException as error:  # noqa: BLE001 - whatever ended the thunk is written down
        message = _report(run_dir, error)
        write_status(run_dir, status.failed("exception", message=message, exit_code=1))
        return 1
    _keep_result(run_dir, result)
    write_status(run_dir, status.done())
    payload.unlink(missing_ok=True)
    return 0


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
        return int(stop.code or 0) & 0xFF, None
    _print_error(f"{stop.code}\n")
    return 1, _first_line(str(stop.code))


def _report(run_dir: RunDir, error: BaseException) -> str:
    """Write the traceback down, without the frames that are ours; give it in one line."""
    lines = traceback.format_exception(type(error), error, _user_part(error.__traceback__))
    text = "".join(lines)
    _print_error(text)
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


def _keep_result(run_dir: RunDir, result: Any) -> None:
    if result is None:
        return
    try:
        text = json.dumps(exact_json(result), indent=4, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        _print_error(f"The thunk's result is not kept, since JSON cannot say it: {error}.\n")
        return
    write_text(run_dir.result, text + "\n")
