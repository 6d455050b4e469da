from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from algos.small_envs import Follow, Noise

from spinup.algos.linear_policy import LinearPolicy, actions_of, observation_size
from spinup.algos.rollouts import rollout


def zero_policy(env):
    size = observation_size(env.observation_space)
    actions = actions_of(env.action_space)
    return LinearPolicy(np.zeros((actions.num_outputs, size)), np.zeros(size), np.ones(size), actions)


def roll(env, env_seed=0, max_ep_len=1000):
    return rollout(env, zero_policy(env), env_seed=env_seed, max_ep_len=max_ep_len)


def test_a_rollout_ends_when_the_environment_terminates():
    with gym.make("CartPole-v1") as env:
        done = roll(env)
    assert done.length == done.ret < 20  # a constant push topples the pole


def test_a_rollout_ends_when_the_environment_truncates():
    assert roll(Follow()).length == 10


def test_a_rollout_ends_after_max_ep_len():
    assert roll(Follow(), max_ep_len=4).length == 4


def test_the_return_is_the_sum_of_rewards():
    env = Follow()
    shown, _ = env.reset(seed=3)
    rewards = []
    for _ in range(10):
        rewards.append(float(shown[0] <= 0))  # the zero policy always says 5, which is minus
        shown, *_ = env.step(5)
    assert roll(env, env_seed=3).ret == sum(rewards)
    assert 0 < sum(rewards) < 10


def test_the_seed_decides_the_rollout():
    env = Noise()
    assert roll(env, env_seed=1).ret == roll(env, env_seed=1).ret != roll(env, env_seed=2).ret
    assert env.reset_seeds == [1, 1, 2]


def test_the_moments_are_of_the_observations_that_were_acted_on():
    env = Noise()
    done = roll(env)
    assert done.observations.count == len(env.acted_on) == done.length
    assert done.observations.mean == pytest.approx(np.mean(env.acted_on, axis=0, dtype=np.float64))


def test_an_environment_may_reuse_the_array_of_its_observation():
    assert roll(Follow()).observations.squared[0] > 0


def test_the_action_space_is_left_as_it_was():
    env = Noise()
    env.action_space.seed(0)
    roll(env)
    after = [env.action_space.sample() for _ in range(30)]
    env.action_space.seed(0)
    assert after == [env.action_space.sample() for _ in range(30)]
