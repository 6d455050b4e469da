"""Variants against a baseline: how much they differ, and whether more than seeds differ among themselves.

Defaults, and why:

- Where a variant has the baseline's seeds, the two are compared seed by seed with a t-test of the
  differences; else with Welch's t-test, which does not assume equal spread and keeps its level best
  among the usual tests for few seeds (Colas et al. 2019, A Hitchhiker's Guide to Statistical
  Comparisons of Reinforcement Learning Algorithms).
- Pairs count only where both seeds have a result. Where fewer than three do, and more seeds have one, it
  is Welch's test too.
- Where every seed changed by the same, or neither side's seeds differ, t would be infinite: arrangements
  are counted, and the sentence says that the change is exact.
- The permutation test is there for whom normal differences are too much to assume. Its p cannot fall
  below 2 over the number of arrangements, 2/252 for five seeds against five, 2/32 for five pairs, so
  that it can find nothing among many comparisons of few seeds.
- p is corrected for the number of comparisons in the table (Holm 1979), the intervals are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from scipy import stats

from spinup.results.stats.formatting import format_interval, format_number, format_p
from spinup.results.stats.intervals import effective_df, t_quantile
from spinup.results.stats.power import ALPHA, POWER, detectable_difference, seeds_needed
from spinup.results.stats.profiles import wins
from spinup.results.stats.scores import count, is_constant, is_usable, require_between

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import numpy.typing as npt

    from spinup.results.stats.scores import FloatArray

    #: The score of each seed; NaN or infinite for a run that has no result.
    SeedScores: TypeAlias = Mapping[Hashable, float]

Test: TypeAlias = Literal["t", "permutation"]
_TESTS: Final = ("t", "permutation")
_RESAMPLES = 9_999
_FEWEST_PAIRS = 3


class Verdict(Enum):
    """What a comparison comes to."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"  # alone it would count, among so many it may be chance; or exact, for too few seeds
    WITHIN_NOISE = "within seed noise"
    NO_EFFECT = "no effect at all"  # the same score for every seed
    TOO_FEW = "too few seeds"


