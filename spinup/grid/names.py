"""How keys and values read inside a name; to the byte as in Spinning Up."""

from __future__ import annotations

import functools
import re
import string
from typing import Any

_SHORTHAND_CHARACTERS = frozenset(string.ascii_letters + string.digits)
_NOT_VALID = re.compile(r"[^-_a-zA-Z0-9]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def default_shorthand(key: str) -> str:
    """The first three letters of each of the key's terms, less what is no ASCII letter or digit."""
    return "-".join(
        "".join(character for character in term[:3] if character in _SHORTHAND_CHARACTERS)
        for term in key.split(":")
    )


def value_string(value: Any) -> str:
    """``value`` as it reads inside a name: lower case, with ``-`` for what no path should hold."""
    if isinstance(value, (tuple, list)):
        return "-".join(map(value_string, value))
    if isinstance(value, functools.partial):
        return value_string(value.func)
    if isinstance(value, (set, frozenset)):
        # str() of a set has another order in every process.
        return _NOT_VALID.sub("-", "{" + ", ".join(sorted(map(repr, value))).lower() + "}")
    return _NOT_VALID.sub("-", value_text(value).lower())


def value_text(value: Any) -> str:
    """The name of what has one, else its text; never a memory address."""
    cls: Any = type(value)
    try:
        name = getattr(value, "__name__", None)
        if isinstance(name, str):
            return name
        if cls.__str__ is object.__str__ and cls.__repr__ is object.__repr__:
            return str(cls.__name__)
        # An object may also write its address by itself, as mocks do.
        return _ADDRESS.sub("", str(value)).replace(f"{id(value)}", "").replace(f"{id(value):x}", "")
    except Exception:  # noqa: BLE001 - an object's own methods may raise anything
        return str(cls.__name__)
