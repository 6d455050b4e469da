"""A part of a grid: some of its variants, by their numbers, which are the same on every machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError, GridIndexError, GridKeyError, GridTooLarge
from spinup.grid.functions import View, check_function, decide
from spinup.grid.variants import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spinup.grid.parameters import Parameter
    from spinup.grid.space import Row, Source

#: Of more variants nothing is looked for, nor planned.
MOST_VARIANTS = 10_000_000

_SHARD = re.compile(r"([0-9]{1,18})/([0-9]{1,18})")
_MOST_NAMES = 3


@dataclass(frozen=True)
class Part:
    """Some rows of a source.

    Attributes:
        whole: The source.
        places: Which of its rows, all different.
    """

    whole: Source
    places: Sequence[int]

    @property
    def columns(self) -> Sequence[str]:
        """Keys of the values of each row."""
        return self.whole.columns

    @property
    def parameters(self) -> Sequence[Parameter]:
        """The parameters of the whole."""
        return self.whole.parameters

    @property
    def is_product(self) -> bool:
        """Whether rows are found by their place without a walk over the others."""
        return self.whole.is_product

    def count(self) -> int:
        """How many rows there are."""
        places = self.places
        if not isinstance(places, range):
            return len(places)
        # As len(), which ends at the largest machine number.
        return max(0, -((places.start - places.stop) // places.step))

    def rows(self) -> Iterator[Row]:
        """The rows, in the order of the places."""
        if self.whole.is_product:
            return (self.whole.row(place) for place in self.places)
        if isinstance(self.places, range) and self.places.step > 0:
            # islice wants an end that is a machine number, and a range has an exact one.
            return islice(self.whole.rows(), self.places.start, self.places.stop, self.places.step)
        return self._picked_rows()

    def _picked_rows(self) -> Iterator[Row]:
        wanted = set(self.places)
        last = max(wanted, default=-1)
        numbered = enumerate(islice(self.whole.rows(), last + 1))
        found = {place: row for place, row in numbered if place in wanted}
        return (found[place] for place in self.places)

    def row(self, place: int) -> Row:
        """The row at ``place``, from 0 on."""
        return self.whole.row(self.places[place])

    def name_of(self, variant: Mapping[str, Any]) -> str:
        """The name of one of the variants, given as a dict."""
        return self.whole.name_of(variant)


def take(whole: Source, only: Any = None, shard: Any = None) -> Part:
    """A part of ``whole``; the arguments are those of ``ExperimentGrid.run``.

    Raises:
        GridIndexError: There is no variant of such a number.
        GridError: There is no variant of such a name, or none for which the function is true; or the shard
            is none.
    """
    places: Sequence[int] = range(whole.count()) if only is None else _places(whole, only)
    if shard is not None:
        number, of = _read_shard(shard)
        places = places[number - 1 :: of]
    return Part(whole, places)


def at(place: Any, count: int) -> int:
    """The number of a variant, counted from the end where it is negative.

    Raises:
        GridIndexError: There is no such variant.
        GridKeyError: It is no whole number.
    """
    if isinstance(place, bool) or not hasattr(place, "__index__"):
        raise GridKeyError(f"A variant's number must be an integer, not {place!r}.")
    number = place.__index__()
    if not -count <= number < count:
        raise GridIndexError(f"The grid has {count} variants, counting seeds; there is no number {number}.")
    return int(number % count)


def _places(whole: Source, only: Any) -> Sequence[int]:
    if isinstance(only, slice):
        return range(whole.count())[only]
    if isinstance(only, str):
        return _places_of_name(whole, only)
    if callable(only):
        return _places_where(whole, only)
    count = whole.count()
    if isinstance(only, (list, tuple, range)):
        return list(dict.fromkeys(at(place, count) for place in only))
    return [at(only, count)]


def _places_of_name(whole: Source, name: str) -> list[int]:
    places = [place for place, row in enumerate(looked_through(whole)) if row[1] == name]
    if not places:
        some = dict.fromkeys(row[1] for row in islice(whole.rows(), _MOST_NAMES))
        raise GridError(f"No variant has the name {name!r}. The first are: {', '.join(map(repr, some))}.")
    return places


def _places_where(whole: Source, predicate: Any) -> list[int]:
    check_function(predicate, "only")
    places = [
        place
        for place, (values, _, _) in enumerate(looked_through(whole))
        if decide(predicate, _view(whole.columns, values), "The function that only= was given")
    ]
    if not places:
        raise GridError("The function that only= was given leaves no variant at all.")
    return places


def check_size(source: Source) -> None:
    """Raise GridTooLarge if it takes no walk to see that ``source`` has too many rows."""
    if source.is_product and source.count() > MOST_VARIANTS:
        raise _too_large(f"{source.count():,}")


def looked_through(source: Source) -> Iterator[Row]:
    """The rows of ``source``, of which there must not be too many.

    Raises:
        GridTooLarge: There are; of a product that is said before the first one.
    """
    check_size(source)
    for number, row in enumerate(source.rows()):
        if number == MOST_VARIANTS:
            raise _too_large(f"more than {MOST_VARIANTS:,}")
        yield row


def _too_large(number: str) -> GridTooLarge:
    return GridTooLarge(
        f"The grid has {number} variants, each a run with a directory of its own; {MOST_VARIANTS:,} is the "
        "most that can be looked through or run at once. Draw some of them with sample(n), or choose a "
        "part: only=slice(0, 100), or shard='1/1000'."
    )


def _view(columns: Sequence[str], values: Sequence[Any]) -> View:
    return View({key: v for key, v in zip(columns, values, strict=True) if v is not ABSENT})


def _read_shard(shard: Any) -> tuple[int, int]:
    match = _SHARD.fullmatch(shard) if isinstance(shard, str) else None
    if match is None:
        raise GridError(
            "shard must be a text such as '2/8', the second of eight, in numbers of 18 digits at most; "
            f"not {shard!r}."
        )
    number, of = int(match[1]), int(match[2])
    if not 1 <= number <= of:
        which = f"they go from '1/{of}' to '{of}/{of}'" if of else "there must be one or more"
        raise GridError(f"shard={shard!r} is no shard of {of}: {which}.")
    return number, of
