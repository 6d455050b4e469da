from __future__ import annotations

import sys

import numpy as np
import pytest

from spinup.errors import MissingExtra
from spinup.results.stats import importance
from spinup.results.stats.importance import forest_importance


def sampled(num_runs=60):
    rng = np.random.default_rng(0)
    values = {
        "noise": list(rng.uniform(size=num_runs)),
        "lr": list(10.0 ** rng.uniform(-5, -1, size=num_runs)),
        "net": [["small", None, True, "[64, 64]"][i % 4] for i in range(num_runs)],
        "fixed": [3] * num_runs,
    }
    return values, 10 * np.log10(values["lr"]) + 0.1 * rng.normal(size=num_runs)


def test_what_makes_the_difference_comes_first_on_whatever_scale(capfd):
    values, scores = sampled()
    shares = forest_importance(values, scores, rng=np.random.default_rng(0))
    assert next(iter(shares)) == "lr"
    assert shares["lr"] > 0.8
    assert shares["fixed"] == 0.0
    assert sum(shares.values()) <= 1.0 + 1e-9
    assert capfd.readouterr() == ("", "")


def test_the_same_generator_gives_the_same_shares():
    values, scores = sampled(20)
    first, second = (forest_importance(values, scores, rng=np.random.default_rng(1)) for _ in range(2))
    assert first == second


def test_runs_without_a_result_are_left_out():
    values, scores = sampled(20)
    scores[3] = np.nan
    kept = {
        name: [value for run, value in enumerate(column) if run != 3] for name, column in values.items()
    }
    found = forest_importance(values, scores, rng=np.random.default_rng(0))
    assert found == forest_importance(kept, np.delete(scores, 3), rng=np.random.default_rng(0))


def test_equal_results_have_no_cause():
    shares = forest_importance({"lr": [1, 2, 3, 4]}, [5.0] * 4, rng=np.random.default_rng(0))
    assert shares == {"lr": 0.0}


def test_three_runs_are_too_few():
    with pytest.raises(ValueError, match="not 3"):
        forest_importance({"lr": [1, 2, 3, 4]}, [1.0, 2.0, 3.0, np.nan], rng=np.random.default_rng(0))


def test_without_optuna_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importance, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "optuna", None)
    values, scores = sampled(10)
    with pytest.raises(MissingExtra, match=r"spinup\[importance\]"):
        forest_importance(values, scores, rng=np.random.default_rng(0))
