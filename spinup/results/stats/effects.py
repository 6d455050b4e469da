"""What share of the variance of a full factorial grid each hyperparameter makes, and each two of them.

Analysis of variance of a balanced design, which is exact: the sums of squares of main effects,
interactions and seeds add up to the total (Montgomery 2017, Design and Analysis of Experiments, ch. 5).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, stats

from spinup.results.stats.scores import is_constant, is_usable, require_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.results.stats.scores import FloatArray

_TIMES = "\N{MULTIPLICATION SIGN}"
_FAR = 1e5


@dataclass(frozen=True)
class Effect:
    """A main effect, an interaction, or what is left to the seeds.

    Attributes:
        factors: One name for a main effect, two for an interaction; none for the last two rows,
            which are all higher interactions and the seeds.
        label: The factors, or ``higher interactions``, or ``seeds``.
        df: Degrees of freedom.
        sum_of_squares: In squared score units.
        share: Of the total sum of squares; all shares add up to 1. Noise adds to each effect.
        corrected_share: Omega squared (Hays 1963): the share with that noise taken off, at least 0.
            None without replication, that is with one seed.
        low: Lower end of the interval for the corrected share; None without replication, and for seeds.
        high: Upper end.
        f: The effect's mean square over that of the seeds; None where there is none.
        p: p-value of the F-test.
    """

    factors: tuple[str, ...]
    label: str
    df: int
    sum_of_squares: float
    share: float
    corrected_share: float | None = None
    low: float | None = None
    high: float | None = None
    f: float | None = None
    p: float | None = None


def factorial_effects(scores: FloatArray, factors: Sequence[str], *, level: float = 0.95) -> list[Effect]:
    """Main effects, two-way interactions, all higher ones together, and seeds, as shares of variance.

    Intervals come from the noncentral F distribution (Steiger 2004, Beyond the F Test): exact for the
    effect against the seeds, if those scatter normally and alike everywhere; the other effects enter
    the total as they are estimated.

    Args:
        scores: Shape (num_levels of each factor..., num_seeds), all finite.
        factors: Name of each of the axes but the last.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        Main effects, then interactions, each in the order of ``factors``; then ``higher interactions``
        where there are more than two factors, then ``seeds``. Shares are 0 where all scores are equal.

    Raises:
        ValueError: A score is not finite, a factor has one level, or names and axes do not match.
    """
    require_between("level", level)
    if scores.ndim != len(factors) + 1 or not factors or min(scores.shape[:-1]) < 2 or not scores.size:
        raise ValueError(
            f"A grid of {len(factors)} factors needs so many axes, of two values at least, and one of "
            f"seeds: {scores.shape}."
        )
    if not is_usable(scores).all():
        raise ValueError("Each cell of the grid needs the same number of results: one is not finite.")
    # Equal scores may still differ from their mean, by rounding.
    centered = np.zeros_like(scores) if is_constant(scores) else scores - scores.mean()
    cells = centered.mean(axis=-1)
    total = float(np.sum(centered**2))
    effects = [
        _effect(cells, axes, factors, total, num_seeds=scores.shape[-1])
        for size in (1, 2)
        for axes in itertools.combinations(range(len(factors)), size)
    ]
    within = float(np.sum((centered - cells[..., None]) ** 2))
    if len(factors) > 2:
        df = cells.size - 1 - sum(effect.df for effect in effects)
        # What is left of a sum may come out below 0 by rounding.
        rest = max(0.0, total - within - sum(effect.sum_of_squares for effect in effects))
        effects.append(Effect((), "higher interactions", df, rest, _share(rest, total)))
    seeds = Effect((), "seeds", scores.size - cells.size, within, _share(within, total))
    return [*_with_intervals(effects, seeds, level), seeds]


def _effect(
    cells: FloatArray, axes: tuple[int, ...], factors: Sequence[str], total: float, *, num_seeds: int
) -> Effect:
    """The effect of the factors on ``axes``, beyond those of fewer factors; ``cells`` has mean 0."""
    others = tuple(axis for axis in range(cells.ndim) if axis not in axes)
    means = cells.mean(axis=others, keepdims=True)
    if len(axes) == 2:
        # Less the two main effects; their mean is 0 already.
        means = means - means.mean(axis=axes[0], keepdims=True) - means.mean(axis=axes[1], keepdims=True)
    squares = float(np.sum(means**2)) * (cells.size // means.size) * num_seeds
    names = tuple(factors[axis] for axis in axes)
    df = int(np.prod([cells.shape[axis] - 1 for axis in axes]))
    return Effect(names, f" {_TIMES} ".join(names), df, squares, _share(squares, total))


def _share(part: float, total: float) -> float:
    return part / total if total else 0.0


def _with_intervals(effects: Sequence[Effect], seeds: Effect, level: float) -> list[Effect]:
    """``effects``, with what can only be said beside the scatter of seeds."""
    noise = seeds.sum_of_squares / seeds.df if seeds.df else 0.0
    total = sum(effect.sum_of_squares for effect in effects) + seeds.sum_of_squares
    if not seeds.df or not total:
        return list(effects)
    if noise <= 1e-24 * total:  # seeds do not differ: there is no noise to take off, and none to doubt
        return [_exact(effect) for effect in effects]
    num = sum(effect.df for effect in effects) + seeds.df + 1
    # Of each effect, the noncentrality: num times its variance over that of the seeds.
    shifts = [max(0.0, effect.sum_of_squares / noise - effect.df) for effect in effects]
    return [
        _judged(effect, noise, seeds.df, shift, num + sum(shifts) - shift, level)
        for effect, shift in zip(effects, shifts, strict=True)
    ]


def _exact(effect: Effect) -> Effect:
    return replace(effect, corrected_share=effect.share, low=effect.share, high=effect.share)


def _judged(
    effect: Effect, noise: float, df_noise: int, shift: float, others: float, level: float
) -> Effect:
    if not effect.df:
        return effect
    f = effect.sum_of_squares / effect.df / noise
    low, high = (found / (found + others) for found in _shift_interval(f, effect.df, df_noise, level))
    return replace(
        effect,
        corrected_share=shift / (shift + others),
        low=low,
        high=high,
        f=f,
        p=float(stats.f.sf(f, effect.df, df_noise)),
    )


def _shift_interval(f: float, df: int, df_noise: int, level: float) -> tuple[float, float]:
    """Interval for the noncentrality of an F distribution that ``f`` was drawn from."""

    def end(probability: float) -> float:
        def excess(shift: float) -> float:
            return _noncentral_cdf(f, df, df_noise, shift) - probability

        if stats.f.cdf(f, df, df_noise) <= probability:
            return 0.0
        high = 2.0 * df * (f + 10.0)
        while excess(high) > 0:
            high *= 2
        return float(optimize.brentq(excess, 0.0, high, rtol=1e-6))

    return end((1 + level) / 2), end((1 - level) / 2)


def _noncentral_cdf(f: float, df: int, df_noise: int, shift: float) -> float:
    """Of the noncentral F distribution; at a ``shift`` of 0 that is the central one."""
    found = math.nan if shift > _FAR else float(stats.ncf.cdf(f, df, df_noise, shift))
    if not math.isnan(found):
        return found
    # Far from 0 the series for it is slow, and overflows: as a scaled central one (Patnaik 1949), which is
    # off by less than 1e-5 there.
    effective_df = (df + shift) ** 2 / (df + 2 * shift)
    return float(stats.f.cdf(f * df / (df + shift), effective_df, df_noise))
