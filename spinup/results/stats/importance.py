"""Importance of hyperparameters in runs that are no full factorial grid."""

from __future__ import annotations

import json
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from spinup.errors import MissingExtra
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

_FEWEST = 4


def forest_importance(
    values: Mapping[str, Sequence[Any]], scores: npt.ArrayLike, *, rng: np.random.Generator
) -> dict[str, float]:
    """Share of the variance that each hyperparameter makes by itself: fANOVA of a random forest.

    Hutter, Hoos and Leyton-Brown 2014, An Efficient Approach for Assessing Hyperparameter Importance, as
    `optuna.importance` has it. Each value that was tried weighs the same: numbers enter by their rank,
    so that a learning rate counts on whatever scale it was spread. What the shares lack to 1 is due to
    several hyperparameters at once. The forest guesses between runs; treat shares of few runs as hints.

    Args:
        values: For each hyperparameter, its value in each run.
        scores: Shape (num_runs,); runs without a result are left out.
        rng: Seeds the forest.

    Returns:
        The shares, largest first; 0 for a hyperparameter with one value.

    Raises:
        ValueError: Fewer than four runs have a result, or lengths differ.
        MissingExtra: Optuna or scikit-learn is not installed.
    """
    returns = np.asarray(scores, dtype=np.float64)
    used = np.flatnonzero(is_usable(returns)).tolist()
    if len(used) < _FEWEST:
        raise ValueError(f"A random forest needs {_FEWEST} runs with a result at least, not {len(used)}.")
    if any(len(column) != returns.size for column in values.values()):
        raise ValueError(f"Each hyperparameter needs a value for each of the {returns.size} runs.")
    columns = {name: _levels([column[run] for run in used]) for name, column in values.items()}
    varying = {name: column for name, column in columns.items() if max(column[0]) > 0}
    shares = dict.fromkeys(values, 0.0)
    if varying and np.ptp(returns[used]) > 0:
        shares |= _fanova(varying, returns[used], seed=int(rng.integers(2**31)))
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _levels(column: Sequence[Any]) -> tuple[list[int], bool]:
    """Of each run, the number of its value among the distinct ones; and whether those have an order."""
    is_ordered = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in column)
    texts = (json.dumps(value, sort_keys=True, default=repr) for value in column)
    keys: list[Any] = list(column if is_ordered else texts)
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return [ranks[key] for key in keys], is_ordered


def _fanova(
    columns: Mapping[str, tuple[Sequence[int], bool]], returns: npt.NDArray[np.float64], *, seed: int
) -> dict[str, float]:
    optuna = _optuna()
    distributions = {
        name: _distribution(optuna, ranks, is_ordered=is_ordered)
        for name, (ranks, is_ordered) in columns.items()
    }
    with _silent(optuna):
        study = optuna.create_study()
        for run, value in enumerate(returns):
            params = {name: ranks[run] for name, (ranks, _) in columns.items()}
            study.add_trial(
                optuna.create_trial(params=params, distributions=distributions, value=float(value))
            )
        # The evaluator itself: get_param_importances would have the shares add up to 1.
        found = optuna.importance.FanovaImportanceEvaluator(seed=seed).evaluate(study)
    return {name: float(share) for name, share in found.items()}


def _distribution(optuna: Any, ranks: Sequence[int], *, is_ordered: bool) -> Any:
    num = max(ranks) + 1
    if is_ordered:
        # Half a rank beyond either end, so that the outer values are as wide as the others.
        return optuna.distributions.FloatDistribution(-0.5, num - 0.5)
    return optuna.distributions.CategoricalDistribution(range(num))


def _optuna() -> Any:
    # Optuna asks for scikit-learn only when the forest is grown.
    if not (find_spec("optuna") and find_spec("sklearn")):
        raise MissingExtra("Optuna with scikit-learn", "importance")
    import optuna  # noqa: PLC0415 - an extra, and slow to import

    return optuna


@contextmanager
def _silent(optuna: Any) -> Iterator[None]:
    """Without Optuna's line about a new study."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
