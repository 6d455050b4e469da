import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.errors import GridError
from spinup.grid import Choice, Grid, IntUniform, LogUniform, Uniform
from spinup.grid.draws import draw, shuffled

bits = st.integers(0, 2**256 - 1)
numbers = st.floats(-1e6, 1e6)


@given(bits, numbers, st.floats(1e-3, 1e6), st.integers(1, 12))
def test_uniform_stays_in_its_range(bits, low, width, digits):
    uniform = Uniform(low, low + width, digits)
    assert low <= uniform.value(bits) <= low + width


@given(bits, st.floats(1e-12, 1), st.floats(1.5, 1e12), st.integers(1, 12))
def test_log_uniform_stays_in_its_range(bits, low, factor, digits):
    assert low <= LogUniform(low, low * factor, digits).value(bits) <= low * factor


@given(bits, st.integers(-(10**30), 10**30), st.integers(0, 10**30))
def test_int_uniform_stays_in_its_range(bits, low, width):
    assert low <= IntUniform(low, low + width).value(bits) <= low + width


def test_values_are_spread_as_they_should_be():
    draws = [draw("spread", number) for number in range(1000)]
    assert abs(sum(map(Uniform(2, 4).value, draws)) / 1000 - 3) < 0.1
    logs = [math.log10(LogUniform(1e-6, 1e-2).value(d)) for d in draws]
    assert abs(sum(logs) / 1000 + 4) < 0.2
    assert {IntUniform(0, 2).value(d) for d in draws} == {0, 1, 2}
    assert {Choice("ab").value(d) for d in draws} == {"a", "b"}


def test_values_have_few_digits():
    assert all(len(f"{LogUniform(1e-5, 1e-2).value(draw(n)):.10g}".lstrip("0.")) <= 9 for n in range(100))
    assert Uniform(0, 1).value(draw(1)) == round(Uniform(0, 1).value(draw(1)), 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uniform(1, 1),
        lambda: Uniform(2, 1),
        lambda: Uniform("0", 1),
        lambda: Uniform(0, math.inf),
        lambda: Uniform(math.nan, 1),
        lambda: Uniform(0, 1, digits=0),
        lambda: Uniform(0, 1, digits=20),
        lambda: LogUniform(0, 1),
        lambda: LogUniform(-1, 1),
        lambda: IntUniform(1, 0),
        lambda: IntUniform(0, 1.5),
        lambda: Choice([]),
    ],
)
def test_a_range_that_is_none_is_an_error(make):
    with pytest.raises(GridError):
        make()


@pytest.mark.parametrize("size", [1, 2, 3, 10, 64, 65, 200])
def test_a_shuffle_has_every_number_once(size):
    order = [shuffled(place, size, "test") for place in range(size)]
    assert sorted(order) == list(range(size))
    assert size < 10 or order != list(range(size))


def test_a_huge_shuffle_holds_nothing():
    assert 0 <= shuffled(7, 10**40, "test") < 10**40


def test_draws_are_the_same_everywhere():
    assert draw("a", 1) % 10**6 == 518350
    assert [shuffled(place, 10, 0) for place in range(10)] == [2, 0, 7, 8, 5, 9, 4, 6, 1, 3]


@pytest.mark.parametrize("values", [[LogUniform(1, 2), 3], [Uniform(0, 1)]])
def test_a_distribution_in_a_list_is_an_error(values):
    with pytest.raises(GridError, match="give it alone"):
        Grid("g").add("lr", values)


def test_a_distribution_of_seeds_is_an_error():
    with pytest.raises(GridError, match="Seeds are not drawn"):
        Grid("g").add("seed", IntUniform(0, 10))
