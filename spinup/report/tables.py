"""Tables of a report: frames as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from spinup.report.document import Table
from spinup.report.words import p_cell, percent, span, value_words
from spinup.results.groups import parameters_of, variants_of
from spinup.results.stats.formatting import format_interval, format_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spinup.report.verdicts import Answer
    from spinup.results.runs import Run
    from spinup.results.runset import RunSet

    Row = Mapping[str, Any]

MOST_ROWS = 200  # of a table on a page; its CSV file has all
_FEWEST_FOR_IQM = 4
_MOST_PARAMETERS = 4  # that still fit beside the figures


def results_table(answer: Answer, table: pl.DataFrame, score: str | None = None) -> Table:
    """What each variant came to; against the baseline or the best where there is one.

    Args:
        answer: What they came to.
        table: One row per run.
        score: Name of what counts; the return by default.
    """
    frame = _with_parameters(answer.results, table)
    against = {"baseline": "difference to the baseline", "best": "difference to the best", "none": ""}[
        answer.reference
    ]
    rows = list(frame.iter_rows(named=True))
    has_tasks = any(row["task"] is not None for row in rows)
    # Of fewer it is the mean.
    has_iqm = any(row["num_used"] >= _FEWEST_FOR_IQM for row in rows)
    own = [name for name in _parameters(answer.results, frame) if answer.reference != "baseline"]
    own = own if len(own) <= _MOST_PARAMETERS else []
    headings = [
        "variant",
        *(["task"] if has_tasks else []),
        *own,
        f"mean {score or 'return'}",
        *(["IQM"] if has_iqm else []),
        "seeds",
    ]
    cells = [
        [
            _name(row),
            *([row["task"] or ""] if has_tasks else []),
            *(value_words(row[name]) for name in own),
            format_interval(row["mean"], row["mean_low"], row["mean_high"]),
            *([format_interval(row["iqm"], row["iqm_low"], row["iqm_high"])] if has_iqm else []),
            f"{row['num_used']} of {row['num_runs']}",
            *(_against(row) if against else []),
        ]
        for row in rows[:MOST_ROWS]
    ]
    note = "In brackets: 95 % intervals over seeds. "
    if has_iqm:
        note += "IQM: mean of the middle half of the seeds. "
    if against:
        headings += [against, "p (Holm)", "verdict"]
        note += "p is corrected for the number of rows (Holm); the intervals are not. "
    return Table(
        name="results",
        title="Variants" if answer.reference != "baseline" else "Ablation",
        columns=tuple(headings),
        rows=tuple(map(tuple, cells)),
        frame=frame,
        num_texts=1 + has_tasks,
        note=note
        + "Runs that failed, diverged or are not finished are counted, and in no figure."
        + _left_out(len(rows)),
        strong=frozenset(place for place, row in enumerate(rows[:MOST_ROWS]) if _is_reference(row, answer)),
    )


def effects_table(effects: pl.DataFrame) -> Table:
    """Each hyperparameter's share of the variance."""
    rows = list(effects.iter_rows(named=True))
    has_tasks = any(row["task"] is not None for row in rows)
    is_forest = any(row["method"] == "fanova" for row in rows)
    cells = [
        (
            row["effect"],
            *([row["task"] or ""] if has_tasks else []),
            percent(row["share"]),
            _shares(row),
            p_cell(row["p"]),
        )
        for row in rows[:MOST_ROWS]
    ]
    method = (
        "By fANOVA of a random forest: the grid is not full, or not finished; single hyperparameters only."
        if is_forest
        else "Analysis of variance of the full grid; `\N{MULTIPLICATION SIGN}` is an interaction. "
        "Corrected: less what the noise of seeds adds to every share."
    )
    return Table(
        name="effects",
        title="What made the difference",
        columns=("effect", *(["task"] if has_tasks else []), "share of the variance", "corrected", "p"),
        rows=tuple(cells),
        frame=effects.with_columns(pl.col("factors").list.join(" ")),
        num_texts=1 + has_tasks,
        note=method + _left_out(len(rows)),
    )


