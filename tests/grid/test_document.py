import copy
import math
import tomllib

import numpy as np
import pytest
import tomli_w
from grid import rules
from grid.rules import Rewards, grids, has_ppo, make, ppo, sampled_grids, vpg
from hypothesis import given, settings
from hypothesis import strategies as st

from spinup.errors import GridError
from spinup.fingerprint import fingerprint
from spinup.grid import Choice, Grid, Uniform
from spinup.grid.document import build_grid, to_document


def through_toml(eg):
    return build_grid(tomllib.loads(tomli_w.dumps(to_document(eg.source))), Grid)


def prints(eg):
    return [(fingerprint(variant), name) for variant, name in eg]


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from([ppo, Rewards])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(
            st.one_of(st.text(max_size=3), st.sampled_from(["none", "tuple", "dict"])), inner, max_size=3
        ),
        st.dictionaries(st.one_of(st.integers(), st.none(), st.tuples(st.integers())), inner, max_size=2),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(values, min_size=1, max_size=3))
def test_values_are_the_same_afterwards(values):
    eg = make("g")
    eg.add("x", values)
    assert prints(through_toml(eg)) == prints(eg)


@settings(max_examples=30, deadline=None)
@given(grids(), sampled_grids(), st.integers(1, 3), st.integers(-2, 2))
def test_grids_are_the_same_afterwards(eg, drawn, n, step):
    drawn.sample(n)
    part = eg[1 :: step or 1]
    for grid in (eg, drawn, part, part | drawn | eg[::-1]):
        assert prints(through_toml(grid)) == prints(grid)
        assert to_document(through_toml(grid).source) == to_document(grid.source)


def test_functions_are_written_by_their_names():
    eg = make("g", algo=[ppo, vpg])
    eg.add("clip", [1, 2], when=has_ppo)
    eg.add("reward", {"dense": Rewards.dense, "sparse": Rewards.sparse})
    eg.add("a", [1, 2])
    eg.derive("quadruple", rules.quadruple, in_name=True)
    eg.derive("double", rules.double, "dbl", when=has_ppo)
    eg.only(has_ppo)
    eg.exclude(rules.is_large)
    document = to_document(eg.source)
    assert document["parameter"][0] == {
        "key": "algo",
        "values": [{"python": "grid.rules:ppo"}, {"python": "grid.rules:vpg"}],
        "shorthand": "alg",
    }
    assert document["parameter"][1]["when"] == "grid.rules:has_ppo"
    assert document["filter"] == [{"only": "grid.rules:has_ppo"}, {"exclude": "grid.rules:is_large"}]
    assert prints(through_toml(eg)) == prints(eg)


def test_a_grid_whose_shorthands_are_the_keys_is_the_same_afterwards():
    class Plain(Grid):
        def _uses_shorthands(self):
            return False

    eg = Plain("g")
    eg.add("learning", [1, 2])
    eg.add_paired(["alpha", "omega"], [(1, 2), (2, 2)])
    eg.derive("beta", rules.is_first, in_name=True)
    eg.add("a", 1)
    assert prints(through_toml(eg)) == prints(eg)


def test_numpys_numbers_are_saved_as_the_pythons_that_they_equal():
    eg = make("g", x=[np.float64(0.1), np.int64(3), np.bool_(True)])
    assert prints(through_toml(eg)) == prints(eg)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda v: v, "<lambda> has no name in a module"),
        (np.eye(2), "a ndarray"),
        (np.float32(1), "a float32"),
        (b"x", "a bytes"),
        ({1, 2}, "a set"),
        (1j, "a complex"),
        ([1, {"a": object()}], "a object"),
        ("\ud800", "no text file"),
    ],
    ids=str,
)
def test_what_cannot_be_saved_is_named(value, text):
    eg = make("g", lr=[[value], 1])
    with pytest.raises(GridError, match=f"A value of .lr.*cannot be saved: .*{text}"):
        to_document(eg.source)


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (lambda eg: eg.add("x", 1, when=lambda v: True), "The condition of 'x'"),
        (lambda eg: eg.derive("x", lambda v: 1), "The function of 'x'"),
        (lambda eg: eg.exclude(lambda v: False), "The function of exclude"),
        (lambda eg: eg.ablate({"x": len}, {"x": lambda: 1}), "A change of 'x'"),
    ],
)
def test_a_lambda_that_cannot_be_saved_is_named(state, what):
    eg = make("g", a=1)
    state(eg)
    with pytest.raises(GridError, match=f"{what} cannot be saved: .*Define it with def"):
        to_document(eg.source)


def test_a_function_of_the_launch_script_cannot_be_saved(monkeypatch):
    import __main__

    def in_script(v):
        return True

    in_script.__module__, in_script.__qualname__ = "__main__", "in_script"
    monkeypatch.setattr(__main__, "in_script", in_script, raising=False)
    eg = make("g", a=1)
    eg.only(in_script)
    with pytest.raises(GridError, match="is defined in the launch script"):
        to_document(eg.source)


