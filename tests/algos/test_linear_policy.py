from __future__ import annotations

import pickle

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from spinup.algos.linear_policy import (
    BoxActions,
    DiscreteActions,
    LinearPolicy,
    Moments,
    actions_of,
    flatten,
    observation_size,
)

BOX = spaces.Box(np.float32([[-1.0, -2.0]]), np.float32([[1.0, np.inf]]))


def policy(weights, mean=None, scale=None, actions=None):
    weights = np.array(weights, dtype=np.float64)
    size = weights.shape[1]
    return LinearPolicy(
        weights,
        np.zeros(size) if mean is None else np.array(mean),
        np.ones(size) if scale is None else np.array(scale),
        DiscreteActions(len(weights), 0) if actions is None else actions,
    )


def test_a_discrete_action_is_the_greatest_output_counted_from_start():
    actions = actions_of(spaces.Discrete(3, start=-1))
    assert [actions.choose(np.array(out)) for out in ([9.0, 1, 2], [1.0, 2, 9])] == [-1, 1]


def test_equal_outputs_choose_the_first_action():
    assert actions_of(spaces.Discrete(3, start=4)).choose(np.zeros(3)) == 4


def test_a_box_action_is_clipped_to_its_bounds_and_has_shape_and_dtype_of_the_space():
    action = actions_of(BOX).choose(np.array([-7.0, 1e6]))
    assert action.tolist() == [[-1.0, 1e6]]
    assert BOX.contains(action)


def test_a_box_action_inside_its_bounds_is_the_output():
    assert actions_of(BOX).choose(np.array([0.5, -1.5])).tolist() == [[0.5, -1.5]]


def test_there_is_an_output_for_each_action_or_element_of_one():
    assert actions_of(spaces.Discrete(3)).num_outputs == 3
    assert actions_of(BOX).num_outputs == 2


@pytest.mark.parametrize(
    "space", [spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2), spaces.Box(0, 5, (2,), np.int64)]
)
def test_other_action_spaces_are_refused_by_name(space):
    with pytest.raises(
        ValueError, match=r"cannot act in (MultiDiscrete|MultiBinary|Box)\(.*needs Discrete"
    ):
        actions_of(space)


def test_observations_that_are_no_box_are_refused_by_name():
    with pytest.raises(ValueError, match=r"Discrete\(16\).*FlattenObservation"):
        observation_size(spaces.Discrete(16))


def test_observations_of_any_shape_and_dtype_are_flattened():
    assert observation_size(spaces.Box(0, 255, (2, 3), np.uint8)) == 6
    flat = flatten(np.arange(6, dtype=np.uint8).reshape(2, 3))
    assert flat.dtype == np.float64
    assert flat.tolist() == [0, 1, 2, 3, 4, 5]


def test_flattening_copies():
    observation = np.zeros(2)
    flat = flatten(observation)
    observation[:] = 7
    assert flat.tolist() == [0, 0]


def test_a_policy_acts_on_the_whitened_observation():
    rng = np.random.default_rng(0)
    weights, mean, observation = rng.normal(size=(2, 6)), rng.normal(size=6), rng.normal(size=(2, 3))
    scale = rng.uniform(0.5, 2, size=6)
    unbounded = BoxActions(np.full(2, -np.inf), np.full(2, np.inf))
    expected = weights @ ((observation.ravel() - mean) / scale)
    assert policy(weights, mean, scale, unbounded).act(observation) == pytest.approx(expected, rel=1e-12)


def test_the_zero_policy_of_a_box_does_nothing():
    assert policy(np.zeros((2, 3)), actions=actions_of(BOX)).act(np.ones(3)).tolist() == [[0.0, 0.0]]


@given(st.integers(0, 2**32), st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_moments_merged_in_parts_are_those_of_all_observations(seed, lengths):
    parts = [np.random.default_rng([seed, i]).normal(i, 1 + i, (n, 3)) for i, n in enumerate(lengths)]
    merged = Moments.none(3)
    for part in parts:
        merged = merged.merge(Moments.of(part))
    every = np.concatenate(parts)
    assert merged.count == len(every)
    assert merged.mean == pytest.approx(every.mean(axis=0), rel=1e-12, abs=1e-12)
    assert merged.squared / merged.count == pytest.approx(every.var(axis=0), rel=1e-9, abs=1e-12)


def test_a_large_mean_does_not_swallow_the_spread():
    observations = 1e6 + np.random.default_rng(0).normal(size=(1000, 1))
    merged = Moments.of(observations[:300]).merge(Moments.of(observations[300:]))
    assert merged.scale() == pytest.approx(observations.std(axis=0), rel=1e-9)


def test_merging_with_none_changes_no_bit():
    some = Moments.of(np.random.default_rng(0).normal(size=(7, 2)))
    for merged in (some.merge(Moments.none(2)), Moments.none(2).merge(some)):
        assert merged.count == 7
        assert merged.mean.tolist() == some.mean.tolist()
        assert merged.squared.tolist() == some.squared.tolist()


def test_none_merged_with_none_is_none():
    merged = Moments.none(2).merge(Moments.none(2))
    assert (merged.count, merged.mean.tolist(), merged.squared.tolist()) == (0, [0, 0], [0, 0])


def test_the_scale_is_the_standard_deviation():
    observations = np.random.default_rng(0).normal(size=(50, 2))
    assert Moments.of(observations).scale() == pytest.approx(observations.std(axis=0))


def test_the_scale_before_any_observation_is_one():
    assert Moments.none(2).scale().tolist() == [1, 1]


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 1e-300])
def test_the_scale_of_a_constant_is_infinite(value):
    # Rounding gives three times 0.1 a spread that is not quite zero.
    assert Moments.of(np.full((3, 1), value)).scale().tolist() == [np.inf]


def test_a_coordinate_of_infinite_scale_is_left_out():
    acting = policy([[1.0, 50.0], [0.0, 0.0]], mean=[0.0, 3.0], scale=[1.0, np.inf])
    assert [acting.act([-1.0, 1e9]), acting.act([1.0, -1e9])] == [1, 0]


@pytest.mark.parametrize("actions", [actions_of(spaces.Discrete(2, start=3)), actions_of(BOX)])
def test_a_policy_read_from_its_state_acts_the_same(actions):
    rng = np.random.default_rng(1)
    acting = policy(rng.normal(size=(2, 3)), rng.normal(size=3), [1.0, np.inf, 0.3], actions)
    read = LinearPolicy.from_state(pickle.loads(pickle.dumps(acting.to_state())))
    for observation in rng.normal(size=(20, 3)):
        np.testing.assert_array_equal(read.act(observation), acting.act(observation))


@pytest.mark.parametrize("actions", [actions_of(spaces.Discrete(2, start=3)), actions_of(BOX)])
def test_the_state_of_a_policy_needs_no_class_of_ours(actions):
    state = pickle.dumps(policy(np.ones((2, 3)), actions=actions).to_state())
    assert b"spinup" not in state
    assert b"gymnasium" not in state


def test_a_state_without_a_policy_is_refused():
    with pytest.raises(KeyError):
        LinearPolicy.from_state({"iteration": 3})
