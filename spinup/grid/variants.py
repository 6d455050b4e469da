"""From one value per parameter to a config: nested dicts that are the variant's own."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from itertools import compress
from operator import itemgetter
from typing import Any, Final

from spinup.errors import GridError

Values = tuple[Any, ...]
Build = Callable[[Values], dict[str, Any]]


class Absent(enum.Enum):
    """The one value of a parameter that a variant does not have."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


def make_builder(keys: Sequence[str], pools: Sequence[Sequence[Any]]) -> Build:
    """A function from a tuple of values, in the order of ``keys``, to the variant.

    Lists and dicts among the values are copied, so that changing one variant changes no other.

    Args:
        keys: The parameters' keys; colons make nested dicts.
        pools: The values that each of them can take.
    """
    build = _make_nested([key.split(":") for key in keys], range(len(keys)))
    to_copy = [i for i, pool in enumerate(pools) if any(isinstance(v, (list, dict)) for v in pool)]
    if not to_copy:
        return build

    def build_with_copies(values: tuple[Any, ...]) -> dict[str, Any]:
        own = list(values)
        for i in to_copy:
            own[i] = copy_containers(own[i])
        return build(tuple(own))

    return build_with_copies


class Builder:
    """From a tuple of values, some of which may be `ABSENT`, to the variant.

    Args:
        keys: As in `make_builder`.
        pools: As in `make_builder`.
    """

    def __init__(self, keys: Sequence[str], pools: Sequence[Sequence[Any]]) -> None:
        self._keys = keys
        self._pools = pools
        self._builds: dict[tuple[bool, ...], Build] = {}

    def __call__(self, values: Values) -> dict[str, Any]:
        """The variant of these values."""
        present = tuple(value is not ABSENT for value in values)
        if present not in self._builds:
            keys, pools = list(compress(self._keys, present)), list(compress(self._pools, present))
            self._builds[present] = make_builder(keys, pools)
        return self._builds[present](tuple(compress(values, present)))


def _make_nested(paths: Sequence[Sequence[str]], positions: Sequence[int]) -> Build:
    """Build the dict whose leaves are ``values[position]`` at each path."""
    leaves = {path[0]: at for path, at in zip(paths, positions, strict=True) if len(path) == 1}
    groups: dict[str, list[tuple[Sequence[str], int]]] = {}
    names: list[str] = []
    for path, at in zip(paths, positions, strict=True):
        if path[0] not in names:
            names.append(path[0])
        if len(path) > 1:
            groups.setdefault(path[0], []).append((path[1:], at))
    children = [
        (name, _make_nested([path for path, _ in group], [at for _, at in group]))
        for name, group in groups.items()
    ]
    # Every name first, so that the dict has the order in which the parameters were added.
    order = [leaves.get(name, 0) for name in names]

    # Called for every variant of a grid: itemgetter picks the values at the speed of C.
    pick: Callable[[tuple[Any, ...]], Sequence[Any]] = (
        itemgetter(*order) if len(order) > 1 else lambda values: [values[at] for at in order]
    )

    def build(values: tuple[Any, ...]) -> dict[str, Any]:
        result = dict(zip(names, pick(values)))  # noqa: B905 - strict costs a tenth of the whole here
        for name, child in children:
            result[name] = child(values)
        return result

    return build


def lookup(variant: Any, key: str) -> Any:
    """The value of the parameter ``key`` in ``variant``, whose dicts may be nested or flat.

    Raises:
        GridError: The variant does not have this parameter.
    """
    if isinstance(variant, dict):
        if key in variant:
            return variant[key]
        first, colon, rest = key.partition(":")
        if colon and first in variant:
            return lookup(variant[first], rest)
    raise GridError(f"This variant has no value for {key!r}; it is not one of this grid's variants.")


def copy_containers(value: Any) -> Any:
    """``value`` with lists and dicts of its own, as deep as they go; all else is shared."""
    if type(value) is list:
        return [copy_containers(item) for item in value]
    if type(value) is dict:
        return {key: copy_containers(item) for key, item in value.items()}
    return value
