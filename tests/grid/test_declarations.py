import pytest
from grid.rules import has_ppo, make, ppo, vpg

from spinup.errors import GridError, GridKeyError
from spinup.grid import Grid


def names_of(eg):
    return list(dict.fromkeys(eg.names()))


@pytest.fixture
def eg():
    return Grid("g")


# -- Pairs


def test_paired_values_go_together(eg):
    eg.add_paired(["env_name", "epochs"], [("CartPole-v1", 20), ("Acrobot-v1", 50)])
    eg.add("lr", [1, 2])
    assert [tuple(variant.values()) for variant in eg.variants()] == [
        ("CartPole-v1", 20, 1),
        ("CartPole-v1", 20, 2),
        ("Acrobot-v1", 50, 1),
        ("Acrobot-v1", 50, 2),
    ]
    assert len(eg) == 4


def test_of_a_pair_the_first_that_tells_the_rows_apart_is_named(eg):
    eg.add_paired(["env_name", "epochs"], [("CartPole-v1", 20), ("Acrobot-v1", 50)])
    assert names_of(eg) == ["g_envcartpole-v1", "g_envacrobot-v1"]


def test_of_a_pair_as_many_are_named_as_it_takes(eg):
    eg.add_paired(["lr", "batch", "note"], [(1, 32, "a"), (1, 64, "b"), (2, 64, "b")])
    assert names_of(eg) == ["g_lr1_bat32", "g_lr1_bat64", "g_lr2_bat64"]


def test_all_of_a_pair_are_named_if_asked_for(eg):
    eg.add_paired(["env_name", "epochs"], [("A", 20), ("B", 50)], ["env", None], in_name=True)
    assert names_of(eg) == ["g_enva_epo20", "g_envb_epo50"]


def test_a_seed_in_a_pair_is_not_named(eg):
    eg.add_paired(["lr", "seed"], [(1, 0), (1, 1), (2, 0)])
    assert list(eg.names()) == ["g_lr1", "g_lr1", "g_lr2"]


def test_a_paired_key_can_be_nested(eg):
    eg.add_paired(["opt:lr", "opt:beta"], [(1, 2)])
    assert eg.variants() == [{"opt": {"lr": 1, "beta": 2}}]


@pytest.mark.parametrize(
    ("keys", "rows", "text"),
    [
        (["a", "b"], [(1, 2), (3,)], r"one value for each key: not \(3,\)"),
        (["a", "b"], [1, 2], "one value for each key: not 1"),
        (["a", "b"], [], "no values"),
        (["a", "a"], [(1, 2)], "added already"),
        (["a", "a:b"], [(1, 2)], "exclude each other"),
        (["a"], [(1,)], "two keys or more"),
        ("ab", [(1, 2)], "two keys or more"),
        (["a", "thunk"], [(1, 2)], "reserved"),
    ],
)
def test_a_pair_that_does_not_fit_is_an_error(eg, keys, rows, text):
    with pytest.raises(GridError, match=text):
        eg.add_paired(keys, rows)
    assert eg.keys == []


# -- Conditions


def test_a_parameter_under_a_condition_is_only_there(eg):
    eg.add("algo", [ppo, vpg])
    eg.add("clip_ratio", [0.1, 0.2], when=lambda v: v["algo"] is ppo)
    assert [sorted(variant) for variant in eg.variants()] == [["algo", "clip_ratio"]] * 2 + [["algo"]]
    assert names_of(eg) == ["g_algppo_cli0-1", "g_algppo_cli0-2", "g_algvpg"]
    assert len(eg) == 3


def test_a_flag_under_a_condition_is_told_where_it_is_false(eg):
    eg.add("algo", [ppo, vpg])
    eg.add("clip", [True, False], when=has_ppo)
    assert names_of(eg) == ["g_algppo_clitrue", "g_algppo_clifalse", "g_algvpg"]


def test_paired_values_can_have_a_condition(eg):
    eg.add("algo", [ppo, vpg])
    eg.add_paired(["clip", "kl"], [(1, 2), (3, 4)], when=has_ppo)
    assert [len(variant) for variant in eg.variants()] == [3, 3, 1]


