import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.jobs.identity import call_part, identity, parameter_part, seed_part, total


def thunk(lr):
    return lr


def other(lr):
    return lr


BASE = {"lr": 0.1, "ac": {"hidden": (64, 64), "act": "relu"}}


@pytest.mark.parametrize(
    "changed",
    [
        (other, BASE, 0, 1),
        (thunk, {**BASE, "lr": 0.2}, 0, 1),
        (thunk, {"lr": 0.1}, 0, 1),
        (thunk, {**BASE, "gamma": 0.99}, 0, 1),
        (thunk, {**BASE, "ac": {"hidden": (64, 64), "act": "tanh"}}, 0, 1),
        (thunk, {**BASE, "ac": {"hidden": "relu", "act": (64, 64)}}, 0, 1),
        (thunk, BASE, 1, 1),
        (thunk, BASE, 0, 2),
    ],
)
def test_what_is_asked_is_the_identity(changed):
    assert identity(*changed) != identity(thunk, BASE, 0, 1)


def test_the_order_of_arguments_is_not():
    again = {"ac": {"act": "relu", "hidden": (64, 64)}, "lr": 0.1}
    assert identity(thunk, again, 0, 1) == identity(thunk, BASE, 0, 1)


def test_a_key_with_a_colon_is_no_nested_dict():
    assert identity(thunk, {"a": {"b:c": 1}}, 0, 1) != identity(thunk, {"a": {"b": {"c": 1}}}, 0, 1)
    assert identity(thunk, {"a": {}}, 0, 1) != identity(thunk, {}, 0, 1)


values = st.recursive(
    st.integers() | st.text(max_size=3) | st.none(),
    lambda inner: st.dictionaries(st.text(max_size=2), inner),
)


@given(values, values)
def test_a_grids_parts_make_the_identity_of_its_variant(first, second):
    parts = [call_part(thunk, 1), seed_part(3), parameter_part("a:x", first), parameter_part("a:y", second)]
    assert total(parts) == identity(thunk, {"a": {"x": first, "y": second}}, 3, 1)
