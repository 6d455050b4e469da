"""What a run table comes to, in sentences: against the baseline, else against the best variant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
import polars as pl

from spinup.errors import MissingExtra, RecordError
from spinup.plots.variants import order_of
from spinup.report.changes import change_sentences
from spinup.report.words import listed, on_task, percent, quoted
from spinup.results.comparison import compare_with_baseline, summarise
from spinup.results.effects import effect_shares
from spinup.results.groups import variants_of
from spinup.results.stats.comparison import Comparison, Verdict, compare
from spinup.results.stats.formatting import format_interval, format_number, format_p
from spinup.results.stats.power import ALPHA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spinup.results.groups import Variant

    Row: TypeAlias = Mapping[str, Any]

#: What the differences are against.
Reference: TypeAlias = Literal["baseline", "best", "none"]

_FOUND: Final = {
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p": pl.Float64,
    "p_holm": pl.Float64,
    "detectable": pl.Float64,
    "verdict": pl.String,
}
_FLATTERY = (
    "The best was picked after its result was seen, which flatters it: expect less of it with new seeds, "
    "and compare those."
)


@dataclass(frozen=True)
class Answer:
    """What the runs came to.

    Attributes:
        sentences: The verdict.
        results: A row for each variant: the columns of `spinup.results.comparison.summarise`, then, where
            there is a reference, ``difference`` to it, ``p_holm``, ``verdict`` and more.
        effects: As from `spinup.results.effects.effect_shares`; None where there are none to tell apart.
        reference: What the differences are against.
        findings: What could not be said, and why.
    """

    sentences: tuple[str, ...]
    results: pl.DataFrame
    effects: pl.DataFrame | None = None
    reference: Reference = "none"
    findings: tuple[str, ...] = ()


def judge(table: pl.DataFrame, *, baseline: str | None = None, column: str = "last") -> Answer:
    """The verdict on a run table.

    Args:
        table: One row per run.
        baseline: Name of the variant that the others are compared with; by default, the one that is marked
            as such, and where none is, the best.
        column: Score of a run; higher is better.

    Raises:
        RecordError: There is no such baseline or column of numbers, no run, or a seed was run twice.
    """
    variants = variants_of(table, column=column)
    if not any(variant.counts[0] for variant in variants):
        return Answer(("No run has a result yet.",), summarise(table, column=column))
    marked = [variant for variant in variants if variant.is_baseline]
    if baseline is not None or marked:
        try:
            return _against_baseline(table, baseline, column)
        except RecordError as error:
            if baseline is not None:
                raise
            # A directory of several ablations has several; what it holds can still be ranked.
            found = _against_best(table, variants, column)
            return Answer(
                found.sentences,
                found.results,
                found.effects,
                found.reference,
                (*found.findings, str(error)),
            )
    return _against_best(table, variants, column)


def _against_baseline(table: pl.DataFrame, baseline: str | None, column: str) -> Answer:
    results = compare_with_baseline(table, baseline=baseline, column=column)
    rows = list(results.iter_rows(named=True))
    changed = [row for row in rows if not row["is_baseline"]]
    # One change at a time is no grid: what each comes to is said already.
    is_ablation = baseline is None
    effects, findings = (None, ()) if is_ablation else _effects(table, column)
    sentences = [*change_sentences(changed), *_baseline_sentences(rows), *_effect_sentences(effects)]
    return Answer(tuple(sentences), results, effects, "baseline", findings)


def _baseline_sentences(rows: Sequence[Row]) -> list[str]:
    baselines = [row for row in rows if row["is_baseline"]]
    if len(rows) == len(baselines):
        return [f"There is nothing but the baseline{_which(row)}: {_result(row)}." for row in baselines]
    return [f"The baseline{_which(row)} came to {_result(row)}." for row in baselines]


def _against_best(table: pl.DataFrame, variants: Sequence[Variant], column: str) -> Answer:
    summary = _in_order(summarise(table, column=column))
    rows = list(summary.iter_rows(named=True))
    by_task = {task: [row for row in rows if row["task"] == task] for task in _tasks(rows)}
    if len(rows) == len(by_task):
        sentences = [
            f"{_title(row)} came to {_result(row)}; there is nothing to compare it with." for row in rows
        ]
        return Answer(tuple(sentences), summary)
    best = {task: of_task[0] for task, of_task in by_task.items() if of_task[0]["mean"] is not None}
    found = _compared_with(best, rows, variants)
    results = _with_comparisons(summary, found)
    effects, findings = _effects(table, column)
    sentences = [_best_sentence(by_task[task], found) for task in best]
    if max(row["num_used"] for row in rows) < 2:
        sentences.append(
            "One seed each: no difference can be told from chance. Run more seeds, five at least."
        )
    else:
        sentences += [*_rest_sentences(found), _FLATTERY, *_effect_sentences(effects)]
    return Answer(tuple(sentences), results, effects, "best", findings)


def _in_order(summary: pl.DataFrame) -> pl.DataFrame:
    """``summary`` by task, and in each the best first: see `spinup.plots.variants.order_of`."""
    rows = list(summary.iter_rows(named=True))
    places = list(_tasks(rows))

    def order(number: int) -> tuple[object, ...]:
        row = rows[number]
        return places.index(row["task"]), *order_of(row["mean"], row["num_used"], row["num_runs"])

    return summary[sorted(range(len(rows)), key=order)]


def passed_over(rows: Sequence[Row]) -> list[Row]:
    """Variants whose mean is higher than that of the best: they lack results, or have one seed alone.

    Args:
        rows: Of one task, the best first.
    """
    best = rows[0]["mean"]
    return [row for row in rows if best is not None and row["mean"] is not None and row["mean"] > best]


def _tasks(rows: Sequence[Row]) -> list[str | None]:
    return list(dict.fromkeys(row["task"] for row in rows))


_Key: TypeAlias = tuple[str | None, str]


def _compared_with(
    best: Mapping[str | None, Row], rows: Sequence[Row], variants: Sequence[Variant]
) -> dict[_Key, Comparison]:
    """Each other variant against the best of its task; p is corrected for all of them."""
    scores = {(variant.task, variant.label): variant.scores for variant in variants}
    others: list[_Key] = []
    references: list[_Key] = []
    for row in rows:
        reference = best.get(row["task"])
        if reference is not None and row is not reference:
            others.append((row["task"], row["variant"]))
            references.append((row["task"], reference["variant"]))
    found = compare(
        [scores[key] for key in others],
        [scores[key] for key in references],
        rng=np.random.default_rng(0),
    )
    return dict(zip(others, found, strict=True))


def _with_comparisons(summary: pl.DataFrame, found: Mapping[_Key, Comparison]) -> pl.DataFrame:
    rows = []
    for key in summary.select("task", "variant").iter_rows():
        one = found.get(key)
        rows.append(
            dict.fromkeys(_FOUND)
            if one is None
            else {
                "difference": one.difference,
                "difference_low": one.low,
                "difference_high": one.high,
                "p": one.p,
                "p_holm": one.p_holm,
                "detectable": one.detectable,
                "verdict": one.verdict.value,
            }
        )
    return summary.hstack(pl.DataFrame(rows, schema=_FOUND, orient="row"))


def _best_sentence(rows: Sequence[Row], found: Mapping[_Key, Comparison]) -> str:
    """Which of a task's variants is best, by how much over the next, and which were passed over."""
    best = rows[0]
    if len(rows) == 1:
        return f"{_title(best)} came to {_result(best)}; there is nothing to compare it with."
    higher = passed_over(rows)
    others = [row for row in rows[1:] if row["mean"] is not None and row not in higher]
    tied = [row for row in others if found[row["task"], row["variant"]].difference == 0.0]
    sentences = [_tie(best, tied, found) if tied else f"{_title(best)} is best: {_result(best)}."]
    behind = [row for row in others if row not in tied]
    if behind:
        how_far = difference_words(found[best["task"], behind[0]["variant"]])
        sentences.append(f"{quoted(behind[0]['variant'])} is next, {how_far}.")
    elif not tied and not higher:
        sentences.append("No other has a result.")
    if higher:
        names = listed((f"{quoted(row['variant'])} ({_result(row)})" for row in higher), most=3)
        sentences.append(
            f"Higher, but passed over: {names}. What lacks results comes after what has them all, and "
            "one seed after several: the missing ones may be the bad ones."
        )
    return " ".join(sentences)