def test_a_condition_can_ask_for_derived_values_and_conditions_for_each_other(eg):
    eg.derive("double", lambda v: 2 * v["a"])
    eg.add("a", [1, 2])
    eg.add("b", [1, 2], when=lambda v: v["double"] == 4)
    eg.add("c", 1, when=lambda v: "b" in v and v["b"] == 2)
    assert [sorted(v) for v in eg.variants()] == [
        ["a", "double"],
        ["a", "b", "double"],
        ["a", "b", "c", "double"],
    ]


def test_a_condition_about_what_is_added_later_says_so(eg):
    eg.add("a", 1, when=lambda v: v["b"] == 1)
    eg.add("b", 1)
    with pytest.raises(GridError, match=r"condition of 'a' asks for 'b', which is added later"):
        eg.variants()


@pytest.mark.parametrize(
    "when",
    [
        lambda v: v.get("b") == 1,
        lambda v: "b" in v,
        lambda v: v.get("opt"),
        lambda v: v.get("opt:lr"),
        lambda v: "opt" in v,
        lambda v: v.get("has_b"),
        lambda v: v["net"].get("act"),
        lambda v: v["net"].get("hid") and v.get("net:act"),
    ],
)
def test_no_condition_takes_what_is_added_later_for_missing(eg, when):
    eg.add("net:hid", 64)
    eg.add("a", [1, 2], when=when)
    eg.add("b", [1, 2])
    eg.add("opt:lr", 1)
    eg.add("net:act", "tanh")
    eg.derive("has_b", lambda v: v.get("b") == 1)
    with pytest.raises(GridError, match="which is added later: a condition sees what was added before it"):
        eg.variants()


def test_a_condition_may_ask_for_what_no_variant_has_or_this_one_lacks(eg):
    eg.add("a", [1, 2])
    eg.add("b", 1, when=lambda v: v["a"] == 1)
    eg.add("c", 1, when=lambda v: "b" not in v and v.get("nope") is None)
    assert [sorted(variant) for variant in eg.variants()] == [["a", "b"], ["a", "c"]]


# -- Derived values