def over_tasks_table(frame: pl.DataFrame) -> Table:
    """Each variant over all tasks."""
    statistics = {"iqm": "IQM", "mean": "mean", "median": "median", "optimality_gap": "optimality gap"}
    cells = [
        (
            row["variant"],
            *(format_interval(row[one], row[f"{one}_low"], row[f"{one}_high"]) for one in statistics),
            f"{row['num_tasks']}",
            f"{row['num_used']} of {row['num_runs']}",
        )
        for row in frame.head(MOST_ROWS).iter_rows(named=True)
    ]
    return Table(
        name="over_tasks",
        title="Over all tasks",
        columns=("variant", *statistics.values(), "tasks", "runs"),
        rows=tuple(cells),
        frame=frame,
        note="Scores are normalised: on each task, the lowest run of these became 0 and the highest 1, so "
        "that the figures hold among these runs only. In brackets: 95 % stratified bootstrap intervals."
        + _left_out(len(frame)),
    )


def failures_table(runs: RunSet) -> Table | None:
    """The runs that failed or were ended, and why; None without any."""
    failed = [run for run in runs if run.state in {"failed", "interrupted"}]
    if not failed:
        return None
    frame = pl.DataFrame(
        [(run.exp_name, run.seed, run.state, run.reason, _message(run), run.path) for run in failed],
        schema={
            "exp_name": pl.String,
            "seed": pl.Int64,
            "state": pl.String,
            "reason": pl.String,
            "error": pl.String,
            "directory": pl.String,
        },
        orient="row",
    )
    cells = [
        (
            row["exp_name"],
            _seed(row["seed"]),
            row["reason"] or row["state"],
            row["error"] or "",
            row["directory"],
        )
        for row in frame.head(MOST_ROWS).iter_rows(named=True)
    ]
    return Table(
        name="failures",
        title="",
        columns=("variant", "seed", "why", "error", "directory"),
        rows=tuple(cells),
        frame=frame,
        num_texts=5,
        note=_left_out(len(failed)).strip(),
    )


def runs_table(runs: RunSet) -> Table:
    """Every run."""
    columns = ("exp_name", "seed", "state", "last", "best", "steps", "duration_s")
    cells = [
        (
            row["exp_name"],
            _seed(row["seed"]),
            row["state"],
            format_number(row["last"]),
            format_number(row["best"]),
            "" if row["steps"] is None else f"{row['steps']:,.0f}",
            span(row["duration_s"]),
        )
        for row in runs.table.select(columns).head(MOST_ROWS).iter_rows(named=True)
    ]
    return Table(
        name="runs",
        title="",
        columns=("variant", "seed", "state", "last return", "best return", "steps", "duration"),
        rows=tuple(cells),
        frame=runs.table.with_columns(pl.col("changed").list.join(" ")),
        num_texts=3,
        note="Last return: mean of the last 5 rows that have one." + _left_out(len(runs)),
    )


def _with_parameters(results: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """``results``, with a column for each hyperparameter that varies."""
    variants = {(one.task, one.label): one.parameters for one in variants_of(table)}
    keys = list(results.select("task", "variant").iter_rows())
    names = [name for name in parameters_of(table) if len({v.get(name) for v in variants.values()}) > 1]
    columns = []
    for name in names:
        free = name if name not in results.columns else f"{name} (config)"
        dtype = table.schema[name]
        columns.append(pl.Series(free, [variants[key].get(name) for key in keys], dtype=dtype))
    return results.hstack(columns)


def _parameters(results: pl.DataFrame, frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if name not in results.columns]


def _name(row: Row) -> str:
    variant: str = row["variant"]
    return variant + (" (baseline)" if row["is_baseline"] and variant != "baseline" else "")


def _is_reference(row: Row, answer: Answer) -> bool:
    if answer.reference == "none":
        return False
    return bool(
        row["is_baseline"]
        if answer.reference == "baseline"
        else row["difference"] is None and row["mean"] is not None
    )


def _against(row: Row) -> list[str]:
    if row["verdict"] is None:
        return ["\N{EN DASH}", "", ""]
    return [
        format_interval(row["difference"], row["difference_low"], row["difference_high"]),
        p_cell(row["p_holm"]),
        row["verdict"],
    ]


def _shares(row: Row) -> str:
    if row["corrected_share"] is None:
        return ""
    ends = "" if row["low"] is None else f" [{percent(row['low'])}, {percent(row['high'])}]"
    return percent(row["corrected_share"]) + ends


def _message(run: Run) -> str | None:
    message = run.status.get("message")
    return message.splitlines()[0] if isinstance(message, str) and message.strip() else None


def _seed(seed: int | None) -> str:
    return "" if seed is None else str(seed)


def _left_out(number: int) -> str:
    more = number - MOST_ROWS
    return f" The other {more:,} rows are in the CSV file." if more > 0 else ""
