from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinup.results.stats.curves import Curve, align, band, common_grid, smooth

NAN = np.nan


def test_the_grid_has_every_step_of_every_run():
    assert common_grid([Curve([10, 20], [0, 0]), Curve([15, 30], [0, 0])]).tolist() == [10, 15, 20, 30]


def test_a_long_grid_is_thinned_to_even_steps_that_keep_both_ends():
    grid = common_grid([Curve(np.arange(5_000), np.zeros(5_000))], most_points=11)
    assert (grid.size, grid[0], grid[-1]) == (11, 0, 4_999)


def test_no_run_has_no_grid():
    assert common_grid([]).size == 0
    assert common_grid([Curve([], [])]).size == 0


def test_a_run_is_interpolated_within_its_steps_and_nowhere_else():
    aligned = align([Curve([10, 30], [0, 20]), Curve([20], [7])], np.array([0.0, 10, 20, 30, 40]))
    np.testing.assert_array_equal(aligned, [[NAN, 0, 10, 20, NAN], [NAN, NAN, 7, NAN, NAN]])


def test_of_rows_with_the_same_step_the_last_counts():
    assert align([Curve([1, 2, 1], [0, 5, 9])], np.array([1.0, 2.0])).tolist() == [[9, 5]]


@pytest.mark.parametrize("bad", [NAN, np.inf, -np.inf])
def test_a_value_that_is_not_finite_leaves_a_gap(bad):
    aligned = align([Curve([1, 2, 3], [1, bad, 3])], np.array([1, 1.5, 2, 2.5, 3]))
    np.testing.assert_array_equal(aligned, [[1, NAN, NAN, NAN, 3]])


@pytest.mark.parametrize("bad", [NAN, np.inf])
def test_a_row_without_a_step_does_not_count(bad):
    assert align([Curve([1, bad, 3], [1, 99, 3])], np.array([2.0])).tolist() == [[2]]


def test_a_run_without_a_row_is_a_gap():
    assert np.isnan(align([Curve([], [])], np.array([1.0]))).all()


def test_steps_and_values_of_different_length_are_an_error():
    with pytest.raises(ValueError, match="one shape"):
        align([Curve([1, 2], [1])], np.array([1.0]))


finite = st.floats(-1e6, 1e6)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=12), st.lists(finite, min_size=1))
def test_no_value_is_made_up_beyond_a_runs_end(rows, grid):
    steps, values = zip(*rows, strict=True)
    grid = np.sort(np.array(grid))
    (aligned,) = align([Curve(steps, values)], grid)
    inside = (min(steps) <= grid) & (grid <= max(steps))
    assert (np.isfinite(aligned) == inside).all()
    assert (aligned[inside] <= max(values) + 1e-6).all()
    assert (aligned[inside] >= min(values) - 1e-6).all()


def test_smoothing_averages_around_each_point():
    assert smooth([0.0, 3, 0, 3, 0], 3).tolist() == [0, 1, 2, 1, 0]


@pytest.mark.parametrize("window", [1, 2, 3, 5, 8, 100])
def test_smoothing_leaves_a_straight_line_as_it_is_up_to_its_ends(window):
    line = 2.0 * np.arange(10) + 7
    np.testing.assert_allclose(smooth(line, window), line)


def test_smoothing_neither_fills_gaps_nor_is_spoilt_by_them():
    smoothed = smooth([[NAN, 1.0, 1, NAN, 1, 1, NAN]], 3)
    np.testing.assert_array_equal(smoothed, [[NAN, 1, 1, NAN, 1, 1, NAN]])


def test_a_run_that_ends_early_is_smoothed_as_if_it_were_alone():
    short = [0.0, 2, 4, 6, 8]
    np.testing.assert_array_equal(smooth([*short, NAN, NAN], 5)[:5], smooth(short, 5))


def test_one_huge_value_is_felt_in_its_window_only():
    values = np.array([1.0, 1, 1e18, 1, 1, 1, 1])
    assert smooth(values, 3)[4:].tolist() == [1, 1, 1]


def test_nothing_but_gaps_stays_so():
    assert np.isnan(smooth([NAN, np.inf], 3)).all()
    assert smooth([], 3).size == 0


def test_a_window_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="window"):
        smooth([1.0], 0)


def test_a_band_counts_the_seeds_at_each_step():
    found = band(np.array([[1.0, 2, NAN, NAN], [3.0, NAN, 5, NAN]]))
    assert found.num_used.tolist() == [2, 1, 1, 0]
    np.testing.assert_array_equal(found.mean, [2, 2, 5, NAN])
    np.testing.assert_array_equal(np.isnan(found.low), [False, True, True, True])
    np.testing.assert_allclose([found.low[0], found.high[0]], [2 - 12.7062, 2 + 12.7062], atol=1e-4)
