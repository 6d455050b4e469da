"""The words of ``spinup run`` taken apart: what to run, its flags with their values as text, a command.

Pure: nothing is looked up, imported or read, and nothing but a UsageError is ever raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from click import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HELP_WORDS = ("--help", "-h")
_FLAG = re.compile(r"--(\+?)([^\[\]=]*)(?:\[([^\[\]=]*)\])?(?:=(.*))?", re.DOTALL)
_TERM = re.compile(r"[^\s:{}+-][^\s:{}+]*")
# A dash begins a value only where it is a sign.
_NEGATIVE = re.compile(r"-([0-9.(].*|inf|nan)?", re.DOTALL)


@dataclass(frozen=True)
class Flag:
    """One flag, and all the values that it was given.

    Attributes:
        key: Its name; colons make nested dicts.
        texts: The values as they were typed; none for a flag that stands alone.
        shorthand: What stands for the key in names, where that was given in brackets.
        is_own: Written ``--+key``: an argument of what is run, even if an option has that name.
    """

    key: str
    texts: tuple[str, ...] = ()
    shorthand: str | None = None
    is_own: bool = False

    def __str__(self) -> str:
        return f"--{'+' * self.is_own}{self.key}"


@dataclass(frozen=True)
class CommandLine:
    """What was asked of ``spinup run``.

    Attributes:
        target: What to run, as it was typed; None if nothing was named.
        flags: Each flag once, in the order in which they came first.
        command: The words behind ``--``; None without a ``--``.
        wants_help: Whether ``--help`` was among the flags.
    """

    target: str | None = None
    flags: tuple[Flag, ...] = ()
    command: tuple[str, ...] | None = None
    wants_help: bool = False


def parse(words: Sequence[str]) -> CommandLine:
    """The command line that ``words`` make.

    Raises:
        UsageError: They cannot be understood; says which, and what to write instead.
    """
    words = list(words)
    command = None
    if "--" in words:
        end = words.index("--")
        words, command = words[:end], tuple(words[end + 1 :])
    wants_help = any(word in _HELP_WORDS for word in words)
    words = [word for word in words if word not in _HELP_WORDS]
    target = words.pop(0) if words and not words[0].startswith("-") else None
    if not words and target == "help":  # as in Spinning Up, which also takes it behind what to run
        return CommandLine(None, (), command, wants_help=True)
    if words == ["help"]:
        return CommandLine(target, (), command, wants_help=True)
    return CommandLine(target, tuple(_merge(_read_flags(words))), command, wants_help)


def _read_flags(words: Iterable[str]) -> list[Flag]:
    flags: list[Flag] = []
    for word in words:
        if word.startswith("--"):
            flags.append(_read_flag(word))
        elif word.startswith("-") and not _NEGATIVE.fullmatch(word):
            raise UsageError(
                f"{word!r} is neither a flag, which begins with two dashes, nor a number. "
                f"As a value it goes behind an equals sign: --flag={word}"
            )
        elif not flags:
            raise UsageError(
                f"{word!r} follows no flag. Values go behind flags, as in --seed 0 10 20; "
                "another program goes behind --, as in: spinup run --lr 1e-3 -- python train.py --lr {lr}"
            )
        else:
            flags[-1] = replace(flags[-1], texts=(*flags[-1].texts, word))
    return flags


def _read_flag(word: str) -> Flag:
    match = _FLAG.fullmatch(word)
    if match is None or not all(_TERM.fullmatch(term) for term in match[2].split(":")):
        raise UsageError(
            f"{word!r} is no flag. A flag is --name, --name:part, or with a shorthand --name[n]; "
            "a value that begins with dashes goes behind an equals sign: --flag=--value"
        )
    texts = () if match[4] is None else (match[4],)
    return Flag(match[2], texts, match[3], is_own=bool(match[1]))


def _merge(flags: Iterable[Flag]) -> list[Flag]:
    """``flags`` with the values of those that are repeated put together."""
    merged: dict[tuple[str, bool], Flag] = {}
    for flag in flags:
        name = flag.key, flag.is_own
        merged[name] = _both(merged[name], flag) if name in merged else flag
    return list(merged.values())


def _both(one: Flag, other: Flag) -> Flag:
    if bool(one.texts) != bool(other.texts):
        raise UsageError(f"{one} is given both with a value and without one.")
    if one.shorthand != other.shorthand and None not in (one.shorthand, other.shorthand):
        raise UsageError(f"{one} is given two shorthands, {one.shorthand!r} and {other.shorthand!r}.")
    shorthand = other.shorthand if one.shorthand is None else one.shorthand
    return replace(one, texts=one.texts + other.texts, shorthand=shorthand)
