"""Which hyperparameters of a grid made the difference: shares of the variance of a run table."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
import polars as pl

from spinup.errors import RecordError
from spinup.results.experiments import experiments_of
from spinup.results.groups import variants_of
from spinup.results.stats.effects import factorial_effects
from spinup.results.stats.importance import forest_importance
from spinup.results.stats.scores import count, is_usable

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from spinup.results.groups import Variant
    from spinup.results.stats.effects import Effect
    from spinup.results.stats.scores import FloatArray

Method: TypeAlias = Literal["auto", "anova", "fanova"]
_METHODS: Final = ("auto", "anova", "fanova")
_SCHEMA: Final[dict[str, Any]] = {
    "task": pl.String,
    "effect": pl.String,
    "factors": pl.List(pl.String),
    "df": pl.Int64,
    "share": pl.Float64,
    "corrected_share": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "f": pl.Float64,
    "p": pl.Float64,
    "method": pl.String,
    "runs": pl.String,
}


def effect_shares(
    table: pl.DataFrame,
    *,
    column: str = "last",
    task: str | None = None,
    method: Method = "auto",
    level: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """The share of the variance of ``column`` that each hyperparameter makes, and each two of them.

    A full factorial grid whose variants all have as many results: analysis of variance, which is exact.
    Any other table: fANOVA of a random forest, which gives single hyperparameters only, and no interval.
    Hyperparameters that always change together count as one, such as ``pi_lr = vf_lr``. Where variants
    agree in all hyperparameters and differ in their names, as two algorithms do, ``exp_name`` is a factor.

    Args:
        table: One row per run: a run table.
        column: Score of a run.
        task: Column that tells tasks apart; by default, ``env_name`` and the like if its values differ.
        method: ``anova``, ``fanova``, or ``auto`` for whichever fits.
        level: Coverage of the intervals.
        seed: For the random forest: the same gives the same.

    Returns:
        For each task, largest share first, what is left to seeds and to higher interactions last.
        Columns: ``task`` (null for one), ``effect`` (in words), ``factors`` (the hyperparameters),
        ``df``, ``share`` (of the total sum of squares; they add up to 1), ``corrected_share`` (less what
        noise adds), its interval ``low`` and ``high``, ``f``, ``p``, ``method``, and ``runs`` (such as
        ``23 of 24 runs``).

    Raises:
        RecordError: As for `spinup.results.comparison.summarise`; or no hyperparameter has two values;
            or ``anova`` was asked for, and the table is no full factorial grid; or runs are too few.
        MissingExtra: A forest is needed, and the extra ``importance`` is not installed.
        ValueError: ``method`` is unknown.
    """
    if method not in _METHODS:
        raise ValueError(f"No method named {method!r}. Known: {', '.join(_METHODS)}.")
    variants = variants_of(table, column=column, task=task)
    rng = np.random.default_rng(seed)
    rows = []
    for name in dict.fromkeys(variant.task for variant in variants):
        members = [variant for variant in variants if variant.task == name]
        rows += _rows(name, members, method, rng=rng, level=level)
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _rows(
    task: str | None,
    variants: Sequence[Variant],
    method: Method,
    *,
    rng: np.random.Generator,
    level: float,
) -> list[dict[str, Any]]:
    where = "" if task is None else f" on {task}"
    factors = _factors(variants)
    if not factors:
        raise RecordError(f"No hyperparameter has two values{where}: there is no effect to measure.")
    grid = None if method == "fanova" else _full_grid(variants, factors)
    if grid is None and method == "anova":
        raise RecordError(
            f"The runs{where} are no full factorial grid with as many results in each variant. Finish it, "
            "or ask for the method 'fanova'."
        )
    used, runs = (sum(counts) for counts in zip(*(v.counts for v in variants), strict=True))
    common = {"task": task, "runs": count(used, runs, "run")}
    if grid is not None:
        effects = _ordered(factorial_effects(grid, list(factors), level=level))
        return [{**_effect_row(effect), **common, "method": "anova"} for effect in effects]
    if used < 4:
        raise RecordError(f"{used} runs{where} have a result, too few to tell effects apart.")
    shares = _forest(variants, factors, rng)
    return [
        {
            **dict.fromkeys(_SCHEMA),
            "effect": name,
            "factors": [name],
            "share": share,
            **common,
            "method": "fanova",
        }
        for name, share in shares.items()
    ]


def _factors(variants: Sequence[Variant]) -> dict[str, list[Hashable]]:
    """The values of what varies, by variant; what always varies together is one, named after all."""
    columns = {name: [v.parameters[name] for v in variants] for name in variants[0].parameters}
    varying = {name: column for name, column in columns.items() if len(set(column)) > 1}
    if varying and (names := experiments_of(variants)):
        varying["exp_name"] = [*names]
    by_partition: dict[tuple[int, ...], list[str]] = {}
    for name, column in varying.items():
        codes: dict[Hashable, int] = {}
        partition = tuple(codes.setdefault(value, len(codes)) for value in column)
        by_partition.setdefault(partition, []).append(name)
    return {" = ".join(names): varying[names[0]] for names in by_partition.values()}


def _full_grid(variants: Sequence[Variant], factors: Mapping[str, Sequence[Hashable]]) -> FloatArray | None:
    """Scores of shape (values of each factor..., num_seeds); None where the grid has gaps."""
    levels = [list(dict.fromkeys(column)) for column in factors.values()]
    scores = dict(zip(zip(*factors.values(), strict=True), map(_results, variants), strict=True))
    num_cells = int(np.prod([len(values) for values in levels]))
    sizes = {results.size for results in scores.values()}
    if len(scores) != num_cells or len(variants) != num_cells or len(sizes) != 1 or sizes == {0}:
        return None
    cells = [scores[cell] for cell in itertools.product(*levels)]
    return np.array(cells).reshape([*map(len, levels), sizes.pop()])


def _results(variant: Variant) -> FloatArray:
    scores = np.array(list(variant.scores.values()), dtype=np.float64)
    found: FloatArray = scores[is_usable(scores)]
    return found


def _forest(
    variants: Sequence[Variant], factors: Mapping[str, Sequence[Hashable]], rng: np.random.Generator
) -> dict[str, float]:
    num_seeds = [len(variant.scores) for variant in variants]
    values = {
        name: [value for value, num in zip(column, num_seeds, strict=True) for _ in range(num)]
        for name, column in factors.items()
    }
    scores = [score for variant in variants for score in variant.scores.values()]
    return forest_importance(values, scores, rng=rng)


def _ordered(effects: Sequence[Effect]) -> list[Effect]:
    return sorted(effects, key=lambda effect: -effect.share if effect.factors else 1.0)


def _effect_row(effect: Effect) -> dict[str, Any]:
    return {
        "effect": effect.label,
        "factors": list(effect.factors),
        "df": effect.df,
        "share": effect.share,
        "corrected_share": effect.corrected_share,
        "low": effect.low,
        "high": effect.high,
        "f": effect.f,
        "p": effect.p,
    }
