"""Any object as JSON that a person can read: total, without memory addresses, without NaN."""

from __future__ import annotations

import enum
import errno
import functools
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.fingerprint import fingerprint
from spinup.rundir.atomic import CAREFULLY

if TYPE_CHECKING:
    from pathlib import Path

JSON = Any  # what json.loads can return; mypy has no useful recursive type for it

#: What is larger is not read, and so must not be written.
LARGEST_FILE_BYTES = 1 << 28

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONGEST_LIST = 10_000
_LONGEST_ARRAY = 1_000
_LONGEST_TEXT = 10_000
_DEEPEST = 40
_DEEPEST_OBJECT = 3
_MOST_VALUES = 100_000
_LARGEST_INT_BITS = 2_000  # Python refuses to write some thousand digits, fewer where it is told to
_NON_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def to_json(value: Any) -> JSON:
    """``value`` in terms of what JSON can hold; never fails, whatever ``value`` is.

    Classes and functions become their names, arrays lists, sets sorted lists, NaN and infinities
    strings, other objects their text or their attributes. What is too long or too deep, or contains
    itself, is summed up. Equal values of equal types give equal JSON; the reverse does not hold.
    """
    return _Converter().convert(value)


def dumps(value: Any) -> str:
    """``value`` as JSON text in Spinning Up's format: sorted keys, four spaces, a tab after colons."""
    return json.dumps(to_json(value), separators=(",", ":\t"), indent=4, sort_keys=True, allow_nan=False)


def join_texts(texts: Mapping[str, str]) -> str:
    """The JSON object of values that `dumps` has written already, in its format."""
    # A line break in such a text is never part of a string.
    items = [f"{json.dumps(key)}:\t{texts[key]}".replace("\n", "\n    ") for key in sorted(texts)]
    return "{\n    " + ",\n    ".join(items) + "\n}" if items else "{}"


def exact_json(value: Any) -> JSON:
    """``value`` in terms of what JSON can hold, if nothing but the container types is lost.

    NumPy's scalars and arrays count as numbers and lists; NaN and infinities become strings.

    Raises:
        TypeError: JSON cannot say it; the message names the part.
    """
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {str(key): exact_json(item) for key, item in value.items()}
        raise TypeError("a dict with a key that is no string")
    if isinstance(value, (list, tuple)):
        return [exact_json(item) for item in value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist") and hasattr(value, "dtype"):
        return exact_json(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str)):
        return to_json(value)
    raise TypeError(f"a {type(value).__name__}")


def read_json(path: Path) -> JSON:
    """What the JSON file at ``path`` holds.

    Raises:
        FileNotFoundError: There is no such file.
        RecordError: The file does not hold JSON.
    """
    try:
        return json.loads(_read_plain_file(path))
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} does not hold valid JSON: {error}") from error


def _read_plain_file(path: Path) -> bytes:
    """The content of a file that is no link, pipe or device, and no larger than a record can be."""
    try:
        handle = os.open(path, os.O_RDONLY | CAREFULLY)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RecordError(f"{path} is a symbolic link, which is not followed.") from error
        raise
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST_FILE_BYTES:
            raise RecordError(f"{path} is no plain file of at most {LARGEST_FILE_BYTES} bytes.")
        return file.read()


def read_json_object(path: Path) -> dict[str, JSON]:
    """The JSON object in the file at ``path``.

    Raises:
        FileNotFoundError: There is no such file.
        RecordError: The file holds something else than a JSON object.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise RecordError(f"{path} holds a {type(value).__name__}, not a JSON object.")
    return value


class _Converter:
    """One conversion: knows the objects it is inside of."""

    def __init__(self) -> None:
        self._inside: set[int] = set()
        self._objects_deep = 0
        self._values_left = _MOST_VALUES

    def convert(self, value: Any) -> JSON:
        self._values_left -= 1
        try:
            return self._convert(value)
        except Exception:  # noqa: BLE001 - an object's own methods may raise anything
            return _placeholder(value)

    def _convert(self, value: Any) -> JSON:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return value.name
        # The builtins' own methods: a subclass may have overridden what str() or float() calls.
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return _integer(int.__int__(value))
        if isinstance(value, float):
            return _number(float.__float__(value))
        if id(value) in self._inside:
            return "<cycle>"
        # The second limit is for what refers to the same things in many ways, again and again.
        if len(self._inside) >= _DEEPEST or self._values_left <= 0:
            return _placeholder(value)
        self._inside.add(id(value))
        try:
            return self._compound(value)
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
            # All lambdas have one name; with the hash that is in a variant's name, each can be told.
            return f"{name}@{fingerprint(value)[:8]}" if name == "<lambda>" else name
        return self._object(value)

    def _mapping(self, value: Mapping[Any, Any]) -> JSON:
        # Text first: which of {1: 'a', '1': 'b'} is called "1" must not depend on their order.
        texts_first = sorted(value.items(), key=lambda entry: not isinstance(entry[0], str))
        result: dict[str, JSON] = {}
        for key, item in texts_first:
            text = _key_text(self.convert(key))
            # Both are kept.
            while text in result:
                text = f"{text} ({type(key).__name__})"
            result[text] = self.convert(item)
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
        items = value.tolist()
        if type(items) is type(value):  # NumPy's long double knows no Python number that holds it
            return _number(float(items))
        return self.convert(items)

    def _object(self, value: Any) -> JSON:
        cls: Any = type(value)
        # A repr of the object's own says most in one line: Box(-1.0, 1.0, (4,), float32).
        if cls.__str__ is not object.__str__ or cls.__repr__ is not object.__repr__:
            text = _ADDRESS.sub("", str(value))
            return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."
        attributes = getattr(value, "__dict__", None)
        if not attributes or self._objects_deep >= _DEEPEST_OBJECT:
            return _placeholder(value)
        self._objects_deep += 1
        try:
            return {cls.__name__: self._mapping(attributes)}
        finally:
            self._objects_deep -= 1


def _placeholder(value: object) -> str:
    return f"<{type(value).__name__}>"


def _integer(value: int) -> int | str:
    return value if value.bit_length() <= _LARGEST_INT_BITS else hex(value)


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else _NON_FINITE.get(value, "NaN")


def _key_text(key: JSON) -> str:
    return key if isinstance(key, str) else json.dumps(key, sort_keys=True)


def _is_array(value: Any) -> bool:
    """True for NumPy arrays and scalars, and for tensors, without importing any of them."""
    return not isinstance(value, type) and all(
        hasattr(value, name) for name in ("shape", "dtype", "tolist")
    )
