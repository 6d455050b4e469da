"""Variants: the runs that differ in nothing but the seed."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.results.hyperparameters import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spinup.results.runs import Run

    Items = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Variant:
    """What some runs share.

    Attributes:
        name: ``exp_name``, and behind it, where several variants have that, what tells this one from them.
        exp_name: Name of the experiment.
        hyperparameters: By their keys in a grid.
        runs: One for each seed, mostly.
    """

    name: str
    exp_name: str
    hyperparameters: Mapping[str, Any]
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> list[int | None]:
        """The seeds of the runs, in their order."""
        return [run.seed for run in self.runs]


def variants_of(runs: Iterable[Run]) -> list[Variant]:
    """The variants, in the order of their first runs."""
    by_name: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_name[run.exp_name].append(run)
    return [variant for exp_name, same in by_name.items() for variant in _named(exp_name, _groups(same))]


def _groups(runs: Sequence[Run]) -> list[list[Run]]:
    """``runs`` of one name by their hyperparameters.

    A run that ended before the algorithm had noted its defaults has fewer of them than the other seeds: it
    goes with the one group that has all it has, where there is one.
    """
    by_items: defaultdict[Items, list[Run]] = defaultdict(list)
    for run in runs:
        by_items[_items(run)].append(run)
    largest = sorted(by_items, key=len, reverse=True)
    home: dict[Items, Items] = {}
    for items in largest:
        wider = {home[other] for other in home if len(other) > len(items) and items < other}
        home[items] = wider.pop() if len(wider) == 1 else items
    groups: defaultdict[Items, list[Run]] = defaultdict(list)
    for run in runs:
        groups[home[_items(run)]].append(run)
    return list(groups.values())


def _items(run: Run) -> Items:
    return frozenset((key, text_of(value)) for key, value in run.hyperparameters.items())


def _named(exp_name: str, groups: Sequence[Sequence[Run]]) -> list[Variant]:
    # The fullest set says what the others of its group lack.
    settings = [max((run.hyperparameters for run in group), key=len) for group in groups]
    differing = varying(settings)
    return [
        Variant(_name(exp_name, own, differing), exp_name, own, tuple(group))
        for own, group in zip(settings, groups, strict=True)
    ]


def _name(exp_name: str, own: Mapping[str, Any], differing: Iterable[str]) -> str:
    texts = [f"{key}={_short(own[key])}" for key in differing if key in own]
    return f"{exp_name} ({', '.join(texts)})" if texts else exp_name


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def varying(settings: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The hyperparameters that have several values, and these, in the order in which they come."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for own in settings:
        for key, value in own.items():
            found[key].setdefault(text_of(value), value)
    return {key: list(values.values()) for key, values in found.items() if len(values) > 1}
