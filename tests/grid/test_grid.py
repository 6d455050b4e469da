import functools
import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinup import ExperimentGrid
from spinup.errors import GridError, GridKeyError
from spinup.fingerprint import fingerprint


def names_of(eg):
    return [name for _, name in eg.named_variants()]


def make(name="", **parameters):
    eg = ExperimentGrid(name)
    for key, values in parameters.items():
        eg.add(key, values)
    return eg


def assert_names_differ(eg):
    names = names_of(eg)
    assert len({name.lower() for name in names}) == len(eg)
    assert names == [eg.variant_name(variant) for variant in eg.variants()]
    assert all(" at 0x" not in name and "-at-0x" not in name for name in names)


def test_a_grid_without_parameters_has_one_variant():
    eg = ExperimentGrid("g")
    assert len(eg) == 1
    assert eg.variants() == [{}]
    assert names_of(eg) == ["g"]


def test_name_sets_the_name():
    eg = make(lr=[1, 2])
    assert names_of(eg) == ["lr1", "lr2"]
    eg.name("x")
    assert names_of(eg) == ["x_lr1", "x_lr2"]
    with pytest.raises(GridKeyError, match="must be a string"):
        eg.name(3)


def test_seeds_are_never_in_a_name():
    eg = ExperimentGrid("g")
    eg.add("seed", [0, 1], in_name=True)
    assert names_of(eg) == ["g", "g"]


def test_colons_nest():
    eg = ExperimentGrid()
    eg.add("base:param:a", 1)
    eg.add("base:param:b", 2)
    assert eg.variants() == [{"base": {"param": {"a": 1, "b": 2}}}]


def test_the_last_parameter_changes_fastest():
    eg = make(a=[1, 2], b=[3, 4])
    assert eg.variants() == [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]


def test_each_variant_has_dicts_and_lists_of_its_own():
    given_dict = {"layers": [64]}
    eg = ExperimentGrid()
    eg.add("net", [given_dict])
    eg.add("opt:lr", [1, 2])
    first, second = eg.variants()
    first["net"]["layers"].append(32)
    first["opt"]["lr"] = 9
    assert given_dict == {"layers": [64]}
    assert second == {"net": {"layers": [64]}, "opt": {"lr": 2}}
    assert eg.variants()[0] == {"net": {"layers": [64]}, "opt": {"lr": 1}}


def test_the_length_is_computed_without_enumeration():
    eg = make(**{f"p{i}": range(1000) for i in range(6)})
    assert len(eg) == 10**18


def test_enumeration_is_lazy():
    eg = make("g", **{f"p{i}x": range(1000) for i in range(5)})
    assert next(iter(eg.named_variants()))[1] == "g_p0x0_p1x0_p2x0_p3x0_p4x0"


def test_a_grid_iterates_over_variants_and_names():
    assert list(make("g", a=[1, 2])) == [({"a": 1}, "g_a1"), ({"a": 2}, "g_a2")]


def test_a_variant_that_lacks_a_parameter_is_an_error():
    with pytest.raises(GridError, match="no value for 'a'"):
        make(a=[1, 2]).variant_name({"b": 1})
    with pytest.raises(GridError, match="A variant is a dict"):
        make(a=[1, 2]).variant_name([1])


def test_a_flat_variant_has_the_name_of_the_nested_one():
    eg = ExperimentGrid()
    eg.add("a:b", [1, 2])
    assert eg.variant_name({"a:b": 2}) == eg.variant_name({"a": {"b": 2}}) == "a-b2"


# -- Two different variants never share a name -----------------------------------------------


def test_flags_with_one_shorthand_are_told_apart():
    eg = make("g", use_gae=[True, False], use_norm=[True, False])
    assert_names_differ(eg)
    both, gae, norm, neither = names_of(eg)
    assert (both, neither) == ("g_use_use", "g")  # unambiguous: as in Spinning Up
    assert gae.startswith("g_use@")
    assert norm.startswith("g_use@")


def scale(x, by=1):
    return x * by


class Adam: ...


class adam: ...  # noqa: N801 - differs from the other by case alone


class Opaque:
    def __reduce_ex__(self, protocol):
        raise TypeError("not this one")


def make_lambda(number):
    return lambda: number


@pytest.mark.parametrize(
    "values",
    [
        [lambda x: x, lambda x: -x],
        [make_lambda(1), make_lambda(2)],
        [functools.partial(scale, by=2), functools.partial(scale, by=3)],
        [Adam, adam],
        ["Adam", "adam"],
        [0.1, "0-1", "0.1", (0, 1)],
        [1e20, 1e-20],
        [1, 1.0, True, "1"],
        [(1, 2), [1, 2], "1-2"],
        [Opaque(), Opaque()],
        [threading.Lock(), threading.Lock()],
        [np.arange(3), np.arange(4), np.zeros(10_000), np.ones(10_000)],
        [np.float32(0.1), np.float64(0.1)],
        ["a b", "a-b", "a/b", "a\nb"],
        [None, "none", "None"],
        [{"a": 1}, {"a": "1"}],
        [float("nan"), "nan"],
    ],
    ids=repr,
)
def test_values_that_read_alike_are_told_apart(values):
    assert_names_differ(make("g", x=values))
    assert_names_differ(make("", x=values, flag=[True, False]))


def test_only_values_that_read_alike_get_a_hash():
    eg = make("g", optimizer=["Adam", "adam", "SGD"])
    first, second, third = names_of(eg)
    assert third == "g_optsgd"
    assert first.startswith("g_optadam@")
    assert second.startswith("g_optadam@")


