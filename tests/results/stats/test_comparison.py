from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spinup.results.stats.comparison import Verdict, compare, holm

NAN = math.nan
BASELINE = [500.0, 510.0, 490.0, 505.0, 495.0]
NOISY = [500.0, 520.0, 480.0, 505.0, 510.0]


def seeded(scores, first=0):
    return dict(enumerate(scores, first))


def one(scores, baseline=BASELINE, first=0, **options):
    (found,) = compare([seeded(scores, first)], [seeded(baseline)], rng=np.random.default_rng(0), **options)
    return found


def test_shared_seeds_are_compared_pair_by_pair():
    scores = [300.0, 290.0, 295.0, 310.0, 280.0]
    found = one(scores)
    expected = stats.ttest_rel(scores, BASELINE)
    ends = expected.confidence_interval()
    assert (found.test, found.num_pairs) == ("paired t", 5)
    assert (found.p, found.low, found.high) == pytest.approx((expected.pvalue, ends.low, ends.high))
    assert found.difference == pytest.approx(-205)
    assert found.verdict is Verdict.WORSE


def test_other_seeds_are_compared_by_welch():
    scores = [600.0, 590.0, 640.0, 610.0]
    found = one(scores, first=100)
    expected = stats.ttest_ind(scores, BASELINE, equal_var=False)
    ends = expected.confidence_interval()
    assert (found.test, found.num_pairs) == ("Welch t", None)
    assert (found.p, found.low, found.high) == pytest.approx((expected.pvalue, ends.low, ends.high))
    assert found.verdict is Verdict.BETTER


def test_pairing_can_be_refused():
    assert one(NOISY, is_paired=False).test == "Welch t"


def test_a_pair_of_which_one_failed_is_left_out_of_both_and_counted():
    found = one([300.0, 290.0, NAN, 310.0, 280.0])
    kept = stats.ttest_rel([300.0, 290, 310, 280], [500.0, 510, 505, 495])
    assert found.p == pytest.approx(kept.pvalue)
    assert (found.num_pairs, found.num_used, found.num_runs) == (4, 4, 5)
    assert not found.is_complete
    assert found.sentence("`x`").endswith(", 4 pairs of seeds (4 of 5 seeds; baseline: 5 of 5)")


def test_a_sentence_counts_the_pairs_that_were_tested():
    found = one([300.0, 290, NAN, 310, 280], baseline=[NAN, 510.0, 490, 505, 495])
    assert (found.test, found.num_pairs) == ("paired t", 3)
    assert found.sentence("`x`").endswith(", 3 pairs of seeds (4 of 5 seeds; baseline: 4 of 5)")


@pytest.mark.parametrize("num_shared", [0, 1, 2])
def test_with_too_few_pairs_all_seeds_are_compared_by_welch(num_shared):
    scores = {seed: NAN if seed < 5 - num_shared else 300.0 + seed for seed in range(9)}
    baseline = {seed: 500.0 + 3 * seed if seed < 5 else NAN for seed in range(9)}
    (found,) = compare([scores], [baseline], rng=np.random.default_rng(0))
    assert (found.test, found.num_pairs, found.verdict) == ("Welch t", None, Verdict.WORSE)
    assert found.sentence("`x`").endswith(
        f"{4 + num_shared} of 9 seeds" + " (baseline: 5 of 9)" * (num_shared != 1)
    )


def test_pairing_that_is_asked_for_is_kept_however_few_pairs_there_are():
    found = one([300.0, 290, NAN, NAN, NAN], baseline=[NAN, 510.0, 490, 505, 495], is_paired=True)
    assert (found.num_pairs, found.verdict) == (1, Verdict.TOO_FEW)


def test_within_seed_noise_says_what_could_have_been_found():
    found = one(NOISY)
    assert found.verdict is Verdict.WITHIN_NOISE
    assert found.detectable > abs(found.difference)
    assert "is within seed noise: 3 [" in found.sentence("`x`")
    assert "was detectable, 5 of 5 seeds" in found.sentence("`x`")


def test_the_sentence_of_what_matters_has_difference_interval_p_and_seeds():
    found = compare([seeded([300.0, 290, 295, 310, 280]), seeded(NOISY)], [seeded(BASELINE)] * 2, rng=None)
    minus = "\N{MINUS SIGN}"
    assert found[0].sentence("`x`") == (
        f"`x` matters: {minus}205 [{minus}220, {minus}190], p < 0.001 (Holm), 5 of 5 seeds"
    )


def test_what_counts_alone_may_not_count_among_many():
    scores = [x + d for x, d in zip(BASELINE, [5.0, 12.0, 3.0, 9.0, 1.0], strict=True)]
    assert one(scores).verdict is Verdict.BETTER
    found = compare(
        [seeded(scores)] + [seeded(NOISY)] * 9, [seeded(BASELINE)] * 10, rng=np.random.default_rng(0)
    )[0]
    assert found.verdict is Verdict.UNCLEAR
    assert "alone but" in found.sentence("`x`")
    assert found.detectable > one(scores).detectable


@pytest.mark.parametrize("scores", [[], [1.0], [NAN] * 5, [1.0, NAN, NAN], [math.inf] * 3])
def test_fewer_than_two_results_cannot_be_judged(scores):
    for first in (0, 100):
        found = one(scores, first=first)
        assert found.verdict is Verdict.TOO_FEW
        assert (found.p, found.p_holm, found.low) == (None, None, None)
        assert f"of {len(scores)} seed" in found.sentence("`x`")


