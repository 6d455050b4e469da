"""One parameter of a grid: its key, its values, and what may be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError, GridKeyError
from spinup.grid.names import default_shorthand
from spinup.grid.variants import copy_containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Arguments of call_experiment that a parameter of the same name would overwrite.
RESERVED = ("exp_name", "thunk", "num_cpu", "data_dir", "datestamp")


@dataclass(frozen=True)
class Parameter:
    """One axis of the grid.

    Attributes:
        key: Name of the argument; colons make nested dicts.
        values: What the argument takes, in order; at least one value.
        shorthand: Stands for the key in names; None for the key itself.
        in_name: In names even when there is only one value.
    """

    key: str
    values: tuple[Any, ...]
    shorthand: str | None = None
    in_name: bool = False

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
        return all(isinstance(value, bool) for value in self.values)


def make_parameter(
    key: Any, vals: Any, shorthand: Any, in_name: Any, *, with_default_shorthand: bool
) -> Parameter:
    """A parameter from the arguments of ``ExperimentGrid.add``.

    Raises:
        GridKeyError: ``key`` or ``shorthand`` is no string.
        GridError: The key has an empty term or is reserved, or there is no value.
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
    values = list_values(vals)
    if not values:
        raise GridError(f"The parameter {key!r} has no values. Give at least one, or leave it out.")
    if shorthand is None and with_default_shorthand:
        shorthand = default_shorthand(key)
    # Copies: what the caller does to a list afterwards must not change what was named and checked.
    return Parameter(key, tuple(map(copy_containers, values)), shorthand, bool(in_name))


def check_fits(parameter: Parameter, others: Iterable[Parameter]) -> None:
    """Raise GridError if ``parameter`` and one of ``others`` set the same thing."""
    for other in others:
        if other.key == parameter.key:
            raise GridError(
                f"The parameter {parameter.key!r} was added already. Give all its values in one add()."
            )
        short, long = sorted((parameter.key, other.key), key=len)
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