def _tie(best: Row, tied: Sequence[Row], found: Mapping[_Key, Comparison]) -> str:
    names = listed([quoted(row["variant"]) for row in [best, *tied]])
    same = [found[row["task"], row["variant"]].verdict is Verdict.NO_EFFECT for row in tied]
    each = ", the same for every seed" if all(same) else ""
    return f"A tie{on_task(best['task'])}: {names} came to {_result(best)}{each}."


def difference_words(found: Comparison) -> str:
    """How far the one is from the other, and what that means: ``12 [3, 21] lower, which is ...``."""
    if found.difference is None:
        return "with no result to compare"
    if found.verdict is Verdict.NO_EFFECT:
        return "the same for every seed"
    low, high, size = found.low, found.high, found.difference
    if size < 0:
        low, high = (None if end is None else -end for end in (high, low))
    reach = (
        f"exactly {format_number(abs(size))}" if found.is_exact else format_interval(abs(size), low, high)
    )
    amount = f"{reach} {'lower' if size < 0 else 'higher'}"
    return f"{amount}, {_meaning(found)}"


def _meaning(found: Comparison) -> str:
    p = format_p(found.p_holm) + (" (Holm)" if found.num_comparisons > 1 else "")
    if found.p_floor is not None and found.verdict in {Verdict.UNCLEAR, Verdict.TOO_FEW}:
        floor = format_p(found.p_floor).removeprefix("p = ")
        among = f" among {found.num_comparisons} comparisons" if found.num_comparisons > 1 else ""
        return f"without any spread, but with so few seeds p cannot fall below {floor}{among}"
    if found.verdict is Verdict.TOO_FEW:
        return "with too few seeds to tell that from chance"
    if found.verdict in {Verdict.WORSE, Verdict.BETTER}:
        return f"which is more than seed noise: {p}"
    if found.verdict is Verdict.UNCLEAR:
        return f"which may be more than seed noise: {format_p(found.p)} alone, but {p}"
    if found.detectable is None:
        return f"which is not told apart: {p}"
    return (
        f"which is within seed noise; ±{format_number(found.detectable, found.detectable)} was detectable"
    )