def test_a_baseline_without_results_judges_nothing():
    assert one(NOISY, baseline=[NAN] * 5).verdict is Verdict.TOO_FEW


@pytest.mark.parametrize("is_paired", [True, False])
def test_equal_scores_have_no_effect(is_paired):
    found = one([500.0] * 5, baseline=[500.0] * 5, is_paired=is_paired)
    assert (found.verdict, found.difference, found.p) == (Verdict.NO_EFFECT, 0.0, 1.0)
    assert found.effect_size is None


@pytest.mark.parametrize("shift", [5.0, -200.0])
def test_a_shift_that_is_the_same_for_every_seed_is_never_within_noise(shift):
    scores = [100.0, 200.0, 300.0, 400.0, 500.0]
    found = one([score + shift for score in scores], baseline=scores)
    assert (found.test, found.verdict) == ("paired permutation", Verdict.UNCLEAR)
    assert (found.low, found.high, found.p) == (shift, shift, pytest.approx(2 / 32))
    sentence = found.sentence("`x`").replace("\N{MINUS SIGN}", "-")
    assert sentence.startswith(f"`x` changed every seed by exactly {shift:g}, ")
    assert "p cannot fall below 0.06" in sentence


def test_a_shift_that_is_the_same_for_enough_seeds_matters():
    scores = [100.0 * seed for seed in range(8)]
    found = one([score + 5 for score in scores], baseline=scores)
    assert (found.p, found.verdict) == (pytest.approx(2 / 256), Verdict.BETTER)
    assert found.sentence("`x`").startswith("`x` matters: it changed every seed by exactly 5, p = 0.00")


def test_the_same_score_seed_by_seed_is_no_effect():
    assert one(BASELINE).verdict is Verdict.NO_EFFECT


def test_without_spread_arrangements_are_counted():
    found = one([200.0] * 5, baseline=[500.0] * 5)
    assert (found.low, found.high, found.test) == (-300.0, -300.0, "permutation")
    assert found.p == pytest.approx(2 / 252)
    assert (found.verdict, found.detectable) == (Verdict.WORSE, None)


@pytest.mark.parametrize("first", [0, 100])
def test_without_spread_few_seeds_are_told_that_the_difference_is_exact(first):
    found = one([110.0] * 3, baseline=[100.0] * 3, first=first)
    assert found.verdict is Verdict.UNCLEAR
    assert "exactly 10" in found.sentence("`x`")
    assert "p cannot fall below 0.10" in found.sentence("`x`")


def test_the_permutation_test_counts_arrangements_of_pairs_or_of_all():
    scores = [300.0, 290.0, 295.0, 310.0, 280.0]
    assert one(scores, test="permutation").p == pytest.approx(2 / 32)
    assert one(scores, test="permutation", is_paired=False).p == pytest.approx(2 / 252)


def test_a_permutation_test_that_cannot_find_anything_says_so():
    found = one([300.0, 290.0, 295.0, 310.0, 280.0], test="permutation")
    assert found.verdict is Verdict.TOO_FEW
    assert "p cannot fall below 0.06" in found.sentence("`x`")


def test_the_effect_size_is_in_standard_deviations_less_the_bias_of_few_seeds():
    found = one([3.0, 4.0, 5.0], baseline=[1.0, 2.0, 3.0])
    assert found.effect_size == pytest.approx(2.0 * (1 - 3 / 15))
    assert found.probability_better == pytest.approx(8.5 / 9)


def test_seeds_needed_for_what_is_just_detectable_are_those_there_are():
    assert one(NOISY, wanted=one(NOISY).detectable * (1 + 1e-6)).seeds_needed == 5


def test_holms_correction_is_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1))
def test_holms_correction_keeps_the_order_and_makes_nothing_smaller(p_values):
    corrected = holm(p_values)
    pairs = sorted(zip(p_values, corrected, strict=True))
    assert all(p <= after <= 1 for p, after in pairs)
    assert [after for _, after in pairs] == sorted(corrected)


scores = st.dictionaries(st.integers(0, 5), st.floats(allow_nan=True, allow_infinity=True), max_size=6)


@settings(deadline=None, max_examples=200)
@given(variant=scores, baseline=scores, is_paired=st.sampled_from([None, True, False]))
def test_a_verdict_never_rests_on_nan(variant, baseline, is_paired):
    (found,) = compare([variant], [baseline], rng=np.random.default_rng(0), is_paired=is_paired)
    numbers = [found.difference, found.low, found.high, found.p, found.p_holm, found.detectable]
    assert all(number is None or math.isfinite(number) for number in [*numbers, found.effect_size])
    assert (found.p is None) <= (found.verdict is Verdict.TOO_FEW)
    assert "nan" not in found.sentence("x").lower()


def test_a_level_of_five_percent_errs_in_five_of_a_hundred():
    rng = np.random.default_rng(0)
    draws = rng.lognormal(0.0, 0.5, size=(2, 300, 5))
    for is_paired in (True, False):
        wrong = [
            compare([seeded(x)], [seeded(y)], rng=rng, is_paired=is_paired)[0].p < 0.05
            for x, y in zip(*draws, strict=True)
        ]
        assert 0.02 <= np.mean(wrong) <= 0.08


def test_an_unknown_test_is_an_error():
    with pytest.raises(ValueError, match="'anova'"):
        one(NOISY, test="anova")
