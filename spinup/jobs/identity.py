"""What makes a run the run that it is: thunk, arguments, seed, number of processes; not where it runs.

The identity is a sum of one hash for each argument (AdHash: Bellare and Micciancio, 1997), so that a grid
hashes each value of each parameter once, and adds for each of its variants.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from spinup.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODULUS = 1 << 256

# Between the terms of a path into nested dicts; no name of an argument has it.
_BETWEEN = "\0"


def identity(thunk: Any, parameters: Mapping[str, Any], seed: int, num_cpu: int) -> str:
    """The identity of a run, as 64 hexadecimal digits."""
    return total([call_part(thunk, num_cpu), seed_part(seed), parameters_part(parameters)])


def total(parts: list[int]) -> str:
    """The identity that ``parts`` make together."""
    return f"{sum(parts) % _MODULUS:064x}"


def call_part(thunk: Any, num_cpu: int) -> int:
    """The part of an identity that says what is called, in how many processes."""
    return _leaf(_BETWEEN + "thunk", thunk) + _leaf(_BETWEEN + "num_cpu", num_cpu)


def seed_part(seed: int) -> int:
    """The part of an identity that says with which seed."""
    return _leaf(_BETWEEN + "seed", seed)


def parameters_part(parameters: Mapping[str, Any]) -> int:
    """The part of an identity that says with which arguments."""
    return sum(_part([name], value) for name, value in parameters.items())


def parameter_part(key: str, value: Any) -> int:
    """The part of an identity that a grid's parameter makes; the colons of its key make nested dicts."""
    return _part(key.split(":"), value)


def _part(path: list[str], value: Any) -> int:
    # Nested dicts are their leaves: two parameters of a grid can set parts of one dict.
    if type(value) is dict and value and all(isinstance(key, str) for key in value):
        return sum(_part([*path, key], item) for key, item in value.items())
    return _leaf(_BETWEEN.join(path), value)


def _leaf(path: str, value: Any) -> int:
    text = path.encode("utf-8", "surrogatepass") + b"\0" + fingerprint(value).encode()
    return int.from_bytes(hashlib.sha256(text).digest(), "big")
