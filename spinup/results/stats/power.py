"""What a number of seeds can show: the smallest detectable difference, and the seeds needed for one.

Power of the t-test by its noncentral distribution (Cohen 1988; for RL: Colas et al. 2018, How Many
Random Seeds?). The spread is that of the scores at hand, itself a guess when seeds are few. No "observed
power" is made of the observed difference: it says no more than p does (Hoenig and Heisey 2001).
"""

from __future__ import annotations

import functools
import math
from typing import Final

from scipy import optimize, special, stats

from spinup.results.stats.scores import require_between

ALPHA: Final = 0.05
POWER: Final = 0.8

_MANY = 5_000  # seeds, from where the normal approximation is as good as t
_MOST = 10**9


@functools.lru_cache(maxsize=1024)  # one value for a whole table, and a search to find it
def detectable_in_errors(df: float, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """The true difference, in standard errors, that a two-sided t-test finds with probability ``power``.

    Args:
        df: Degrees of freedom, at least 1.
        alpha: Level of the test, in (0, 1).
        power: Probability, between ``alpha`` and 1.

    Raises:
        ValueError: A probability is out of range.
    """
    require_between("alpha", alpha)
    require_between("power", power, low=alpha)
    if df > 2 * _MANY:
        return float(-special.ndtri(alpha / 2) + special.ndtri(power))
    critical = float(special.stdtrit(df, 1 - alpha / 2))

    def shortfall(shift: float) -> float:
        # The square of a noncentral t, both of its tails at once.
        return float(stats.ncf.sf(critical**2, 1, df, shift**2)) - power

    # With few degrees of freedom the t that is observed varies by a factor: look far enough.
    high = critical + 10.0
    while shortfall(high) < 0:
        high *= 2
    return float(optimize.brentq(shortfall, 0.0, high, xtol=1e-6))


def detectable_difference(
    standard_error: float, df: float, *, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The smallest true difference that would have been found with probability ``power``, in score units.

    Args:
        standard_error: Of the difference, in score units.
        df: Its degrees of freedom.
        alpha: Level of the two-sided test; divided by the number of comparisons, where there are several.
        power: Probability.
    """
    return standard_error * detectable_in_errors(df, alpha=alpha, power=power)


def seeds_needed(
    difference: float,
    std: float,
    *,
    is_paired: bool = False,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int:
    """Seeds of each variant that find ``difference`` with probability ``power``; at least 2.

    Args:
        difference: The true difference worth finding, in score units, not 0.
        std: Standard deviation over seeds of one variant; if paired, of the differences.
        is_paired: Whether the variants share their seeds, and are compared seed by seed.
        alpha: Level of the two-sided test.
        power: Probability, between ``alpha`` and 1.

    Raises:
        ValueError: ``difference`` is 0, a value is not finite, or more than 10^9 seeds would not do.
    """
    if not math.isfinite(difference) or difference == 0:
        raise ValueError(f"difference must be finite and not 0, not {difference!r}.")
    if not math.isfinite(std) or std < 0:
        raise ValueError(f"std must be finite and at least 0, not {std!r}.")
    variance_factor, df_factor = (1, 1) if is_paired else (2, 2)

    def is_enough(num: int) -> bool:
        error = std * math.sqrt(variance_factor / num)
        df = df_factor * (num - 1)
        return detectable_difference(error, df, alpha=alpha, power=power) <= abs(difference)

    enough = 2
    while not is_enough(enough):
        enough *= 2
        if enough > _MOST:
            raise ValueError(f"More than {_MOST:,} seeds would be needed for {difference:g}.")
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if is_enough(middle) else (middle, enough)
    return enough
