import pytest
from grid.rules import make

from spinup.errors import GridError
from spinup.grid import Grid
from spinup.grid.functions import Derived, View


@pytest.fixture
def view():
    values = {"lr": 1, "opt:lr": 2, "opt:net:sizes": [3], "kwargs": {"a": {"b": 4}}}
    return View(values, {"opt:double": Derived("opt:double", lambda v: 2 * v["opt:lr"])})


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda v: v["lr"], 1),
        (lambda v: v["opt:lr"], 2),
        (lambda v: v["opt"]["lr"], 2),
        (lambda v: v["opt"]["net"]["sizes"], [3]),
        (lambda v: v["opt:net"]["sizes"], [3]),
        (lambda v: v["opt:double"], 4),
        (lambda v: v["opt"]["double"], 4),
        (lambda v: v["kwargs:a:b"], 4),
        (lambda v: v["kwargs"]["a"]["b"], 4),
        (lambda v: v.get("nope", 5), 5),
        (lambda v: v.get("opt:nope", 5), 5),
        (lambda v: "nope" in v, False),
        (lambda v: "opt" in v, True),
        (lambda v: sorted(v["opt"]), ["double", "lr", "net"]),
        (lambda v: len(v["opt"]), 3),
        (sorted, ["kwargs", "lr", "opt:double", "opt:lr", "opt:net:sizes"]),
        (len, 5),
    ],
)
def test_a_view_answers_flat_and_nested(view, ask, answer):
    assert ask(view) == answer


def test_a_view_is_read_only(view):
    with pytest.raises(TypeError):
        view["lr"] = 2
    view["opt:net:sizes"].append(4)
    view["kwargs"]["a"]["b"] = 5
    assert (view["opt:net:sizes"], view["kwargs:a:b"]) == ([3], 4)


def boom(v):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (lambda eg: eg.exclude(boom), r"Filter number 1, exclude\(...\),"),
        (lambda eg: eg.only(boom), r"Filter number 1, only\(...\),"),
        (lambda eg: eg.derive("b", boom), "The function that derives 'b'"),
        (lambda eg: eg.derive("b", len, when=boom), "The condition of 'b'"),
        (lambda eg: eg.add("b", 1, when=boom), "The condition of 'b'"),
    ],
)
def test_an_exception_names_the_construct_and_the_variant(state, what):
    eg = make("g", a=[1, 2])
    state(eg)
    with pytest.raises(
        GridError, match=rf"{what} raised RuntimeError: boom, for the variant \(a=1\)"
    ) as caught:
        eg.variants()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_key_that_is_not_there_says_which_are():
    eg = make("g", a=1, b=2)
    eg.exclude(lambda v: v["c"])
    with pytest.raises(GridError, match="asks for 'c', which this variant does not have; it has 'a', 'b'"):
        eg.variants()


def test_a_predicate_that_returns_nothing_is_an_error():
    eg = make("g", a=1)
    eg.exclude(lambda v: None)
    with pytest.raises(GridError, match="returned None"):
        eg.variants()


@pytest.mark.parametrize("keys", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_circle_of_derived_values_is_drawn(keys):
    eg = Grid("g")
    for key, other in zip(keys, [*keys[1:], keys[0]], strict=True):
        eg.derive(key, lambda v, other=other: v[other])
    with pytest.raises(GridError, match=f"in a circle: {' -> '.join([*keys, keys[0]])}"):
        eg.variants()
