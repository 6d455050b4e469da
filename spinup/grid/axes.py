"""An axis of a grid: what varies together, row by row. One parameter, paired ones, or an ablation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError
from spinup.fingerprint import fingerprint
from spinup.grid.names import value_string
from spinup.grid.parameters import Parameter, check_key, list_values, make_parameter
from spinup.grid.variants import ABSENT, Values, copy_containers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spinup.grid.functions import Function


@dataclass(frozen=True)
class Change:
    """What an ablation has changed in a variant.

    Attributes:
        keys: What is different from the baseline; nothing in the baseline itself.
    """

    keys: tuple[str, ...] = ()

    @property
    def mark(self) -> dict[str, Any]:
        """As config.json has it."""
        return {"is_baseline": not self.keys, "changed": list(self.keys)}


@dataclass(frozen=True)
class Ablation:
    """A baseline and its changes, as the user gave them.

    Attributes:
        baseline: Values by key.
        drop: For each key that is changed the values that it is changed to.
        order: Up to how many keys are changed at a time.
        shorthands: Stand for keys in names.
    """

    baseline: Mapping[str, Any]
    drop: Mapping[str, tuple[Any, ...]]
    order: int
    shorthands: Mapping[str, str]


@dataclass(frozen=True)
class Axis:
    """What varies together.

    Attributes:
        parameters: One or more, each with as many values as the axis has rows.
        when: Without it being true, a variant has none of the parameters.
        labels: What each row adds to a name; None for what its values add.
        changes: What an ablation has changed in each row; None if this is none.
        ablation: What the rows were made from; None if this is no ablation.
    """

    parameters: tuple[Parameter, ...]
    when: Function | None = None
    labels: tuple[str, ...] | None = None
    changes: tuple[Change, ...] | None = None
    ablation: Ablation | None = None

    @cached_property
    def rows(self) -> tuple[Values, ...]:
        """The values of all parameters, row by row."""
        return tuple(zip(*(parameter.values for parameter in self.parameters), strict=True))

    @property
    def keys(self) -> list[str]:
        """The parameters' keys."""
        return [parameter.key for parameter in self.parameters]

    @property
    def is_seeds(self) -> bool:
        """Whether this is the seeds, which every variant has all of."""
        return self.keys == ["seed"] and self.when is None

    @property
    def is_drawn(self) -> bool:
        """Whether the values are numbers out of a range, of which there is no list."""
        return self.parameters[0].is_drawn


def make_paired(
    keys: Any, rows: Any, shorthands: Any, in_name: Any, when: Function | None, *, with_defaults: bool
) -> Axis:
    """An axis from the arguments of ``ExperimentGrid.add_paired``.

    Raises:
        GridKeyError: A key or shorthand is no string.
        GridError: A row has another length than there are keys, or a key cannot be added.
    """
    if isinstance(keys, str) or not isinstance(keys, (list, tuple)) or len(keys) < 2:
        raise GridError(
            f"add_paired needs a list of two keys or more, not {keys!r}. For one there is add()."
        )
    shorthands = [None] * len(keys) if shorthands is None else shorthands
    if isinstance(shorthands, str) or len(shorthands) != len(keys):
        raise GridError(f"add_paired has {len(keys)} keys, and needs as many shorthands, or none.")
    rows = list_values(rows)
    for row in rows:
        if not isinstance(row, (list, tuple)) or len(row) != len(keys):
            raise GridError(
                f"Each row of add_paired({list(keys)!r}, ...) needs one value for each key: not {row!r}."
            )
    columns = [[row[place] for row in rows] for place in range(len(keys))]
    parameters = [
        make_parameter(key, column, shorthand, in_name, with_default_shorthand=with_defaults)
        for key, column, shorthand in zip(keys, columns, shorthands, strict=True)
    ]
    return Axis(tuple(parameters), when)


def make_ablation(baseline: Any, drop: Any, order: Any, shorthands: Any) -> Axis:
    """An axis from the arguments of ``ExperimentGrid.ablate``: the baseline first.

    Raises:
        GridKeyError: A key or shorthand is no string.
        GridError: There is nothing to change, or a change that changes nothing.
    """
    if not isinstance(baseline, dict) or not isinstance(drop, dict) or not drop:
        raise GridError(
            "ablate needs two dicts, what is there and what each is changed to, "
            "as in baseline={'use_gae': True}, drop={'use_gae': False}."
        )
    if type(order) is not int or not 1 <= order <= len(drop):
        raise GridError(
            f"order is how many keys are changed at a time, from 1 to {len(drop)} here; not {order!r}."
        )
    if "seed" in {**baseline, **drop}:
        raise GridError("Seeds are no part of an ablation: each of its variants has all of them.")
    shorthands = dict(shorthands or {})
    for key in [*baseline, *drop]:
        check_key(key, shorthands.get(key), with_default_shorthand=False)
    ablation = Ablation(
        {key: copy_containers(value) for key, value in baseline.items()},
        {key: tuple(map(copy_containers, _changes_to(key, drop[key], baseline))) for key in drop},
        order,
        shorthands,
    )
    return axis_of(ablation)


def axis_of(ablation: Ablation) -> Axis:
    """The rows of an ablation: the baseline, then every change of one key, then of two, and so on."""
    keys = list(dict.fromkeys([*ablation.baseline, *ablation.drop]))
    changes = [{}, *_combinations(ablation)]
    rows = [{**ablation.baseline, **change} for change in changes]
    parameters = tuple(
        Parameter(key, tuple(row.get(key, ABSENT) for row in rows), ablation.shorthands.get(key))
        for key in keys
    )
    labels = tuple(_label(change, ablation.shorthands) for change in changes)
    return Axis(parameters, None, labels, tuple(Change(tuple(c)) for c in changes), ablation)


def _changes_to(key: str, values: Any, baseline: Mapping[str, Any]) -> Sequence[Any]:
    listed = list_values(values)
    hashes = [fingerprint(value) for value in listed]
    if not listed or len(set(hashes)) < len(hashes):
        raise GridError(f"drop[{key!r}] needs one value, or a list of different ones; not {values!r}.")
    if key in baseline and fingerprint(baseline[key]) in hashes:
        raise GridError(f"drop[{key!r}] has {baseline[key]!r} in it, which the baseline has: no change.")
    return listed


def _combinations(ablation: Ablation) -> Iterator[dict[str, Any]]:
    for size in range(1, ablation.order + 1):
        for keys in combinations(ablation.drop, size):
            for values in product(*(ablation.drop[key] for key in keys)):
                yield dict(zip(keys, values, strict=True))


def _label(change: Mapping[str, Any], shorthands: Mapping[str, str]) -> str:
    """What a change adds to a name: ``_use_gae-off``, ``_lr0-01``; and ``_baseline`` if it is none."""
    parts = [value_string(shorthands.get(key, key)) + _to(value) for key, value in change.items()]
    return "_" + ("_".join(parts) or "baseline")


def _to(value: Any) -> str:
    return ("-on" if value else "-off") if isinstance(value, bool) else value_string(value)
