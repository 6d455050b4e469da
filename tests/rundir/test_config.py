from __future__ import annotations

import enum
import functools
import json
import math
import threading
from collections import OrderedDict, namedtuple
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.errors import RecordError
from spinup.rundir.config import dumps, join_texts, read_json_object, to_json

if TYPE_CHECKING:
    import random

FINITE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
# No NaN, which may be the key of several entries, and equals nothing.
KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
HASHABLE = KEYS | st.just(math.nan)
ANY_VALUES = st.recursive(
    HASHABLE | st.complex_numbers() | st.sampled_from([int, len, math, object(), threading.Lock()]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(HASHABLE, max_size=4)
        | st.dictionaries(HASHABLE | st.tuples(HASHABLE), inner, max_size=4)
    ),
    max_leaves=20,
)


class Colour(enum.Enum):
    RED = "#f00"


class Named(str, enum.Enum):  # noqa: UP042 - its str() is not its value, unlike StrEnum's
    RED = "#f00"


class Hostile:
    """Raises whatever it is asked."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("str")


class Network:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


@given(JSON_VALUES)
def test_what_json_can_say_is_said_exactly(value: Any) -> None:
    assert json.loads(dumps(value)) == value


@given(ANY_VALUES)
def test_any_value_becomes_strict_json(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(dumps(value), parse_constant=refuse)


@given(st.dictionaries(KEYS, st.integers()), st.randoms(use_true_random=False))
def test_equal_dicts_give_equal_json_in_whatever_order(value: dict[Any, int], rng: random.Random) -> None:
    items = list(value.items())
    rng.shuffle(items)
    assert dumps(dict(items)) == dumps(value)


@given(st.dictionaries(HASHABLE, st.integers()))
def test_no_entry_of_a_dict_is_lost(value: dict[Any, int]) -> None:
    assert sorted(to_json(value).values()) == sorted(value.values())


def test_the_text_is_in_the_format_of_spinning_up() -> None:
    assert dumps({"b": [1, 2.5], "a": None}) == (
        '{\n    "a":\tnull,\n    "b":\t[\n        1,\n        2.5\n    ]\n}'
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), "NaN"),
        (np.longdouble(1.5), 1.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([1.0, math.nan]), [1.0, "NaN"]),
        (np.str_("text"), "text"),
        ((1, 2), [1, 2]),
        (namedtuple("Point", "x y")(1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (OrderedDict(a=1), {"a": 1}),
        ({(64, 64): 1, None: 2}, {"[64, 64]": 1, "null": 2}),
        (Colour.RED, "RED"),
        (Named.RED, "RED"),
        (Network, "Network"),
        (math.tanh, "tanh"),
        (np, "numpy"),
        (b"ab", "b'ab'"),
        (1 + 2j, "(1+2j)"),
        (PurePosixPath("/tmp/x"), "/tmp/x"),
        (functools.partial(math.pow, 2), {"partial": "pow", "args": [2], "keywords": {}}),
        (Network(size=64, act=math.tanh), {"Network": {"size": 64, "act": "tanh"}}),
        (Network(), "<Network>"),
        (object(), "<object>"),
    ],
)
def test_each_kind_of_value_has_its_json(value: Any, expected: Any) -> None:
    assert to_json(value) == expected


def test_an_object_that_raises_whatever_it_is_asked_is_named() -> None:
    assert to_json({"a": Hostile(), "b": 1}) == {"a": "<Hostile>", "b": 1}


def test_keys_that_read_the_same_are_both_kept_whatever_their_order() -> None:
    assert to_json({1: "number", "1": "text"}) == {"1": "text", "1 (int)": "number"}
    assert to_json({"1": "text", 1: "number"}) == {"1": "text", "1 (int)": "number"}


def test_a_key_that_is_an_enum_of_text_loses_no_other() -> None:
    assert to_json({Named.RED: 1, "Named.RED": 2, "RED": 3}) == {
        "RED": 1,
        "Named.RED": 2,
        "RED (str)": 3,
    }


def test_an_integer_that_python_would_not_write_is_hexadecimal() -> None:
    assert json.loads(dumps(10**5000)) == hex(10**5000)


def test_a_subclass_of_a_number_or_text_cannot_break_the_conversion() -> None:
    class Odd(int):
        def __int__(self) -> int:
            raise RuntimeError

    class Shouting(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise RuntimeError

    class Lying:
        @property
        def __class__(self) -> Any:
            raise RuntimeError

    assert to_json([Odd(3), Shouting("text"), Lying()]) == [3, "text", "<Lying>"]


def test_what_contains_itself_is_cut_there() -> None:
    circle: dict[str, Any] = {"a": 1}
    circle["self"] = [circle]
    network = Network(size=1)
    network.me = network  # type: ignore[attr-defined]
    assert to_json(circle) == {"a": 1, "self": ["<cycle>"]}
    assert to_json(network) == {"Network": {"size": 1, "me": "<cycle>"}}


def test_what_appears_twice_side_by_side_is_no_cycle() -> None:
    shared = [1]
    assert to_json([shared, shared]) == [[1], [1]]


def test_something_very_deep_is_summed_up() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert '"<list>"' in dumps(deep)


def test_something_that_doubles_at_every_level_is_summed_up() -> None:
    wide: Any = {"leaf": 1}
    for _ in range(38):
        wide = {"left": wide, "right": wide}
    assert len(dumps(wide)) < 50_000_000


def test_something_very_long_is_summed_up() -> None:
    assert to_json(list(range(20_000))) == {"list": {"length": 20_000, "first": list(range(10))}}
    assert to_json(np.zeros((100, 100))) == {"ndarray": {"shape": [100, 100], "dtype": "float64"}}

    class Wordy:
        def __str__(self) -> str:
            return "w" * 20_000

    assert to_json(Wordy()) == "w" * 10_000 + "..."


def test_no_address_in_memory_is_in_the_text() -> None:
    values = [threading.Lock(), object(), lambda: 0, Network(f=iter([])), functools.partial(print)]
    assert "0x" not in dumps(values)


def test_an_environment_and_its_spaces_can_be_read() -> None:
    env = gym.make("CartPole-v1")
    text = dumps({"env": env, "env_fn": gym.make, "space": env.action_space})
    env.close()
    assert json.loads(text)["space"] == "Discrete(2)"
    assert "CartPole-v1" in json.loads(text)["env"]
    assert json.loads(text)["env_fn"] == "make"


def test_an_object_is_read_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(dumps({"a": 1}))
    assert read_json_object(path) == {"a": 1}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\xfd", b"[" * 100_000])
def test_a_damaged_file_is_a_record_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match="config"):
        read_json_object(path)


def test_a_missing_file_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_json_object(tmp_path / "config.json")


@given(st.dictionaries(st.text(), st.recursive(st.text() | st.integers(), st.lists)))
def test_texts_are_joined_as_if_they_were_written_together(values):
    assert join_texts({key: dumps(value) for key, value in values.items()}) == dumps(values)
