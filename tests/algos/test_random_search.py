from __future__ import annotations

import itertools
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from algos.small_envs import Noise

from spinup.algos.linear_policy import Moments
from spinup.algos.random_search import (
    Search,
    SearchState,
    advance,
    best_directions,
    evaluate,
    evaluation_seed,
    explore,
    initial_state,
    perturbation,
    shifted_returns,
    training_seed,
    update,
)
from spinup.algos.rollouts import Rollout

SEARCH = Search(seed=0, version="V2", alpha=0.1, nu=0.2, N=3, b=3, shift=0.0, max_ep_len=100)

# Two directions, one along each axis of a policy with one output and two inputs.
DELTAS = [np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])]
RETURNS = np.array([[3.0, 1.0], [0.0, 2.0]])


def episode(ret, length=1, size=3):
    return Rollout(ret, length, Moments.of(np.full((length, size), ret)))


def iterate(env, state, search=SEARCH):
    return advance(state, search, [explore(env, state, search, k) for k in range(search.N)])[0]


def bits(state):
    return {name: np.asarray(value).tobytes() for name, value in state.to_state().items()}


def test_the_update_is_that_of_the_paper():
    weights, sigma = update(np.array([[10.0, 20.0]]), RETURNS, DELTAS, alpha=0.5, b=2)
    # sigma_R = std(3, 1, 0, 2) = sqrt(5) / 2, and 0.5 / (2 sigma_R) * 2 = 1 / sqrt(5).
    assert sigma == pytest.approx(math.sqrt(5) / 2)
    assert weights == pytest.approx(np.array([[10 + 1 / math.sqrt(5), 20 - 1 / math.sqrt(5)]]))


def test_the_update_uses_the_best_b_directions_and_their_deviation_only():
    weights, sigma = update(np.zeros((1, 2)), RETURNS, DELTAS, alpha=0.5, b=1)
    assert sigma == 1.0  # std(3, 1)
    assert weights.tolist() == [[1.0, 0.0]]  # 0.5 / (1 * 1) * (3 - 1) along the first axis


def test_an_update_without_a_difference_changes_nothing():
    weights = np.array([[1.0, 2.0]])
    updated, sigma = update(weights, np.full((2, 2), 0.1), DELTAS, alpha=0.5, b=2)
    assert sigma == 0
    assert updated.tolist() == weights.tolist()


def test_the_update_leaves_its_arguments_alone():
    weights = np.zeros((1, 2))
    update(weights, RETURNS, DELTAS, alpha=0.5, b=2)
    assert weights.tolist() == [[0.0, 0.0]]


def test_a_direction_is_as_good_as_the_better_of_its_signs():
    assert best_directions(np.array([[1.0, 1.0], [4.0, 4.0], [0.0, 5.0]]), 2) == [1, 2]


def test_of_equal_directions_the_first_is_best():
    # More than the 16 below which every sort of NumPy keeps the order of equals.
    best = np.arange(300) % 3
    ranked = sorted(range(300), key=lambda direction: -best[direction])
    returns = np.stack([best, best - 1.0], axis=1)
    assert best_directions(returns, 10) == sorted(ranked[:10])


def test_the_shift_is_taken_off_every_step():
    pairs = [(episode(10.0, length=4), episode(6.0, length=1))]
    assert shifted_returns(pairs, shift=2.0).tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize("ret", [math.nan, math.inf])
def test_a_return_that_is_not_finite_is_an_error(ret):
    broken = Rollout(ret, 1, Moments.none(3))
    with pytest.raises(FloatingPointError, match="not finite"):
        shifted_returns([(episode(1.0), broken)], shift=0.0)


def test_perturbations_repeat_and_differ_by_seed_iteration_and_direction():
    keys = list(itertools.product(range(3), range(3), range(3)))
    first = [perturbation(*key, (2, 2)).tobytes() for key in keys]
    assert first == [perturbation(*key, (2, 2)).tobytes() for key in keys]
    assert len(set(first)) == len(keys)


def test_perturbations_are_standard_normal():
    numbers = perturbation(0, 0, 0, (100, 100))
    assert abs(numbers.mean()) < 0.03
    assert abs(numbers.std() - 1) < 0.03


def test_no_two_rollouts_share_a_seed():
    training = [training_seed(*key) for key in itertools.product(range(3), range(5), range(5), range(2))]
    evaluation = [evaluation_seed(*key) for key in itertools.product(range(3), range(5), range(5))]
    seeds = training + evaluation
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_search_begins_with_the_zero_policy():
    state = initial_state(Noise())
    assert state.policy.weights.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert (state.iteration, state.interactions) == (0, 0)


