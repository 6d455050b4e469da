from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spinup.results.stats.power import detectable_difference, detectable_in_errors, seeds_needed


# What Cohen 1988 and G*Power say for two-sided tests at 0.05 and a power of 0.8.
@pytest.mark.parametrize(
    ("effect", "independent", "paired"), [(0.2, 394, 199), (0.5, 64, 34), (0.8, 26, 15)]
)
def test_seeds_needed_are_the_textbooks(effect, independent, paired):
    assert seeds_needed(effect, 1.0) == independent
    assert seeds_needed(-effect, 1.0, is_paired=True) == paired


def test_five_seeds_against_five_find_two_standard_deviations():
    assert detectable_difference((2 / 5) ** 0.5, 8) == pytest.approx(2.02, abs=0.01)


def test_a_difference_of_that_size_is_found_in_four_of_five_simulations():
    rng = np.random.default_rng(0)
    shift = detectable_difference((2 / 5) ** 0.5, 8)
    x, y = rng.normal(shift, 1.0, size=(5, 20_000)), rng.normal(0.0, 1.0, size=(5, 20_000))
    assert np.mean(stats.ttest_ind(x, y).pvalue < 0.05) == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("df", [1, 1.5, 4, 9_999, 10_001, 1e9])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 100])
def test_more_power_takes_a_larger_difference(df, alpha):
    at_half, at_most = (detectable_in_errors(df, alpha=alpha, power=power) for power in (0.5, 0.95))
    assert 0 < at_half < at_most


def test_seeds_that_do_not_differ_need_no_more_than_two():
    assert seeds_needed(1.0, 0.0) == 2


@pytest.mark.parametrize("difference", [0.0, np.nan, np.inf])
def test_seeds_for_no_difference_are_an_error(difference):
    with pytest.raises(ValueError, match="difference"):
        seeds_needed(difference, 1.0)


def test_more_seeds_than_anybody_has_are_an_error():
    with pytest.raises(ValueError, match="1,000,000,000"):
        seeds_needed(1e-9, 1.0)


def test_a_power_below_chance_is_an_error():
    with pytest.raises(ValueError, match="power"):
        detectable_in_errors(4, power=0.01)
