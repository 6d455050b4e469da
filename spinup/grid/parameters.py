"""One parameter of a grid: its key, its values, and what may be added."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError, GridKeyError
from spinup.fingerprint import fingerprint
from spinup.grid.distributions import Choice, Distribution
from spinup.grid.names import default_shorthand
from spinup.grid.variants import ABSENT, copy_containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Arguments of call_experiment that a parameter of the same name would overwrite.
RESERVED = ("exp_name", "thunk", "num_cpu", "data_dir", "datestamp")


@dataclass(frozen=True)
class Parameter:
    """One argument of the thunk, and its values.

    Attributes:
        key: Name of the argument; colons make nested dicts.
        values: What the argument takes, in order; at least one value. That of a range of numbers is the
            distribution itself.
        shorthand: Stands for the key in names; None for the key itself.
        in_name: In names even when there is only one value.
        labels: What stands for each value in names; None for the values themselves.
        distribution: What the values are drawn from; None where all of them are meant.
    """

    key: str
    values: tuple[Any, ...]
    shorthand: str | None = None
    in_name: bool = False
    labels: tuple[str, ...] | None = None
    distribution: Distribution | None = None

    @property
    def terms(self) -> list[str]:
        """The key's parts, from the outermost dict inwards."""
        return self.key.split(":")

    @property
    def is_named(self) -> bool:
        """Whether names tell this parameter's value; seeds are never in a name."""
        return self.key != "seed" and (len(self.values) > 1 or self.in_name)

    @property
    def is_flag(self) -> bool:
        """Whether all values are True or False: then only True is in a name."""
        return self.labels is None and all(isinstance(value, bool) for value in self.values)

    @property
    def is_drawn(self) -> bool:
        """Whether values are numbers out of a range, of which there is no list."""
        return self.distribution is not None and not isinstance(self.distribution, Choice)

    @property
    def present(self) -> tuple[Any, ...]:
        """The values that some variant can have; none of a range of numbers."""
        return () if self.is_drawn else tuple(value for value in self.values if value is not ABSENT)


def make_parameter(
    key: Any,
    vals: Any,
    shorthand: Any = None,
    in_name: Any = False,  # noqa: FBT002 - the specification's order
    *,
    labels: Any = None,
    with_default_shorthand: bool,
) -> Parameter:
    """A parameter from the arguments of ``ExperimentGrid.add``.

    Raises:
        GridKeyError: ``key``, ``shorthand`` or a label is no string.
        GridError: The key has an empty term or is reserved, there is no value, or the labels do not fit.
    """
    shorthand = check_key(key, shorthand, with_default_shorthand=with_default_shorthand)
    if labels is None and _is_labelled(vals):
        labels, vals = list(vals), list(vals.values())
    if isinstance(vals, Distribution) and not isinstance(vals, type):
        return _make_drawn(key, vals, shorthand, labels, in_name=bool(in_name))
    values = list_values(vals)
    if not values:
        raise GridError(f"The parameter {key!r} has no values. Give at least one, or leave it out.")
    if any(isinstance(value, Distribution) and not isinstance(value, type) for value in values):
        raise GridError(f"The parameter {key!r} has a distribution in a list: give it alone.")
    if labels is not None:
        labels = _check_labels(key, values, labels)
    # Copies: what the caller does to a list afterwards must not change what was named and checked.
    return Parameter(key, tuple(map(copy_containers, values)), shorthand, bool(in_name), labels)


def _make_drawn(
    key: str, distribution: Distribution, shorthand: str | None, labels: Any, *, in_name: bool
) -> Parameter:
    if key == "seed":
        raise GridError("Seeds are not drawn from a distribution: every variant has the same ones.")
    if isinstance(distribution, Choice):
        finite = make_parameter(
            key, list(distribution.values), shorthand, labels=labels, with_default_shorthand=False
        )
        return replace(finite, in_name=in_name, distribution=distribution)
    if labels is not None:
        raise GridError(
            f"The parameter {key!r} has labels, but no list of values that they could stand for."
        )
    # Always named: that a sample happens to have one variant must not change its name.
    return Parameter(key, (distribution,), shorthand, in_name=True, distribution=distribution)


def _is_labelled(vals: Any) -> bool:
    """Whether ``vals`` is functions by their labels, and not one dict that is a value."""
    return (
        type(vals) is dict
        and len(vals) > 1
        and all(isinstance(key, str) and callable(value) for key, value in vals.items())
    )


def _check_labels(key: str, values: Sequence[Any], labels: Any) -> tuple[str, ...]:
    if not isinstance(labels, (list, tuple)) or not all(isinstance(label, str) for label in labels):
        raise GridKeyError(f"The labels of {key!r} must be a list of strings, not {labels!r}.")
    if len(labels) != len(values) or len(set(labels)) < len(labels) or "" in labels:
        raise GridError(
            f"The parameter {key!r} has {len(values)} values; it needs as many labels, all different."
        )
    known: dict[str, str] = {}
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        other = known.setdefault(fingerprint(value, salt=str(place)), label)
        if other != label:
            raise GridError(f"The labels {other!r} and {label!r} of {key!r} stand for the same value.")
    return tuple(labels)


def check_key(key: Any, shorthand: Any, *, with_default_shorthand: bool) -> str | None:
    """The shorthand of a parameter whose key and shorthand can be used.

    Raises:
        GridKeyError: ``key`` or ``shorthand`` is no string.
        GridError: The key has an empty term or is reserved.
    """
    if not isinstance(key, str):
        raise GridKeyError(f"A parameter's key must be a string, not {key!r}.")
    if shorthand is not None and not isinstance(shorthand, str):
        raise GridKeyError(f"The shorthand of {key!r} must be a string, not {shorthand!r}.")
    terms = key.split(":")
    if "" in terms:
        raise GridError(
            f"The key {key!r} has an empty term. Colons go between names, as in 'ac_kwargs:hidden_sizes'."
        )
    if terms[0] in RESERVED:
        raise GridError(
            f"The key {key!r} is reserved: {terms[0]} is an argument of call_experiment. "
            "Rename the parameter."
        )
    if shorthand is None and with_default_shorthand:
        return default_shorthand(key)
    return shorthand


def check_fits(key: str, others: Iterable[str]) -> None:
    """Raise GridError if ``key`` and one of ``others`` set the same thing."""
    for other in others:
        if other == key:
            raise GridError(f"The parameter {key!r} was added already. Give all its values in one add().")
        short, long = sorted((key, other), key=len)
        if long.startswith(f"{short}:"):
            raise GridError(
                f"The keys {short!r} and {long!r} exclude each other: "
                f"{short!r} sets the whole of the dict that {long!r} sets a part of."
            )


def list_values(vals: Any) -> Sequence[Any]:
    """The values that ``vals`` stands for: a list's, a range's, a vector's, or itself."""
    if isinstance(vals, (list, range)):
        return vals
    # NumPy is not imported for this: an array can only be here if somebody else did.
    if type(vals).__module__ == "numpy" and getattr(vals, "ndim", None) == 1:
        return list(vals.tolist())
    return [vals]
