from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spinup.results.stats.aggregates import aggregate, iqm_of, mean_of, normalise
from spinup.results.stats.intervals import bootstrap_interval, estimate
from spinup.results.stats.profiles import performance_profile, probability_of_improvement
from spinup.results.stats.scores import by_task

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "rliable.json").read_text(encoding="utf-8"))
CASES = [pytest.param(case, id="x".join(map(str, np.shape(case["scores"])))) for case in GOLDEN["cases"]]
SEVERAL_TASKS = CASES[1:]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("statistic", ["mean", "iqm", "optimality_gap"])
@pytest.mark.parametrize("case", CASES)
def test_statistics_are_rliables(case, statistic):
    assert aggregate(case["scores"], statistic) == pytest.approx(case[statistic], abs=1e-12)


@pytest.mark.parametrize("case", SEVERAL_TASKS)
def test_the_median_over_tasks_is_rliables(case):
    assert aggregate(case["scores"], "median") == pytest.approx(case["median"], abs=1e-12)


def test_of_one_task_the_median_is_that_of_its_seeds():
    assert aggregate([1.0, 2.0, 90.0], "median") == 2.0


@pytest.mark.parametrize(("name", "statistic"), [("mean", mean_of), ("iqm", iqm_of)])
@pytest.mark.parametrize("case", CASES)
def test_the_plain_bootstrap_is_rliables(case, name, statistic):
    # Both are random: 50,000 draws there, 20,000 here.
    found = bootstrap_interval(by_task(case["scores"]), statistic, rng=rng(), draws=20_000)
    low, high = case[f"{name}_interval"]
    assert found == pytest.approx((low, high), abs=0.03 * (high - low))


@pytest.mark.parametrize("case", CASES)
def test_performance_profiles_are_rliables(case):
    profile = performance_profile(case["scores"], GOLDEN["thresholds"], rng=rng())
    np.testing.assert_allclose(profile.share, case["profile"])
    np.testing.assert_allclose([profile.low, profile.high], case["profile_interval"], atol=0.05)


@pytest.mark.parametrize("case", CASES)
def test_the_probability_of_improvement_is_rliables(case):
    found = probability_of_improvement(case["scores"], case["others"], rng=rng())
    assert found.probability == pytest.approx(case["probability_of_improvement"])
    assert (found.low, found.high) == pytest.approx(case["improvement_interval"], abs=0.05)


def test_identical_algorithms_improve_on_each_other_half_of_the_time():
    assert probability_of_improvement([1.0, 2.0, 2.0], [1.0, 2.0, 2.0], rng=rng()).probability == 0.5


def test_a_profile_of_one_seed_has_no_interval():
    profile = performance_profile([1.0], [0.5], rng=rng())
    assert profile.share.tolist() == [1.0]
    assert np.isnan(profile.low).all()


def test_a_task_with_few_seeds_weighs_as_much_in_a_profile_as_one_with_many():
    scores = [[1.0, 0.0], [np.nan, 0.0], [np.nan, 0.0]]
    assert performance_profile(scores, [0.5], rng=rng()).share.tolist() == [0.5]


def test_algorithms_of_different_tasks_cannot_be_compared():
    with pytest.raises(ValueError, match="2 and 1 tasks"):
        probability_of_improvement([[1.0, 2.0]], [1.0], rng=rng())


def test_scores_are_normalised_task_by_task():
    scores = normalise([[0.0, 10.0], [5.0, 40.0]], low=[0.0, 20.0], high=[10.0, 40.0])
    assert scores.tolist() == [[0.0, -0.5], [0.5, 1.0]]


@pytest.mark.parametrize("high", [1.0, np.nan, np.inf])
def test_a_scale_without_a_length_is_an_error(high):
    with pytest.raises(ValueError, match="differ"):
        normalise([1.0], low=1.0, high=high)


def test_an_unknown_statistic_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match=r"'mode'.*iqm"):
        estimate([1.0], "mode", rng=rng())


@pytest.mark.parametrize("scores", [[], [[[1.0]]], 3.0])
def test_scores_of_another_shape_are_an_error(scores):
    with pytest.raises(ValueError, match="shape"):
        aggregate(scores)


def test_a_task_without_a_result_has_no_aggregate():
    with pytest.raises(ValueError, match="Task 1"):
        aggregate([[1.0, np.nan]])
