"""The grid itself: parameters in, variants and their names out, one by one."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError, GridKeyError
from spinup.grid.naming import Namer
from spinup.grid.parameters import Parameter, check_fits, make_parameter
from spinup.grid.variants import lookup, make_builder

if TYPE_CHECKING:
    from collections.abc import Iterator


class Grid:
    """Every combination of the parameters' values, each with a name of its own.

    Args:
        name: Begins the name of every variant.
    """

    def __init__(self, name: str = "") -> None:
        self._parameters: list[Parameter] = []
        self._namer: Namer | None = None
        self.name(name)

    def name(self, _name: str) -> None:
        """Set the grid's name, with which the names of its variants begin.

        Raises:
            GridKeyError: It is no string.
        """
        if not isinstance(_name, str):
            raise GridKeyError(f"The name of a grid must be a string, not {_name!r}.")
        self._name = _name
        self._namer = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, in the order in which they were added."""
        return tuple(self._parameters)

    @property
    def keys(self) -> list[str]:
        """The parameters' keys."""
        return [parameter.key for parameter in self._parameters]

    @property
    def vals(self) -> list[list[Any]]:
        """The parameters' values."""
        return [list(parameter.values) for parameter in self._parameters]

    @property
    def shs(self) -> list[str | None]:
        """The parameters' shorthands."""
        return [parameter.shorthand for parameter in self._parameters]

    @property
    def in_names(self) -> list[bool]:
        """Whether the parameters are in every name."""
        return [parameter.in_name for parameter in self._parameters]

    def __len__(self) -> int:
        """The number of variants, counting seeds; computed, not counted."""
        return math.prod(len(parameter.values) for parameter in self._parameters)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[tuple[dict[str, Any], str]]:
        """``for variant, name in eg``: as `named_variants`."""
        return self.named_variants()

    def named_variants(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Every variant with its name, one by one, the last parameter's values changing fastest.

        Memory does not grow with the number of variants.
        """
        pools = [parameter.values for parameter in self._parameters]
        build = make_builder(self.keys, pools)
        return zip(map(build, product(*pools)), self._get_namer().names(), strict=True)

    def names(self) -> Iterator[str]:
        """The name of every variant, in the order of `named_variants`."""
        return self._get_namer().names()

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
        return self._get_namer().name(lambda key: lookup(variant, key))

    def _add(
        self, key: Any, vals: Any, shorthand: Any, in_name: Any, *, with_default_shorthand: bool
    ) -> None:
        parameter = make_parameter(
            key, vals, shorthand, in_name, with_default_shorthand=with_default_shorthand
        )
        check_fits(parameter, self._parameters)
        self._parameters.append(parameter)
        self._namer = None

    def _get_namer(self) -> Namer:
        if self._namer is None:
            self._namer = Namer(self._name, self.parameters)
        return self._namer
