"""Augmented Random Search as a thunk: versions V1, V1-t, V2 and V2-t over linear policies."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from spinup import mpi
from spinup.algos.random_search import (
    Search,
    SearchState,
    advance,
    initial_state,
    require_integer,
)
from spinup.algos.shares import evaluate_all, explore_all
from spinup.errors import RecordError
from spinup.loggers import EpochLogger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import gymnasium as gym

    from spinup.algos.random_search import Pair
    from spinup.algos.rollouts import Rollout

_WAY_OUT = "Move vars.pkl away to begin again, or log to another directory."


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
    of training only. With one seed every column but Time repeats, also when the run was killed and
    started again: it goes on from its last saved state. In several MPI processes the rollouts are
    divided among them, and their number changes nothing but the time.

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
        RecordError: The saved state is damaged, or that of another search.
    """
    config = locals()
    search = Search(seed, version, alpha, nu, N, N if b is None else b, shift, max_ep_len)
    for name in ("epochs", "eval_episodes", "save_freq"):
        require_integer(name, config[name], least=1)
    start_s = time.monotonic()
    with closing(env_fn()) as env, EpochLogger(**(logger_kwargs or {})) as logger:
        logger.save_config(config)
        state, spent_s = _begin(env, search, logger.restore())
        start_s -= spent_s
        # A run that was through already is only evaluated, and returns what it has returned.
        evaluated = evaluate_all(env, state, search, eval_episodes) if state.iteration >= epochs else []
        for epoch in range(state.iteration, epochs):
            pairs = explore_all(env, state, search)
            state, sigma = advance(state, search, pairs)
            evaluated = evaluate_all(env, state, search, eval_episodes)
            if mpi.rank() == 0:  # each rank knows all of them, and they count once
                _store(logger, pairs, evaluated)
            logger.log_tabular("Epoch", epoch)
            logger.log_tabular("EpRet", with_min_and_max=True)
            logger.log_tabular("EpLen", average_only=True)
            logger.log_tabular("TrainEpRet", average_only=True)
            logger.log_tabular("SigmaR", sigma)
            logger.log_tabular("TotalEnvInteracts", state.interactions)
            logger.log_tabular("Time", time.monotonic() - start_s)
            logger.dump_tabular()
            # After the row, so that the state and the table have come equally far.
            if epoch % save_freq == 0 or epoch == epochs - 1:
                progress = {"search": asdict(search), "time_s": time.monotonic() - start_s}
                logger.save_state({"version": version, **progress, **state.to_state()}, None)
    return {
        "return": float(np.mean([each.ret for each in evaluated])),
        "interactions": state.interactions,
    }


def _begin(
    env: gym.Env[Any, Any], search: Search, saved: Mapping[str, Any] | None
) -> tuple[SearchState, float]:
    """Where the search begins, and the seconds that were spent on it before.

    Raises:
        RecordError: ``saved`` is not a state of ``search`` in ``env``.
    """
    state = initial_state(env)
    if saved is None:
        return state, 0.0
    needed = state.policy.weights.shape
    try:
        state = SearchState.from_state(saved)
        before, spent_s = dict(saved["search"]), float(saved["time_s"])
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"The saved state is none of ars: {error!r}. {_WAY_OUT}") from error
    now = asdict(search)
    if changed := [f"{name}={before.get(name)!r}" for name in now if before.get(name) != now[name]]:
        raise RecordError(f"The saved state is of a search with {', '.join(changed)}. {_WAY_OUT}")
    if (shape := state.policy.weights.shape) != needed:
        raise RecordError(
            f"The saved policy has weights of shape {shape}, not {needed} as needed here. {_WAY_OUT}"
        )
    return state, spent_s


def _store(logger: EpochLogger, pairs: Sequence[Pair], evaluated: Sequence[Rollout]) -> None:
    for each in evaluated:
        logger.store(EpRet=each.ret, EpLen=each.length)
    for plus, minus in pairs:
        logger.store(TrainEpRet=plus.ret)
        logger.store(TrainEpRet=minus.ret)
