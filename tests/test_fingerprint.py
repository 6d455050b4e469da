import functools
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.fingerprint import fingerprint, reference, shorten


class Thing:
    def __init__(self, x):
        self.x = x

    def method(self):
        return self.x


def outer(k):
    def inner():
        return k

    return inner


def local_class(k):
    class Local:
        value = k

    return Local


SAME = [
    (1, 1),
    (np.int64(3), 3),
    (np.float64(0.1), 0.1),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1, 2, 3}, {3, 2, 1}),
    (Thing(1), Thing(1)),
    (Thing(1).method, Thing(1).method),
    (outer(1), outer(1)),
    (local_class(1), local_class(1)),
    (functools.partial(outer, k=1), functools.partial(outer, k=1)),
    (np.arange(3), np.arange(3)),
    (re.compile("a"), re.compile("a")),
    (pathlib.Path("a"), pathlib.Path("a")),
    (float("nan"), float("nan")),
]
DIFFERENT = [
    (1, 1.0),
    (1, True),
    (1, "1"),
    (0.0, -0.0),
    ((1,), [1]),
    ([[1], 2], [1, [2]]),
    (["ab"], ["a", "b"]),
    ({"a": 1}, {"a": 2}),
    (Thing(1), Thing(2)),
    (Thing(1).method, Thing(2).method),
    (outer(1), outer(2)),
    (lambda x: x, lambda x: x + 1),
    (lambda x=1: x, lambda x=2: x),
    (local_class(1), local_class(2)),
    (functools.partial(outer, k=1), functools.partial(outer, k=2)),
    (np.arange(3), np.arange(3.0)),
    (np.zeros((2, 3)), np.zeros((3, 2))),
    (len, max),
    (Thing, type),
]


@pytest.mark.parametrize(("first", "second"), SAME, ids=repr)
def test_equal_values_have_one_fingerprint(first, second):
    assert fingerprint(first) == fingerprint(second)


@pytest.mark.parametrize(("first", "second"), DIFFERENT, ids=repr)
def test_different_values_have_different_fingerprints(first, second):
    assert fingerprint(first) != fingerprint(second)


def test_a_cycle_has_a_fingerprint():
    first, second = [1], [2]
    first.append(first)
    second.append(second)
    assert fingerprint(first) != fingerprint(second)
    assert fingerprint(first) == fingerprint(first)


def test_what_is_too_deep_has_a_fingerprint():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert len(fingerprint(deep)) == 64


def test_what_cannot_be_looked_into_is_told_apart_by_the_salt():
    generator = (i for i in range(3))
    assert fingerprint(generator, salt="0") != fingerprint(generator, salt="1")
    assert fingerprint(1, salt="0") == fingerprint(1, salt="1")


def test_the_fingerprint_is_the_same_in_another_process():
    code = (
        "from spinup.fingerprint import fingerprint\n"
        "print(fingerprint([{'b', 'a', 'c'}, {'x': (1, 2.5, None)}, lambda x: x in {'p', 'q', 'r'}]))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_a_reference_is_a_name_that_leads_back():
    assert reference(len) == "builtins:len"
    assert reference(Thing.method).endswith("test_fingerprint:Thing.method")
    assert reference(outer(1)) is None
    assert reference(lambda: 0) is None
    assert reference(3) is None


@given(st.text(max_size=400), st.integers(20, 255))
def test_a_shortened_name_fits_and_a_short_one_stays(name, limit):
    short = shorten(name, limit)
    size = len(name.encode("utf-8", "surrogatepass"))
    assert short == name if size <= limit else len(short.encode()) <= limit
    assert size <= limit or shorten(name + "x", limit) != short


def test_parts_that_refer_to_each_other_in_many_ways_have_a_fingerprint():
    def maze(size):
        rooms = [Thing(i) for i in range(size)]
        for room in rooms:
            room.others = [other for other in rooms if other is not room]
        return rooms

    assert fingerprint(maze(30)) == fingerprint(maze(30)) != fingerprint(maze(31))


def test_shared_parts_do_not_multiply():
    shared = [1]
    for _ in range(60):
        shared = [shared, shared]
    assert len(fingerprint(shared)) == 64
