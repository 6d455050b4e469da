from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spinup.loggers.summary import Summary, summarize, to_numbers

NUMBERS = st.floats(-1e6, 1e6)
ARRAYS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, max_side=3), elements=NUMBERS)


def elements(value: object) -> list[float]:
    return np.ravel(value).tolist()


@given(st.lists(NUMBERS | ARRAYS | st.lists(NUMBERS), max_size=8))
def test_every_element_of_whatever_shape_counts_once(stored: list[object]) -> None:
    flat = [number for value in stored for number in elements(value)]
    summary = summarize([to_numbers(value) for value in stored])
    assert summary.count == len(flat)
    if flat:
        assert (summary.min, summary.max) == (min(flat), max(flat))
        assert summary.mean == pytest.approx(statistics.fmean(flat), abs=1e-6)
        assert summary.std == pytest.approx(statistics.pstdev(flat), abs=1e-6)


def test_the_deviation_is_that_of_the_population() -> None:
    assert summarize([1.0, 3.0]) == Summary(count=2, mean=2.0, std=1.0, min=1.0, max=3.0)


def test_nothing_has_no_statistics() -> None:
    for nothing in ([], [to_numbers([])], [to_numbers(np.empty((0, 3)))]):
        summary = summarize(nothing)
        assert summary.count == 0
        assert all(math.isnan(x) for x in (summary.mean, summary.std, summary.min, summary.max))


def test_large_values_keep_their_digits() -> None:
    # In float32, as in Spinning Up, both are 16777216 and the deviation is 0.
    summary = summarize([to_numbers(np.int64(16777216)), to_numbers(16777217)])
    assert (summary.mean, summary.std) == (16777216.5, 0.5)


def test_single_precision_is_widened_before_it_is_added_up() -> None:
    tenths = np.full(1_000_000, 0.1, dtype=np.float32)
    assert summarize([to_numbers(tenths)]).std < 1e-12
    assert summarize([to_numbers(tenths)]).mean == pytest.approx(float(np.float32(0.1)), rel=1e-14)


def test_infinities_are_no_warning() -> None:
    summary = summarize([math.inf, 1.0])
    assert (summary.mean, summary.min) == (math.inf, 1.0)
    assert math.isnan(summary.std)


def test_a_nan_is_not_hidden() -> None:
    assert math.isnan(summarize([1.0, math.nan]).mean)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, [3.0]),
        (True, [1.0]),
        (np.float32(0.5), [0.5]),
        (np.bool_(True), [1.0]),
        (np.uint8(255), [255.0]),
        (np.array([[1, 2], [3, 4]], dtype=np.int8), [1.0, 2.0, 3.0, 4.0]),
        (np.array(5), [5.0]),
        ([], []),
        ([1, 2.5], [1.0, 2.5]),
        ((np.array([1, 2]), 3, [np.float32(4), []]), [1.0, 2.0, 3.0, 4.0]),
        ([[1], [2, 3]], [1.0, 2.0, 3.0]),
        (range(3), [0.0, 1.0, 2.0]),
    ],
)
def test_values_become_numbers_in_double_precision(value: object, expected: list[float]) -> None:
    numbers = np.asarray(to_numbers(value))
    assert numbers.dtype == np.float64
    assert np.ravel(numbers).tolist() == expected


@pytest.mark.parametrize("value", ["1.5", b"1", ["1", "2"], {"a": 1}, object(), 1j, Fraction])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        to_numbers(value)


def test_numbers_share_no_memory_with_what_they_came_from() -> None:
    observation = np.array([1.0, 2.0])
    numbers = to_numbers(observation)
    observation[:] = 0
    assert np.ravel(numbers).tolist() == [1.0, 2.0]
