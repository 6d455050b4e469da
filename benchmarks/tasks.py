"""The thunks that benchmarks/launch.py starts: in a module of their own, as a user's algorithm is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def cartpole_episode(
    env_fn: Callable[[], Any], seed: int = 0, number: int = 0, logger_kwargs: dict[str, Any] | None = None
) -> float:
    """One episode of CartPole with random actions, and one logged row."""
    from spinup.loggers import EpochLogger

    env = env_fn()
    env.action_space.seed(number)
    env.reset(seed=seed + number)
    total, is_over = 0.0, False
    while not is_over:
        _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        total += reward
        is_over = terminated or truncated
    with EpochLogger(**(logger_kwargs or {}), console=False) as logger:
        logger.log_tabular("Epoch", 0)
        logger.log_tabular("EpRet", total)
        logger.dump_tabular()
    return total


def torch_step(number: int = 0, logger_kwargs: dict[str, Any] | None = None) -> float:
    """A small network: forward, backward, one step of Adam; and one logged row."""
    import torch

    from spinup.loggers import EpochLogger

    torch.manual_seed(number)
    net = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.Tanh(), torch.nn.Linear(64, 2))
    optimizer = torch.optim.Adam(net.parameters())
    loss = net(torch.randn(32, 8)).square().mean()
    loss.backward()
    optimizer.step()
    with EpochLogger(**(logger_kwargs or {}), console=False) as logger:
        logger.log_tabular("Epoch", 0)
        logger.log_tabular("Loss", loss.item())
        logger.dump_tabular()
    return loss.item()
