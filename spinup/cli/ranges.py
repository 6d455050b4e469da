"""Short ways to write many values: ``0:5``, ``log(1e-5,1e-2,4)``, ``lin(0,1,11)``. Pure."""

from __future__ import annotations

import math
import re

from click import UsageError

#: More values than anybody would want to run, and few enough for memory.
MOST_VALUES = 100_000

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SLICE = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}))?", re.ASCII)
_SPACED = re.compile(r"(log|lin)\((.*)", re.DOTALL)
_SPACED_ARGUMENTS = re.compile(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*,\s*(\d+)\s*\)", re.ASCII)
_LONGEST_NUMBER = 40
_LONGEST_RANGE = 200  # nor should matching digits against digits take long
_DIGITS = 12


def expand(text: str) -> list[int] | list[float] | None:
    """The values that ``text`` stands for, or None if it is no range.

    ``0:5`` is 0, 1, 2, 3, 4 and ``0:10:5`` is 0, 5, as Python's ``range``; ``log(1e-5,1e-2,4)`` is 1e-5,
    1e-4, 1e-3, 1e-2; ``lin(0,1,3)`` is 0.0, 0.5, 1.0.

    Raises:
        UsageError: It is a range, but one that cannot be had.
    """
    if len(text) > _LONGEST_RANGE:
        return None
    if match := _SLICE.fullmatch(text):
        return _count_up(text, [group for group in match.groups() if group is not None])
    if match := _SPACED.fullmatch(text):
        return _spread(text, match[1], match[2])
    return None


def _count_up(text: str, bounds: list[str]) -> list[int]:
    quote = f"For the text itself, put quotes inside quotes: \"'{text}'\"."
    if any(len(bound) > _LONGEST_NUMBER or not bound.lstrip("+-").isdigit() for bound in bounds):
        raise UsageError(
            f"{text!r}: a range counts in whole numbers, as 0:5 does; evenly spaced values are "
            f"lin(first,last,number). {quote}"
        )
    numbers = [int(bound) for bound in bounds]
    if len(numbers) == 3 and numbers[2] == 0:
        raise UsageError(f"{text!r}: the step of a range cannot be 0. {quote}")
    values = range(*numbers)
    if not values:
        raise UsageError(f"{text!r} is an empty range: its end is left out, as in Python. {quote}")
    return list(values[: _check_number(text, _length(values))])


def _length(values: range) -> int:
    # Not len(), which has a limit of its own.
    return (values[-1] - values[0]) // values.step + 1


def _spread(text: str, kind: str, arguments: str) -> list[float]:
    match = _SPACED_ARGUMENTS.fullmatch(arguments)
    if match is None or max(map(len, match.groups())) > _LONGEST_NUMBER:
        raise UsageError(
            f"{text!r} cannot be read: it takes first, last and number, as in {kind}(1e-5,1e-2,4), without "
            f"spaces or in quotes. For the text itself, put quotes inside quotes: \"'{text}'\"."
        )
    first, last, number = float(match[1]), float(match[2]), int(match[3])
    if number < 2 or not math.isfinite(first) or not math.isfinite(last) or first == last:
        raise UsageError(f"{text!r} needs two different ends, and at least two values.")
    _check_number(text, number)
    if kind == "log" and min(first, last) <= 0:
        raise UsageError(f"{text!r}: both ends of a logarithmic range are above 0.")
    inner = [_between(first, last, place / (number - 1), kind) for place in range(1, number - 1)]
    return [first, *inner, last]


def _between(first: float, last: float, part: float, kind: str) -> float:
    if kind == "log":
        value = math.exp(math.log(first) * (1 - part) + math.log(last) * part)
    else:
        value = first * (1 - part) + last * part
    # 1e-4, where the arithmetic gives 0.00010000000000000009.
    return float(f"{value:.{_DIGITS}g}")


def _check_number(text: str, number: int) -> int:
    if number > MOST_VALUES:
        raise UsageError(f"{text!r} stands for {number} values; {MOST_VALUES} are the most.")
    return number
