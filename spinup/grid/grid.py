"""The grid itself: parameters in, variants and their names out, one by one."""

from __future__ import annotations

import sys
from itertools import product
from typing import TYPE_CHECKING, Any, Self, overload

from spinup.errors import GridError, GridTooLarge
from spinup.grid.declarations import Declarations
from spinup.grid.part import at, take
from spinup.grid.space import Space
from spinup.grid.union import Union
from spinup.grid.variants import Builder, make_builder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spinup.grid.parameters import Parameter
    from spinup.grid.space import Row, Source


class Grid(Declarations):
    """Every combination of the parameters' values, each with a name of its own.

    It is a sequence of variants and their names: ``len(eg)``, ``eg[i]``, ``for variant, name in eg``; and
    ``eg[3:9]`` and ``eg | other`` are grids.

    Args:
        name: Begins the name of every variant.
    """

    @property
    def source(self) -> Source:
        """Where the variants come from, as it is now: what is added later does not change it."""
        return self._source

    @property
    def is_plain(self) -> bool:
        """Whether each variant is one value of every parameter, as Spinning Up knows it."""
        return isinstance(self._source, Space) and self._source.is_plain

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, in the order in which they were added."""
        return tuple(self._source.parameters)

    @property
    def keys(self) -> list[str]:
        """The parameters' keys."""
        return [parameter.key for parameter in self.parameters]

    @property
    def vals(self) -> list[list[Any]]:
        """The parameters' values."""
        return [list(parameter.values) for parameter in self.parameters]

    @property
    def shs(self) -> list[str | None]:
        """The parameters' shorthands."""
        return [parameter.shorthand for parameter in self.parameters]

    @property
    def in_names(self) -> list[bool]:
        """Whether the parameters are in every name."""
        return [parameter.in_name for parameter in self.parameters]

    def __len__(self) -> int:
        """The number of variants, counting seeds; of a plain grid it is computed, not counted.

        Raises:
            GridTooLarge: It is more than Python's ``len`` can say; `num_variants` can.
        """
        number = self.num_variants
        if number > sys.maxsize:
            raise GridTooLarge(
                f"The grid has {number:,} variants, more than len() can say: num_variants says it."
            )
        return number

    @property
    def num_variants(self) -> int:
        """The number of variants, counting seeds, however large."""
        return self._source.count()

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[tuple[dict[str, Any], str]]:
        """``for variant, name in eg``: as `named_variants`."""
        return self.named_variants()

    @overload
    def __getitem__(self, place: int) -> tuple[dict[str, Any], str]: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> tuple[dict[str, Any], str] | Self:
        """``eg[i]`` is a variant and its name, as the i-th of ``list(eg)``; ``eg[3:9]`` is a grid.

        The same number means the same run on every machine. Of a grid without conditions and filters any
        is found at once, however many there are.

        Raises:
            GridIndexError: There is no variant of this number.
        """
        if isinstance(place, slice):
            return self.part(only=place)
        values, name, _ = self._source.row(at(place, self._source.count()))
        return self._builder()(values), name

    def __or__(self, other: object) -> Self:
        """``a | b``: the variants of both as one grid, ``a``'s first; equal ones are one run, named once.

        The names are those in ``a`` and ``b``; where they would clash, those of ``b`` tell more.
        """
        if not isinstance(other, Grid):
            return NotImplemented
        members: list[Source] = []
        for source in (self._source, other._source):
            members += source.members if isinstance(source, Union) else [source]
        return self._made_of(Union(tuple(members)))

    def part(self, only: Any = None, shard: str | None = None) -> Self:
        """A grid of some of the variants, under their names and numbers in the whole.

        Example::

            eg.part(only=slice(3, 9)).run(ppo)  # as eg[3:9].run(ppo)
            eg.part(only=[0, 5])
            eg.part(only="ppo_lr0-1")
            eg.part(only=lambda v: v["seed"] == 0)
            eg.part(shard="2/8")  # the second of eight job-array tasks: numbers 1, 9, 17, ...

        Args:
            only: A number, a slice or list of them, a name (all its seeds), or a function of the variant.
            shard: ``'i/n'``, from ``'1/n'`` to ``'n/n'``: every n-th of these.

        Raises:
            GridIndexError: There is no variant of such a number.
            GridError: There is no such name, the function is true for none, or ``shard`` is none.
        """
        return self._made_of(take(self._source, only, shard))

    def named_variants(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Every variant with its name, one by one, the last parameter's values changing fastest.

        Memory does not grow with the number of variants, except in a union or a sample.
        """
        source = self._source
        if isinstance(source, Space) and source.is_plain:
            source.check_sampled()
            build = make_builder(source.columns, pools_of(source))
            return zip(map(build, product(*pools_of(source))), source.names(), strict=True)
        builder = self._builder()
        return ((builder(values), name) for values, name, _ in source.rows())

    def rows(self) -> Iterator[Row]:
        """Every variant as its values in the order of `columns`, its name, and what an ablation changed."""
        return self._source.rows()

    @property
    def columns(self) -> list[str]:
        """The keys of parameters and derived values."""
        return list(self._source.columns)

    def names(self) -> Iterator[str]:
        """The name of every variant, in the order of `named_variants`."""
        source = self._source
        return source.names() if isinstance(source, Space) else (name for _, name, _ in source.rows())

    def variants(self) -> list[dict[str, Any]]:
        """Every variant, a valid config each; ``'base:a'`` = 1 is ``{'base': {'a': 1}}``."""
        return [variant for variant, _ in self.named_variants()]

    def variant_name(self, variant: dict[str, Any]) -> str:
        """The name of ``variant``: the grid's name, then shorthands and values; never the seed.

        Raises:
            GridError: ``variant`` lacks one of the grid's parameters.
        """
        if not isinstance(variant, dict):
            raise GridError(f"A variant is a dict, as variants() gives them; not {variant!r}.")
        return self._source.name_of(variant)

    def _builder(self) -> Builder:
        return Builder(self._source.columns, pools_of(self._source))

    def _made_of(self, source: Source) -> Self:
        grid = type(self)(self._name)
        grid._fix(source)  # noqa: SLF001 - one of our own kind
        return grid


def pools_of(source: Source) -> list[tuple[Any, ...]]:
    """For each column of ``source`` the values it can have; of others a list, to be copied."""
    listed = {parameter.key: parameter for parameter in source.parameters}
    return [
        listed[key].values if key in listed and not listed[key].is_drawn else ([],)
        for key in source.columns
    ]
