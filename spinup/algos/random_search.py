"""The search of Mania, Guy and Recht: perturb a linear policy, try it, move towards what did well.

Source: "Simple random search of static linear policies is competitive for reinforcement learning",
2018, arXiv:1803.07055, Algorithms 1 and 2.

No random state is carried along: each perturbation, and the seed of each rollout, is made from
(seed, iteration, direction), and results are reduced in the order of the directions. So a search can
go on from a `SearchState`, and its directions can be divided among processes, to the same bit.
"""

from __future__ import annotations

import math
import numbers
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spinup.algos.linear_policy import LinearPolicy, Moments, actions_of, observation_size
from spinup.algos.rollouts import Rollout, rollout
from spinup.errors import HyperparameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import gymnasium as gym

    from spinup.algos.linear_policy import FloatArray

VERSIONS = ("V1", "V1-t", "V2", "V2-t")

# First number of each key below, so that no two purposes ever draw the same numbers.
_PERTURBATION, _TRAINING, _EVALUATION = range(3)


@dataclass(frozen=True)
class Search:
    """What does not change during a search; the names are the paper's.

    Attributes:
        seed: Of every random draw.
        version: One of `VERSIONS`. V2 whitens observations; -t updates with the best ``b`` only.
        alpha: Step size.
        nu: Standard deviation of the exploration noise.
        N: Directions sampled in an iteration, each in both signs.
        b: How many of them the update uses.
        shift: Taken off each reward in training: the bonus for survival.
        max_ep_len: Steps after which a rollout is cut off.

    Raises:
        HyperparameterError: One of them cannot be used.
    """

    seed: int
    version: str
    alpha: float
    nu: float
    N: int
    b: int
    shift: float
    max_ep_len: int

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            raise HyperparameterError(
                f"No version {self.version!r} of ARS. Choose one of {', '.join(VERSIONS)}."
            )
        require_integer("seed", self.seed, least=0)
        require_integer("N", self.N, least=1)
        require_integer("b", self.b, least=1)
        require_integer("max_ep_len", self.max_ep_len, least=1)
        _require_number("alpha", self.alpha, above=0)
        _require_number("nu", self.nu, above=0)
        _require_number("shift", self.shift, above=-math.inf)
        if self.b > self.N:
            raise HyperparameterError(
                f"b={self.b} directions cannot be the best of N={self.N}. Choose b <= N."
            )
        if self.b < self.N and not self.version.endswith("-t"):
            raise HyperparameterError(
                f"{self.version} uses all N={self.N} directions. For the best b={self.b} of them "
                f"choose version='{self.version}-t'; otherwise leave b out."
            )

    @property
    def whitens(self) -> bool:
        """Whether policies see whitened observations."""
        return self.version.startswith("V2")


def require_integer(name: str, value: object, *, least: int) -> None:
    """Raise HyperparameterError unless ``value`` is an integer of at least ``least``."""
    try:
        fits = operator.index(value) >= least  # type: ignore[arg-type] # any object may come in
    except TypeError:
        fits = False
    if not fits:
        raise HyperparameterError(f"{name} must be an integer, {least} or more, not {value!r}.")


def _require_number(name: str, value: object, *, above: float) -> None:
    if not (isinstance(value, numbers.Real) and above < float(value) < math.inf):
        which = "a finite number" if above == -math.inf else f"a finite number above {above:g}"
        raise HyperparameterError(f"{name} must be {which}, not {value!r}.")


