"""A shell command as a thunk: any program, in any language, as one run of a grid."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.errors import ThunkError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Placeholders that every run has a value for, without being asked.
OWN_PLACEHOLDERS = ("exp_name", "output_dir", "seed")

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}\s]+)\}|[{}]")
_LARGEST_SOURCE_BYTES = 1 << 20
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class ShellCommand:
    """A program with its arguments, in which ``{name}`` stands for a parameter's value.

    Called with the parameters, it starts the program and waits for it. Nothing is split or interpreted:
    there is no shell, and a value is one argument or a part of one, whatever is in it. The run ends as the
    program does: well with exit code 0, else with its exit code or its signal. When the run is to stop, the
    program hears it too, and is waited for: what it still writes is kept.

    Attributes:
        words: The program and its arguments. ``{{`` and ``}}`` are braces. ``{output_dir}``,
            ``{exp_name}`` and ``{seed}`` are the run's; ``{ac_kwargs:hidden_sizes}`` is in a dict.
    """

    words: tuple[str, ...]

    #: A program may know environments that Gymnasium does not.
    makes_environments = False

    def __call__(self, **kwargs: Any) -> None:
        """Run the program to its end; its files are those of this process.

        Raises:
            ThunkError: It cannot be started.
            SystemExit: Its exit code is not 0.
        """
        own = _own_values(kwargs)
        words = [fill(word, {**kwargs, **own}) for word in self.words]
        environment = {**os.environ, **{f"SPINUP_{key.upper()}": text for key, text in own.items()}}
        try:
            program = subprocess.Popen(words, env=environment)
        except OSError as error:
            raise ThunkError(f"{words[0]!r} cannot be started: {error}.") from error
        with program, _heard_stops() as stops:
            code = program.wait()
        if stops:
            _die_of(stops[0])  # however the program took it: the run was stopped, and is not done
        if code < 0:
            _die_of(-code)
        if code:
            raise SystemExit(code)

    def __str__(self) -> str:
        return " ".join(self.words)

    @property
    def placeholders(self) -> list[str]:
        """The names in braces, each once, in the order in which they come.

        Raises:
            ThunkError: A brace is neither doubled nor part of a name in braces.
        """
        return list(dict.fromkeys(name for word in self.words for name in _names_in(word)))

    @property
    def __signature__(self) -> inspect.Signature:
        """What it is called with: a keyword for each placeholder, and for the run's own."""
        required = {name.partition(":")[0]: inspect.Parameter.empty for name in self.placeholders}
        defaults = {**required, "logger_kwargs": None, "seed": 0}
        names = [name for name in defaults if name not in ("exp_name", "output_dir")]
        kind = inspect.Parameter.KEYWORD_ONLY
        return inspect.Signature([inspect.Parameter(name, kind, default=defaults[name]) for name in names])

    @property
    def source_files(self) -> list[str]:
        """Absolute paths of the text files that the command names, as seen from the working directory.

        They are its code: when one has changed, a finished run is stale.
        """
        words = [word for word in self.words if not _PIECE.search(word)]
        return [os.path.abspath(word) for word in dict.fromkeys(words) if _is_source(word)]


def check_command(command: ShellCommand) -> None:
    """Raise ThunkError if the program is not there, or its placeholders cannot be read."""
    if not command.words:
        raise ThunkError("There is no command behind --. It goes there as in: -- python train.py --lr {lr}")
    command.placeholders  # noqa: B018 - it raises where a brace is wrong
    program = command.words[0]
    if _PIECE.search(program) or shutil.which(program):
        return
    if os.path.isfile(program):
        raise ThunkError(
            f"{program!r} cannot be executed. Try: chmod +x {program}; or name its interpreter."
        )
    hint = ""
    if " " in program:
        hint = " It is one word with spaces in it: leave out the quotes around the command."
    raise ThunkError(f"There is no program {program!r} here, nor on PATH.{hint}")


def check_values(command: ShellCommand, values: Mapping[str, Any]) -> None:
    """Raise ThunkError if a placeholder that reaches into a dict finds nothing there in ``values``."""
    for name in command.placeholders:
        if ":" in name:
            _look_up(name, values)


def fill(word: str, values: Mapping[str, Any]) -> str:
    """``word`` with each ``{name}`` replaced by its value's text, and with doubled braces single.

    Raises:
        ThunkError: A name has no value.
    """

    def text_of(match: re.Match[str]) -> str:
        name = match[1]
        return match[0][0] if name is None else str(_look_up(name, values))

    return _PIECE.sub(text_of, word)


def _names_in(word: str) -> list[str]:
    names = []
    for match in _PIECE.finditer(word):
        name = match[1]
        if name is not None and name.partition(":")[0].isidentifier():
            names.append(name)
        elif match[0] not in ("{{", "}}"):
            raise ThunkError(
                f"{match[0]!r} in {word!r} is no placeholder: that is a name in braces, such as {{lr}}. "
                "A brace that is meant as such is written twice: {{ or }}."
            )
    return names


def _look_up(name: str, values: Mapping[str, Any]) -> Any:
    found: Any = values
    place = ""
    for term in name.split(":"):
        if not isinstance(found, Mapping) or term not in found:
            why = f": {place} is {found!r:.60}, with no {term!r} in it" if place else ""
            raise ThunkError(f"The placeholder {{{name}}} has no value{why}.")
        found = found[term]
        place = f"{place}:{term}" if place else term
    return found


def _own_values(kwargs: Mapping[str, Any]) -> dict[str, str]:
    logger_kwargs = kwargs.get("logger_kwargs") or {}
    values = {**logger_kwargs, "seed": kwargs.get("seed", 0)}
    return {name: str(values[name]) for name in OWN_PLACEHOLDERS if name in values}


@contextmanager
def _heard_stops() -> Iterator[list[int]]:
    """For the length of the block, signals that end this process are put off; yield their numbers.

    A run is stopped by a signal to all its processes. Died this one of it, the program would be what it has
    left behind, and be killed before it had written what it wanted to. Begun after the program was started,
    so that one that comes before is not missed by both. A handler, and no mask or SIG_IGN: what the program
    starts inherits neither.
    """
    stops: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield stops  # handlers are the main thread's, and so is what a signal does
        return
    handlers = {number: signal.getsignal(number) for number in _STOP_SIGNALS}
    # What is ignored already, as by nohup, the program ignores too.
    heard = [number for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)]
    for number in heard:
        signal.signal(number, lambda number, _: stops.append(number))
    try:
        yield stops
    finally:
        for number in heard:
            signal.signal(number, handlers[number])


def _die_of(number: int) -> None:
    """End this process by the signal that ended the program, so that the run's record names it."""
    import faulthandler  # noqa: PLC0415 - hardly ever needed
    import resource  # noqa: PLC0415

    # The program has crashed, not this process: no traceback and no second core file.
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _is_source(word: str) -> bool:
    """Whether ``word`` is the path of a text file of moderate size."""
    try:
        path = Path(word)
        if not path.is_file() or path.stat().st_size > _LARGEST_SOURCE_BYTES:
            return False
        content = path.read_bytes()
        content.decode()
    except (OSError, ValueError):
        return False
    return b"\0" not in content
