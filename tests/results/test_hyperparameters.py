from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.errors import RecordError
from spinup.results.hyperparameters import asked, flat, full_key, text_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

# As Spinning Up's PPO writes it, with save_config(locals()) after the logger was made.
SPINNING_UP = {
    "ac_kwargs": {"hidden_sizes": [64, 64]},
    "actor_critic": "MLPActorCritic",
    "env_fn": "<function call_experiment.<locals>.thunk_plus.<locals>.<lambda> at 0x7f2f6c0a7d90>",
    "exp_name": "ppo",
    "gamma": 0.99,
    "logger": {"<spinup.utils.logx.EpochLogger object at 0x7f2f6c0b1c50>": {"epoch_dict": {}}},
    "logger_kwargs": {"exp_name": "ppo", "output_dir": "/data/ppo/ppo_s0"},
    "save_path": "/data/ppo/ppo_s0/model",
    "saver": "Saver('/data/ppo/ppo_s0')",
    "pretrained": "/data/ppo_s0_old/model",
    "seed": 0,
}


def test_what_tells_where_or_by_whom_a_run_was_made_is_no_hyperparameter():
    assert flat(SPINNING_UP, "ppo_s0") == {
        "ac_kwargs:hidden_sizes": [64, 64],
        "actor_critic": "MLPActorCritic",
        "env_fn": "<function call_experiment.<locals>.thunk_plus.<locals>.<lambda>>",
        "gamma": 0.99,
        "pretrained": "/data/ppo_s0_old/model",
    }


def test_the_function_that_makes_an_environment_gives_way_to_its_name():
    config = {"env_name": "CartPole-v1", "env_fn": "env_fn('CartPole-v1')"}
    assert flat(config, "a_s0") == {"env_name": "CartPole-v1"}


@given(st.dictionaries(st.text(), JSON))
def test_any_config_is_flattened(config):
    assert all(isinstance(key, str) for key in flat(config, "a_s0"))


def test_a_config_that_is_very_deep_or_very_wide_is_cut():
    deep: dict[str, object] = {}
    for _ in range(900):
        deep = {"a": deep}
    assert len(flat({"deep": deep}, "a_s0")) == 1
    assert len(flat({f"k{i}": i for i in range(10_000)}, "a_s0")) == 2_000


@pytest.mark.parametrize(
    ("asked_for", "noted"),
    [(3e-4, 0.0003), (1, 1.0), ((64, 64), [64, 64]), (len, "len"), ({"a": (1,)}, {"a": [1]}), (None, None)],
)
def test_a_value_is_what_a_config_says_of_it(asked_for, noted):
    assert asked(asked_for) == text_of(noted)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, "1"), ([1], 1), (0, None), (0.1, 0.2)])
def test_values_that_differ_are_told_apart(one, other):
    assert text_of(one) != text_of(other)


def test_the_end_of_a_key_will_do_where_it_is_one_keys_alone():
    keys = ["lr", "ac_kwargs:hidden_sizes", "pi:lr", "q:clip", "pi:clip"]
    assert full_key("hidden_sizes", keys) == "ac_kwargs:hidden_sizes"
    assert full_key("lr", keys) == "lr"
    with pytest.raises(RecordError, match="q:clip, pi:clip"):
        full_key("clip", keys)


def test_a_key_that_is_not_there_is_an_error_that_says_which_are():
    with pytest.raises(RecordError, match=r"Did you mean 'gamma'\? There is: gamma, lr"):
        full_key("gama", ["gamma", "lr"])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"eval_seed": 7, "env:seed": 3, "seed_offset": 1}, {}),
        ({"seedling": 7, "reseed_every": 3}, {"seedling": 7, "reseed_every": 3}),
        ({"eval_seed": "fixed", "seed_env": True}, {"eval_seed": "fixed", "seed_env": True}),
    ],
)
def test_further_seeds_are_no_hyperparameters(config, expected):
    assert flat(config, "g_s0") == expected
