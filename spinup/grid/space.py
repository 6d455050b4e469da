"""Where the variants come from: what a grid declares, walked one variant after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, product, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from spinup.errors import GridError, GridIndexError
from spinup.grid.axes import Axis, Change
from spinup.grid.functions import View, decide
from spinup.grid.names import value_string
from spinup.grid.naming import NOWHERE, Namer
from spinup.grid.sampling import digits_of, draws
from spinup.grid.variants import ABSENT, Values, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spinup.grid.functions import Derived, Filter
    from spinup.grid.parameters import Parameter

#: Values in the order of the columns, the name, and what an ablation has changed.
Row = tuple[Values, str, Change | None]

# So many draws in a row without a new variant, and a sample is as large as it can be.
_MOST_VAIN_DRAWS = 10_000


class Source(Protocol):
    """Something that variants come from: declarations, a part of a source, or a union of some."""

    @property
    def columns(self) -> Sequence[str]:
        """Keys of the values of each row."""

    @property
    def parameters(self) -> Sequence[Parameter]:
        """The parameters, with all their values."""

    @property
    def is_product(self) -> bool:
        """Whether rows are counted and found by their place without a walk over the others."""

    def count(self) -> int:
        """How many rows there are."""

    def rows(self) -> Iterator[Row]:
        """Every row, one by one."""

    def row(self, place: int) -> Row:
        """The row at ``place``, from 0 on."""

    def name_of(self, variant: Mapping[str, Any]) -> str:
        """The name of one of the variants, given as a dict."""


@dataclass(frozen=True)
class Sample:
    """Which variants are drawn: so many, each with all seeds."""

    n: int
    seed: int


class _Point(NamedTuple):
    """One variant in the walk: the place of each axis's row, values in order of the columns."""

    places: tuple[int, ...]
    values: Values