def test_a_derived_value_follows_from_others_and_is_not_named(eg):
    eg.add("steps", [4000, 8000])
    eg.derive("minibatch", lambda v: v["batch"] // 2)
    eg.derive("batch", lambda v: v["steps"] // 4)
    assert eg.variants() == [
        {"steps": 4000, "minibatch": 500, "batch": 1000},
        {"steps": 8000, "minibatch": 1000, "batch": 2000},
    ]
    assert names_of(eg) == ["g_ste4000", "g_ste8000"]
    assert len(eg) == 2


def test_a_derived_value_is_named_if_asked_for(eg):
    eg.add("steps", [4, 8])
    eg.derive("batch_size", lambda v: v["steps"] * 2, in_name=True)
    assert names_of(eg) == ["g_ste4_bat8", "g_ste8_bat16"]
    assert eg.variant_name(eg.variants()[1]) == "g_ste8_bat16"


def test_a_derived_value_that_could_be_read_as_another_parameter_is_marked():
    eg = make(x=["1", "1_y2"])
    eg.derive("y", lambda v: {"1": "2_y3", "1_y2": 3}[v["x"]], in_name=True)
    assert names_of(eg) == ["x1_y2_y3", "x1_y2_y=3"]


def test_derived_values_of_seeds_share_a_name(eg):
    eg.seeds(2)
    eg.derive("eval_seed", lambda v: v["seed"] + 1000)
    assert list(eg) == [({"seed": 0, "eval_seed": 1000}, "g"), ({"seed": 1, "eval_seed": 1001}, "g")]


def test_a_derived_value_can_have_a_condition(eg):
    eg.add("a", [1, 2])
    eg.derive("b", lambda v: v["a"], when=lambda v: v["a"] > 1)
    assert eg.variants() == [{"a": 1}, {"a": 2, "b": 2}]


def test_each_variant_has_a_derived_list_of_its_own(eg):
    layers = [64]
    eg.add("a", [1, 2])
    eg.derive("layers", lambda v: layers)
    first, second = eg.variants()
    first["layers"].append(32)
    assert (second["layers"], layers) == ([64], [64])


@pytest.mark.parametrize("key", ["a", "a:b"])
def test_a_derived_key_that_is_taken_is_an_error(eg, key):
    eg.add("a", 1)
    with pytest.raises(GridError, match=r"added already|exclude each other"):
        eg.derive(key, lambda v: 1)


def test_a_parameter_whose_key_is_derived_is_an_error(eg):
    eg.derive("a", lambda v: 1)
    with pytest.raises(GridError, match="added already"):
        eg.add("a", 1)


# -- Filters


def test_filters_leave_out_variants_and_keep_the_names_of_the_others(eg):
    eg.add("lr", [1, 2, 3])
    eg.add("batch", [1, 2])
    eg.exclude(lambda v: v["lr"] == 2)
    eg.only(lambda v: v["lr"] * v["batch"] < 6)
    assert names_of(eg) == ["g_lr1_bat1", "g_lr1_bat2", "g_lr3_bat1"]
    assert len(eg) == 3


def test_filters_that_leave_nothing_say_so(eg):
    eg.add("lr", [1, 2])
    eg.exclude(lambda v: v["lr"] == 2)
    eg.only(lambda v: v["lr"] == 2)
    for ask in (len, list, lambda eg: eg[0]):
        with pytest.raises(GridError, match=r"leave no variant at all: exclude\(...\), only\(...\)"):
            ask(eg)


def test_a_filter_of_a_huge_grid_is_lazy():
    eg = make("g", **{f"p{i}x": range(1000) for i in range(4)})
    eg.only(lambda v: v["p3x"] % 2 == 1)
    assert next(iter(eg))[1] == "g_p0x0_p1x0_p2x0_p3x1"


# -- Labels


def test_functions_are_named_by_their_labels(eg):
    eg.add("reward_fn", {"dense": lambda s: -s, "sparse": lambda s: s > 0})
    assert names_of(eg) == ["g_rewdense", "g_rewsparse"]
    assert [variant["reward_fn"](2) for variant in eg.variants()] == [-2, True]
    assert [eg.variant_name(variant) for variant in eg.variants()] == names_of(eg)


def test_values_of_any_kind_can_have_labels(eg):
    eg.add("hid", [[32], [256, 256]], labels=["small", "big"])
    assert names_of(eg) == ["g_hidsmall", "g_hidbig"] == [eg.variant_name(v) for v in eg.variants()]


def test_labels_that_read_alike_are_told_apart(eg):
    eg.add("f", [1, 2], labels=["a b", "a-b"])
    assert len(set(eg.names())) == 2


@pytest.mark.parametrize(
    "value", [{"lr": 1, "eps": 2}, {"activation": len}, {}, {1: len, 2: max}], ids=repr
)
def test_any_other_dict_is_one_value_as_in_spinning_up(eg, value):
    eg.add("ac_kwargs", value)
    assert eg.vals == [[value]]


@pytest.mark.parametrize(
    ("values", "labels", "error"),
    [
        ([1, 2], ["a"], GridError),
        ([1, 2], ["a", "a"], GridError),
        ([1, 2], ["a", ""], GridError),
        ([1, 1], ["a", "b"], GridError),
        ([1, 2], [1, 2], GridKeyError),
        ([1, 2], "ab", GridKeyError),
    ],
)
def test_labels_that_do_not_fit_are_an_error(eg, values, labels, error):
    with pytest.raises(error, match="label"):
        eg.add("x", values, labels=labels)


# -- Ablations


def test_an_ablation_changes_one_thing_at_a_time(eg):
    eg.ablate(
        {"use_gae": True, "norm": True, "lr": 0.001}, {"use_gae": False, "norm": False, "lr": [0.1, 1]}
    )
    assert list(eg) == [
        ({"use_gae": True, "norm": True, "lr": 0.001}, "g_baseline"),
        ({"use_gae": False, "norm": True, "lr": 0.001}, "g_use_gae-off"),
        ({"use_gae": True, "norm": False, "lr": 0.001}, "g_norm-off"),
        ({"use_gae": True, "norm": True, "lr": 0.1}, "g_lr0-1"),
        ({"use_gae": True, "norm": True, "lr": 1}, "g_lr1"),
    ]


def test_an_ablation_of_order_two_adds_pairs_of_different_keys(eg):
    eg.ablate({"a": 0, "b": 0}, {"a": [1, 2], "b": 1}, order=2, shorthand={"a": "alpha"})
    names = ["baseline", "alpha1", "alpha2", "b1", "alpha1_b1", "alpha2_b1"]
    assert names_of(eg) == [f"g_{name}" for name in names]


def test_what_the_baseline_does_not_say_is_left_to_the_thunk(eg):
    eg.ablate({}, {"ac_kwargs:use_gae": False})
    assert list(eg) == [({}, "g_baseline"), ({"ac_kwargs": {"use_gae": False}}, "g_ac_kwargs-use_gae-off")]
    assert eg.variant_name({}) == "g_baseline"


def test_an_ablation_goes_with_other_parameters_and_tells_what_it_changed(eg):
    eg.add("env", ["A", "B"])
    eg.ablate({"a": 0}, {"a": 1, "b": 1}, 2)
    eg.seeds(2)
    marks = {name: change.mark for _, name, change in eg.rows()}
    assert marks == {
        f"g_env{env}_{what}": {"is_baseline": not changed, "changed": changed}
        for env in "ab"
        for what, changed in [("baseline", []), ("a1", ["a"]), ("b1", ["b"]), ("a1_b1", ["a", "b"])]
    }
    assert len(eg) == 16


def test_without_an_ablation_nothing_is_marked():
    assert {change for *_, change in make(a=[1, 2]).rows()} == {None}


@pytest.mark.parametrize(
    ("baseline", "drop", "order", "text"),
    [
        ({"a": 1}, {"a": 1}, 1, "no change"),
        ({"a": 1}, {"a": [2, 2]}, 1, "different ones"),
        ({"a": 1}, {}, 1, "two dicts"),
        ({"a": 1}, {"a": 2}, 2, "from 1 to 1"),
        ({"a": 1}, {"a": 2}, True, "from 1 to 1"),
        ({"a": 1}, {"seed": 2}, 1, "Seeds"),
        ({"a": 1}, {"a:b": 2}, 1, "exclude each other"),
        ({"thunk": 1}, {"a": 2}, 1, "reserved"),
    ],
)
def test_an_ablation_that_cannot_be_is_an_error(eg, baseline, drop, order, text):
    with pytest.raises(GridError, match=text):
        eg.ablate(baseline, drop, order)


def test_a_second_ablation_is_an_error(eg):
    eg.ablate({"a": 1}, {"a": 2})
    with pytest.raises(GridError, match="an ablation already"):
        eg.ablate({"b": 1}, {"b": 2})


# -- Seeds


def test_seeds_are_small_numbers(eg):
    eg.seeds(3)
    assert eg.vals == [[0, 1, 2]]
    with pytest.raises(GridError, match="added already"):
        eg.seeds(3)


def test_seeds_can_begin_elsewhere(eg):
    eg.seeds(2, first=100)
    assert eg.vals == [[100, 101]]


@pytest.mark.parametrize("arguments", [(0,), (-1,), (1.0,), (True,), ([0, 1],), (2, -1)])
def test_seeds_that_cannot_be_are_an_error(eg, arguments):
    with pytest.raises(GridError, match="how many"):
        eg.seeds(*arguments)


# -- All of them


@pytest.mark.parametrize(
    "state",
    [
        lambda eg: eg.exclude("lr > 1"),
        lambda eg: eg.only(None),
        lambda eg: eg.derive("b", 3),
        lambda eg: eg.add("b", [1, 2], when=True),
        lambda eg: eg.add_paired(["b", "c"], [(1, 2)], when="a"),
    ],
)
def test_what_is_no_function_is_an_error_at_once(eg, state):
    with pytest.raises(GridError, match="must be a function"):
        state(eg)


@pytest.mark.parametrize("made", [lambda eg: eg | make("h", b=[1, 2]), lambda eg: eg[:1]])
def test_a_grid_that_is_made_of_others_cannot_be_changed(made):
    eg = make("g", a=[1, 2])
    other = made(eg)
    before = list(other)
    with pytest.raises(GridError, match="made of others"):
        other.add("c", 1)
    eg.add("c", 1, in_name=True)
    assert list(other) == before
