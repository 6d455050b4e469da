"""The functions that users give: conditions, filters, derived values; what they see, and their errors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError
from spinup.fingerprint import fingerprint
from spinup.grid.names import value_text

if TYPE_CHECKING:
    from collections.abc import Collection

Function = Callable[["View"], Any]

_MOST_SHOWN = 8
_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Derived:
    """A value that follows from others.

    Attributes:
        key: Name of the argument; colons make nested dicts.
        function: From a view of the variant to the value.
        shorthand: Stands for the key in names.
        in_name: Whether names tell the value.
        when: Without it being true, the variant has no such argument.
    """

    key: str
    function: Function
    shorthand: str | None = None
    in_name: bool = False
    when: Function | None = None


@dataclass(frozen=True)
class Filter:
    """What decides which variants stay.

    Attributes:
        predicate: Asked about each variant.
        keeps: What is kept are those for which it is true, not the others.
    """

    predicate: Function
    keeps: bool

    @property
    def verb(self) -> str:
        """The method that added it."""
        return "only" if self.keeps else "exclude"


class _NoSuchKey(KeyError):
    """A view was asked for what the variant does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


class _NotYet(Exception):
    """A view was asked for what is not decided yet. No KeyError: `get` and ``in`` would take it for no."""


class View(Mapping[str, Any]):
    """What a function sees of a variant: ``v['lr']``, ``v['ac_kwargs:hidden_sizes']``; read-only.

    ``v['ac_kwargs']['hidden_sizes']``, ``v.get('clip_ratio')`` and ``'clip_ratio' in v`` work as well.

    Args:
        values: By flat key; may change between two questions, and is never changed here.
        derived: What else can be asked for.
        later: Keys that are decided after the one that asks.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        derived: Mapping[str, Derived] | None = None,
        later: Collection[str] = (),
    ) -> None:
        self._values = values
        self._derived = derived or {}
        self._later = later
        self._known: dict[str, Any] = {}
        self._open: list[str] = []

    def __getitem__(self, key: str) -> Any:
        if key in self._values:
            return plain(self._values[key])
        if key in self._derived:
            return plain(self._derive(self._derived[key]))
        if any(other.startswith(f"{key}:") for other in (*self._values, *self._derived)):
            return self._nested(f"{key}:")
        if any(f"{other}:".startswith(f"{key}:") for other in self._later):
            raise _NotYet(f"{key!r}, which is added later: a condition sees what was added before it")
        outer, colon, inner = str(key).rpartition(":")
        whole = self.get(outer) if colon else None
        if isinstance(whole, dict) and inner in whole:
            return whole[inner]
        raise _NoSuchKey(self._missing(key))

    def _nested(self, prefix: str) -> Mapping[str, Any]:
        """The dict that keys with a common beginning make."""
        nested = _Nested(self, prefix)
        is_open = any(key.startswith(prefix) for key in (*self._derived, *self._later))
        # One of the values may ask for another one: each is worked out when it is asked for.
        return nested if is_open else _dict_of(nested)

    @property
    def own(self) -> Mapping[str, Any]:
        """The values that are not derived, not copied."""
        return self._values

    def __iter__(self) -> Iterator[str]:
        return self.keys_from("")

    def keys_from(self, prefix: str) -> Iterator[str]:
        """The keys with this beginning; no other derived value is worked out for it."""
        yield from (key for key in self._values if key.startswith(prefix))
        yield from (
            key for key in self._derived if key.startswith(prefix) and self._has(self._derived[key])
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _derive(self, derived: Derived) -> Any:
        key = derived.key
        if key in self._open:
            circle = " -> ".join([*self._open[self._open.index(key) :], key])
            raise GridError(f"Derived values depend on each other in a circle: {circle}.")
        if key not in self._known:
            self._open.append(key)
            try:
                if derived.when is not None and not decide(derived.when, self, f"The condition of {key!r}"):
                    raise _NoSuchKey(self._missing(key))
                self._known[key] = call(derived.function, self, f"The function that derives {key!r}")
            finally:
                self._open.pop()
        return self._known[key]

    def _has(self, derived: Derived) -> bool:
        try:
            self._derive(derived)
        except _NoSuchKey:
            return False
        return True

    def _missing(self, key: object) -> str:
        has = ", ".join(map(repr, (*self._values, *self._derived))) or "nothing"
        return f"{key!r}, which this variant does not have; it has {has}"


class _Nested(Mapping[str, Any]):
    """The dict that keys with a common beginning make, some of which are not worked out yet."""

    def __init__(self, view: View, prefix: str) -> None:
        self._view = view
        self._prefix = prefix

    def __getitem__(self, key: str) -> Any:
        return self._view[f"{self._prefix}{key}"]

    def __iter__(self) -> Iterator[str]:
        inner = (key.removeprefix(self._prefix) for key in self._view.keys_from(self._prefix))
        return iter(dict.fromkeys(key.partition(":")[0] for key in inner))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def plain(value: Any) -> Any:
    """``value`` with containers and arrays of its own; what a view gave out is a dict."""
    if type(value) is list:
        return [plain(item) for item in value]
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    if type(value) is tuple:
        return tuple(plain(item) for item in value)
    if isinstance(value, View):
        return _nest(value.own)
    if isinstance(value, _Nested):
        return _dict_of(value)
    # Arrays and tensors, whichever library's they are.
    if all(hasattr(value, name) for name in ("shape", "dtype", "tolist")) and not isinstance(value, type):
        return copy.deepcopy(value)
    if isinstance(value, (list, dict, set, bytearray)):
        return copy.copy(value)
    return value


def _dict_of(nested: _Nested) -> dict[str, Any]:
    return {key: plain(item) for key, item in nested.items()}


def _nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """The dict that flat keys stand for."""
    whole: dict[str, Any] = {}
    for key, value in values.items():
        *outer, last = key.split(":")
        inner = whole
        for term in outer:
            inner = inner.setdefault(term, {})
        inner[last] = plain(value)
    return whole


def call(function: Function, view: View, what: str) -> Any:
    """What ``function`` says about a variant; asked twice, since another answer would be another grid.

    Args:
        function: The user's.
        view: The variant.
        what: Which function this is, for the error; begins a sentence.

    Raises:
        GridError: It raised, or did not say the same again; says what, and for which variant.
    """
    answer, again = _ask(function, view, what), _ask(function, view, what)
    if answer is not again and fingerprint(answer) != fingerprint(again):
        raise GridError(
            f"{what} does not say the same when it is asked again: {_short(answer)}, then {_short(again)}, "
            f"for the variant {describe(view)}. It must follow from the variant alone, so that the same "
            "script has the same runs. For random values there are distributions and sample()."
        )
    return answer


def _ask(function: Function, view: View, what: str) -> Any:
    try:
        return plain(function(view))
    except GridError:
        raise
    except (_NoSuchKey, _NotYet) as error:
        raise GridError(f"{what} asks for {error}.") from error
    except Exception as error:
        raise GridError(
            f"{what} raised {type(error).__name__}: {error}, for the variant {describe(view)}."
        ) from error


def decide(function: Function, view: View, what: str) -> bool:
    """Whether ``function`` holds for a variant; arguments and errors as of `call`."""

    def truth(view: View) -> bool:
        answer = function(view)
        if answer is None:
            raise TypeError("it returned None, neither True nor False")
        return bool(answer)

    return bool(call(truth, view, what))


def describe(view: View) -> str:
    """The values of a variant in one line."""
    return show(view.own)  # not the derived ones: one of them may be what has failed


def show(values: Mapping[str, Any]) -> str:
    """``values`` in one line, without memory addresses."""
    shown = [f"{key}={_short(value)}" for key, value in list(values.items())[:_MOST_SHOWN]]
    return f"({', '.join(shown)}{', ...' if len(values) > _MOST_SHOWN else ''})"


def _short(value: Any) -> str:
    text = value_text(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def check_function(function: Any, what: str) -> None:
    """Raise GridError unless ``function`` can be called."""
    if not callable(function):
        raise GridError(
            f"{what} must be a function of the variant, as in lambda v: v['lr']; not {function!r}."
        )