def test_a_value_that_looks_like_the_next_parameter_is_told_apart():
    eg = ExperimentGrid()
    eg.add("x", ["1", "1_y2"])
    eg.add("y2", [True, False])
    assert_names_differ(eg)
    assert "x1" in names_of(eg)
    assert "x1_y2_y2" in names_of(eg)


def test_underscores_that_are_stripped_are_told_apart():
    eg = ExperimentGrid()
    eg.add("a", ["x", "_x", "__x"], shorthand="")
    assert_names_differ(eg)


def test_equal_values_are_one_experiment():
    eg = make("g", lr=[0.1, 0.1])
    assert names_of(eg) == ["g_lr0-1", "g_lr0-1"]


def test_the_hash_of_a_lambda_does_not_depend_on_where_it_stands():
    first = names_of(make("g", f=[lambda x: x, lambda x: -x]))
    # fmt: off
    second = names_of(make("g", f=[lambda x: x,

                                   lambda x: -x]))
    # fmt: on
    assert first == second


def test_a_name_of_more_than_255_bytes_is_shortened():
    eg = make("g", x=["a" * 300, "a" * 301, "b" * 248])
    long, longer, short = names_of(eg)
    assert len(long) == len(longer) == 255
    assert long != longer
    assert short == "g_x" + "b" * 248
    umlauts = names_of(make("ü" * 200, x=[1, 2]))
    assert all(len(name.encode()) <= 255 for name in umlauts)
    assert len(set(umlauts)) == 2


texts = st.text(alphabet="_a1- A", max_size=3)
values = st.one_of(st.booleans(), st.integers(0, 12), texts, st.sampled_from([0.1, 1.0, None, (1, 1), [1]]))
columns = st.lists(
    st.tuples(st.lists(values, min_size=1, max_size=4), st.sampled_from(["", "_", "a", "a1", "_a", "b"])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=400, deadline=None)
@given(columns, st.sampled_from(["", "_", "g", "_g", "a_"]))
def test_no_two_variants_of_any_grid_share_a_name(columns, grid_name):
    eg = ExperimentGrid(grid_name)
    for i, (pool, shorthand) in enumerate(columns):
        eg.add(f"k{i}", pool, shorthand, in_name=True)
    seen = {}
    for variant, name in eg.named_variants():
        assert eg.variant_name(variant) == name
        assert seen.setdefault(name.lower(), fingerprint(variant)) == fingerprint(variant)


@settings(max_examples=200, deadline=None)
@given(columns, st.sampled_from(["", "_", "g", "_g"]))
def test_a_name_that_is_nobody_elses_is_spinning_ups(columns, grid_name):
    eg = ExperimentGrid(grid_name)
    for i, (pool, shorthand) in enumerate(columns):
        eg.add(f"k{i}", pool, shorthand, in_name=True)
    plain = {}
    for variant in itertools.product(*eg.vals):
        plain.setdefault(reference_name(grid_name, columns, variant), set()).add(fingerprint(variant))
    for (variant, name), choice in zip(eg.named_variants(), itertools.product(*eg.vals), strict=True):
        expected = reference_name(grid_name, columns, choice)
        assert (name == expected) == (len(plain[expected]) == 1), variant


def reference_name(grid_name, columns, choice):
    """Spinning Up's rule, in the plainest way."""
    name = grid_name
    for (pool, shorthand), value in zip(columns, choice, strict=True):
        if all(isinstance(v, bool) for v in pool):
            name += f"_{shorthand}" if value else ""
        else:
            name += f"_{shorthand}{reference_value(value)}"
    return name.lstrip("_")


def reference_value(value):
    if isinstance(value, (tuple, list)):
        return "-".join(reference_value(item) for item in value)
    valid = "-_abcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(c if c in valid else "-" for c in str(value).lower())


@pytest.mark.parametrize("num_between", [0, 1, 2, 5])
def test_flags_with_one_shorthand_are_told_apart_whatever_stands_between(num_between):
    between = {f"b{i}": [True, False] for i in range(num_between)}
    assert_names_differ(make("g", use_gae=[True, False], **between, use_norm=[True, False]))


def with_attribute(number):
    def function():
        return function.number

    function.number = number
    return function


def with_global(number):
    namespace = {"number": number}
    exec("f = lambda: number", namespace)
    return namespace["f"]


class Token(str):
    def __new__(cls, text, number):
        token = super().__new__(cls, text)
        token.number = number
        return token


@pytest.mark.parametrize(
    "values",
    [
        [with_attribute(1), with_attribute(2)],
        [with_global(1), with_global(2)],
        [Token("a", 1), Token("a", 2)],
        [np.float32(1), np.float64(1)],
    ],
    ids=["attribute", "global", "text", "precision"],
)
def test_values_that_pickle_tells_apart_are_told_apart(values):
    assert_names_differ(make("g", x=values))


class Loud:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("repr")


class Shouting:
    def __repr__(self):
        return f"<Shouting id={id(self)} at={id(self):x}>"


def test_objects_that_raise_or_tell_their_address_have_names():
    assert_names_differ(make("g", x=[Loud(), Shouting(), 1]))
    assert names_of(make("g", x=[Shouting(), 1]))[0] == "g_x-shouting-id--at--"


def test_a_set_reads_the_same_in_every_process():
    assert names_of(make("g", x=[{"b", "a", "c"}, 1]))[0] == "g_x--a----b----c--"


def test_changing_a_value_after_it_was_added_changes_nothing():
    layers = [64, 64]
    eg = make("g", h=[layers, [32]])
    before = names_of(eg)
    layers.append(9)
    assert names_of(eg) == before == [eg.variant_name(v) for v in eg.variants()]
    assert eg.variants()[0] == {"h": [64, 64]}
