import math

import pytest
from click import UsageError
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli.ranges import MOST_VALUES, expand

NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.text("0123456789.-+eE:", max_size=12),
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0:5", [0, 1, 2, 3, 4]),
        ("-2:1", [-2, -1, 0]),
        ("0:10:5", [0, 5]),
        ("3:0:-1", [3, 2, 1]),
        ("log(1e-5,1e-2,4)", [1e-5, 1e-4, 1e-3, 1e-2]),
        ("log(100, 1, 3)", [100.0, 10.0, 1.0]),
        ("lin(0,1,5)", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("lin(-.5,.5,2)", [-0.5, 0.5]),
    ],
)
def test_a_range_is_its_values(text, values):
    assert expand(text) == values
    assert [type(value) for value in expand(text)] == [type(value) for value in values]


@pytest.mark.parametrize(
    "text", ["5", "a:b", "CartPole-v1", "pkg:Env-v0", "1:", ":1", "logs", "linear", "1:2:3:4"]
)
def test_other_texts_are_no_ranges(text):
    assert expand(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5:5", "empty"),
        ("5:0", "empty"),
        ("0:5:0", "cannot be 0"),
        ("0:1:0.1", "lin(first,last,number)"),
        ("0:9999999999999999999999999", f"{MOST_VALUES} are the most"),
        ("log(1,10)", "first, last and number"),
        ("log(1e-5,", "without spaces"),
        ("log(0,10,3)", "above 0"),
        ("log(-1,10,3)", "above 0"),
        ("lin(1,1,3)", "two different ends"),
        ("lin(0,1,1)", "at least two"),
        ("lin(0,1e999,3)", "two different ends"),
        ("lin(0,1,999999999)", "are the most"),
        ("log(x,y,3)", "cannot be read"),
    ],
)
def test_a_range_that_cannot_be_had_is_an_error(text, says):
    with pytest.raises(UsageError) as raised:
        expand(text)
    assert says in raised.value.message
    assert text in raised.value.message


@given(
    st.lists(NUMBERS, min_size=1, max_size=4),
    st.sampled_from([("", ":", ""), ("log(", ",", ")"), ("lin(", ",", ")"), ("log(", ",", "")]),
)
def test_any_range_has_finite_values_or_is_an_error(numbers, shape):
    before, between, after = shape
    try:
        values = expand(before + between.join(numbers) + after)
    except UsageError:
        return
    assert values is None or 0 < len(values) <= MOST_VALUES
    assert all(math.isfinite(value) for value in values or [])


@given(
    st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), st.integers(2, 30), st.sampled_from(["log", "lin"])
)
def test_spaced_values_begin_and_end_where_they_should_and_lie_between(first, last, number, kind):
    if first == last:
        return
    values = expand(f"{kind}({first!r},{last!r},{number})")
    assert (values[0], values[-1], len(values)) == (first, last, number)
    low, high = sorted((first, last))
    assert all(low * (1 - 1e-9) <= value <= high * (1 + 1e-9) for value in values)
