"""Linear policies on whitened observations: how they act, and how they are kept as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from spinup.errors import HyperparameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = NDArray[np.float64]

# The resolution of float32, in which most environments observe: what varies less is rounding noise,
# and dividing by it would turn that noise into the largest input of the policy.
_RESOLUTION = 1e-7


@dataclass(frozen=True)
class DiscreteActions:
    """The integers from ``start`` on, one output of the policy for each.

    Attributes:
        n: How many.
        start: The least of them.
    """

    n: int
    start: int

    @property
    def num_outputs(self) -> int:
        """How many numbers choose an action."""
        return self.n

    def choose(self, outputs: FloatArray) -> int:
        """The action with the greatest of ``outputs``, shape (n,); the first of equals."""
        return self.start + int(outputs.argmax())


@dataclass(frozen=True, eq=False)
class BoxActions:
    """Arrays between two bounds, one output of the policy for each element.

    Attributes:
        low: Lower bounds, in shape and dtype of the action; may be -inf.
        high: Upper bounds, likewise.
    """

    low: NDArray[Any]
    high: NDArray[Any]

    @property
    def num_outputs(self) -> int:
        """How many numbers choose an action."""
        return self.low.size

    def choose(self, outputs: FloatArray) -> NDArray[Any]:
        """``outputs``, shape (num_outputs,), in the action's shape and inside the bounds."""
        # Not np.clip: on arrays this small its overhead is most of the step.
        bounded = np.minimum(np.maximum(outputs.reshape(self.low.shape), self.low), self.high)
        action: NDArray[Any] = bounded.astype(self.low.dtype)
        return action


Actions = DiscreteActions | BoxActions


def actions_of(space: spaces.Space[Any]) -> Actions:
    """How a policy with real outputs acts in ``space``.

    Raises:
        HyperparameterError: ``space`` is neither Discrete nor a Box of floating-point numbers.
    """
    if isinstance(space, spaces.Discrete):
        return DiscreteActions(int(space.n), int(space.start))
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return BoxActions(space.low, space.high)
    raise HyperparameterError(
        f"A linear policy cannot act in {space}: it needs Discrete, or Box of floats. "
        "Wrap the environment in a gymnasium.ActionWrapper that has one of them."
    )


def observation_size(space: spaces.Space[Any]) -> int:
    """How many numbers an observation in ``space`` is, once flattened.

    Raises:
        HyperparameterError: ``space`` is no Box.
    """
    if isinstance(space, spaces.Box):
        return int(np.prod(space.shape))
    raise HyperparameterError(
        f"A linear policy cannot read observations in {space}: it needs a Box. "
        "Wrap the environment in gymnasium.wrappers.FlattenObservation."
    )


def flatten(observation: Any) -> FloatArray:
    """A copy of ``observation`` as float64, shape (obs_dim,)."""
    # A copy, because an environment may write its next observation into the same array.
    return np.array(observation, dtype=np.float64).ravel()


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and spread of observations, seen together or in parts.

    Attributes:
        count: How many observations.
        mean: Shape (obs_dim,).
        squared: Sum of squared deviations from ``mean``, shape (obs_dim,).
    """

    count: int
    mean: FloatArray
    squared: FloatArray

    @classmethod
    def none(cls, size: int) -> Moments:
        """Those of no observation, each of ``size`` numbers."""
        return cls(0, np.zeros(size), np.zeros(size))

    @classmethod
    def of(cls, observations: FloatArray) -> Moments:
        """Those of ``observations``, shape (count, obs_dim), of which there is at least one."""
        mean = observations.mean(axis=0)
        return cls(len(observations), mean, np.square(observations - mean).sum(axis=0))

    def merge(self, other: Moments) -> Moments:
        """Those of both sets together (Chan, Golub, LeVeque 1979)."""
        # Not sums of squares: they cancel where the mean is large against the spread.
        count = self.count + other.count
        if count == 0:
            return self
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        squared = self.squared + other.squared + np.square(apart) * (self.count * other.count / count)
        return Moments(count, mean, squared)

    def scale(self) -> FloatArray:
        """What to divide by, shape (obs_dim,): the standard deviation, inf where nothing varies.

        Before the first observation it is 1, as in the paper.
        """
        if self.count == 0:
            return np.ones_like(self.mean)
        std = np.sqrt(self.squared / self.count)
        # Division by inf makes 0, which is what the deviation from a constant is.
        return np.where(std > _RESOLUTION * np.maximum(1.0, np.abs(self.mean)), std, np.inf)


@dataclass(frozen=True, eq=False)
class LinearPolicy:
    """Acts on ``weights @ ((observation - mean) / scale)``.

    Attributes:
        weights: M of the paper, shape (num_outputs, obs_dim).
        mean: Taken off each observation, shape (obs_dim,).
        scale: Divides it then, shape (obs_dim,); inf leaves that coordinate out.
        actions: What the outputs mean.
    """

    weights: FloatArray
    mean: FloatArray
    scale: FloatArray
    actions: Actions

    @cached_property
    def _folded(self) -> tuple[FloatArray, FloatArray]:
        # Whitening is linear: once per policy instead of once per step.
        matrix = self.weights / self.scale
        return matrix, -(matrix @ self.mean)

    def act(self, observation: Any) -> Any:
        """The action for ``observation``, which may have any shape with obs_dim elements."""
        return self.act_flat(flatten(observation))

    def act_flat(self, observation: FloatArray) -> Any:
        """The action for an observation that `flatten` made."""
        matrix, bias = self._folded
        return self.actions.choose(matrix @ observation + bias)

    def to_state(self) -> dict[str, Any]:
        """This policy as numbers and arrays, which load without any class of ours."""
        state: dict[str, Any] = {"M": self.weights, "obs_mean": self.mean, "obs_std": self.scale}
        if isinstance(self.actions, DiscreteActions):
            return state | {"action_start": self.actions.start}
        return state | {"action_low": self.actions.low, "action_high": self.actions.high}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LinearPolicy:
        """The policy that `to_state` described; other keys of ``state`` are left alone.

        Raises:
            KeyError: ``state`` describes no policy.
        """
        weights = state["M"]
        actions: Actions
        if "action_start" in state:
            actions = DiscreteActions(len(weights), state["action_start"])
        else:
            actions = BoxActions(state["action_low"], state["action_high"])
        return cls(weights, state["obs_mean"], state["obs_std"], actions)
