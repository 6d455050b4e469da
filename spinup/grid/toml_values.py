"""Values as what TOML can say, and back.

TOML has no null, no tuple and no function. They are tables of one key: ``{none = true}``,
``{tuple = [64, 64]}``, ``{python = "my_module:my_function"}``; and so is a dict that would be taken for one
of these, whose order would not be kept, or whose keys are no strings: ``{dict = [[key, value], ...]}``.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError
from spinup.fingerprint import reference
from spinup.grid.names import value_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def encode(value: Any, what: str) -> Any:
    """``value`` in terms of TOML."""
    if type(value) is str:
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise GridError(f"{what} cannot be saved: {value!r} holds what no text file can.")
        return value
    if type(value) in {bool, int, float}:
        return value
    if value is None:
        return {"none": True}
    if type(value) is list:
        return [encode(item, what) for item in value]
    if type(value) is tuple:
        return {"tuple": [encode(item, what) for item in value]}
    if type(value) is dict:
        return encode_dict(value, f"{what}, the part")
    if type(value).__module__ == "numpy" and type(value).__name__ in {
        "float64",
        "int64",
        "bool",
        "bool_",
        "str_",
    }:
        return encode(value.item(), what)  # equal, and of the same run
    if callable(value):
        return {"python": refer(value, what)}
    raise GridError(
        f"{what} cannot be saved: TOML cannot say a {type(value).__name__} ({value_text(value)[:60]}). "
        "Say it with numbers, texts, lists, and functions of a module."
    )


def encode_dict(value: Mapping[Any, Any], what: str) -> dict[str, Any]:
    """As `encode`, of a dict."""
    pairs = [
        [encode(key, f"A key of {what}"), encode(item, f"{what} of {key!r}")] for key, item in value.items()
    ]
    # A table in a table may be written after what is no table, and names tell the order of a dict.
    is_in_order = not any(_holds_table(item) for _, item in pairs[:-1])
    if is_in_order and all(type(key) is str for key in value) and not _is_tagged(value):
        return dict(pairs)
    return {"dict": pairs}


def _holds_table(item: Any) -> bool:
    return isinstance(item, dict) or (isinstance(item, list) and any(map(_holds_table, item)))


def _is_tagged(table: Mapping[str, Any]) -> bool:
    return len(table) == 1 and next(iter(table)) in {"none", "tuple", "python", "dict"}


def refer(function: Any, what: str) -> str:
    """``module:name`` of a function or class that an import finds."""
    name = reference(function)
    module = getattr(function, "__module__", None)
    if name is None or _REFERENCE.fullmatch(name) is None:
        raise GridError(
            f"{what} cannot be saved: {value_text(function)} has no name in a module. Define it with def "
            "in a module of your own."
        )
    if module == "__main__":
        raise GridError(
            f"{what} cannot be saved: {value_text(function)} is defined in the launch script, which is no "
            "module that could be imported. Move it into one, beside the script."
        )
    return name


def decode(value: Any, what: str) -> Any:
    """What `_encode` was given."""
    if isinstance(value, list):
        return [decode(item, what) for item in value]
    if not isinstance(value, dict):
        return value
    if not _is_tagged(value):
        return {key: decode(item, what) for key, item in value.items()}
    ((tag, content),) = value.items()
    if tag == "none":
        return None
    if tag == "python":
        return resolve(content, f"A value of {what!r}")
    items = [decode(item, what) for item in check_list(content, f"{{{tag} = ...}} in {what!r}")]
    if tag == "tuple":
        return tuple(items)
    try:
        return dict(items)
    except (TypeError, ValueError) as error:
        raise GridError(f"{{dict = ...}} in {what!r} needs pairs of keys and values: {error}.") from error


def resolve(name: Any, what: str) -> Any:
    """What ``module:name`` stands for: an import and attributes, nothing that is evaluated."""
    if not isinstance(name, str) or _REFERENCE.fullmatch(name) is None:
        raise GridError(f"{what} must be written as 'module:name', not {name!r}.")
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except Exception as error:
        raise GridError(
            f"{what}, {name!r}, cannot be imported: {type(error).__name__}: {error}."
        ) from error
    return found


def check_list(value: Any, what: str) -> list[Any]:
    """``value``, which must be a list; GridError if it is none."""
    if not isinstance(value, list):
        raise GridError(f"{what} must be a list, not {value!r}.")
    return value
