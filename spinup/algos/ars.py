"""Augmented Random Search as a thunk: versions V1, V1-t, V2 and V2-t over linear policies."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from spinup.algos.random_search import (
    Search,
    advance,
    evaluate,
    explore,
    initial_state,
    require_integer,
)
from spinup.loggers import EpochLogger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import gymnasium as gym

    from spinup.algos.random_search import Pair
    from spinup.algos.rollouts import Rollout


def ars(
    env_fn: Callable[[], gym.Env[Any, Any]],
    *,
    seed: int = 0,
    version: str = "V2",
    alpha: float = 0.02,
    nu: float = 0.05,
    N: int = 8,  # noqa: N803 - the paper's name
    b: int | None = None,
    shift: float = 0.0,
    epochs: int = 50,
    max_ep_len: int = 1000,
    eval_episodes: int = 10,
    save_freq: int = 10,
    logger_kwargs: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Augmented Random Search (Mania, Guy, Recht 2018, arXiv:1803.07055) for a linear policy.

    An epoch is one iteration: 2N rollouts, one update, then ``eval_episodes`` episodes of the
    unperturbed policy, which make the columns EpRet and EpLen. TotalEnvInteracts counts the steps
    of training only. With one seed every column but Time repeats.

    Args:
        env_fn: Makes the environment: observations in a Box, actions Discrete or in a Box of
            floats, and all that is random in it seeded by ``reset(seed=...)``.
        seed: Of every random draw; 0 or more.
        version: V1, V1-t, V2 or V2-t. V2 whitens observations by the mean and variance of all that
            were seen in training; -t updates with the best ``b`` directions only.
        alpha: Step size.
        nu: Standard deviation of the exploration noise. Where actions are discrete, only the ratio
            of ``alpha`` and ``nu`` matters.
        N: Directions sampled in an iteration.
        b: Directions used by the update in V1-t and V2-t; all N when left out.
        shift: Taken off each reward in training, for environments that pay for survival.
        epochs: Iterations.
        max_ep_len: Steps after which an episode is cut off.
        eval_episodes: Episodes of each evaluation.
        save_freq: Epochs from one saved state to the next; the last is always saved.
        logger_kwargs: For `EpochLogger`.

    Returns:
        ``return``, the mean of the last evaluation, and ``interactions``, the steps of training.

    Raises:
        HyperparameterError: A value or one of the environment's spaces cannot be used.
        FloatingPointError: A rollout's return is not finite.
    """
    config = locals()
    search = Search(seed, version, alpha, nu, N, N if b is None else b, shift, max_ep_len)
    for name in ("epochs", "eval_episodes", "save_freq"):
        require_integer(name, config[name], least=1)
    start_s = time.monotonic()
    with closing(env_fn()) as env, EpochLogger(**(logger_kwargs or {})) as logger:
        logger.save_config(config)
        state = initial_state(env)
        for epoch in range(epochs):
            pairs = [explore(env, state, search, direction) for direction in range(N)]
            state, sigma = advance(state, search, pairs)
            evaluated = evaluate(env, state, search, eval_episodes)
            if epoch % save_freq == 0 or epoch == epochs - 1:
                logger.save_state({"version": version, **state.to_state()}, None)
            _store(logger, pairs, evaluated)
            logger.log_tabular("Epoch", epoch)
            logger.log_tabular("EpRet", with_min_and_max=True)
            logger.log_tabular("EpLen", average_only=True)
            logger.log_tabular("TrainEpRet", average_only=True)
            logger.log_tabular("SigmaR", sigma)
            logger.log_tabular("TotalEnvInteracts", state.interactions)
            logger.log_tabular("Time", time.monotonic() - start_s)
            logger.dump_tabular()
    return {
        "return": float(np.mean([each.ret for each in evaluated])),
        "interactions": state.interactions,
    }


def _store(logger: EpochLogger, pairs: Sequence[Pair], evaluated: Sequence[Rollout]) -> None:
    for each in evaluated:
        logger.store(EpRet=each.ret, EpLen=each.length)
    for plus, minus in pairs:
        logger.store(TrainEpRet=plus.ret)
        logger.store(TrainEpRet=minus.ret)
