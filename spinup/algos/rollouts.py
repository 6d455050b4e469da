"""One episode of a linear policy, and what a search needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

from spinup.algos.linear_policy import Moments, flatten

if TYPE_CHECKING:
    import gymnasium as gym

    from spinup.algos.linear_policy import FloatArray, LinearPolicy


@dataclass(frozen=True, eq=False)
class Rollout:
    """One episode.

    Attributes:
        ret: Sum of rewards, without discount or shift.
        length: Steps.
        observations: Moments of the observations that the policy acted on.
    """

    ret: float
    length: int
    observations: Moments


def rollout(env: gym.Env[Any, Any], policy: LinearPolicy, *, env_seed: int, max_ep_len: int) -> Rollout:
    """One episode of ``policy``, which ends with the environment's or after ``max_ep_len`` steps."""
    observation, _ = env.reset(seed=env_seed)
    seen: list[FloatArray] = []
    ret = 0.0
    reward: SupportsFloat
    for _ in range(max_ep_len):
        flat = flatten(observation)
        seen.append(flat)
        observation, reward, terminated, truncated, _ = env.step(policy.act_flat(flat))
        ret += float(reward)
        if terminated or truncated:
            break
    return Rollout(ret, len(seen), Moments.of(np.array(seen)))
