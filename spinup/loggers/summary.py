"""What an epoch's values come to: mean, deviation, extremes, in float64 whatever was stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from spinup import mpi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """Statistics of some numbers; NaN where there were none."""

    count: int = 0
    mean: float = math.nan
    std: float = math.nan
    min: float = math.nan
    max: float = math.nan


def summarize(stored: Sequence[float | FloatArray]) -> Summary:
    """The statistics of all numbers that the ranks of a run have stored, of any shape.

    Collective: each rank has to call it, also one that has stored nothing. ``std`` is the population's.
    """
    return merge(mpi.gather(summarize_own(stored)))


def merge(summaries: Sequence[Summary]) -> Summary:
    """The statistics of all numbers of which each of ``summaries`` tells a part."""
    parts = [part for part in summaries if part.count]
    if len(parts) <= 1:
        return parts[0] if parts else Summary()
    count = sum(part.count for part in parts)
    mean = sum(part.count / count * part.mean for part in parts)
    variance = sum(
        part.count / count * (part.std * part.std + (part.mean - mean) * (part.mean - mean))
        for part in parts
    )
    return Summary(
        count=count,
        mean=mean,
        std=math.sqrt(variance),
        min=_extreme(min, [part.min for part in parts]),
        max=_extreme(max, [part.max for part in parts]),
    )


def _extreme(of: Callable[[list[float]], float], values: list[float]) -> float:
    # Python's min and max lose a NaN that does not come first.
    return math.nan if any(map(math.isnan, values)) else of(values)


def summarize_own(stored: Sequence[float | FloatArray]) -> Summary:
    """The statistics of the numbers in ``stored`` alone."""
    import numpy as np  # noqa: PLC0415 - spinup is imported without it

    scalars = np.array([item for item in stored if isinstance(item, float)], dtype=np.float64)
    numbers = np.concatenate([scalars, *(item for item in stored if not isinstance(item, float))])
    if not numbers.size:
        return Summary()
    # A diverged run logs infinities; their deviation is NaN, and not worth a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        return Summary(
            count=int(numbers.size),
            mean=float(numbers.mean()),
            std=float(numbers.std()),
            min=float(numbers.min()),
            max=float(numbers.max()),
        )


def to_numbers(value: Any) -> float | FloatArray:
    """``value`` as a float, or as a flat float64 array that shares no memory with it.

    Args:
        value: A number, an array or tensor of any shape, or a list of these.

    Raises:
        TypeError: ``value`` is no number, nor made of numbers.
        ValueError: As above, for text.
    """
    # Strings that look like numbers would pass the conversion, and are mistakes.
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{value!r} is text")
    if isinstance(value, (int, float)):
        return float(value)
    import numpy as np  # noqa: PLC0415 - spinup is imported without it

    if hasattr(value, "detach"):  # a PyTorch tensor, which NumPy refuses while it needs a gradient
        value = value.detach().cpu().double().numpy()
    if isinstance(value, (list, tuple)) and not all(isinstance(item, (int, float)) for item in value):
        return np.concatenate([np.empty(0), *(np.ravel(to_numbers(item)) for item in value)])
    # A copy: an environment may reuse the array that it returned.
    return np.array(value, dtype=np.float64).ravel()