def _rest_sentences(found: Mapping[_Key, Comparison]) -> list[str]:
    judged = [one for one in found.values() if one.verdict is not Verdict.TOO_FEW]
    if len(found) < 2:
        return []
    worse = sum(one.verdict is Verdict.WORSE for one in judged)
    few = len(found) - len(judged)
    if worse == len(found):
        all_of_them = "Both others" if worse == 2 else f"All {worse} others"
        return [f"{all_of_them} are worse by more than seed noise."]
    number = {0: "none is", 1: "1 is"}.get(worse, f"{worse} are")
    sentence = f"Of the {len(found)} others, {number} worse by more than seed noise"
    return [sentence + (f", and {few} cannot be judged: too few seeds." if few else ".")]


def _effects(table: pl.DataFrame, column: str) -> tuple[pl.DataFrame | None, tuple[str, ...]]:
    """Shares of the variance, or why there are none."""
    try:
        return effect_shares(table, column=column), ()
    except MissingExtra as error:
        return None, (f"The hyperparameters' shares of the variance were left out: {error}",)
    except RecordError:
        return None, ()  # too little varies, or too few runs have a result: there is nothing to say
    except (ArithmeticError, ValueError) as error:
        return None, (f"The hyperparameters' shares of the variance cannot be computed: {error}",)


def _effect_sentences(effects: pl.DataFrame | None) -> list[str]:
    if effects is None:
        return []
    rows = list(effects.iter_rows(named=True))
    return [
        sentence
        for task in _tasks(rows)
        if (sentence := _effect_sentence([row for row in rows if row["task"] == task]))
    ]


def _effect_sentence(rows: Sequence[Row]) -> str:
    """Which effect is the largest; nothing of a single hyperparameter: its values are compared already."""
    named = [row for row in rows if row["factors"]]
    if len({name for row in named for name in row["factors"]}) < 2:
        return ""
    top = max(named, key=lambda row: row["share"])
    seeds = next((row for row in rows if row["effect"] == "seeds"), None)
    noise = "" if seeds is None else f"; seeds make {percent(seeds['share'])}"
    share = f"of the variance{on_task(top['task'])}: {_share(top)}"
    if top["p"] is not None and top["p"] >= ALPHA:
        largest = f"{quoted(top['effect'])} makes the most {share}, {format_p(top['p'])}{noise}."
        return f"No hyperparameter stands out from the seeds. {largest}"
    return f"{quoted(top['effect'])} makes the most {share}{noise}."


def _share(row: Row) -> str:
    share = row["share"] if row["corrected_share"] is None else row["corrected_share"]
    return percent(share) + (
        "" if row["low"] is None else f" [{percent(row['low'])}, {percent(row['high'])}]"
    )


def _title(row: Row) -> str:
    return quoted(row["variant"]) + on_task(row["task"])


def _which(row: Row) -> str:
    return on_task(row["task"]) if row["variant"] == "baseline" else f" {_title(row)}"


def _result(row: Row) -> str:
    return f"{format_interval(row['mean'], row['mean_low'], row['mean_high'])}, {row['seeds']}"