@dataclass(frozen=True)
class Space:
    """What a grid declares.

    Attributes:
        name: Begins the name of every variant.
        axes: What varies, the last one fastest.
        derived: Values that follow from others.
        filters: What decides which variants stay.
        sample: Which of them are drawn; None for all.
    """

    name: str = ""
    axes: tuple[Axis, ...] = ()
    derived: tuple[Derived, ...] = ()
    filters: tuple[Filter, ...] = ()
    sample: Sample | None = None

    # -- What there is

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, in the order in which they were added."""
        return tuple(parameter for axis in self.axes for parameter in axis.parameters)

    @cached_property
    def columns(self) -> list[str]:
        """The keys of parameters, then of derived values."""
        return [parameter.key for parameter in self.parameters] + [derived.key for derived in self.derived]

    @property
    def is_product(self) -> bool:
        """Whether every combination of rows is a variant."""
        return not self.filters and self.sample is None and all(axis.when is None for axis in self.axes)

    @property
    def is_plain(self) -> bool:
        """Whether a variant is one value of each parameter, and nothing else."""
        return (
            self.is_product
            and not self.derived
            and all(len(axis.parameters) == 1 and axis.ablation is None for axis in self.axes)
        )

    def check_sampled(self) -> None:
        """Raise GridError if there is a distribution from which nothing is drawn."""
        if self.sample is not None:
            return
        for parameter in self.parameters:
            if parameter.distribution is not None:
                raise GridError(
                    f"The parameter {parameter.key!r} is {type(parameter.distribution).__name__}(...), "
                    "which has no list of values. Say how many variants to draw: sample(20)."
                )

    def count(self) -> int:
        """How many variants there are, counting seeds; a product is computed, all else is walked once."""
        self.check_sampled()
        if self.is_product:
            return math.prod(len(axis.rows) for axis in self.axes)
        return self._walked_count

    @cached_property
    def _walked_count(self) -> int:
        return sum(1 for _ in self._points())

    # -- Rows

    def rows(self) -> Iterator[Row]:
        """Every variant, one by one, the last axis's rows changing fastest."""
        self.check_sampled()
        if self.is_plain:
            pools = [parameter.values for parameter in self.parameters]
            return zip(product(*pools), self._namer.names(), repeat(None))
        if self.is_product and not self.derived:
            return self._flat_rows()
        return map(self._row_of, self._points())

    def names(self) -> Iterator[str]:
        """Every variant's name."""
        if self.is_product and not self.derived:
            self.check_sampled()
            return self._namer.names()
        return (name for _, name, _ in self.rows())

    def row(self, place: int) -> Row:
        """The variant at ``place``, from 0 on; in a product, at once.

        Raises:
            GridIndexError: There are not so many.
        """
        if not self.is_product:
            found = next(islice(self.rows(), place, None), None)
            if found is None:
                raise GridIndexError(f"The grid has {self.count()} variants; there is no number {place}.")
            return found
        if not 0 <= place < self.count():
            raise GridIndexError(f"The grid has {self.count()} variants; there is no number {place}.")
        places = digits_of(place, [len(axis.rows) for axis in self.axes])
        (point,) = self._walk([(at,) for at in places], {})
        return self._row_of(point)

    def _flat_rows(self) -> Iterator[Row]:
        rows = product(*(axis.rows for axis in self.axes))
        changes = product(*(axis.changes or (None,) * len(axis.rows) for axis in self.axes))
        for chosen, name, changed in zip(rows, self._namer.names(), changes, strict=True):
            yield tuple(chain.from_iterable(chosen)), name, next(filter(None, changed), None)

    def _row_of(self, point: _Point) -> Row:
        places = [point.places[at] for at in self._listed]
        change = None
        for axis, place in zip(self.axes, point.places, strict=True):
            if axis.changes is not None:
                change = axis.changes[place]
        more = [
            (shorthand, None if point.values[at] is ABSENT else _appended_text(point.values[at]))
            for at, shorthand in self._appended
        ]
        return point.values, self._namer.name_at(places, more), change

    # -- Names

    @cached_property
    def _listed(self) -> list[int]:
        """The axes that have rows to choose from."""
        return [place for place, axis in enumerate(self.axes) if not axis.is_drawn]

    @cached_property
    def _namer(self) -> Namer:
        return Namer(self.name, [self.axes[place] for place in self._listed])

    @cached_property
    def _appended(self) -> list[tuple[int, str]]:
        """Column and shorthand of the values of which there is no list, and that names tell."""
        named: list[Parameter | Derived | None] = [p if p.is_drawn else None for p in self.parameters]
        named += [
            derived if derived.in_name and derived.key != "seed" else None for derived in self.derived
        ]
        return [
            (at, item.key if item.shorthand is None else item.shorthand)
            for at, item in enumerate(named)
            if item is not None
        ]

    def name_of(self, variant: Mapping[str, Any]) -> str:
        """The name of ``variant``, whose dicts may be nested or flat.

        Raises:
            GridError: It lacks a parameter that every variant has.
        """
        values = {
            key: _lookup(variant, key, may_lack=may_lack)
            for key, may_lack in zip(self.columns, self._may_lack, strict=True)
            if key != "seed"
        }
        rows = [self._row_in(self.axes[place], values) for place in self._listed]
        appended = [(values[self.columns[at]], shorthand) for at, shorthand in self._appended]
        more = [
            (shorthand, None if value is ABSENT else _appended_text(value)) for value, shorthand in appended
        ]
        return self._namer.name(rows, more)

    @property
    def _may_lack(self) -> list[bool]:
        parameters = [
            axis.when is not None or any(value is ABSENT for value in parameter.values)
            for axis in self.axes
            for parameter in axis.parameters
        ]
        return [*parameters, *(not derived.in_name or derived.when is not None for derived in self.derived)]

    @staticmethod
    def _row_in(axis: Axis, values: Mapping[str, Any]) -> Values | None:
        row = tuple(values.get(key) for key in axis.keys)
        return None if axis.when is not None and all(value is ABSENT for value in row) else row

    # -- The walk

    def _points(self) -> Iterator[_Point]:
        if self.sample is not None:
            points = self._sampled_points(self.sample)
        else:
            points = self._walk([range(len(axis.rows)) for axis in self.axes], {})
        number = trace = 0
        for point in points:
            number, trace = number + 1, hash((trace, point.places))
            yield point
        if not number:
            raise GridError(self._why_nothing())
        # The report, the count and the plan are walks of their own, and must be about the same variants.
        if self._first_walk.setdefault("", (number, trace)) != (number, trace):
            raise GridError(
                f"The grid has other variants than when it was read first: {number}, not "
                f"{self._first_walk[''][0]} as then, or others of them. What its functions say has changed "
                f"meanwhile: {', '.join(self._functions())}. It must follow from the variant alone."
            )

    @cached_property
    def _first_walk(self) -> dict[str, tuple[int, int]]:
        """How many variants the first full walk has found, and a hash of which."""
        return {}

    def _functions(self) -> list[str]:
        """What could decide otherwise the next time."""
        conditions = [f"the condition of {axis.keys[0]!r}" for axis in self.axes if axis.when is not None]
        derived = [f"the value of {item.key!r}" for item in self.derived]
        return [*conditions, *derived, *(f"{a_filter.verb}(...)" for a_filter in self.filters)]

    def _why_nothing(self) -> str:
        verbs = ", ".join(f"{a_filter.verb}(...)" for a_filter in self.filters)
        return f"The filters leave no variant at all: {verbs}. Take one of them back, or add values."

    def _walk(self, choices: Sequence[Sequence[int]], drawn: Mapping[int, Any]) -> Iterator[_Point]:
        """The variants whose axes have rows at the places that are to choose from, and the values drawn."""
        places: list[int] = []
        values: dict[str, Any] = {}
        derived = {item.key: item for item in self.derived}

        def step() -> Iterator[_Point]:
            at = len(places)
            if at == len(self.axes):
                yield from self._leaf(tuple(places), View(values, derived))
                return
            axis = self.axes[at]
            if axis.when is not None and not self._exists(
                axis, at, View(values, derived, self._keys_from[at])
            ):
                # One variant, however many rows there would be.
                if choices[at][0] == 0:
                    places.append(NOWHERE)
                    yield from step()
                    places.pop()
                return
            for place in choices[at]:
                row = (drawn[at],) if at in drawn else axis.rows[place]
                given = {key: v for key, v in zip(axis.keys, row, strict=True) if v is not ABSENT}
                values.update(given)
                places.append(place)
                yield from step()
                places.pop()
                for key in given:
                    del values[key]

        return step()

    @cached_property
    def _keys_from(self) -> list[list[str]]:
        """For each axis the keys that it and those after it add."""
        return [[key for axis in self.axes[at:] for key in axis.keys] for at in range(len(self.axes))]

    @staticmethod
    def _exists(axis: Axis, at: int, view: View) -> bool:
        assert axis.when is not None, at
        return decide(axis.when, view, f"The condition of {', '.join(map(repr, axis.keys))}")

    def _leaf(self, places: tuple[int, ...], view: View) -> Iterator[_Point]:
        for number, a_filter in enumerate(self.filters, start=1):
            what = f"Filter number {number}, {a_filter.verb}(...),"
            if decide(a_filter.predicate, view, what) is not a_filter.keeps:
                return
        own = dict(view.own)
        values = [own.get(parameter.key, ABSENT) for parameter in self.parameters]
        values += [view.get(item.key, ABSENT) for item in self.derived]
        yield _Point(places, tuple(values))

    # -- Samples

    def _sampled_points(self, sample: Sample) -> Iterator[_Point]:
        """So many different variants, each with every seed."""
        found: set[object] = set()
        vain = 0
        for choices, drawn in draws(self.axes, sample.seed):
            points = list(self._walk(choices, drawn))
            key = self._unseeded(points[0], drawn) if points else None
            if key is None or key in found:
                vain += 1
                if vain == _MOST_VAIN_DRAWS:
                    break
                continue
            vain = 0
            found.add(key)
            yield from points
            if len(found) == sample.n:
                return
        if found or not self.filters:
            raise GridError(
                f"sample({sample.n}) is more than there is: {len(found)} different variants, not counting "
                "seeds. Ask for fewer."
            )

    def _unseeded(self, point: _Point, drawn: Mapping[int, Any]) -> object:
        """What two draws of the same variant have in common."""
        return tuple(
            drawn[at] if at in drawn and place != NOWHERE else place
            for at, (axis, place) in enumerate(zip(self.axes, point.places, strict=True))
            if not axis.is_seeds
        )


def _appended_text(value: Any) -> str:
    # 1e+20 and 1e-20 would read the same.
    return value_string(repr(value).replace("e+", "e") if type(value) is float else value)


def _lookup(variant: Mapping[str, Any], key: str, *, may_lack: bool) -> Any:
    try:
        return lookup(variant, key)
    except GridError:
        if may_lack:
            return ABSENT
        raise
