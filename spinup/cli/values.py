"""From the text of a value to the value: a literal, a name of something importable, or the text itself.

No text is ever evaluated: `ast.literal_eval` reads literals, and names are looked up by `resolve`.
"""

from __future__ import annotations

import ast
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from click import UsageError

from spinup.cli.ranges import expand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spinup.cli.kinds import Kind

    #: From a dotted name to what it names, or to `MISSING`.
    Resolve = Callable[[str], Any]


class _Missing:
    """Stands for no value at all."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

_OPENING, _CLOSING = "([{", ")]}"
_WORDS = {"true": True, "false": False}
_MORE_WORDS = {**_WORDS, "yes": True, "no": False, "on": True, "off": False, "1": True, "0": False}
_UNQUOTED_NUMBERS = ("inf", "-inf", "+inf", "nan")


def read_values(flag: str, texts: Sequence[str], kind: Kind | None, resolve: Resolve) -> list[Any]:
    """The values that follow a flag; True for a flag that stands alone.

    Args:
        flag: As it was typed, for errors.
        texts: What follows it.
        kind: What the parameter takes; None for anything.
        resolve: Finds what a dotted name names.

    Raises:
        UsageError: One of the texts is no value for this parameter.
    """
    if texts:
        return [value for text in texts for value in _read(flag, text, kind, resolve)]
    if kind is not None and "bool" not in kind.types:
        raise UsageError(f"{flag} needs a value: it takes {kind.text}.")
    return [True]


def _read(flag: str, text: str, kind: Kind | None, resolve: Resolve) -> list[Any]:
    if kind is None:
        values = _expand(flag, text)
        return [_read_any(flag, text, resolve)] if values is None else list(values)
    value = _choose(text, kind)
    if value is not MISSING:
        return [value]
    values = None if "path" in kind.types else _expand(flag, text)
    found = [_literal(text)] if values is None else values
    fitting = [_fit(value, kind) for value in found]
    if MISSING in fitting:
        raise UsageError(f"{flag} takes {kind.text}, not {text!r}.{_hint(text, kind)}")
    return fitting


def _expand(flag: str, text: str) -> Sequence[Any] | None:
    try:
        return expand(text)
    except UsageError as error:
        raise UsageError(f"{flag}: {error.message}") from None


def _read_any(flag: str, text: str, resolve: Resolve) -> Any:
    value = _literal(text)
    if value is not MISSING:
        return value
    _check_brackets(flag, text)
    value = resolve(text)
    return text if value is MISSING else value


def _literal(text: str) -> Any:
    """The Python literal that ``text`` is, or `MISSING`."""
    try:
        with warnings.catch_warnings():
            # About escapes such as '\d' in strings.
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return MISSING
    return MISSING if value is Ellipsis else value


def _check_brackets(flag: str, text: str) -> None:
    """Raise where the shell has cut a list at its spaces."""
    opened = sum(text.count(character) for character in _OPENING)
    closed = sum(text.count(character) for character in _CLOSING)
    is_start = text.startswith(tuple(_OPENING)) and opened > closed
    is_end = text.endswith(tuple(_CLOSING)) and closed > opened
    if is_start or is_end:
        raise UsageError(
            f"{flag}: {text!r} is a part of something in brackets: the shell splits at spaces. Write "
            "[32,32] without spaces, or quote it: '[32, 32]'."
        )


def _choose(text: str, kind: Kind) -> Any:
    """What is said by the text alone, such as a string, True, None or one of the choices."""
    for choice in kind.choices:
        if text == str(choice):
            return choice
    if "None" in kind.types and text == "None":
        return None
    is_plain = kind.types <= {"bool", "None"}
    if "bool" in kind.types and text.lower() in (words := _MORE_WORDS if is_plain else _WORDS):
        return words[text.lower()]
    if "path" in kind.types:
        return Path(text)
    if "float" in kind.types and text.lower() in _UNQUOTED_NUMBERS:
        return float(text)
    if "str" in kind.types:
        value = MISSING if kind.types <= {"str", "None"} else _fit(_literal(text), kind)
        return text if value is MISSING else value
    return MISSING


def _fit(value: Any, kind: Kind) -> Any:
    """``value`` as the parameter takes it, or `MISSING`."""
    name = type(value).__name__
    if name in kind.types and name != "str":
        return value
    if name == "int" and "float" in kind.types:
        return _float(value)
    if name == "float" and "int" in kind.types and math.isfinite(value) and value.is_integer():
        return int(value)
    if name == "list" and "tuple" in kind.types:
        return tuple(value)
    if name == "tuple" and "list" in kind.types:
        return list(value)
    return MISSING


def _float(value: int) -> Any:
    try:
        return float(value)
    except OverflowError:
        return MISSING


def _hint(text: str, kind: Kind) -> str:
    if not kind.choices or kind.types:
        return ""
    import difflib  # noqa: PLC0415 - mistakes alone need it

    near = difflib.get_close_matches(text, [str(choice) for choice in kind.choices], n=1)
    return f" Did you mean {near[0]}?" if near else ""
