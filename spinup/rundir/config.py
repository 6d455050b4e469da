"""Any object as JSON that a person can read: total, without memory addresses, without NaN."""

from __future__ import annotations

import enum
import functools
import json
import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError

if TYPE_CHECKING:
    from pathlib import Path

JSON = Any  # what json.loads can return; mypy has no useful recursive type for it

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONGEST_LIST = 10_000
_LONGEST_ARRAY = 1_000
_LONGEST_TEXT = 10_000
_DEEPEST = 40
_DEEPEST_OBJECT = 3
_NON_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def to_json(value: Any) -> JSON:
    """``value`` in terms of what JSON can hold; never fails, whatever ``value`` is.

    Classes and functions become their names, arrays lists, sets sorted lists, NaN and infinities
    strings, other objects their text or their attributes. What is too long or too deep, or contains
    itself, is summed up. Two equal values give equal JSON; the reverse does not hold.
    """
    return _Converter().convert(value)


def dumps(value: Any) -> str:
    """``value`` as JSON text in Spinning Up's format: sorted keys, four spaces, a tab after colons."""
    return json.dumps(to_json(value), separators=(",", ":\t"), indent=4, sort_keys=True, allow_nan=False)


def read_json_object(path: Path) -> dict[str, JSON]:
    """The JSON object in the file at ``path``.

    Raises:
        FileNotFoundError: There is no such file.
        RecordError: The file holds something else than a JSON object.
    """
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} does not hold valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise RecordError(f"{path} holds a {type(value).__name__}, not a JSON object.")
    return value


class _Converter:
    """One conversion: knows the objects it is inside of."""

    def __init__(self) -> None:
        self._inside: set[int] = set()
        self._objects_deep = 0

    def convert(self, value: Any) -> JSON:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return value.name
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return _number(float(value))
        if id(value) in self._inside:
            return "<cycle>"
        if len(self._inside) >= _DEEPEST:
            return f"<{type(value).__name__}>"
        self._inside.add(id(value))
        try:
            return self._compound(value)
        except Exception:  # noqa: BLE001 - an object's own methods may raise anything
            return f"<{type(value).__name__}>"
        finally:
            self._inside.discard(id(value))

    def _compound(self, value: Any) -> JSON:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple)):
            return self._sequence(value)
        if isinstance(value, AbstractSet):
            items = [self.convert(item) for item in value]
            return self._sequence(sorted(items, key=lambda item: json.dumps(item, sort_keys=True)))
        if isinstance(value, functools.partial):
            parts = {"partial": value.func, "args": value.args, "keywords": value.keywords}
            return self._mapping(parts)
        if _is_array(value):
            return self._array(value)
        name = getattr(value, "__name__", None)
        if isinstance(name, str):
            return name
        return self._object(value)

    def _mapping(self, value: Mapping[Any, Any]) -> JSON:
        result: dict[str, JSON] = {}
        for key, item in value.items():
            text = key if isinstance(key, str) else _key_text(self.convert(key))
            # {1: 'a', '1': 'b'} keeps both.
            while text in result:
                text = f"{text} ({type(key).__name__})"
            result[str(text)] = self.convert(item)
        return result

    def _sequence(self, value: list[Any] | tuple[Any, ...]) -> JSON:
        if len(value) > _LONGEST_LIST:
            first = [self.convert(item) for item in value[:10]]
            return {type(value).__name__: {"length": len(value), "first": first}}
        return [self.convert(item) for item in value]

    def _array(self, value: Any) -> JSON:
        size = math.prod(int(length) for length in value.shape)
        if size > _LONGEST_ARRAY:
            shape = [int(length) for length in value.shape]
            return {type(value).__name__: {"shape": shape, "dtype": str(value.dtype)}}
        return self.convert(value.tolist())

    def _object(self, value: Any) -> JSON:
        cls: Any = type(value)
        # A repr of the object's own says most in one line: Box(-1.0, 1.0, (4,), float32).
        if cls.__str__ is not object.__str__ or cls.__repr__ is not object.__repr__:
            text = _ADDRESS.sub("", str(value))
            return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."
        attributes = getattr(value, "__dict__", None)
        if not attributes or self._objects_deep >= _DEEPEST_OBJECT:
            return f"<{cls.__name__}>"
        self._objects_deep += 1
        try:
            return {cls.__name__: self._mapping(attributes)}
        finally:
            self._objects_deep -= 1


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else _NON_FINITE.get(value, "NaN")


def _key_text(key: JSON) -> str:
    return key if isinstance(key, str) else json.dumps(key, sort_keys=True)


def _is_array(value: Any) -> bool:
    """True for NumPy arrays and scalars, and for tensors, without importing any of them."""
    return not isinstance(value, type) and all(
        hasattr(value, name) for name in ("shape", "dtype", "tolist")
    )