@dataclass(frozen=True)
class Comparison:
    """A variant against the baseline; differences are variant less baseline, in score units.

    Attributes:
        num_used: Seeds of the variant that have a result.
        num_runs: Seeds of the variant.
        num_baseline_used: Seeds of the baseline that have a result.
        num_baseline_runs: Seeds of the baseline.
        num_pairs: Seeds that both have a result for, where they were compared pair by pair; else None.
        verdict: What it comes to, at level ``alpha`` after Holm's correction.
        difference: Of the means; None where either has no result.
        low: Lower end of its interval; None for too few seeds.
        high: Upper end.
        p: Two-sided p-value of this comparison alone; None for too few seeds.
        p_holm: The same, corrected for all comparisons of the table.
        num_comparisons: How many there were.
        p_floor: The smallest p that so few seeds can have in a permutation test; None for a t-test.
        test: Name of the test, or why there is none.
        effect_size: Hedges' g: the difference in standard deviations over seeds; None where those are 0.
        probability_better: Share of pairs of runs in which the variant's is better, ties counting half.
        detectable: The smallest true difference that would have been found with probability ``power``,
            whatever the other comparisons came to; None where seeds do not differ, or are too few.
        seeds_needed: Seeds of each that would find the wanted difference; None where none is wanted.
        alpha: Level of the test.
        power: For ``detectable``.
    """

    num_used: int
    num_runs: int
    num_baseline_used: int
    num_baseline_runs: int
    num_pairs: int | None
    verdict: Verdict = Verdict.TOO_FEW
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    num_comparisons: int = 1
    p_floor: float | None = None
    test: str = "none: too few seeds"
    effect_size: float | None = None
    probability_better: float | None = None
    detectable: float | None = None
    seeds_needed: int | None = None
    alpha: float = ALPHA
    power: float = POWER

    @property
    def is_exact(self) -> bool:
        """Whether there is a difference without any spread: the same for every seed."""
        return self.low is not None and self.low == self.high and bool(self.difference)

    @property
    def is_complete(self) -> bool:
        """Whether every run of both has a result."""
        return self.num_used == self.num_runs and self.num_baseline_used == self.num_baseline_runs

    def sentence(self, name: str) -> str:
        """The verdict in words: ``norm_obs matters: 212 [164, 260], p = 0.004 (Holm), 5 of 5 seeds``.

        Args:
            name: What the variant changes.
        """
        return f"{name} {self._finding()}, {self._seeds()}"

    def _finding(self) -> str:
        if self.is_exact:
            return self._exact()
        change = format_interval(self.difference, self.low, self.high)
        if self.verdict is Verdict.TOO_FEW and self.p_floor is not None:
            floor = format_p(self.p_floor).removeprefix("p = ")
            return f"cannot be judged: {change}, but p cannot fall below {floor}{self._among()}"
        if self.verdict is Verdict.TOO_FEW:
            return "cannot be judged: too few seeds have a result"
        if self.verdict is Verdict.NO_EFFECT:
            return "changed nothing: every seed came to the same"
        if self.verdict in {Verdict.BETTER, Verdict.WORSE}:
            return f"matters: {change}, {format_p(self.p_holm)}{self._correction()}"
        if self.verdict is Verdict.UNCLEAR:
            many = f"{format_p(self.p_holm)}{self._among()}"
            return f"may matter: {change}, {format_p(self.p)} alone but {many} (Holm)"
        if self.detectable is None:
            p = f"{format_p(self.p_holm)}{self._correction()}"
            return f"is not told apart from the baseline: {change}, {p}"
        detectable = format_number(self.detectable, self.detectable)
        return f"is within seed noise: {change}; ±{detectable} was detectable"

    def _exact(self) -> str:
        change = format_number(self.difference)
        p = f"{format_p(self.p_holm)}{self._correction()}"
        if self.num_pairs is None:
            what = f"differs by exactly {change}: seeds do not differ among themselves"
        else:
            what = f"changed every seed by exactly {change}"
        if self.verdict in {Verdict.BETTER, Verdict.WORSE} or self.p_floor is None:
            return f"matters: it {what}, {p}"
        floor = format_p(self.p_floor).removeprefix("p = ")
        return f"{what}, but with so few of them p cannot fall below {floor}{self._among()}"

    def _correction(self) -> str:
        return " (Holm)" if self.num_comparisons > 1 else ""

    def _among(self) -> str:
        return f" among {self.num_comparisons} comparisons" if self.num_comparisons > 1 else ""

    def _seeds(self) -> str:
        seeds = count(self.num_used, self.num_runs)
        if self.num_pairs is not None and self.num_pairs < max(self.num_used, self.num_baseline_used):
            pairs = f"{self.num_pairs} {'pair' if self.num_pairs == 1 else 'pairs'} of seeds"
            return f"{pairs} ({seeds}; baseline: {self.num_baseline_used} of {self.num_baseline_runs})"
        if (self.num_used, self.num_runs) == (self.num_baseline_used, self.num_baseline_runs):
            return seeds
        return f"{seeds} (baseline: {self.num_baseline_used} of {self.num_baseline_runs})"


