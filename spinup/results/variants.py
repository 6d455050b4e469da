"""Variants: the runs that differ in nothing but the seed."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.results.early_ends import FINISHED, homes
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
    """``runs`` of one name by their hyperparameters; which of the variants a run that ended early is of."""
    settings = [_items(run) for run in runs]
    home = homes(settings, {own for own, run in zip(settings, runs, strict=True) if run.state in FINISHED})
    groups: defaultdict[Items, list[Run]] = defaultdict(list)
    for own, run in zip(settings, runs, strict=True):
        groups[home[own]].append(run)
    return list(groups.values())


def _items(run: Run) -> Items:
    # None is the same as none at all, as it is in a run table.
    return frozenset(
        (key, text_of(value)) for key, value in run.hyperparameters.items() if value is not None
    )


def _named(exp_name: str, groups: Sequence[Sequence[Run]]) -> list[Variant]:
    # The fullest set says what the others of its group lack.
    settings = [max((run.hyperparameters for run in group), key=len) for group in groups]
    differing = [*varying(settings), *_not_in_all(settings)]
    return [
        Variant(_name(exp_name, own, differing), exp_name, own, tuple(group))
        for own, group in zip(settings, groups, strict=True)
    ]


def _not_in_all(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The hyperparameters that have one value, and that some have not."""
    known = {key: value for own in settings for key, value in own.items()}
    several = varying(settings)
    return [key for key in known if key not in several and any(own.get(key) is None for own in settings)]


def _name(exp_name: str, own: Mapping[str, Any], differing: Iterable[str]) -> str:
    texts = [f"{key}={_short(own[key])}" for key in differing if own.get(key) is not None]
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