def test_a_direction_is_tried_in_both_signs_at_the_distance_of_nu(monkeypatch):
    tried = []

    def note(env, policy, **_):
        tried.append(policy.weights)
        return episode(1.0)

    monkeypatch.setattr("spinup.algos.random_search.rollout", note)
    state = initial_state(Noise())
    state = replace(state, policy=replace(state.policy, weights=np.ones((2, 3))))
    explore(Noise(), state, SEARCH, 1)
    step = 0.2 * perturbation(0, 0, 1, (2, 3))
    np.testing.assert_array_equal(tried, [1 + step, 1 - step])


def test_v1_t_is_not_moved_by_what_happens_outside_its_best():
    state = initial_state(Noise())
    search = replace(SEARCH, version="V1-t", b=2)
    good = [(episode(5.0), episode(1.0)), (episode(0.0), episode(7.0))]

    def weights(version, b, third):
        search = replace(SEARCH, version=version, b=b)
        return advance(state, search, [*good, third])[0].policy.weights.tolist()

    poor, poorer = (episode(1.0), episode(2.0)), (episode(-9.0), episode(-3.0))
    assert weights("V1-t", search.b, poor) == weights("V1-t", search.b, poorer)
    assert weights("V1", 3, poor) != weights("V1", 3, poorer)


def test_v2_whitens_by_all_observations_of_training():
    env = Noise()
    state = initial_state(env)
    for _ in range(3):
        state = iterate(env, state)
    seen = np.array(env.acted_on, dtype=np.float64)
    assert state.interactions == state.observations.count == len(seen)
    assert state.policy.mean == pytest.approx(seen.mean(axis=0), rel=1e-12)
    assert state.policy.scale == pytest.approx(seen.std(axis=0), rel=1e-12)


def test_v1_does_not_whiten():
    env = Noise()
    state = iterate(env, initial_state(env), replace(SEARCH, version="V1"))
    assert state.policy.mean.tolist() == [0, 0, 0]
    assert state.policy.scale.tolist() == [1, 1, 1]


def test_evaluation_leaves_no_trace():
    env = Noise()
    undisturbed = iterate(env, iterate(env, initial_state(env)))
    state = iterate(env, initial_state(env))
    assert len(evaluate(env, state, SEARCH, range(4))) == 4
    assert bits(iterate(env, state)) == bits(undisturbed)


def test_directions_may_be_tried_in_any_order_and_in_any_environment():
    state = iterate(Noise(), initial_state(Noise()))
    backwards = [explore(Noise(), state, SEARCH, k) for k in reversed(range(SEARCH.N))]
    divided = advance(state, SEARCH, backwards[::-1])[0]
    assert bits(divided) == bits(iterate(Noise(), state))


def test_a_search_goes_on_from_its_pickled_state_to_the_same_bit():
    state = initial_state(Noise())
    for _ in range(4):
        state = iterate(Noise(), state)
    resumed = initial_state(Noise())
    for _ in range(4):
        resumed = iterate(Noise(), pickle.loads(pickle.dumps(resumed)))
    assert bits(resumed) == bits(state)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("version", "V3", "Choose one of V1, V1-t, V2, V2-t"),
        ("seed", -1, "seed must be an integer, 0 or more, not -1"),
        ("N", 0, "N must be an integer, 1 or more, not 0"),
        ("N", 2.5, "N must be an integer"),
        ("b", 0, "b must be an integer"),
        ("b", 4, "Choose b <= N"),
        ("b", 2, "choose version='V2-t'"),
        ("alpha", 0.0, "alpha must be a finite number above 0, not 0.0"),
        ("alpha", math.inf, "alpha must be"),
        ("alpha", "0.1", "alpha must be"),
        ("nu", -0.1, "nu must be a finite number above 0"),
        ("nu", math.nan, "nu must be"),
        ("shift", math.nan, "shift must be a finite number, not nan"),
        ("max_ep_len", 0, "max_ep_len must be"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(name, value, says):
    with pytest.raises(ValueError, match=says):
        replace(SEARCH, **{name: value})


def test_numbers_of_numpy_are_numbers():
    search = replace(SEARCH, seed=np.int64(3), N=np.int64(3), alpha=np.float32(0.1))
    assert iterate(Noise(), initial_state(Noise()), search).iteration == 1


def test_a_search_goes_on_from_its_saved_state_to_the_same_bit():
    env = Noise()
    state = iterate(env, iterate(env, initial_state(env)))
    loaded = SearchState.from_state(pickle.loads(pickle.dumps({"other": 1, **state.to_state()})))
    assert bits(loaded) == bits(state)
    assert bits(iterate(env, loaded)) == bits(iterate(env, state))


def test_what_is_no_saved_state_is_a_key_error():
    state = initial_state(Noise()).to_state()
    for name in state.keys() - {"action_start"}:
        with pytest.raises(KeyError):
            SearchState.from_state({key: value for key, value in state.items() if key != name})