DOCUMENT = {
    "name": "g",
    "parameter": [
        {"key": "a", "values": [1, math.inf]},
        {"keys": ["b", "c"], "rows": [[1, 2]]},
        {"drop": {"d": 1}},
        {"key": "lr", "distribution": {"kind": "uniform", "low": 0, "high": 1}},
    ],
    "derived": [{"key": "double", "function": "grid.rules:double"}],
    "filter": [{"only": "grid.rules:is_first"}],
    "sample": {"n": 2},
}


def test_a_file_can_be_written_by_hand():
    eg = Grid("g")
    eg.add("a", [1, math.inf])
    eg.add_paired(["b", "c"], [(1, 2)])
    eg.ablate({}, {"d": 1})
    eg.add("lr", Uniform(0, 1))
    eg.derive("double", rules.double)
    eg.only(rules.is_first)
    eg.sample(2)
    assert prints(build_grid(DOCUMENT, Grid)) == prints(eg)


def set_at(path, value):
    document = copy.deepcopy(DOCUMENT)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (["name"], 3, "name of a grid"),
        (["parameters"], [], "has no 'parameters'. It can have: command, derived, filter, name, parameter"),
        (["parameter"], {}, "must be a list"),
        (["parameter", 0], 3, "must be a table"),
        (["parameter", 0, "value"], 3, "has no 'value'"),
        (["parameter", 0, "key"], 3, "must be a string"),
        (["parameter", 0, "values"], 3, "must be a list"),
        (["parameter", 0, "values"], [], "no values"),
        (["parameter", 0, "in_name"], "yes", "true or false"),
        (["parameter", 0], {"key": "a"}, "needs values"),
        (["parameter", 0], {"values": [1]}, "needs 'key'"),
        (["parameter", 0, "when"], "lambda v: True", "'module:name'"),
        (["parameter", 0, "when"], "os:system('x')", "'module:name'"),
        (["parameter", 0, "when"], "grid.rules:nope", "cannot be imported: AttributeError"),
        (["parameter", 0, "when"], "no_such_module:f", "cannot be imported: ModuleNotFoundError"),
        (["parameter", 0, "when"], "grid.rules:Rewards.__doc__.x", "cannot be imported"),
        (["parameter", 0, "values"], [{"python": 3}], "'module:name'"),
        (["parameter", 0, "values"], [{"tuple": 3}], "must be a list"),
        (["parameter", 0, "values"], [{"dict": [[1]]}], "needs pairs"),
        (["parameter", 1, "rows"], [[1]], "one value for each key"),
        (["parameter", 1, "rows"], [1], "must be a list"),
        (["parameter", 1, "keys"], "bc", "must be a list"),
        (["parameter", 1, "keys"], ["b"], "two keys"),
        (["parameter", 2, "drop"], {}, "two dicts"),
        (["parameter", 2, "drop"], [], "must be a table"),
        (["parameter", 2, "baseline"], [], "must be a table"),
        (["parameter", 3, "distribution", "kind"], "normal", "of the kind 'uniform', 'log_uniform'"),
        (["parameter", 3, "distribution"], {"kind": "uniform"}, "needs low and high"),
        (["parameter", 3, "distribution", "low"], "0", "two finite numbers"),
        (["filter", 0], {}, "either only"),
        (["derived", 0], {"key": "double"}, "needs 'function'"),
        (["sample"], {}, "needs 'n'"),
        (["sample", "n"], 0, "number of variants"),
        (["part"], {}, "cannot stand beside"),
        (["union"], [], "cannot stand beside"),
    ],
)
def test_a_document_that_says_something_else_is_an_error(path, value, text):
    with pytest.raises(GridError, match=text):
        build_grid(set_at(path, value), Grid)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "must be a table"),
        ({"union": []}, "needs a grid or more"),
        ({"union": {}}, "needs a grid or more"),
        ({"part": {"of": {}, "numbers": 3}}, "a list"),
        ({"part": {"of": {}, "start": 0, "stop": 1}}, "needs step"),
        ({"part": {"of": {}, "start": 0, "stop": 1, "step": 0}}, "step"),
        ({"part": {"of": {}, "numbers": [1]}}, "no number 1"),
        ({"part": {}}, "needs 'of'"),
    ],
)
def test_a_part_or_union_that_says_something_else_is_an_error(document, text):
    with pytest.raises(GridError, match=text):
        build_grid(document, Grid)


def test_a_choice_is_the_same_afterwards():
    eg = make("g", x=Choice([1, 2, (3,)]))
    eg.sample(2)
    assert prints(through_toml(eg)) == prints(eg)
