import math
from pathlib import Path

import pytest

from spinup.cli.look import Look, seconds
from spinup.cli.overview import COUNTED, latest, variants
from spinup.rundir.launches import Launch, LaunchedRun

BEGAN = "2026-01-01T10:00:00.000Z"
BEGAN_S = seconds(BEGAN)


def look(name, seed, state, started_s=0.0, ended_s=None):
    directory = Path("/data") / name / f"{name}_s{seed}"
    ended = None if ended_s is None else BEGAN_S + ended_s
    return Look(directory, name, seed, state, started_s=BEGAN_S + started_s, ended_s=ended)


def launch(*names, seeds=(0, 1, 2), width=1, is_live=True, is_to_run=True):
    runs = [
        LaunchedRun(name, seed, f"/data/{name}/{name}_s{seed}", is_to_run)
        for name in names
        for seed in seeds
    ]
    path = Path("/data/.launches/g.json")
    return Launch(path, is_live, "g", "python g.py", "/", "here", 1, "x", width, BEGAN, None, tuple(runs))


def counts(variant):
    return {state: variant.count(state) for state in COUNTED if variant.count(state)}


def survey(looks, launches=(), now_s=100.0, lasts=None, changed=None):
    return variants(looks, list(launches), lasts or {}, changed or {}, now_s=BEGAN_S + now_s)


def test_runs_are_counted_by_variant():
    found = survey([look("a", 0, "done"), look("a", 1, "failed"), look("b", 0, "unknown")])
    assert [(each.name, counts(each)) for each in found] == [
        ("a", {"done": 1, "failed": 1}),
        ("b", {"unknown": 1}),
    ]


def test_names_are_in_the_order_of_their_numbers():
    assert [each.name for each in survey([look(f"lr{n}", 0, "done") for n in (10, 9, 1)])] == [
        "lr1",
        "lr9",
        "lr10",
    ]


@pytest.mark.parametrize(("is_live", "expected"), [(True, "queued"), (False, "not begun")])
def test_what_a_launch_has_on_record_counts_before_it_is_there(is_live, expected):
    (variant,) = survey([look("a", 0, "done", 1, 2)], [launch("a", is_live=is_live)])
    assert counts(variant) == {"done": 1, expected: 2}


@pytest.mark.parametrize(
    ("before", "is_to_run", "expected"),
    [
        (look("a", 0, "failed", -20, -10), True, "queued"),
        (look("a", 0, "interrupted", -20), True, "queued"),
        (look("a", 0, "done", -20, -10), True, "queued"),
        (look("a", 0, "done", -20, -10), False, "done"),
        (look("a", 0, "failed", -20, -10), False, "failed"),
        (look("a", 0, "failed", 1, 2), True, "failed"),
        (look("a", 0, "done", 1, 2), True, "done"),
        (look("a", 0, "running", 1), True, "running"),
    ],
)
def test_what_a_launch_will_do_again_waits(before, is_to_run, expected):
    (variant,) = survey([before], [launch("a", seeds=[0], is_to_run=is_to_run)])
    assert counts(variant) == {expected: 1}


def test_without_a_run_that_is_done_nothing_is_foretold():
    (variant,) = survey([look("a", 0, "running"), look("a", 1, "failed", 0, 5)], [launch("a")])
    assert variant.eta_s is None


@pytest.mark.parametrize(("width", "expected_s"), [(1, [70, 150]), (2, [70, 80])])
def test_each_run_is_expected_to_take_as_long_as_those_that_are_done(width, expected_s):
    looks = [look("a", 0, "done", 0, 80), look("a", 1, "running", 90)]
    (variant,) = survey(looks, [launch("a", width=width)])
    assert [entry.eta_s for entry in variant.entries] == [None, *expected_s]
    assert variant.eta_s == max(expected_s)


def test_variants_take_their_own_time_and_wait_in_the_order_of_the_seeds():
    looks = [look("a", 0, "done", 0, 10), look("b", 0, "done", 10, 110)]
    a, b = survey(looks, [launch("a", "b", seeds=[0, 1])], now_s=110)
    assert (a.eta_s, b.eta_s) == (10, 110)
    assert latest([*a.entries, *b.entries]) == 110


def test_a_run_that_takes_longer_than_expected_may_end_any_moment():
    looks = [look("a", 0, "done", 0, 10), look("a", 1, "running", 10)]
    assert survey(looks, [launch("a", seeds=[0, 1])], now_s=1000)[0].eta_s == 0


def test_nobody_waits_for_a_launcher_that_is_dead():
    looks = [look("a", 0, "done", 0, 10), look("a", 1, "interrupted", 10)]
    assert survey(looks, [launch("a", is_live=False)])[0].eta_s is None


@pytest.mark.parametrize(
    ("looks", "expected_s"),
    [
        ([look("a", 0, "done", 0, 10), look("a", 1, "done", 20, 50)], 50),
        ([look("a", 0, "done", 0, 10), look("a", 1, "running", 20)], 100),
        ([look("a", 0, "interrupted", 5)], None),
    ],
)
def test_time_goes_from_the_first_beginning_to_the_last_end(looks, expected_s):
    assert survey(looks)[0].elapsed_s == expected_s


def test_returns_are_averaged_over_seeds_alone_and_nan_is_told():
    looks = [look("a", 0, "done"), look("a", 1, "done"), look("a", 2, "done"), look("b", 0, "done")]
    values = dict(zip((each.directory for each in looks), (1.0, 3.0, None, math.nan), strict=True))
    a, b = survey(looks, lasts=values)
    assert a.last == 2.0
    assert math.isnan(b.last)


def test_only_what_is_done_is_stale():
    looks = [look("a", 0, "done"), look("a", 1, "failed")]
    assert survey(looks, changed={each.directory: ["x.py"] for each in looks})[0].num_stale == 1


def test_experiments_of_one_name_in_two_places_are_two():
    one = look("a", 0, "done")
    other = Look(Path("/data/old/a/a_s0"), "a", 0, "done")
    assert len(survey([one, other])) == 2


def test_a_dash_in_a_number_is_its_point():
    names = ["lr1", "lr0-1", "lr0-05", "lr1e-06", "lr1e-05", "lr10"]
    found = survey([look(name, 0, "done") for name in names])
    assert [each.name for each in found] == ["lr1e-06", "lr1e-05", "lr0-05", "lr0-1", "lr1", "lr10"]


def test_variants_on_record_are_in_the_grids_order_and_come_first():
    looks = [look(name, 0, "done") for name in ("a", "b", "c")]
    assert [each.name for each in survey(looks, [launch("c", "b")])] == ["c", "b", "a"]
