from __future__ import annotations

import numpy as np
import pytest

from spinup.results.stats.diagnostics import (
    Length,
    RunCurve,
    Severity,
    best_at_edge,
    identical_seeds,
    mixed_code,
    seed_counts,
    unconnected_parameters,
    unequal_lengths,
)


def run(seed=0, curve=(1.0, 2.0, 3.0), variant="a", **parameters):
    return RunCurve(variant, seed, parameters, np.array(curve))


def kinds(findings):
    return [finding.kind for finding in findings]


def test_a_knob_that_changes_no_bit_is_found():
    runs = [
        run(seed, (seed, 1.5, lr), lr=lr, knob=knob) for seed in (0, 1) for lr in (2, 3) for knob in "xyz"
    ]
    (finding,) = unconnected_parameters(runs)
    assert (finding.kind, finding.subject) == ("unconnected", "knob")
    assert "x, y, z" in finding.sentence


def test_a_knob_that_changes_one_seed_is_connected():
    runs = [run(0, knob=1), run(0, knob=2), run(1, knob=1), run(1, (1.0, 2.0, 3.0 + 1e-15), knob=2)]
    assert unconnected_parameters(runs) == []


def test_runs_that_differ_in_two_knobs_say_nothing_of_either():
    assert unconnected_parameters([run(a=1, b=1), run(a=2, b=2)]) == []


def test_curves_of_one_value_are_no_evidence():
    flat = (-200.0,) * 50
    assert unconnected_parameters([run(0, flat, a=1), run(0, flat, a=2)]) == []
    assert identical_seeds([run(0, flat), run(1, flat)]) == []


def test_gaps_are_equal_to_gaps():
    curve = (1.0, np.nan, 2.0, 3.0)
    assert kinds(unconnected_parameters([run(0, curve, a=1), run(0, curve, a=2)])) == ["unconnected"]


def test_runs_of_unknown_seed_are_no_pairs():
    assert unconnected_parameters([run(None, a=1), run(None, a=2)]) == []


def test_two_seeds_with_one_curve_are_found():
    runs = [run(0), run(1), run(2, (1.0, 2.0, 4.0)), run(0, variant="b")]
    (finding,) = identical_seeds(runs)
    assert finding.subject == "a"
    assert "Seeds 0, 1 of a" in finding.sentence


def test_code_that_is_one_is_no_finding():
    assert mixed_code(["c", "c"], ["a", "a"], [False, False]) == []
    assert mixed_code([None, None], [None, None], [None, None]) == []
    assert mixed_code([], [], []) == []


def test_two_versions_of_the_code_are_a_warning():
    assert kinds(mixed_code(["c", "d"], ["a", "a"], [False, False])) == ["mixed_code"]


@pytest.mark.parametrize(
    ("codes", "severity"), [(["c", "c"], Severity.NOTE), (["c", None], Severity.WARNING)]
)
def test_commits_and_uncommitted_changes_weigh_less_where_the_code_is_known_to_be_one(codes, severity):
    findings = mixed_code(codes, ["a", "b"], [True, False])
    assert kinds(findings) == ["mixed_commits", "uncommitted"]
    assert {finding.severity for finding in findings} == {severity}


def test_missing_results_and_few_seeds_are_named():
    findings = seed_counts({"a": (5, 5), "b": (4, 5), "c": (1, 3), "d": (0, 1)})
    assert kinds(findings) == ["incomplete", "too_few_seeds", "few_seeds"]
    assert "b (4 of 5 seeds), c (1 of 3 seeds), d (0 of 1 seed)" in findings[0].sentence
    assert "2.4 standard deviations" in findings[2].sentence


def test_enough_seeds_are_no_finding():
    assert seed_counts({"a": (5, 5), "b": (10, 10)}) == []


@pytest.mark.parametrize(("scores", "side"), [([1, 2, 3], "highest"), ([3, 2, 1], "lowest")])
def test_a_best_value_at_the_edge_is_found(scores, side):
    (finding,) = best_at_edge({"lr": [0.1, 0.2, 0.3], "net": ["a", "b", "c"]}, scores)
    assert finding.subject == "lr"
    assert side in finding.sentence


@pytest.mark.parametrize(
    ("values", "scores"),
    [
        ([1, 2, 3], [1, 3, 2]),  # inside
        ([1, 2], [1, 3]),  # no inside
        ([True, False, True], [1, 2, 3]),  # no number
        ([1, 2, 3], [np.nan] * 3),  # no result
        ([1, 2, 3, 3], [5, 6, 7, -7]),  # best once, not on average
    ],
)
def test_other_best_values_are_no_finding(values, scores):
    assert best_at_edge({"lr": values}, scores) == []


def lengths(*ends):
    return [Length(str(seed), *end) for seed, end in enumerate(ends)]


def test_a_seed_that_stopped_early_is_named():
    (finding,) = unequal_lengths({"`a`": lengths((20, 2000.0), (3, 300.0), (20, 2000.0))})
    assert (finding.kind, finding.subject) == ("unequal_seeds", "`a`")
    assert "seed 1 (3 rows, 300 steps)" in finding.sentence
    assert "the longest (20 rows, 2,000 steps)" in finding.sentence


def test_variants_of_different_lengths_are_named():
    (finding,) = unequal_lengths({"`a`": lengths((50, 5e3)), "`b`": lengths((30, 3e3)), "`c`": []})
    assert finding.kind == "unequal_variants"
    assert "`b` 30 rows, 3,000 steps and `a` 50 rows, 5,000 steps" in finding.sentence


def test_lengths_without_steps_are_told_by_rows():
    nan = float("nan")
    assert kinds(unequal_lengths({"a": lengths((20, nan), (10, nan))})) == ["unequal_seeds"]
    assert unequal_lengths({"a": lengths((20, nan), (20, 2000.0))}) == []


def test_episodes_of_random_length_are_no_finding():
    as_many_rows = {"a": lengths((20, 2000.0), (20, 700.0)), "b": lengths((20, 9000.0))}
    as_many_steps = {"a": lengths((310, 100_020.0), (520, 99_000.0))}
    assert unequal_lengths(as_many_rows) == unequal_lengths(as_many_steps) == unequal_lengths({}) == []
