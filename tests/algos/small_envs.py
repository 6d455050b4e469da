"""Real environments, small enough to know every number of."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Noise(gym.Env[Any, Any]):
    """Random observations and rewards, in episodes of random length; remembers what went through it."""

    def __init__(
        self,
        observation_space: spaces.Space[Any] | None = None,
        action_space: spaces.Space[Any] | None = None,
    ) -> None:
        self.observation_space = observation_space or spaces.Box(-np.inf, np.inf, (3,), np.float32)
        self.action_space = action_space or spaces.Discrete(2)
        self.acted_on: list[Any] = []
        self.actions: list[Any] = []
        self.reset_seeds: list[int | None] = []
        self.closed = 0

    def _observe(self) -> Any:
        self._observation = (5 + 2 * self.np_random.normal(size=self.observation_space.shape)).astype(
            self.observation_space.dtype
        )
        return self._observation

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.reset_seeds.append(seed)
        self._left = int(self.np_random.integers(2, 8))
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.acted_on.append(self._observation)
        self.actions.append(action)
        self._left -= 1
        return self._observe(), float(self.np_random.normal()), self._left == 0, False, {}

    def close(self) -> None:
        self.closed += 1


class Follow(gym.Env[Any, Any]):
    """Ten steps; pays 1 whenever the action says the sign of the observation: 5 for minus, 6 for plus."""

    observation_space = spaces.Box(-1, 1, (1,), np.float64)
    action_space = spaces.Discrete(2, start=5)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        # One array for every observation, as some simulators do.
        self._shown = self.np_random.uniform(-1, 1, size=1)
        self._steps = 0
        return self._shown, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        reward = float(action == (6 if self._shown[0] > 0 else 5))
        self._shown[:] = self.np_random.uniform(-1, 1, size=1)
        self._steps += 1
        return self._shown, reward, False, self._steps == 10, {}


class Turn(gym.Env[Any, Any]):
    """Ten steps; costs the squared distance of the action from the observation turned by a right angle."""

    observation_space = spaces.Box(-1, 1, (2,), np.float64)
    action_space = spaces.Box(-1, 1, (1, 2), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self._observe(), {}

    def _observe(self) -> Any:
        self._shown = self.np_random.uniform(-1, 1, size=2)
        return self._shown

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        right = np.array([[-self._shown[1], self._shown[0]]])
        self._steps += 1
        return self._observe(), -float(np.square(action - right).sum()), self._steps == 10, False, {}
