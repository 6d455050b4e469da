"""Distributions that ``sample`` draws a parameter's values from.

Values have few digits: a name tells all of them, and the last bit in which mathematical libraries differ
is rounded away, so that every machine draws the same.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError
from spinup.grid.draws import NUM_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable

_FLOAT_BITS = 53
_MOST_DIGITS = 12  # more, and two machines could draw what differs in the last


class Distribution(ABC):
    """What a parameter's values are drawn from."""

    @abstractmethod
    def value(self, bits: int) -> Any:
        """The value that ``bits`` stand for, evenly from 0 to 2**256 - 1."""


@dataclass(frozen=True)
class Uniform(Distribution):
    """Numbers between two others, all as likely.

    Args:
        low: The least.
        high: The greatest.
        digits: Decimal digits that tell places in the range apart.

    Raises:
        GridError: The range is empty, or no range of finite numbers.
    """

    low: float
    high: float
    digits: int = 4

    def __post_init__(self) -> None:
        _check_range(self)

    def value(self, bits: int) -> float:
        """The number that ``bits`` stand for."""
        width = self.high - self.low
        decimals = self.digits - int(f"{width:.0e}".partition("e")[2])
        return _within(self, round(self.low + _unit(bits) * width, decimals))


@dataclass(frozen=True)
class LogUniform(Distribution):
    """Positive numbers between two others whose logarithms are all as likely.

    Args:
        low: The least.
        high: The greatest.
        digits: Significant decimal digits.

    Raises:
        GridError: The range is empty, or no range of finite positive numbers.
    """

    low: float
    high: float
    digits: int = 4

    def __post_init__(self) -> None:
        _check_range(self)
        if self.low <= 0:
            raise GridError(f"{self} begins at zero or below, where there is no logarithm.")

    def value(self, bits: int) -> float:
        """The number that ``bits`` stand for."""
        low, high = math.log(self.low), math.log(self.high)
        return _within(self, float(f"{math.exp(low + _unit(bits) * (high - low)):.{self.digits}g}"))


@dataclass(frozen=True)
class IntUniform(Distribution):
    """Whole numbers between two others, both included, all as likely.

    Args:
        low: The least.
        high: The greatest.

    Raises:
        GridError: The range is empty, or its ends are no whole numbers.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if type(self.low) is not int or type(self.high) is not int or self.low > self.high:
            raise GridError(f"{self} needs two whole numbers, the smaller one first.")

    def value(self, bits: int) -> int:
        """The number that ``bits`` stand for."""
        return self.low + (bits * (self.high - self.low + 1) >> NUM_BITS)


@dataclass(frozen=True, init=False)
class Choice(Distribution):
    """One of some values, all as likely: a list of values of which a sample is to be taken.

    Args:
        values: The values.

    Raises:
        GridError: There is none.
    """

    values: tuple[Any, ...]

    def __init__(self, values: Iterable[Any]) -> None:
        object.__setattr__(self, "values", tuple(values))
        if not self.values:
            raise GridError("Choice([]) has no values. Give at least one.")

    def value(self, bits: int) -> Any:
        """The value that ``bits`` stand for."""
        return self.values[bits * len(self.values) >> NUM_BITS]


def _check_range(of: Uniform | LogUniform) -> None:
    ends = (of.low, of.high)
    is_range = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    if not is_range or not all(map(math.isfinite, ends)) or of.low >= of.high:
        raise GridError(f"{of} needs two finite numbers, the smaller one first.")
    if type(of.digits) is not int or not 1 <= of.digits <= _MOST_DIGITS:
        raise GridError(f"{of} needs from 1 to {_MOST_DIGITS} digits.")


def _unit(bits: int) -> float:
    """A number in [0, 1)."""
    return (bits >> (NUM_BITS - _FLOAT_BITS)) / (1 << _FLOAT_BITS)


def _within(of: Uniform | LogUniform, value: float) -> float:
    return float(min(max(value, of.low), of.high))
