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


# -- What a function may not do


@pytest.mark.parametrize(
    "state",
    [
        lambda eg, f: eg.exclude(lambda v: f() > 1),
        lambda eg, f: eg.only(lambda v: f() > 1),
        lambda eg, f: eg.add("b", 1, when=lambda v: f() > 1),
        lambda eg, f: eg.derive("b", lambda v: [f()]),
        lambda eg, f: eg.part(only=lambda v: f() > 1),
    ],
)
def test_a_function_that_does_not_say_the_same_again_is_an_error(state):
    answers = iter(range(1, 100))
    eg = make("g", a=[1, 2])

    def read():
        state(eg, lambda: next(answers))
        eg.variants()

    with pytest.raises(GridError, match=r"does not say the same when it is asked again: .*\(a=1\)"):
        read()


def test_answers_that_change_between_two_walks_are_an_error():
    left_out = []
    eg = make("g", a=[1, 2, 3])
    eg.exclude(lambda v: v["a"] in left_out)
    assert len(eg) == 3
    left_out.append(2)
    with pytest.raises(GridError, match=r"other variants than when it was read first: 2, not 3.*exclude"):
        eg.variants()


def test_as_many_variants_but_others_are_an_error():
    left_out = [2]
    eg = make("g", a=[1, 2, 3])
    eg.exclude(lambda v: v["a"] in left_out)
    eg.variants()
    left_out[0] = 3
    with pytest.raises(GridError, match="other variants than when it was read first"):
        eg.variants()


def test_what_a_function_does_to_a_value_does_not_change_the_grid():
    numpy = pytest.importorskip("numpy")
    eg = make("g", array=[[numpy.zeros(2)]], pair=[([1], {2})], many=[{3}])

    def spoil(v):
        v["array"][0][:] = 9
        v["pair"][0].append(9)
        v["pair"][1].add(9)
        v["many"].add(9)
        return True

    eg.only(spoil)
    ((variant, _),) = eg
    assert variant["array"][0].tolist() == [0, 0]
    assert (variant["pair"], variant["many"]) == (([1], {2}), {3})


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda v: v["ac"], {"hid": [64], "act": {"name": "tanh"}}),
        (lambda v: {"of": [v["ac"]]}, {"of": [{"hid": [64], "act": {"name": "tanh"}}]}),
        (lambda v: (v["ac:act"],), ({"name": "tanh"},)),
        (lambda v: v, {"ac": {"hid": [64], "act": {"name": "tanh"}}, "lr": 1}),
    ],
)
@pytest.mark.parametrize("has_derived", [False, True])
def test_a_derived_value_is_made_of_plain_dicts(function, value, has_derived):
    eg = Grid("g")
    eg.add("ac:hid", [[64]])
    if has_derived:
        eg.derive("ac:act:name", lambda v: "tanh" if v["ac"]["hid"] else None)
    else:
        eg.add("ac:act:name", "tanh")
    eg.add("lr", 1)
    eg.derive("pol", function)
    (variant,) = eg.variants()
    if not has_derived or "lr" not in value:
        assert variant["pol"] == value
    assert_plain(variant["pol"])
    assert variant["ac"]["hid"] is not eg.parameters[0].values[0]


def assert_plain(value):
    assert type(value) in {dict, list, tuple, int, str}
    if not isinstance(value, (int, str)):
        for item in value.values() if isinstance(value, dict) else value:
            assert_plain(item)
