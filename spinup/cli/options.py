"""The flags of ``spinup run`` that are its own: what `ExperimentGrid.run` takes, and a few more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spinup.cli.flags import Flag

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def _text(text: str) -> str:
    return text


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError("True or False")
    return text.lower() in _TRUE


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("an integer") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a number") from None


def _integer_or_auto(text: str) -> int | str:
    try:
        return text if text == "auto" else _integer(text)
    except ValueError:
        raise ValueError("an integer or auto") from None


def _gpus(text: str) -> int | list[int] | str | None:
    if text.lower() in ("auto", "none"):
        return None if text.lower() == "none" else "auto"
    try:
        numbers = [int(part) for part in text.strip("[]()").split(",")]
    except ValueError:
        raise ValueError("auto, none, a number of GPUs, or their numbers as in [0,2]") from None
    return numbers if "," in text or text[0] in "[(" else numbers[0]


def _part(text: str) -> int | slice | list[int] | str:
    """Which variants: a number, a slice, a list of numbers, or a name."""
    if re.fullmatch(r"[+-]?\d+", text):
        return _integer(text)
    if re.fullmatch(r"[+-]?\d*(:[+-]?\d*){1,2}", text):
        return slice(*(int(part) if part else None for part in text.split(":")))
    if re.fullmatch(r"\[?[+-]?\d+(,[+-]?\d+)*\]?", text):
        return [int(part) for part in text.strip("[]").split(",")]
    return text


@dataclass(frozen=True)
class Option:
    """A flag of ``spinup run`` itself; it takes one value.

    Attributes:
        name: As the help shows it.
        read: From its text to its value; raises ValueError with what it takes.
        metavar: Stands for the value in the help; empty for one that can stand alone, as True.
        help: One line.
        aliases: Its other names.
        choices: What it can be, where that is a few words.
    """

    name: str
    read: Callable[[str], Any]
    metavar: str
    help: str
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def keyword(self) -> str:
        """Its name as a keyword."""
        return self.name.replace("-", "_")

    def value(self, flag: Flag) -> Any:
        """What ``flag`` sets it to.

        Raises:
            UsageError: It has no value, several, or one that cannot be read.
        """
        if not flag.texts and not self.metavar:
            return True
        if len(flag.texts) != 1:
            problem = f"takes one value, not {len(flag.texts)}" if flag.texts else "needs a value"
            own = f" An argument of that name of what is run is --+{flag.key}." if flag.texts else ""
            raise UsageError(f"{flag} {problem}: {self.help}{own}")
        try:
            return self.read(flag.texts[0])
        except ValueError as error:
            raise UsageError(f"{flag} takes {error}, not {flag.texts[0]!r}.") from error


def _choice(name: str, choices: tuple[str, ...], help_: str) -> Option:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return Option(name, read, "|".join(choices), help_, choices=choices)


PLACES = (
    Option(
        "exp_name", _text, "NAME", "Begins the name of every experiment; cmd_ and what is run, if left out."
    ),
    Option(
        "data_dir", _text, "DIR", "Where results go; DEFAULT_DATA_DIR of spinup.user_config, if left out."
    ),
    Option("datestamp", _boolean, "", "Put date and time into the directories' names.", ("dt",)),
)
LAUNCH = (
    Option("parallel", _integer_or_auto, "N|auto", "Runs at a time; auto, the default, for all cores."),
    Option(
        "num_cpu", _integer_or_auto, "N|auto", "MPI processes of each run, 1 if left out.", aliases=("cpu",)
    ),
    Option("gpus", _gpus, "N|[0,2]|auto|none", "GPUs to share out; each run sees its own alone."),
    Option("gpus_per_run", _number, "X", "How many GPUs each run gets, or what part of one: 0.5."),
    Option(
        "memory", _text, "SIZE", "End a run whose processes hold more, such as 4GB.", ("memory_per_run",)
    ),
    Option("timeout", _text, "TIME", "End an attempt that takes longer, such as 90s, 2h or 1h30m."),
    Option("retries", _integer, "N", "How often a run that failed is tried again; 0 if left out."),
    _choice("on_failure", ("continue", "stop"), "Whether the others go on when a run has failed."),
    _choice("isolation", ("auto", "warm", "fresh"), "How a run gets its process: forked, or started anew."),
    _choice("launcher", ("local",), "Where runs are done; local is this machine."),
)
SELECTION = (
    Option("only", _part, "N|3:9|[0,5]|NAME", "A part of the grid: variants by their numbers or name."),
    Option("shard", _text, "2/8", "The second of eight parts, such as the jobs of an array."),
    Option(
        "sample",
        _integer,
        "N",
        "That many variants, drawn at random with --sample-seed; each with all seeds.",
    ),
    Option("sample-seed", _integer, "N", "For another sample; 0 if left out."),
    Option("grid", _text, "FILE", "Parameters from a grid's TOML file; flags go before what it says."),
    _choice(
        "rerun",
        ("failed", "stale", "all", "none"),
        "What is done again: failed runs; also those whose code has changed; all; or nothing.",
    ),
    Option("dry-run", _boolean, "", "Print what would be done; start nothing, and write nothing."),
    Option("json", _boolean, "", "Print the records of all runs as JSON on stdout; the rest on stderr."),
)

#: Headings of the help, and the options below each.
GROUPS = {
    "Names and places": PLACES,
    "How runs are run": LAUNCH,
    "Which runs, and what is printed": SELECTION,
}

ALL = tuple(option for group in GROUPS.values() for option in group)
_BY_NAME = {name.replace("-", "_"): option for option in ALL for name in (option.name, *option.aliases)}

#: What `ExperimentGrid.run` calls an option, where that is another name.
KEYWORDS = {"memory": "memory_per_run"}


def find_option(name: str) -> Option | None:
    """The option of this name, in which ``-`` and ``_`` are the same."""
    return _BY_NAME.get(name.replace("-", "_"))


def option_names() -> list[str]:
    """All names of all options."""
    return [name for option in ALL for name in (option.name, *option.aliases)]
