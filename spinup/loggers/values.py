"""A row's values, turned into text once, before anything of the row is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spinup.errors import LoggerError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = frozenset({int, float, str, bool, type(None)})


class Number:
    """A value that has a number beside its text."""

    def __init__(self, text: str, number: float) -> None:
        self._text = text
        self._number = number

    def __str__(self) -> str:
        return self._text

    def __float__(self) -> float:
        return self._number


def plain(value: Any) -> object:
    """``value``, as a number where it is a tensor of one: a tensor's text is cut to four digits."""
    if type(value) in _PLAIN:
        return value
    return value.item() if hasattr(value, "detach") and value.numel() == 1 else value


def settled(row: Mapping[str, object]) -> dict[str, object]:
    """The row, made of values whose text can be had without fail.

    Raises:
        LoggerError: A value has no text.
    """
    return {key: value if type(value) in _PLAIN else _settle(key, value) for key, value in row.items()}


def _settle(key: str, value: Any) -> object:
    try:
        text = str(value)
    except Exception as error:
        raise LoggerError(
            f"The value of {key!r} has no text: {type(error).__name__} in {type(value).__name__}.__str__. "
            "The row is kept as it was, and was not written."
        ) from error
    # NumPy's strings and arrays have __float__ too, and mean something else by it.
    if hasattr(value, "__float__") and not isinstance(value, str) and not getattr(value, "ndim", 0):
        try:
            return Number(text, float(value))
        except Exception:  # noqa: BLE001 - it only looked like a number
            return text
    return text
