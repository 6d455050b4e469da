"""Several grids as one: equal variants are one run, under the name that came first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError, GridIndexError
from spinup.fingerprint import fingerprint, shorten
from spinup.grid.names import value_string
from spinup.grid.naming import HASH_MARK
from spinup.grid.part import looked_through
from spinup.grid.variants import ABSENT, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spinup.grid.axes import Change
    from spinup.grid.parameters import Parameter
    from spinup.grid.space import Row, Source

_DIGITS = 12


@dataclass(frozen=True)
class Union:
    """The rows of several sources, one after the other.

    Attributes:
        members: The sources, none of which is a union.
    """

    members: tuple[Source, ...]

    @cached_property
    def columns(self) -> list[str]:
        """Keys of the values of each row."""
        return list(dict.fromkeys(key for member in self.members for key in member.columns))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters of all members, each with the values that it has in any of them."""
        merged: dict[str, Parameter] = {}
        for member in self.members:
            for parameter in member.parameters:
                known = merged.setdefault(parameter.key, parameter)
                merged[parameter.key] = _merge(known, parameter)
        return tuple(merged.values())

    @property
    def is_product(self) -> bool:
        """No: which rows are equal to earlier ones is known only when they are seen."""
        return False

    def count(self) -> int:
        """How many different rows there are, counting seeds."""
        return self._count

    @cached_property
    def _count(self) -> int:
        return len(self._changes)

    @cached_property
    def _changes(self) -> dict[tuple[str, str], Change | None]:
        """What an ablation has changed in each row, whichever member is one."""
        changes: dict[tuple[str, str], Change | None] = {}
        for member in self.members:
            for values, _, change in looked_through(member):
                key = _config_and_seed(dict(zip(member.columns, values, strict=True)))
                changes[key] = changes.get(key) or change
        return changes

    def rows(self) -> Iterator[Row]:
        """Every row that no earlier one is equal to."""
        has_ablation = any(_has_ablation(member) for member in self.members)
        names = _Names()
        seen: set[tuple[str, str]] = set()
        for number, member in enumerate(self.members):
            rule = _Rule(member)
            for values, name, change in member.rows():
                by_key = dict(zip(member.columns, values, strict=True))
                key = _config_and_seed(by_key)
                if key in seen:
                    continue
                seen.add(key)
                mark = self._changes[key] if has_ablation else change
                own_name = names.give(name, number, (key[0], rule.config(by_key)), member, by_key)
                yield tuple(by_key.get(column, ABSENT) for column in self.columns), own_name, mark

    def row(self, place: int) -> Row:
        """The row at ``place``, from 0 on.

        Raises:
            GridIndexError: There are not so many.
        """
        found = next(islice(self.rows(), place, None), None)
        if found is None:
            raise GridIndexError(f"The grid has {self.count()} variants; there is no number {place}.")
        return found

    def name_of(self, variant: Mapping[str, Any]) -> str:
        """The name of one of the variants, given as a dict.

        Raises:
            GridError: No member has this variant.
        """
        flat = {key: _find(variant, key) for key in self.columns}
        wanted, _ = _config_and_seed(flat)
        for values, name, _ in self.rows():
            if _config_and_seed(dict(zip(self.columns, values, strict=True)))[0] == wanted:
                return name
        raise GridError("This is no variant of any of the grids that were joined.")


class _Names:
    """Which names are taken in a union, and by what."""

    def __init__(self) -> None:
        self._of_config: dict[str, str] = {}
        self._owners: dict[str, tuple[int | None, Mapping[str, Any]]] = {}

    def give(
        self, name: str, number: int, configs: tuple[str, str], member: Source, values: Mapping[str, Any]
    ) -> str:
        """The name of a row: its own, unless that is taken by another member's.

        Args:
            name: As it is called in its member.
            number: Which member that is.
            configs: What the row is, but for the seed; told in two ways, of which one is enough.
            member: The member.
            values: The row, by key.
        """
        known = next((self._of_config[config] for config in configs if config in self._of_config), None)
        if known is None:
            known = self._free(name, number, configs[0], member, values)
        for config in configs:
            self._of_config.setdefault(config, known)
        return known

    def _free(self, name: str, number: int, config: str, member: Source, values: Mapping[str, Any]) -> str:
        owner = self._owners.get(name.lower())
        if owner is None or owner[0] == number:
            self._owners.setdefault(name.lower(), (number, values))
            return name
        name = _told_apart(name, member, values, owner[1])
        if name.lower() in self._owners:
            name = shorten(f"{name}{HASH_MARK}{config[:_DIGITS]}")
        self._owners[name.lower()] = (None, values)
        return name


class _Rule:
    """What the rows of a member are by what they follow from: derived values may tell their seeds."""

    def __init__(self, member: Source) -> None:
        derived = getattr(_whole(member), "derived", ())
        self._keys = {item.key for item in derived}
        self._functions = fingerprint([(item.key, item.function, item.when) for item in derived])

    def config(self, values: Mapping[str, Any]) -> str:
        """Of the row with these values."""
        chosen, _ = _config_and_seed({key: v for key, v in values.items() if key not in self._keys})
        return f"{chosen} {self._functions}"


def _told_apart(name: str, member: Source, values: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """``name`` with what is different from the row that has it, where that can be told."""
    for parameter in member.parameters:
        key, value = parameter.key, values.get(parameter.key, ABSENT)
        if key == "seed" or value is ABSENT or fingerprint(other.get(key, ABSENT)) == fingerprint(value):
            continue
        name += "_" + value_string(key if parameter.shorthand is None else parameter.shorthand)
        name += value_string(value)
    return shorten(name)


def _merge(known: Parameter, other: Parameter) -> Parameter:
    if known is other:
        return known
    values, labels = list(known.values), list(known.labels or ())
    hashes = set(map(fingerprint, values))
    for place, value in enumerate(other.values):
        if fingerprint(value) not in hashes:
            values.append(value)
            labels += other.labels[place : place + 1] if other.labels is not None else ()
    is_labelled = len(labels) == len(values)
    return replace(known, values=tuple(values), labels=tuple(labels) if is_labelled else None)


def _config_and_seed(values: Mapping[str, Any]) -> tuple[str, str]:
    """What a row is, and with which seed."""
    config = {key: v for key, v in _leaves(values) if key != "seed"}
    seed = values.get("seed", ABSENT)
    return fingerprint(config), fingerprint(0 if seed is ABSENT else seed)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Flat: the dict that one grid has as a value, another makes of its parts."""
    for key, value in values.items():
        if value is ABSENT:
            continue
        if type(value) is dict and value and all(isinstance(inner, str) for inner in value):
            yield from _leaves(value, f"{prefix}{key}:")
        else:
            yield f"{prefix}{key}", value


def _has_ablation(member: Source) -> bool:
    return any(axis.changes is not None for axis in getattr(_whole(member), "axes", ()))


def _whole(member: Any) -> Any:
    while hasattr(member, "whole"):
        member = member.whole
    return member


def _find(variant: Mapping[str, Any], key: str) -> Any:
    try:
        return lookup(variant, key)
    except GridError:
        return ABSENT
