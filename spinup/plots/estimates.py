"""What is made of several seeds, for every picture: an estimate, its interval, and what to call both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from spinup.errors import PlotError
from spinup.results.stats.curves import band
from spinup.results.stats.intervals import estimate
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]

#: What can be made of the values of several seeds.
OverSeeds: TypeAlias = Literal["mean", "median", "iqm", "max", "min"]

_WORDS: dict[OverSeeds, str] = {
    "mean": "mean",
    "median": "median",
    "iqm": "interquartile mean",
    "max": "highest",
    "min": "lowest",
}


class SeedBand(NamedTuple):
    """An estimate over seeds and its 95 % interval at each point, each of shape (num_points,).

    Attributes:
        center: NaN where no seed has a value.
        low: NaN where there is no interval: of fewer than two seeds, and of extremes.
        high: The same.
        num_used: Seeds that have a value there.
    """

    center: FloatArray
    low: FloatArray
    high: FloatArray
    num_used: IntArray


def check_over_seeds(name: str) -> None:
    """Raise PlotError unless ``name`` is an estimate that we know."""
    if name not in get_args(OverSeeds):
        raise PlotError(f"No estimate {name!r} over seeds. Known: {', '.join(get_args(OverSeeds))}.")


def over_seeds(values: FloatArray, name: OverSeeds) -> SeedBand:
    """The estimate called ``name`` at each point, over the seeds that have a value there.

    Args:
        values: Shape (num_seeds, num_points); what is not finite counts as no value.
        name: The estimate.
    """
    if name == "mean":
        return SeedBand(*band(values))
    found = [_at_a_point(column, name) for column in values.T]
    center, low, high = np.array(found, dtype=np.float64).reshape(-1, 3).T
    return SeedBand(center, low, high, is_usable(values).sum(axis=0))


def of_scores(scores: FloatArray, name: OverSeeds) -> tuple[float, float, float]:
    """Estimate and ends of its interval for ``scores``, shape (num_seeds,); NaN for what there is not."""
    found = over_seeds(scores[:, None], name)
    return float(found.center[0]), float(found.low[0]), float(found.high[0])


def words_of(name: OverSeeds) -> str:
    """What the estimate is called."""
    return _WORDS[name]


def explained(name: OverSeeds, center: str, interval: str) -> str:
    """What the marks of a picture are, such as ``line: mean over seeds; band: its 95 % interval``."""
    if name in {"max", "min"}:
        return f"{center}: {_WORDS[name]} of the seeds"
    return f"{center}: {_WORDS[name]} over seeds; {interval}: its 95 % interval"


def _at_a_point(values: FloatArray, name: OverSeeds) -> tuple[float, float, float]:
    there = values[is_usable(values)]
    if not there.size:
        return math.nan, math.nan, math.nan
    if name in {"max", "min"}:
        return float(there.max() if name == "max" else there.min()), math.nan, math.nan
    # No randomness is used for scores of one task.
    found = estimate(there, name, rng=np.random.default_rng(0))
    assert found.value is not None, "there are scores"
    if found.low is None or found.high is None:
        return found.value, math.nan, math.nan
    return found.value, found.low, found.high