def compare(
    variants: Sequence[SeedScores],
    baselines: Sequence[SeedScores],
    *,
    rng: np.random.Generator,
    test: Test = "t",
    is_paired: bool | None = None,
    alpha: float = ALPHA,
    power: float = POWER,
    wanted: float | None = None,
) -> list[Comparison]:
    """Each variant against its baseline, with p corrected for the number of comparisons.

    Args:
        variants: The scores of each variant by seed, failed runs included as NaN; higher is better.
        baselines: As many, the same one again where all have one baseline.
        rng: Source of the permutation test's draws.
        test: ``t`` or ``permutation``.
        is_paired: Compare seed by seed; by default, where both were run with the same seeds.
        alpha: Level of the tests, and 1 less the level of the intervals, in (0, 1).
        power: For the smallest detectable difference, between ``alpha`` and 1.
        wanted: A difference worth finding, in score units, for ``seeds_needed``.

    Raises:
        ValueError: A probability is out of range, ``test`` is unknown, lengths differ, or ``wanted`` is
            0 or out of reach.
    """
    require_between("alpha", alpha)
    require_between("power", power, low=alpha)
    if test not in _TESTS:
        raise ValueError(f"No test named {test!r}. Known: {', '.join(_TESTS)}.")
    alone = [
        _compare_one(variant, baseline, rng=rng, test=test, is_paired=is_paired, alpha=alpha)
        for variant, baseline in zip(variants, baselines, strict=True)
    ]
    p_holm = iter(holm([found.p for found, _ in alone if found.p is not None]))
    num = sum(found.p is not None for found, _ in alone)
    return [
        _judge(
            replace(
                found,
                p_holm=None if found.p is None else next(p_holm),
                num_comparisons=max(1, num),
                detectable=_detectable(noise, alpha / max(1, num), power),
                seeds_needed=_seeds_needed(noise, wanted, alpha / max(1, num), power),
                alpha=alpha,
                power=power,
            )
        )
        for found, noise in alone
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, for no false finding at all in 1 - alpha of tables (Holm 1979).

    Returns:
        In the order given; each at least as large as before, at most 1.
    """
    num = len(p_values)
    order = sorted(range(num), key=p_values.__getitem__)
    corrected, largest = [1.0] * num, 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (num - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


class _Noise(NamedTuple):
    """Standard error of a difference, its degrees of freedom, and what `seeds_needed` asks for."""

    error: float
    df: float
    std: float
    is_paired: bool


def _compare_one(
    variant: SeedScores,
    baseline: SeedScores,
    *,
    rng: np.random.Generator,
    test: Test,
    is_paired: bool | None,
    alpha: float,
) -> tuple[Comparison, _Noise | None]:
    scores, others = _usable(variant), _usable(baseline)
    if is_paired is None:
        is_paired = variant.keys() == baseline.keys() and _has_pairs(scores, others)
    x, y = _pairs(scores, others) if is_paired else (_values(scores), _values(others))
    difference = float(x.mean() - y.mean()) if x.size and y.size else None
    found = Comparison(
        num_used=len(scores),
        num_runs=len(variant),
        num_baseline_used=len(others),
        num_baseline_runs=len(baseline),
        num_pairs=x.size if is_paired else None,
        difference=difference,
    )
    if min(x.size, y.size) < 2 or difference is None:
        return found, None
    found = replace(found, probability_better=float(wins(x, y)), effect_size=_hedges_g(x, y))
    noise = _paired_noise(x, y) if is_paired else _welch_noise(x, y)
    if noise is None:
        # No spread, so that t would be infinite. What is left is to count arrangements: of all runs where
        # these do not differ among themselves either, else of pairs.
        found = replace(found, low=difference, high=difference)
        is_paired = is_paired and _welch_noise(x, y) is not None
        return _permuted(found, x, y, is_paired=is_paired, rng=rng), None
    reach = t_quantile(1.0 - alpha, noise.df) * noise.error
    found = replace(found, low=difference - reach, high=difference + reach)
    if test == "permutation":
        return _permuted(found, x, y, is_paired=is_paired, rng=rng), noise
    p = float(2 * stats.t.sf(abs(difference) / noise.error, noise.df))
    return replace(found, p=p, test="paired t" if is_paired else "Welch t"), noise


def _usable(scores: SeedScores) -> dict[Hashable, float]:
    return {seed: float(score) for seed, score in scores.items() if is_usable(score)}


def _values(scores: Mapping[Hashable, float]) -> FloatArray:
    return np.array(list(scores.values()), dtype=np.float64)


def _has_pairs(scores: Mapping[Hashable, float], others: Mapping[Hashable, float]) -> bool:
    """Whether enough seeds have both results, or as many as there are."""
    num_pairs = len(scores.keys() & others.keys())
    return num_pairs >= min(_FEWEST_PAIRS, len(scores), len(others))


def _pairs(
    scores: Mapping[Hashable, float], others: Mapping[Hashable, float]
) -> tuple[FloatArray, FloatArray]:
    shared = [seed for seed in scores if seed in others]
    return _values({seed: scores[seed] for seed in shared}), _values(
        {seed: others[seed] for seed in shared}
    )


def _paired_noise(x: FloatArray, y: FloatArray) -> _Noise | None:
    """None where all differences are the same, but for rounding."""
    differences = x - y
    if is_constant(differences, size=max(float(np.abs(x).max()), float(np.abs(y).max()))):
        return None
    std = float(differences.std(ddof=1))
    return _Noise(std / math.sqrt(x.size), x.size - 1, std, is_paired=True)


def _welch_noise(x: FloatArray, y: FloatArray) -> _Noise | None:
    """None where neither differs among seeds, but for rounding."""
    if is_constant(x) and is_constant(y):
        return None
    variances = np.array([x.var(ddof=1) / x.size, y.var(ddof=1) / y.size])
    df = effective_df(variances, np.array([x.size - 1, y.size - 1]))
    return _Noise(math.sqrt(float(variances.sum())), df, _mean_std(x, y), is_paired=False)


def _permuted(
    found: Comparison, x: FloatArray, y: FloatArray, *, is_paired: bool, rng: np.random.Generator
) -> Comparison:
    """``found`` with p of all arrangements of the runs, where there are few; else of many random ones."""

    def difference_of_means(x: FloatArray, y: FloatArray, axis: int) -> npt.NDArray[np.float64]:
        return np.asarray(x.mean(axis=axis) - y.mean(axis=axis), dtype=np.float64)

    answer = stats.permutation_test(
        (x, y),
        difference_of_means,
        permutation_type="samples" if is_paired else "independent",
        vectorized=True,
        n_resamples=_RESAMPLES,
        random_state=rng,
    )
    num_arrangements = 2**x.size if is_paired else math.comb(x.size + y.size, x.size)
    return replace(
        found,
        p=float(answer.pvalue),
        p_floor=2.0 / min(num_arrangements, _RESAMPLES + 1),
        test="paired permutation" if is_paired else "permutation",
    )


def _hedges_g(x: FloatArray, y: FloatArray) -> float | None:
    """Difference over the average standard deviation, corrected for few seeds (Hedges 1981).

    Also for pairs: the spread over seeds is what a reader knows, that of differences is not.
    """
    if is_constant(x) and is_constant(y):
        return None
    return float(x.mean() - y.mean()) / _mean_std(x, y) * (1 - 3 / (4 * (x.size + y.size - 2) - 1))


def _mean_std(x: FloatArray, y: FloatArray) -> float:
    return math.sqrt((float(x.var(ddof=1)) + float(y.var(ddof=1))) / 2)


def _detectable(noise: _Noise | None, alpha: float, power: float) -> float | None:
    # alpha over the number of comparisons is where Holm's correction begins: it is found for sure.
    if noise is None:
        return None
    return detectable_difference(noise.error, noise.df, alpha=alpha, power=power)


def _seeds_needed(noise: _Noise | None, wanted: float | None, alpha: float, power: float) -> int | None:
    if noise is None or wanted is None:
        return None
    return seeds_needed(wanted, noise.std, is_paired=noise.is_paired, alpha=alpha, power=power)


def _judge(found: Comparison) -> Comparison:
    """``found`` with its verdict."""
    if found.p is None or found.p_holm is None or found.difference is None:
        return found
    if found.p_holm < found.alpha:
        verdict = Verdict.BETTER if found.difference > 0 else Verdict.WORSE
    elif found.low == found.high == 0.0:
        verdict = Verdict.NO_EFFECT
    elif found.is_exact:
        verdict = Verdict.UNCLEAR
    elif found.p_floor is not None and found.p_floor * found.num_comparisons >= found.alpha:
        verdict = Verdict.TOO_FEW
    elif found.p < found.alpha:
        verdict = Verdict.UNCLEAR
    else:
        verdict = Verdict.WITHIN_NOISE
    return replace(found, verdict=verdict)
