import copy
import itertools

import pytest
from grid.rules import (
    config,
    double,
    grids,
    has_odd_sum,
    is_large,
    make,
    ppo,
    quadruple,
    sampled_grids,
    vpg,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spinup.errors import GridError, GridIndexError
from spinup.fingerprint import fingerprint
from spinup.grid import Choice, Grid, IntUniform, LogUniform

many = settings(max_examples=60, deadline=None)


def unseeded(variant, derived=()):
    return fingerprint({key: value for key, value in config(variant).items() if key not in derived})


# -- Laws of every grid


@many
@given(grids())
def test_counts_and_places_are_those_of_the_enumeration(eg):
    rows = list(eg)
    assert len(eg) == len(rows)
    assert [fingerprint(row) for row in eg] == [fingerprint(row) for row in rows]
    assert [fingerprint(eg[place]) for place in range(len(rows))] == [fingerprint(row) for row in rows]
    assert fingerprint(eg[-1]) == fingerprint(rows[-1])
    with pytest.raises(GridIndexError, match=f"no number {len(rows)}"):
        eg[len(rows)]


@many
@given(grids())
def test_no_two_different_variants_share_a_name(eg):
    owners = {}
    for variant, name in eg:
        assert eg.variant_name(variant) == name
        assert owners.setdefault(name.lower(), unseeded(variant)) == unseeded(variant)


@many
@given(sampled_grids(), st.integers(1, 30))
def test_no_two_different_samples_share_a_name(eg, n):
    eg.sample(n)
    rows = list(eg)
    owners = {}
    for variant, name in rows:
        assert eg.variant_name(variant) == name
        assert owners.setdefault(name.lower(), unseeded(variant)) == unseeded(variant)
    assert len(owners) == n


@many
@given(grids(), st.sampled_from([has_odd_sum, is_large]), st.booleans())
def test_filters_leave_what_a_loop_would(eg, predicate, keeps):
    everything = list(eg)
    assume(predicate is has_odd_sum or "quadruple" in everything[0][0])
    expected = [row for row in everything if bool(predicate(row[0])) is keeps]
    (eg.only if keeps else eg.exclude)(predicate)
    if not expected:
        with pytest.raises(GridError, match="leave no variant"):
            list(eg)
    else:
        assert [fingerprint(row) for row in eg] == [fingerprint(row) for row in expected]
        assert len(eg) == len(expected)


@many
@given(st.lists(st.integers(0, 3), max_size=4), st.lists(st.booleans(), max_size=3), st.integers(1, 3))
def test_conditions_and_derived_values_are_those_of_nested_loops(values, flags, num_seeds):
    eg = Grid("g")
    eg.derive("quadruple", quadruple)
    eg.add("a", [1, *values])
    eg.add("c", [True, *flags], when=lambda v: v["double"] > 2)
    eg.seeds(num_seeds)
    eg.derive("double", double)
    expected = [
        {"a": a, **({} if c is None else {"c": c}), "seed": seed, "quadruple": 4 * a, "double": 2 * a}
        for a in [1, *values]
        for c in ([True, *flags] if a > 1 else [None])
        for seed in range(num_seeds)
    ]
    assert eg.variants() == expected


# -- Size


def test_any_variant_of_a_huge_grid_is_found_at_once():
    eg = make("g", **{f"p{i}x": range(10) for i in range(30)})
    eg.add_paired(["q", "r"], [(1, 2), (3, 4)])
    eg.derive("s", lambda v: v["p0x"] + v["q"])
    variant, name = eg[10**11 + 1]
    assert (variant["q"], variant["s"], variant["p29x"]) == (3, 3, 0)
    assert name.endswith("_p290_q3")


def test_part_of_a_huge_grid_is_lazy():
    eg = make("g", **{f"p{i}x": range(10) for i in range(12)})
    assert len(eg) == 10**12
    part = eg[10**11 : 10**11 + 3]
    assert [name[:8] for name in part.names()] == ["g_p0x1_p"] * 3
    assert len(eg[5:]) == 10**12 - 5


def test_a_sample_of_a_huge_grid_is_lazy():
    eg = make("g", **{f"p{i}x": range(10) for i in range(40)})
    eg.sample(5)
    assert len(set(eg.names())) == len(eg) == 5


# -- Samples


def sample_of(n, seed=0, **parameters):
    eg = make("g", **parameters)
    eg.sample(n, seed)
    return [fingerprint(row) for row in eg]


@many
@given(sampled_grids(), st.integers(1, 10), st.integers(0, 10), st.integers(-3, 3))
def test_a_larger_sample_begins_with_the_smaller_one(eg, n, more, seed):
    both = []
    for size in (n, n + more):
        sampled = copy.copy(eg)
        sampled.sample(size, seed)
        both.append([fingerprint(row) for row in sampled])
    small, large = both
    assert large[: len(small)] == small


@pytest.mark.parametrize("n", [1, 5, 12])
def test_a_sample_of_a_finite_grid_has_none_twice(n):
    parameters = {"a": [1, 2, 3], "b": [1, 2, 3, 4]}
    sample = sample_of(n, **parameters)
    assert len(set(sample)) == n
    assert set(sample) <= {fingerprint(row) for row in make("g", **parameters)}


def test_another_seed_is_another_sample():
    assert sample_of(5, 0, a=range(100)) != sample_of(5, 1, a=range(100))


def test_a_sample_is_the_same_on_every_machine():
    eg = make("g", lr=LogUniform(1e-5, 1e-2), n=IntUniform(1, 100), algo=Choice(["ppo", "vpg"]))
    eg.sample(3)
    assert list(eg.names()) == [
        "g_algvpg_lr5-784e-05_n95",
        "g_algppo_lr1-377e-05_n75",
        "g_algvpg_lr0-002187_n18",
    ]


def test_each_sampled_variant_has_all_seeds():
    eg = make("g", a=range(10))
    eg.seeds(3)
    eg.sample(4)
    assert len(eg) == 12
    by_name = itertools.groupby(eg, key=lambda row: row[1])
    assert [[variant["seed"] for variant, _ in rows] for _, rows in by_name] == [[0, 1, 2]] * 4


def test_every_variant_is_as_likely_under_conditions():
    eg = make("g", algo=[ppo, vpg])
    eg.add("clip", range(9), when=lambda v: v["algo"] is ppo)
    eg.sample(10)
    assert sum(variant["algo"] is vpg for variant in eg.variants()) == 1


def test_a_sample_obeys_filters():
    eg = make("g", a=range(100), lr=LogUniform(1e-5, 1))
    eg.only(lambda v: v["a"] % 10 == 3 and v["lr"] < 1e-2)
    eg.sample(6)
    assert all(v["a"] % 10 == 3 and v["lr"] < 1e-2 for v in eg.variants())
    assert len(eg) == 6


@pytest.mark.parametrize("parameters", [{"a": range(3)}, {"a": [0], "n": IntUniform(1, 3)}])
def test_a_sample_of_more_than_there_is_says_how_many_there_are(parameters):
    eg = make("g", **parameters)
    eg.sample(4)
    with pytest.raises(GridError, match=r"sample\(4\) is more than there is: 3 different"):
        len(eg)


def test_a_sample_whose_filters_leave_nothing_says_so():
    eg = make("g", n=IntUniform(1, 3))
    eg.only(lambda v: v["n"] > 3)
    eg.sample(4)
    with pytest.raises(GridError, match="leave no variant"):
        len(eg)


@pytest.mark.parametrize("values", [LogUniform(1, 2), Choice([1, 2])])
@pytest.mark.parametrize("ask", [len, list, lambda eg: eg[0], lambda eg: next(eg.names()), Grid.variants])
def test_a_distribution_without_a_sample_is_an_error(values, ask):
    with pytest.raises(
        GridError, match=r"'lr' is .*\(\.\.\.\), which has no list of values.* sample\(20\)"
    ):
        ask(make("g", lr=values))


@pytest.mark.parametrize("arguments", [(0,), (1.5,), (True,), (3, "x"), (None,)])
def test_a_sample_that_cannot_be_is_an_error(arguments):
    with pytest.raises(GridError, match="needs a number of variants"):
        make("g", a=[1, 2]).sample(*arguments)


def test_a_second_sample_is_an_error():
    eg = make("g", a=[1, 2])
    eg.sample(1)
    with pytest.raises(GridError, match="a sample of 1 variants already"):
        eg.sample(2)


def test_a_sampled_name_does_not_depend_on_the_others():
    eg = make("g", x=LogUniform(1e-30, 1e30))
    eg.sample(300)
    names = list(eg.names())
    assert len(set(names)) == 300
    assert any("e-" in name for name in names)
    assert all("@" not in name and "=" not in name for name in names)


# -- Values that are no plain ones


def test_values_without_equality_or_hash_can_be_paired_filtered_and_sampled():
    eg = Grid("g")
    eg.add_paired(["x", "y"], [(float("nan"), [1]), ({"a": [2]}, {3}), (float("nan"), [1])])
    eg.only(lambda v: v["y"] != {3})
    assert list(eg.names()) == ["g_xnan", "g_xnan"]
    eg.sample(2)
    assert len(eg) == 2
