import pytest
from grid.rules import config, grids, make
from hypothesis import given, settings

from spinup.errors import GridError
from spinup.fingerprint import fingerprint
from spinup.grid import Grid

some_grids = grids(names=("g", "g", "", "h"))
many = settings(max_examples=40, deadline=None)


def runs(eg):
    return [fingerprint({**variant, "seed": variant.get("seed", 0)}) for variant, _ in eg]


def prints(eg):
    return [fingerprint(row) for row in eg]


@many
@given(some_grids, some_grids)
def test_a_union_has_the_runs_of_both_each_once(a, b):
    union = runs(a | b)
    assert set(union) == set(runs(a)) | set(runs(b)) == set(runs(b | a))
    assert len(union) == len(set(union)) == len(a | b)
    assert list(dict.fromkeys(runs(a))) == union[: len(set(runs(a)))]


@many
@given(some_grids)
def test_a_union_with_itself_adds_nothing(a):
    assert prints(a | a) == list(dict.fromkeys(prints(a)))


@many
@given(some_grids, some_grids, some_grids)
def test_a_union_is_associative(a, b, c):
    assert prints((a | b) | c) == prints(a | (b | c)) == prints(a | b | c)


@many
@given(some_grids, some_grids)
def test_in_a_union_no_two_different_variants_share_a_name(a, b):
    union = a | b
    owners, names = {}, {}
    for variant, name in union:
        key = fingerprint(config(variant))
        assert owners.setdefault(name.lower(), key) == key
        assert names.setdefault(key, name) == name


@many
@given(some_grids, some_grids)
def test_a_union_keeps_the_names_of_the_first(a, b):
    first = dict(zip(prints((v, "") for v, _ in a), a.names(), strict=True))
    union = dict(zip(prints((v, "") for v, _ in a | b), (a | b).names(), strict=True))
    assert {key: union[key] for key in first} == first


def test_where_names_clash_the_second_tells_what_is_different():
    assert list((make("g", env="A", lr=1) | make("g", env="A", lr=2)).names()) == ["g", "g_lr2"]


def test_a_run_with_two_names_has_the_first_in_all_its_seeds():
    a, b = make("a", lr=[1, 2], seed=[0]), make("b", lr=[2, 3], seed=[0, 1])
    assert [(v["lr"], v["seed"], name) for v, name in a | b] == [
        (1, 0, "a_lr1"),
        (2, 0, "a_lr2"),
        (2, 1, "a_lr2"),
        (3, 0, "b_lr3"),
        (3, 1, "b_lr3"),
    ]


def test_no_seed_is_seed_zero():
    assert len(make("g", lr=1) | make("g", lr=1, seed=[0, 1])) == 2


def test_a_dict_and_its_parts_are_one_run():
    a, b = make("g", opt=[{"lr": 1}]), Grid("g")
    b.add("opt:lr", [1, 2])
    assert list(a | b) == [({"opt": {"lr": 1}}, "g"), ({"opt": {"lr": 2}}, "g_opt-lr2")]


def test_seeds_with_derived_values_stay_together():
    grids = [make("g", lr=1, seed=seeds) for seeds in ([0, 1], [1, 2])]
    for eg in grids:
        eg.derive("eval_seed", lambda v: v["seed"] + 1000)
    a, b = grids
    assert [(v["eval_seed"], name) for v, name in a | b] == [(1000, "g"), (1001, "g"), (1002, "g")]


def test_a_mark_is_kept_whichever_grid_it_comes_from():
    plain, ablation = make("g", a=[0]), Grid("g")
    ablation.ablate({"a": 0}, {"a": 1})
    marks = [(name, change.mark["is_baseline"]) for _, name, change in (plain | ablation).rows()]
    assert marks == [("g", True), ("g_a1", False)]


def test_parts_and_samples_can_be_joined():
    eg = make("g", lr=range(10))
    small = make("g", lr=range(10))
    small.sample(3)
    assert sorted((eg[2:4] | small | eg).names()) == sorted(eg.names())


def test_a_union_tells_the_name_of_its_variants():
    union = make("g", lr=1) | make("g", lr=2)
    assert [union.variant_name(variant) for variant in union.variants()] == ["g", "g_lr2"]
    with pytest.raises(GridError, match="no variant of any"):
        union.variant_name({"lr": 3})


def test_a_union_lists_all_values_of_all_parameters():
    union = make("g", lr=[1, 2], a=[1]) | make("g", lr=[2, 3], b=[1])
    assert (union.keys, union.vals) == (["lr", "a", "b"], [[1, 2, 3], [1], [1]])


def test_only_grids_can_be_joined():
    with pytest.raises(TypeError):
        make("g") | [1]
