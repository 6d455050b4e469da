"""Where a logger writes: what it was told, checked, and its way into the directory."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from spinup.errors import RunDirError, UnsafePath
from spinup.loggers.attempt import join
from spinup.loggers.claim import Claim
from spinup.loggers.earlier import is_record, new_directory

if TYPE_CHECKING:
    from spinup.loggers.attempt import Attempt


def check_place(output_dir: object, output_fname: object) -> None:
    """Raise UnsafePath unless these name a directory, or None, and a file of the logger's own in it."""
    if output_dir is not None:
        if not isinstance(output_dir, (str, os.PathLike)) or isinstance(os.fspath(output_dir), bytes):
            raise UnsafePath(f"output_dir must be a string or a Path, not {output_dir!r}.")
        _check_characters("output_dir", os.fspath(output_dir))
    if not isinstance(output_fname, str):
        raise UnsafePath(f"output_fname must be a string, not {output_fname!r}.")
    _check_characters("output_fname", output_fname)
    if output_fname in {"", ".", ".."} or "/" in output_fname or "\\" in output_fname:
        problem = "is not the plain name of a file: say with output_dir where it goes"
    elif is_record(output_fname):
        problem = "is the name of another file of the run: choose another"
    else:
        return
    raise UnsafePath(f"output_fname {output_fname!r} {problem}.")


def enter(output_dir: str | os.PathLike[str] | None, fname: str) -> tuple[Path, Attempt, Claim]:
    """The directory that a logger writes to, made when it is not there; the attempt in it; its table.

    Raises:
        RunIsLive: Another process writes that table.
        RunDirError: The directory or the table cannot be written.
    """
    try:
        if output_dir is None:
            experiments = Path(tempfile.gettempdir(), "experiments").absolute()
            directory = new_directory(experiments, str(int(time.time())))
        else:
            # Absolute, because a thunk may change the working directory.
            directory = Path(output_dir).absolute()
            directory.mkdir(parents=True, exist_ok=True)
        # Resolved, because one directory may be spelled in two ways.
        resolved = directory.resolve()
        # Now, not with the first row, it has to be known whether the table can be written.
        claim = Claim(resolved / fname)
        try:
            return directory, join(resolved, claim), claim
        except BaseException:
            claim.release()
            raise
    except RunDirError:
        raise
    except OSError as error:
        raise RunDirError(
            f"Cannot log to {fname} in {output_dir or 'a new directory'}: {error}."
        ) from error


def _check_characters(name: str, path: str) -> None:
    try:
        is_bad = b"\0" in os.fsencode(path)
    except UnicodeEncodeError:
        is_bad = True
    if is_bad:
        raise UnsafePath(f"{name} {path!r} holds a character that no path can have.")
