from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spinup.results.stats.aggregates import iqm_of, mean_of
from spinup.results.stats.intervals import (
    bootstrap_interval,
    estimate,
    median_interval,
    t_interval,
    trimmed_t_interval,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_t_interval_is_the_textbooks():
    scores = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert t_interval(scores) == pytest.approx((3 - 1.963243, 3 + 1.963243), abs=1e-6)
    expected = stats.ttest_1samp(scores, 0.0).confidence_interval(0.9)
    assert t_interval(scores, level=0.9) == pytest.approx(tuple(expected))


def test_an_outlier_widens_the_interval_of_the_mean_and_not_that_of_the_iqm():
    scores = np.array([*range(10), 12.0, 1e6])
    low, high = trimmed_t_interval(scores)
    assert high - low < 10
    assert np.ptp(t_interval(scores)) > 1e5


def test_without_trimming_the_trimmed_interval_is_students():
    scores = np.array([1.0, 5.0, 7.0])  # a quarter of three is none
    assert trimmed_t_interval(scores) == pytest.approx(t_interval(scores))


def test_a_95_percent_interval_for_the_median_takes_six_seeds():
    assert median_interval(np.arange(5.0)) is None
    assert median_interval(np.arange(6.0)) == (0.0, 5.0)


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm", "optimality_gap"])
def test_one_seed_has_a_value_and_no_interval_and_says_so(statistic):
    found = estimate([0.5], statistic, rng=rng())
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert found.method == "none: one seed has no spread"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_what_diverged_is_left_out_and_counted(bad):
    found = estimate([1.0, bad, 3.0], rng=rng())
    assert (found.value, found.num_used, found.num_runs) == (2.0, 2, 3)
    assert not found.is_complete
    assert str(found).endswith("2 of 3 runs")


def test_no_result_at_all_is_no_value():
    found = estimate([np.nan, np.nan], rng=rng())
    assert (found.value, found.low) == (None, None)
    assert "no run has a result" in found.method


def test_a_task_without_a_result_leaves_no_value_over_all_tasks():
    found = estimate([[1.0, np.nan], [2.0, np.nan]], rng=rng())
    assert found.value is None
    assert (found.num_used, found.num_runs) == (2, 4)


@pytest.mark.parametrize("shape", [(4,), (4, 3)])
@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
def test_equal_scores_have_an_interval_of_that_one_value(shape, statistic):
    found = estimate(np.full(shape, 0.1), statistic, rng=rng())
    assert found.value == pytest.approx(0.1)
    if found.low is not None:
        assert (found.low, found.high) == pytest.approx((0.1, 0.1))


def test_the_same_generator_gives_the_same_interval():
    scores = np.random.default_rng(5).normal(size=(4, 3))
    assert estimate(scores, "iqm", rng=rng()) == estimate(scores, "iqm", rng=rng())


def test_the_level_has_to_be_a_probability():
    with pytest.raises(ValueError, match="level"):
        estimate([1.0, 2.0], rng=rng(), level=95)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-1e150, 1e150), min_size=2, max_size=12))
def test_an_interval_contains_its_statistic(scores):
    for statistic in ("mean", "median", "iqm"):
        found = estimate(scores, statistic, rng=rng())
        if found.low is not None and found.num_used == len(scores):
            slack = 1e-9 * max(map(abs, scores))
            assert found.low - slack <= found.value <= found.high + slack


# Coverage, by simulation: how often a 95 % interval has the truth in it. benchmarks/coverage.py has more.

NUM_RUNS = 1_500
SEEDS = (3, 5, 10)


def normal(num_seeds: int) -> np.ndarray:
    return np.random.default_rng(num_seeds).normal(1.0, 0.3, size=(NUM_RUNS, num_seeds))


def skewed(num_seeds: int) -> np.ndarray:
    """Lognormal with mean 1."""
    return np.random.default_rng(num_seeds).lognormal(-0.125, 0.5, size=(NUM_RUNS, num_seeds))


def coverage(intervals) -> float:
    return np.mean([low <= 1.0 <= high for low, high in intervals])


def percentile(scores):
    found = stats.bootstrap((scores,), np.mean, axis=-1, n_resamples=500, method="percentile", rng=rng())
    return zip(found.confidence_interval.low, found.confidence_interval.high, strict=True)


@pytest.mark.parametrize("num_seeds", SEEDS)
def test_students_interval_covers_95_percent_of_normal_returns(num_seeds):
    assert 0.935 <= coverage(map(t_interval, normal(num_seeds))) <= 0.965


@pytest.mark.parametrize("num_seeds", SEEDS)
def test_students_interval_covers_nine_tenths_of_skewed_returns(num_seeds):
    assert 0.89 <= coverage(map(t_interval, skewed(num_seeds))) <= 0.96


@pytest.mark.parametrize("draw", [normal, skewed])
@pytest.mark.parametrize(("num_seeds", "most"), [(3, 0.80), (5, 0.88)])
def test_the_percentile_bootstrap_of_few_seeds_covers_much_less(draw, num_seeds, most):
    scores = draw(num_seeds)
    plain, chosen = coverage(percentile(scores)), coverage(map(t_interval, scores))
    assert plain < most
    assert chosen > plain + 0.08


@pytest.mark.parametrize("statistic", [mean_of, iqm_of])
def test_over_tasks_widening_covers_what_the_plain_bootstrap_of_few_seeds_misses(statistic):
    source = np.random.default_rng(1)
    samples = [list(source.normal(1.0, 0.3, size=(4, 3))) for _ in range(200)]
    plain, widened = (
        coverage(
            bootstrap_interval(tasks, statistic, rng=rng(), draws=500, is_widened=is_widened)
            for tasks in samples
        )
        for is_widened in (False, True)
    )
    assert plain < 0.9
    assert 0.92 <= widened <= 0.98
