"""``spinup logs``: what a run has printed.

A run's output is foreign text. To a terminal it goes with its colours, line breaks, tabs and carriage
returns, which progress bars need; whatever else could move the cursor, rename the window, or make the
terminal answer as if somebody had typed is shown as an escape. To a file or a pipe it goes as it is.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
import time
from typing import TYPE_CHECKING

import click

from spinup import console
from spinup.cli.find import complete_run, data_dir_option, find_run
from spinup.cli.look import look_at
from spinup.errors import RecordError
from spinup.rundir.atomic import CAREFULLY
from spinup.rundir.layout import RunDir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_POLL_S = 0.2
_CHUNK_BYTES = 1 << 16
_COLOR = re.compile(r"(\x1b\[[0-9;:]*m)")
_TORN = re.compile(r"\x1b(?:\[[0-9;:]{0,30})?\Z")
_HARMLESS = re.compile(r"[^\n\t\r\b]+")


@click.command(short_help="Print what a run has printed.")
@click.argument("run", shell_complete=complete_run)
@click.option(
    "--follow", "-f", is_flag=True, help="Go on until the run has ended; then exit as it did: 0 or 1."
)
@click.option("--error", is_flag=True, help="Print the traceback alone.")
@click.option("--lines", "-n", type=click.IntRange(min=0), help="Begin so many lines before the end.")
@data_dir_option
def command(run: str, *, follow: bool, error: bool, lines: int | None, data_dir: str | None) -> int:
    """Print what RUN has printed, errors included.

    RUN is a run's name, such as EXP_s0, a part of it that no other name has, or a run's directory.
    """
    if follow and error:
        raise click.UsageError("--error prints what is there; it cannot be followed.")
    directory = find_run(run, data_dir)
    if error:
        return _print_error(directory)
    tail = Tail(RunDir(directory).output, _writer(), lines)
    if follow:
        return _follow(directory, tail)
    if not tail.read():
        return _explain_nothing(directory)
    tail.close()
    return 0


def _follow(directory: Path, tail: Tail) -> int:
    try:
        while True:
            # First whether it lives: what it wrote before it ended is read afterwards.
            look = look_at(directory)
            tail.read()
            if not look.is_live:
                break
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        return 130
    finally:
        tail.close()
    return 0 if look.state in {"done", "unknown"} else 1


def _explain_nothing(directory: Path) -> int:
    look = look_at(directory)
    if look.is_live:
        console.complain(
            f"{directory.name} is {look.state}, and has printed nothing yet. Follow it with -f."
        )
        return 0
    if RunDir(directory).output.exists():
        return 0
    raise RecordError(f"{directory} has no output.log: no launcher of spinup has run it.")


def _print_error(directory: Path) -> int:
    look = look_at(directory)
    tail = Tail(RunDir(directory).error, _writer())
    if tail.read():
        tail.close()
        return 0
    said = ": ".join(text for text in (look.state, look.reason, look.message) if text)
    console.complain(f"{directory.name} has left no traceback. It is {console.one_line(said)}.")
    return 1


def _writer() -> Callable[[bytes], None]:
    if not (sys.stdout and sys.stdout.isatty()):
        return console.relay
    tame = Tame(with_color=console.shows_color())
    return lambda data: console.relay(tame(data).encode("utf-8", "backslashreplace"))


class Tame:
    """Makes of a stream of foreign bytes text that cannot harm a terminal.

    Args:
        with_color: Whether colours stay; else they are left out.
    """

    def __init__(self, *, with_color: bool) -> None:
        self._with_color = with_color
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._torn = ""

    def __call__(self, data: bytes) -> str:
        """What can be shown of the next bytes; what may be the half of a colour code waits for the rest."""
        text = self._torn + self._decoder.decode(data)
        torn = _TORN.search(text) if data else None  # nothing follows an empty chunk
        self._torn = torn[0] if torn else ""
        pieces = _COLOR.split(text.removesuffix(self._torn))
        return "".join(self._piece(piece, is_color=place % 2 == 1) for place, piece in enumerate(pieces))

    def _piece(self, piece: str, *, is_color: bool) -> str:
        if is_color:
            return piece if self._with_color else ""
        return _HARMLESS.sub(lambda match: console.one_line(match[0]), piece)


class Tail:
    """A file that grows, may be begun anew, and may not be there yet.

    Args:
        path: The file.
        write: Gets what was read.
        num_lines: How many lines before its end to begin; None for all of it.
    """

    def __init__(self, path: Path, write: Callable[[bytes], None], num_lines: int | None = None) -> None:
        self._path = path
        self._write = write
        self._num_lines = num_lines
        self._file: int | None = None

    def read(self) -> bool:
        """Write what is new; whether there was anything."""
        num_bytes = 0
        if self._file is None:
            self._open()
        elif self._is_replaced():
            num_bytes += self._copy()  # what was written before
            self.close()
            self._open()
        elif os.fstat(self._file).st_size < os.lseek(self._file, 0, os.SEEK_CUR):
            os.lseek(self._file, 0, os.SEEK_SET)
        return num_bytes + self._copy() > 0

    def close(self) -> None:
        """Let go of the file."""
        self._write(b"")
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> None:
        try:
            file = os.open(self._path, os.O_RDONLY | CAREFULLY)
        except FileNotFoundError:
            return
        except OSError as error:
            raise RecordError(f"Cannot read {self._path}: {error.strerror}.") from error
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise RecordError(f"{self._path} is no plain file.")
        self._file = file
        if self._num_lines is not None:
            os.lseek(file, _begin_of_last(file, self._num_lines), os.SEEK_SET)
            self._num_lines = None  # what comes later is all new

    def _is_replaced(self) -> bool:
        assert self._file is not None
        try:
            return not os.path.samestat(os.fstat(self._file), self._path.lstat())
        except OSError:  # moved away, and not there anew yet
            return False

    def _copy(self) -> int:
        num_bytes = 0
        while self._file is not None and (data := os.read(self._file, _CHUNK_BYTES)):
            self._write(data)
            num_bytes += len(data)
        return num_bytes


def _begin_of_last(file: int, num_lines: int) -> int:
    """Where the last so many lines begin."""
    place = os.fstat(file).st_size
    # The break that ends the last line begins none.
    left = num_lines + (place > 0 and os.pread(file, 1, place - 1) == b"\n")
    while place and left > 0:
        start = max(0, place - _CHUNK_BYTES)
        data = os.pread(file, place - start, start)
        at = len(data)
        while left > 0 and (at := data.rfind(b"\n", 0, at)) >= 0:
            left -= 1
        if left == 0:
            return start + at + 1
        place = start
    return place