@dataclass(frozen=True, eq=False)
class SearchState:
    """How far a search is; all that the next iteration depends on, beside its `Search`.

    Attributes:
        policy: The policy found so far, unperturbed.
        observations: Moments of all observations of training; of none in V1, which needs none.
        iteration: Iterations done.
        interactions: Environment steps of training done.
    """

    policy: LinearPolicy
    observations: Moments
    iteration: int
    interactions: int

    def to_state(self) -> dict[str, Any]:
        """This state as numbers and arrays; `LinearPolicy.from_state` reads the policy in it."""
        return self.policy.to_state() | {
            "obs_count": self.observations.count,
            "obs_moment_mean": self.observations.mean,
            "obs_moment_squared": self.observations.squared,
            "iteration": self.iteration,
            "interactions": self.interactions,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SearchState:
        """The state that `to_state` described; other keys of ``state`` are left alone.

        Raises:
            KeyError: ``state`` describes no search.
        """
        observations = Moments(state["obs_count"], state["obs_moment_mean"], state["obs_moment_squared"])
        policy = LinearPolicy.from_state(state)
        return cls(policy, observations, state["iteration"], state["interactions"])


#: The rollouts of one direction: with the perturbation added, and with it taken off.
Pair = tuple[Rollout, Rollout]


def perturbation(seed: int, iteration: int, direction: int, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal numbers, delta of the paper, in ``shape``."""
    key = (_PERTURBATION, iteration, direction)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key)).standard_normal(shape)


def training_seed(seed: int, iteration: int, direction: int, sign: int) -> int:
    """The environment's seed for one training rollout; ``sign`` is 0 for plus and 1 for minus."""
    return _env_seed(seed, _TRAINING, iteration, direction, sign)


def evaluation_seed(seed: int, iteration: int, episode: int) -> int:
    """The environment's seed for one evaluation episode after ``iteration`` iterations."""
    return _env_seed(seed, _EVALUATION, iteration, episode)


def _env_seed(seed: int, *key: int) -> int:
    word = np.random.SeedSequence(seed, spawn_key=key).generate_state(1)[0]
    # 31 bits: some simulators keep their seed in a signed 32-bit integer.
    return int(word) >> 1


def initial_state(env: gym.Env[Any, Any]) -> SearchState:
    """The zero policy in the spaces of ``env``.

    Raises:
        HyperparameterError: A linear policy cannot deal with one of the spaces.
    """
    size = observation_size(env.observation_space)
    actions = actions_of(env.action_space)
    policy = LinearPolicy(np.zeros((actions.num_outputs, size)), np.zeros(size), np.ones(size), actions)
    return SearchState(policy, Moments.none(size), iteration=0, interactions=0)


def explore(env: gym.Env[Any, Any], state: SearchState, search: Search, direction: int) -> Pair:
    """The rollouts of one direction in the next iteration."""
    policy = state.policy
    step = search.nu * perturbation(search.seed, state.iteration, direction, policy.weights.shape)
    plus, minus = (
        rollout(
            env,
            replace(policy, weights=weights),
            env_seed=training_seed(search.seed, state.iteration, direction, sign),
            max_ep_len=search.max_ep_len,
        )
        for sign, weights in enumerate((policy.weights + step, policy.weights - step))
    )
    return plus, minus


def shifted_returns(pairs: Sequence[Pair], shift: float) -> FloatArray:
    """Returns less ``shift`` for each step, shape (N, 2), as (r+, r-) of each direction.

    Raises:
        FloatingPointError: A return is not finite; a policy cannot learn from it.
    """
    returns = np.array([[each.ret - shift * each.length for each in pair] for pair in pairs])
    if not np.isfinite(returns).all():
        raise FloatingPointError(
            "A rollout's return is not finite. Look for rewards of inf or nan in the environment, "
            "or bound what it does with a smaller nu."
        )
    return returns


def best_directions(returns: FloatArray, b: int) -> list[int]:
    """The ``b`` directions with the greatest max(r+, r-), in ascending order; the first of equals.

    Args:
        returns: Shape (N, 2).
        b: At most N.
    """
    ranked = np.argsort(-returns.max(axis=1), kind="stable")
    return sorted(int(direction) for direction in ranked[:b])


def update(
    weights: FloatArray, returns: FloatArray, perturbations: Sequence[FloatArray], *, alpha: float, b: int
) -> tuple[FloatArray, float]:
    """One step of the search: M + alpha / (b sigma_R) * sum of (r+ - r-) delta over the best b.

    Args:
        weights: M, shape (num_outputs, obs_dim).
        returns: Shape (N, 2), as (r+, r-) of each direction.
        perturbations: N arrays in the shape of ``weights``.
        alpha: Step size.
        b: Directions used.

    Returns:
        The new weights, and sigma_R: the standard deviation of the 2b returns used. Where it is 0
        no direction is better than another, and the weights stay as they are.
    """
    best = best_directions(returns, b)
    sigma = float(returns[best].std())
    if sigma == 0:
        return weights, sigma
    total = np.zeros_like(weights)
    # One after another, not as one product: the order of the additions is fixed.
    for direction in best:
        plus, minus = returns[direction]
        total += (plus - minus) * perturbations[direction]
    return weights + alpha / (b * sigma) * total, sigma


def advance(state: SearchState, search: Search, pairs: Sequence[Pair]) -> tuple[SearchState, float]:
    """The state after an iteration, and its sigma_R.

    Args:
        state: Before the iteration.
        search: What is searched, and how.
        pairs: What `explore` found in each of the N directions, in their order.
    """
    policy = state.policy
    perturbations = [
        perturbation(search.seed, state.iteration, direction, policy.weights.shape)
        for direction in range(search.N)
    ]
    returns = shifted_returns(pairs, search.shift)
    weights, sigma = update(policy.weights, returns, perturbations, alpha=search.alpha, b=search.b)
    policy = replace(policy, weights=weights)
    observations = state.observations
    interactions = state.interactions
    for each in (each for pair in pairs for each in pair):
        interactions += each.length
        if search.whitens:
            observations = observations.merge(each.observations)
    if search.whitens:
        policy = replace(policy, mean=observations.mean, scale=observations.scale())
    return SearchState(policy, observations, state.iteration + 1, interactions), sigma


def evaluate(
    env: gym.Env[Any, Any], state: SearchState, search: Search, episodes: Iterable[int]
) -> list[Rollout]:
    """The episodes with these numbers of the unperturbed policy; no interactions, no change of state."""
    return [
        rollout(
            env,
            state.policy,
            env_seed=evaluation_seed(search.seed, state.iteration, episode),
            max_ep_len=search.max_ep_len,
        )
        for episode in episodes
    ]
