"""An iteration's rollouts, divided among the processes of a run.

The shared noise of Mania, Guy and Recht (2018): each rank makes every perturbation from its seed, so that
only what the rollouts came to travels. All ranks put that together in the order of the directions, and
take the same step to the same bit, however many they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from spinup import mpi
from spinup.algos.linear_policy import Moments
from spinup.algos.random_search import evaluate, explore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import gymnasium as gym

    from spinup.algos.random_search import Pair, Search, SearchState
    from spinup.algos.rollouts import Rollout

T = TypeVar("T")


def explore_all(env: gym.Env[Any, Any], state: SearchState, search: Search) -> list[Pair]:
    """The rollouts of the next iteration in all N directions, in their order; collective."""
    own = [explore(env, state, search, direction) for direction in share_of(search.N)]
    if not search.whitens:
        own = [(_without_observations(plus), _without_observations(minus)) for plus, minus in own]
    return _in_order(own)


def evaluate_all(
    env: gym.Env[Any, Any], state: SearchState, search: Search, episodes: int
) -> list[Rollout]:
    """Episodes of the unperturbed policy, in their order; collective."""
    return _in_order(
        [_without_observations(each) for each in evaluate(env, state, search, share_of(episodes))]
    )


def share_of(total: int) -> range:
    """This rank's part of ``range(total)``: it and the parts of the other ranks make the whole."""
    return range(mpi.rank(), total, mpi.size())


def _in_order(own: Sequence[T]) -> list[T]:
    """What all ranks have for their `share_of` some range, in the order of the whole range."""
    shares = mpi.gather(list(own))
    total = sum(map(len, shares))
    return [shares[number % len(shares)][number // len(shares)] for number in range(total)]


def _without_observations(rollout: Rollout) -> Rollout:
    return replace(rollout, observations=Moments.none(0))
