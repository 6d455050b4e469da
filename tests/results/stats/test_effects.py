from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spinup.results.stats.effects import factorial_effects

TIMES = "\N{MULTIPLICATION SIGN}"


def by_label(scores, factors, **options):
    return {effect.label: effect for effect in factorial_effects(scores, factors, **options)}


def test_one_factor_is_the_classical_analysis_of_variance():
    scores = np.random.default_rng(0).normal(size=(3, 6)) + np.array([[0.0], [0.5], [1.0]])
    effect = by_label(scores, ["lr"])["lr"]
    expected = stats.f_oneway(*scores)
    assert (effect.f, effect.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_sums_of_squares_of_a_two_by_two_are_those_by_hand():
    # Cells 1, 3 / 5, 11, seeds a unit to either side: grand mean 5.
    cells = np.array([[1.0, 3.0], [5.0, 11.0]])
    effects = by_label(np.stack([cells - 1, cells + 1], axis=-1), ["a", "b"])
    squares = {label: effect.sum_of_squares for label, effect in effects.items()}
    assert squares == pytest.approx({"a": 72.0, "b": 32.0, f"a {TIMES} b": 8.0, "seeds": 8.0})
    assert [effect.df for effect in effects.values()] == [1, 1, 1, 4]
    assert effects["a"].share == pytest.approx(72 / 120)
    assert effects["a"].f == pytest.approx(36.0)
    assert effects["a"].corrected_share == pytest.approx((72 - 2) / (120 + 2))


def test_shares_add_up_to_one_exactly():
    scores = np.random.default_rng(0).normal(1e6, 1.0, size=(2, 3, 2, 4, 5))
    effects = factorial_effects(scores, "abcd")
    assert sum(effect.share for effect in effects) == pytest.approx(1.0, abs=1e-9)
    assert sum(effect.df for effect in effects) == scores.size - 1
    assert [e.label for e in effects][-2:] == ["higher interactions", "seeds"]


def test_an_effect_that_only_two_factors_have_together_is_their_interaction():
    a, b = np.meshgrid([-1, 1], [-1, 1], indexing="ij")
    scores = (a * b)[..., None] + np.array([-0.01, 0.01])
    effects = by_label(scores, ["a", "b"])
    assert effects[f"a {TIMES} b"].share > 0.99
    assert effects["a"].share == pytest.approx(0.0)
    assert effects["a"].low == 0.0


def test_noise_is_taken_off_the_share():
    rng = np.random.default_rng(0)
    found = [by_label(rng.normal(size=(5, 3)), ["a"])["a"] for _ in range(300)]
    assert np.mean([effect.share for effect in found]) == pytest.approx(4 / 14, abs=0.03)
    assert np.median([effect.corrected_share for effect in found]) < 0.05


@pytest.mark.parametrize("spread", [0.0, 0.6, 2.0])
def test_intervals_cover_the_true_share(spread):
    rng = np.random.default_rng(7)
    centers = spread * np.array([-1.0, 0.0, 1.0])[:, None]
    truth = centers.var() / (centers.var() + 1)
    found = [by_label(centers + rng.normal(size=(3, 5)), ["a"])["a"] for _ in range(400)]
    covered = np.mean([effect.low - 1e-9 <= truth <= effect.high for effect in found])
    assert 0.92 <= covered <= (1.0 if spread == 0 else 0.98)


def test_without_replication_shares_have_no_interval():
    effects = by_label(np.arange(6.0).reshape(2, 3, 1) ** 2, ["a", "b"])
    assert effects["seeds"].df == 0
    assert effects["a"].share > 0
    assert effects["a"].low is None
    assert effects["a"].p is None


def test_seeds_that_do_not_differ_leave_no_doubt():
    scores = np.repeat([[1.0], [2.0]], 3, axis=1)
    effect = by_label(scores, ["a"])["a"]
    assert (effect.share, effect.low, effect.high, effect.p) == (1.0, 1.0, 1.0, None)


def test_a_grid_on_which_nothing_differs_has_no_shares():
    assert {effect.share for effect in factorial_effects(np.full((2, 2, 3), 0.1), "ab")} == {0.0}


@pytest.mark.parametrize(
    ("scores", "factors"),
    [
        (np.array([[1.0, np.nan], [2.0, 3.0]]), ["a"]),
        (np.ones((1, 3)), ["a"]),
        (np.ones((2, 3)), ["a", "b"]),
        (np.ones((2, 0)), ["a"]),
        (np.ones(3), []),
    ],
)
def test_what_is_no_full_grid_is_an_error(scores, factors):
    with pytest.raises(ValueError, match="grid"):
        factorial_effects(scores, factors)


def test_an_effect_far_beyond_the_noise_has_an_interval_all_the_same():
    rng = np.random.default_rng(0)
    scores = np.arange(4.0)[:, None, None] * 1e7 + rng.normal(size=(4, 3, 2))
    first = factorial_effects(scores, ["a", "b"])[0]
    assert first.factors == ("a",)
    assert 0.999 < first.low <= first.high <= 1.0
