"""The names of a grid's variants: as in Spinning Up where that is unambiguous, else with a hash.

Two different variants never share a name, whatever their values: checked once for the grid, from its
parameters alone, so that names can be made one by one without remembering the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from spinup.fingerprint import LONGEST_NAME_BYTES, fingerprint, shorten
from spinup.grid.ambiguity import Pool, count_readings, is_ambiguous
from spinup.grid.names import value_string

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from spinup.grid.parameters import Parameter

#: Between a name and a hash. Nothing else puts it into a name, so a hash is never taken for a value.
HASH_MARK = "@"

_VALUE_DIGITS = 8
_NAME_DIGITS = 12
_MOST_ENDINGS = 1_000


@dataclass(frozen=True)
class _Axis:
    """How one parameter's values read in names.

    Attributes:
        parameter: The parameter.
        label: What comes before the value.
        digits: For each text that different values share, how much of their hash tells them apart.
        hash: The hash of a value.
        segments: What each value adds to the name, in the order of the values.
    """

    parameter: Parameter
    label: str
    digits: dict[str, int]
    hash: Callable[[Any], str]
    segments: tuple[str, ...]

    def segment(self, value: Any) -> str:
        """What ``value``, one of the parameter's or not, adds to the name."""
        text = _plain_segment(self.parameter, self.label, value)
        digits = self.digits.get(text)
        return text if digits is None else f"{text}{HASH_MARK}{self.hash(value)[:digits]}"


class Namer:
    """Names the variants of a grid.

    Args:
        grid_name: Begins every name, unless it is empty.
        parameters: The grid's parameters, in the order in which they were added.
    """

    def __init__(self, grid_name: str, parameters: Sequence[Parameter]) -> None:
        self._prefix = grid_name.lstrip("_")
        self._parameters = parameters
        self._axes = [_make_axis(parameter) for parameter in parameters if parameter.is_named]
        self._pools = [list(dict.fromkeys(axis.segments)) for axis in self._axes]
        self._is_ambiguous = self._may_lose_underscores() or is_ambiguous(self._pools)
        self._readers = [Pool(pool) for pool in self._pools] if self._is_ambiguous else []
        longest = sum(max(map(len, pool)) for pool in self._pools)
        self._is_short = len(self._prefix.encode("utf-8", "surrogatepass")) + longest <= LONGEST_NAME_BYTES

    def name(self, value_of: Callable[[str], Any]) -> str:
        """The name of one variant.

        Args:
            value_of: From a parameter's key to its value in the variant.
        """
        values = [value_of(axis.parameter.key) for axis in self._axes]
        segments = [axis.segment(value) for axis, value in zip(self._axes, values, strict=True)]
        return self._finish(segments, values)

    def names(self) -> Iterator[str]:
        """The names of all variants, the last parameter's values changing fastest."""
        axes = iter(self._axes)
        columns = [next(axes).segments if p.is_named else ("",) * len(p.values) for p in self._parameters]
        if self._is_ambiguous or not self._is_short:
            yield from self._checked_names(columns)
            return
        # The last parameters' segments are joined once, not again for every value of the first ones.
        split = len(columns)
        while split > 0 and math.prod(map(len, columns[split - 1 :])) <= _MOST_ENDINGS:
            split -= 1
        endings = ["".join(segments) for segments in product(*columns[split:])]
        for segments in product(*columns[:split]):
            beginning = self._prefix + "".join(segments)
            if beginning:
                beginning = beginning if self._prefix else beginning.lstrip("_")
                yield from [beginning + ending for ending in endings]
            else:
                yield from [ending.lstrip("_") for ending in endings]

    def _checked_names(self, columns: Sequence[Sequence[str]]) -> Iterator[str]:
        pairs = [
            list(zip(c, p.values, strict=True)) for c, p in zip(columns, self._parameters, strict=True)
        ]
        named = [i for i, parameter in enumerate(self._parameters) if parameter.is_named]
        for chosen in product(*pairs):
            yield self._finish([chosen[i][0] for i in named], [chosen[i][1] for i in named])

    def _finish(self, segments: Sequence[str], values: Sequence[Any]) -> str:
        name = self._prefix + "".join(segments)
        if not self._prefix:
            name = name.lstrip("_")
        if self._is_ambiguous and self._count_readings(name) > 1:
            hashes = [axis.hash(value) for axis, value in zip(self._axes, values, strict=True)]
            name = f"{name}{HASH_MARK}{fingerprint(hashes)[:_NAME_DIGITS]}"
        return name if self._is_short else shorten(name)

    def _count_readings(self, name: str) -> int:
        return count_readings(name[len(self._prefix) :], self._readers, is_stripped=not self._prefix)

    def _may_lose_underscores(self) -> bool:
        """Whether more than the one underscore before the first value could be taken off a name."""
        return not self._prefix and any(
            segment == "_" or segment.startswith("__") for pool in self._pools for segment in pool
        )


def _make_axis(parameter: Parameter) -> _Axis:
    label = "_" + value_string(parameter.key if parameter.shorthand is None else parameter.shorthand)
    hash_of = _make_value_hash(parameter)
    values_of: dict[str, list[Any]] = {}
    for value in parameter.values:
        values_of.setdefault(_plain_segment(parameter, label, value), []).append(value)
    digits = {}
    for text, values in values_of.items():
        hashes = set(map(hash_of, values)) if len(values) > 1 else set()
        if len(hashes) > 1:
            digits[text] = _digits_that_differ(hashes)
    axis = _Axis(parameter, label, digits, hash_of, ())
    return replace(axis, segments=tuple(map(axis.segment, parameter.values)))


def _plain_segment(parameter: Parameter, label: str, value: Any) -> str:
    if parameter.is_flag:
        return label if value else ""
    return label + value_string(value)


def _make_value_hash(parameter: Parameter) -> Callable[[Any], str]:
    """A function from a value of ``parameter`` to its hash, computed once."""
    places = {id(value): place for place, value in enumerate(parameter.values)}
    known: dict[int, str] = {}

    def value_hash(value: Any) -> str:
        # Two locks, say, differ in nothing but their place among the values.
        place = places.get(id(value), -1)
        if place < 0:
            return fingerprint(value, salt="-1")
        if place not in known:
            known[place] = fingerprint(value, salt=str(place))
        return known[place]

    return value_hash


def _digits_that_differ(hashes: Collection[str]) -> int:
    digits = _VALUE_DIGITS
    while len({text[:digits] for text in hashes}) < len(hashes):
        digits += 1
    return digits
