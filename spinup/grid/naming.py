"""The names of a grid's variants: as in Spinning Up where that is unambiguous, else with a hash.

Two different variants never share a name, whatever their values: checked once for the grid, from its
axes alone, so that names can be made one by one without remembering the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from spinup.fingerprint import LONGEST_NAME_BYTES, fingerprint, shorten
from spinup.grid.ambiguity import Pool, count_readings, is_ambiguous
from spinup.grid.names import value_string
from spinup.grid.variants import ABSENT, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from spinup.grid.axes import Axis
    from spinup.grid.parameters import Parameter

#: Between a name and a hash. Nothing else puts it into a name, so a hash is never taken for a value.
HASH_MARK = "@"

#: Between a shorthand and a value where the two could be read in another way; as `HASH_MARK`.
VALUE_MARK = "="

#: The place of a row that a variant does not have.
NOWHERE = -1

_VALUE_DIGITS = 8
_NAME_DIGITS = 12
_MOST_ENDINGS = 1_000


@dataclass(frozen=True)
class _NamedAxis:
    """How one axis's rows read in names.

    Attributes:
        axis: The axis.
        named: Which of its parameters names tell.
        labels: What comes before the value of each of them.
        digits: For each text that different rows share, how much of their hash tells them apart.
        hash: The hash of a row.
        segments: What each row adds to the name, in the order of the rows; last what its absence adds.
    """

    axis: Axis
    named: tuple[int, ...]
    labels: tuple[str, ...]
    digits: dict[str, int]
    hash: Callable[[Values], str]
    segments: tuple[str, ...]

    def segment(self, row: Values | None) -> str:
        """What ``row``, one of the axis's or not, adds to the name; nothing where it is None."""
        if row is None:
            return ""
        text = self.plain(row)
        digits = self.digits.get(text)
        return text if digits is None else f"{text}{HASH_MARK}{self.hash(row)[:digits]}"

    def plain(self, row: Values) -> str:
        """What ``row`` adds to the name if nothing else reads alike."""
        labels = self.axis.labels
        if labels is not None:
            place = _place_of(row, self.axis.rows, self.hash)
            if place is not None:
                return labels[place]
        chosen = zip(self.named, self.labels, strict=True)
        return "".join(self._plain_value(self.axis.parameters[at], label, row[at]) for at, label in chosen)

    def _plain_value(self, parameter: Parameter, label: str, value: Any) -> str:
        if value is ABSENT:
            return ""
        if parameter.labels is not None:
            place = _place_of(value, parameter.values, fingerprint)
            return label + value_string(value if place is None else parameter.labels[place])
        # Under a condition, that False is not told would read as that there is no such parameter.
        if parameter.is_flag and self.axis.when is None:
            return label if value else ""
        return label + value_string(value)


class Namer:
    """Names the variants of a grid.

    Args:
        grid_name: Begins every name, unless it is empty.
        axes: The grid's axes that have rows, in the order in which they were added.
    """

    def __init__(self, grid_name: str, axes: Sequence[Axis]) -> None:
        self._prefix = grid_name.lstrip("_")
        self._all_axes = axes
        self._places = [place for place, axis in enumerate(axes) if _named_of(axis)]
        self._axes = [_make_named_axis(axes[place]) for place in self._places]
        self._pools = [list(dict.fromkeys(axis.segments)) for axis in self._axes]
        self._is_ambiguous = self._may_lose_underscores() or is_ambiguous(self._pools)
        self._readers = [Pool(pool) for pool in self._pools] if self._is_ambiguous else []
        longest = sum(max(map(len, pool)) for pool in self._pools)
        self._is_short = len(self._prefix.encode("utf-8", "surrogatepass")) + longest <= LONGEST_NAME_BYTES

    def name(self, rows: Sequence[Values | None], more: Sequence[tuple[str, str | None]] = ()) -> str:
        """The name of one variant.

        Args:
            rows: For each axis its row in the variant; None for none.
            more: Shorthands and texts to be added; a text is None where the variant has no such value.
        """
        chosen = [rows[place] for place in self._places]
        segments = [axis.segment(row) for axis, row in zip(self._axes, chosen, strict=True)]
        return self._whole(segments, chosen, more)

    def name_at(self, places: Sequence[int], more: Sequence[tuple[str, str | None]] = ()) -> str:
        """The name of one variant of the grid: as `name`, with each row by its place, or `NOWHERE`."""
        segments = [
            axis.segments[places[place]] for axis, place in zip(self._axes, self._places, strict=True)
        ]
        if not self._is_ambiguous:
            return self._whole(segments, (), more)
        chosen = [
            None if places[place] == NOWHERE else axis.axis.rows[places[place]]
            for axis, place in zip(self._axes, self._places, strict=True)
        ]
        return self._whole(segments, chosen, more)

    def names(self) -> Iterator[str]:
        """The names of all variants that have a row of every axis, the last axis's changing fastest."""
        named = dict(zip(self._places, self._axes, strict=True))
        columns = [
            named[place].segments[: len(axis.rows)] if place in named else ("",) * len(axis.rows)
            for place, axis in enumerate(self._all_axes)
        ]
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
            list(zip(c, axis.rows, strict=True)) for c, axis in zip(columns, self._all_axes, strict=True)
        ]
        for chosen in product(*pairs):
            rows = [chosen[place][1] for place in self._places]
            yield self._whole([chosen[place][0] for place in self._places], rows, ())

    def _whole(
        self,
        segments: Sequence[str],
        rows: Sequence[Values | None],
        more: Sequence[tuple[str, str | None]],
    ) -> str:
        name = self._finish(segments, rows)
        for shorthand, text in more:
            name = self._append(name, "_" + value_string(shorthand), text)
        if not self._prefix:
            name = name.lstrip("_")
        return name if self._is_short and not more else shorten(name)

    def _finish(self, segments: Sequence[str], rows: Sequence[Values | None]) -> str:
        name = self._prefix + "".join(segments)
        if not self._prefix:
            name = name.lstrip("_")
        if self._is_ambiguous and self._count_readings(name) > 1:
            hashes = [
                "" if row is None else axis.hash(row) for axis, row in zip(self._axes, rows, strict=True)
            ]
            name = f"{name}{HASH_MARK}{fingerprint(hashes)[:_NAME_DIGITS]}"
        return name

    def _append(self, name: str, label: str, text: str | None) -> str:
        """``name`` with one more value, of which nothing is known but that it is told by its text.

        Were a name both that of one variant and the beginning of another's, with values appended they
        could read the same; but then the longer one has ``label`` in it, and a mark is put after that.
        The mark is in nothing else.
        """
        own = name.removeprefix(self._prefix)
        if not self._prefix and own:
            own = f"_{own}"  # which was taken off
        is_plain = (own + label).find(label) == len(own)
        if text is None:
            return name if is_plain else f"{name}{label}{HASH_MARK}"
        if not self._prefix and not own:
            is_plain = not (label + text).startswith("__")
        return f"{name}{label}{text}" if is_plain else f"{name}{label}{VALUE_MARK}{text}"

    def _count_readings(self, name: str) -> int:
        return count_readings(name[len(self._prefix) :], self._readers, is_stripped=not self._prefix)

    def _may_lose_underscores(self) -> bool:
        """Whether more than the one underscore before the first value could be taken off a name."""
        return not self._prefix and any(
            segment == "_" or segment.startswith("__") for pool in self._pools for segment in pool
        )


