"""The best variants: what they came to, whether the next are told apart, and how to get at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from spinup.errors import RecordError
from spinup.plots.variants import members_of
from spinup.report.members import whole_table
from spinup.report.twins import returns_of, without_twins
from spinup.report.verdicts import judge, passed_over
from spinup.report.words import listed, many, quoted
from spinup.results.columns import encodable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spinup.results.runset import RunSet

_FEW_SEEDS: Final = 5  # below, tests do not keep their level well (Colas et al. 2019)
#: What a run came to, beside the columns of its log.
SCORES: Final = ("last", "best", "steps", "duration_s", "num_rows")


@dataclass(frozen=True)
class Place:
    """A variant in the order of all.

    Attributes:
        rank: 1 for the best.
        row: What it came to: as in `spinup.report.verdicts.Answer.results`.
        hyperparameters: All it was run with.
        where: Those that tell it from the others, for `RunSet.where`.
        directories: Of its runs.
    """

    rank: int
    row: Mapping[str, Any]
    hyperparameters: Mapping[str, Any]
    where: Mapping[str, Any]
    directories: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """The best variants.

    Attributes:
        places: Best first; of each task, where there are several.
        num_variants: How many there are in all.
        warnings: What takes from the order.
    """

    places: tuple[Place, ...]
    num_variants: int
    warnings: tuple[str, ...]


def rank(runs: RunSet, *, column: str = "last", num: int = 5, is_lowest: bool = False) -> Ranking:
    """The ``num`` best variants of ``runs``, of each task where there are several.

    Args:
        runs: As from `spinup.load`.
        column: Of the run table: what they are ordered by.
        num: How many, at least 1.
        is_lowest: The lowest are the best.

    Raises:
        RecordError: There is no such column of numbers, no run, or a seed was run twice.
    """
    table = whole_table(runs)
    if column not in SCORES:
        known = ", ".join(SCORES)
        raise RecordError(
            f"Variants cannot be ordered by {column!r}, which no run came to. Known: {known}."
        )
    table = table.with_columns(is_baseline=False)  # the best is what the others are compared with
    if is_lowest:
        table = table.with_columns(-pl.col(column))
    judged, twins = without_twins(table, returns_of(runs))
    results = judge(judged, column=column).results
    warnings = (*twins, *_passed_over(results), *_warnings(results))
    if is_lowest:
        results = _turned(results)
    return Ranking(
        places=tuple(_places(results, runs, members_of(table), num)),
        num_variants=len(results),
        warnings=warnings,
    )


def _turned(results: pl.DataFrame) -> pl.DataFrame:
    """``results`` with all signs turned round, and with them the ends of intervals."""
    names = [name for name, dtype in results.schema.items() if dtype == pl.Float64]
    values = [name for name in names if name.partition("_")[0] in {"mean", "median", "iqm", "difference"}]
    ends = {"low": "high", "high": "low"}
    return results.with_columns((-pl.col(_other_end(name, ends))).alias(name) for name in values)


def _other_end(name: str, ends: Mapping[str, str]) -> str:
    stem, _, end = name.rpartition("_")
    return f"{stem}_{ends[end]}" if end in ends else name


def _places(results: pl.DataFrame, runs: RunSet, members: pl.DataFrame, num: int) -> Iterator[Place]:
    directories: dict[tuple[str | None, str], list[str]] = {}
    for directory, variant, task in members.iter_rows():
        directories.setdefault((task, variant), []).append(directory)
    of_path = {encodable(run.path): run for run in runs}
    for _, group in results.filter(pl.col("mean").is_not_null()).group_by("task", maintain_order=True):
        for number, row in enumerate(group.head(num).iter_rows(named=True), start=1):
            paths = directories[row["task"], row["variant"]]
            # Of a run that ended early, not all may be on record.
            own = max((of_path[path].hyperparameters for path in paths), key=len)
            yield Place(number, row, own, _where(runs, own, row["exp_name"]), tuple(paths))


def _where(runs: RunSet, own: Mapping[str, Any], exp_name: str) -> dict[str, Any]:
    """What tells the variant from the others: its hyperparameters, and its name where they do not."""
    found = {key: own.get(key) for key in runs.hyperparameters}
    return found if len(runs.where(found).variants) == 1 else {"exp_name": exp_name, **found}


def _passed_over(results: pl.DataFrame) -> Iterator[str]:
    """Why the first is not the one with the best mean, where it is not."""
    for _, group in results.group_by("task", maintain_order=True):
        if higher := passed_over(group.to_dicts()):
            names = listed((f"{quoted(row['variant'])} ({row['seeds']})" for row in higher), most=3)
            yield (
                f"Of a better mean, but passed over: {names}. What lacks results comes after what has them "
                "all, and one seed after several."
            )


def _warnings(results: pl.DataFrame) -> Iterator[str]:
    used = results.filter(pl.col("num_used") > 0)["num_used"]
    if not len(used):
        yield "No run has a result yet."
    elif used.max() == 1:
        yield "One seed each: the order may be chance. Run more seeds, five at least."
    elif (fewest := int(used.min())) < _FEW_SEEDS:  # type: ignore[arg-type]
        yield f"Some variants have {many(fewest, 'seed')} with a result: their order may be chance."
    lacking = results.filter(pl.col("num_used") < pl.col("num_runs"))
    if len(lacking):
        some = many(len(lacking), "variant")
        yield f"Runs of {some} failed, diverged or are not finished, and are in no figure."