def _named_of(axis: Axis) -> tuple[int, ...]:
    """Which of an axis's parameters names tell: of paired ones, what does not follow from the others."""
    parameters = axis.parameters
    if axis.labels is not None:
        return tuple(range(len(parameters)))
    if len(parameters) == 1:
        return (0,) if parameters[0].is_named else ()
    named: list[int] = []
    known: list[tuple[str, ...]] = [()] * len(axis.rows)
    for at, parameter in enumerate(parameters):
        if parameter.key == "seed":
            continue
        finer = [
            (*before, fingerprint(value)) for before, value in zip(known, parameter.values, strict=True)
        ]
        if parameter.in_name or len(set(finer)) > len(set(known)):
            named.append(at)
            known = finer
    return tuple(named)


def _make_named_axis(axis: Axis) -> _NamedAxis:
    named = _named_of(axis)
    parameters = [axis.parameters[at] for at in named]
    labels = tuple("_" + value_string(p.key if p.shorthand is None else p.shorthand) for p in parameters)
    hash_of = _make_row_hash(axis)
    bare = _NamedAxis(axis, named, labels, {}, hash_of, ())
    rows_of: dict[str, list[Values]] = {}
    for row in axis.rows:
        rows_of.setdefault(bare.plain(row), []).append(row)
    digits = {}
    for text, rows in rows_of.items():
        hashes = set(map(hash_of, rows)) if len(rows) > 1 else set()
        if len(hashes) > 1:
            digits[text] = _digits_that_differ(hashes)
    named_axis = replace(bare, digits=digits)
    absent = (None,) if axis.when is not None else ()
    return replace(named_axis, segments=tuple(map(named_axis.segment, (*axis.rows, *absent))))


def _make_row_hash(axis: Axis) -> Callable[[Values], str]:
    """A function from a row of ``axis`` to its hash, in which the seed has no part."""
    hashes = [_make_value_hash(parameter) for parameter in axis.parameters]
    if len(hashes) == 1:
        return lambda row: hashes[0](row[0])
    unseeded = [at for at, parameter in enumerate(axis.parameters) if parameter.key != "seed"]
    return lambda row: fingerprint([hashes[at](row[at]) for at in unseeded])


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


def _place_of(item: Any, items: Sequence[Any], hash_of: Callable[[Any], str]) -> int | None:
    """Where in ``items`` something equal to ``item`` is; None for nowhere."""
    for place, other in enumerate(items):
        if other is item:
            return place
    wanted = hash_of(item)
    return next((place for place, other in enumerate(items) if hash_of(other) == wanted), None)


def _digits_that_differ(hashes: Collection[str]) -> int:
    digits = _VALUE_DIGITS
    while len({text[:digits] for text in hashes}) < len(hashes):
        digits += 1
    return digits
