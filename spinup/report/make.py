"""`spinup.make_report`: from runs to a report."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import polars as pl

from spinup import console
from spinup.errors import RecordError, SpinupError
from spinup.report.document import Facts, Points, Prose, Report, Section
from spinup.report.facts import common_path, facts_of, score_name, settings_of
from spinup.report.members import whole_table
from spinup.report.origin import launches_of, num_not_begun, origin_of
from spinup.report.pictures import draw, plans_of
from spinup.report.reproduce import again_sentence, how_to_reproduce, versions_of
from spinup.report.tables import (
    effects_table,
    failures_table,
    over_tasks_table,
    results_table,
    runs_table,
)
from spinup.report.twins import returns_of, without_twins
from spinup.report.verdicts import judge
from spinup.report.words import many, title_of
from spinup.results.diagnostics import diagnose
from spinup.results.groups import task_column
from spinup.results.runset import RunSet, summary_of
from spinup.results.tasks import summarise_over_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spinup.report.document import Block

_MOST_NOTES = 20


def make_report(
    runs: RunSet, *, baseline: str | None = None, column: str = "last", title: str | None = None
) -> Report:
    """What ``runs`` came to: the verdict, tables, pictures, warnings, and how to run it all again.

    In a notebook it shows itself; ``save`` writes it to a file.

    Args:
        runs: As from `spinup.load`.
        baseline: Name of the variant that the others are compared with; by default, the one that an
            ablation has marked, and without any, the best.
        column: Score of a run, higher is better: ``last``, the mean return of the last 5 rows, or ``best``.
        title: Of the report; by default, what the names of the runs have in common.

    Raises:
        RecordError: There is no run, no such baseline or column, or a seed of a variant was run twice.
    """
    if not runs.runs:
        raise RecordError("There is no run to report on.")
    table = whole_table(runs)
    curves, x = _curves(runs)
    returns = curves if not runs.names.added else returns_of(runs)
    judged, twins = without_twins(table, returns)
    answer = judge(judged, baseline=baseline, column=column)
    score = score_name(runs)
    pictures, picture_findings = draw(plans_of(judged, curves, answer, x=x, column=column, score=score))
    origin, launches = origin_of(runs), launches_of(runs.runs)
    num_coming = sum(run.state in {"running", "queued"} for run in runs) + num_not_begun(launches)
    findings = [
        *(finding.sentence for finding in diagnose(table, returns, column=column)),
        *answer.findings,
        *picture_findings,
        *_notes(runs),
    ]
    over_tasks, task_findings = _over_tasks(judged, column)
    findings += task_findings
    blocks: dict[str, list[Block]] = {"curves": [], "effects": []}
    for picture in pictures:
        blocks["curves" if picture.name == "curves" else "effects"].append(picture)
    failures = failures_table(runs)
    sections = [
        _section("Results", [results_table(answer, judged, score), *over_tasks]),
        _section("Learning curves", blocks["curves"]),
        _section(
            "Effects",
            [*blocks["effects"], *([] if answer.effects is None else [effects_table(answer.effects)])],
        ),
        _section("Warnings", [Points(tuple(findings))] if findings else []),
        _section("Failures", [failures, Prose((again_sentence(origin),))] if failures else []),
        _section("What was run", [Facts(tuple(facts_of(runs, origin, launches, num_coming, column)))]),
        _section("How to reproduce it", how_to_reproduce(origin)),
        _section("Versions of all packages", versions_of(origin), is_folded=True),
        _section("All hyperparameters", settings_of(runs), is_folded=True),
        _section("All runs", [runs_table(runs)], is_folded=True),
    ]
    return Report(
        title=title or title_of([run.exp_name for run in runs]) or os.path.basename(common_path(runs)),
        summary=_summary(runs, num_coming),
        verdicts=tuple(map(console.one_line, (*twins, *answer.sentences))),
        findings=tuple(map(console.one_line, findings)),
        sections=tuple(section for section in sections if section.blocks),
        is_final=not num_coming,
    )


def _curves(runs: RunSet) -> tuple[pl.DataFrame, str]:
    """The rows of all runs, and the column that says how far a run was: steps, else epochs, else rows."""
    curves = runs.read(["steps", "return"])
    if curves["steps"].null_count() < len(curves):
        return curves, "steps"
    whole = runs.curves
    if "Epoch" in whole.columns and whole.schema["Epoch"].is_numeric():
        return curves.with_columns(whole["Epoch"]), "Epoch"
    return curves.with_columns(pl.int_range(1, pl.len() + 1).over("directory").alias("row")), "row"


def _section(title: str, blocks: Iterable[Block], *, is_folded: bool = False) -> Section:
    return Section(title, tuple(blocks), is_folded)


def _summary(runs: RunSet, num_coming: int) -> str:
    coming = f"; {many(num_coming, 'run')} still to end: this is what is known so far" if num_coming else ""
    return f"{summary_of(runs)}{coming}."


def _notes(runs: RunSet) -> list[str]:
    """What was odd in the files, at most so many lines."""
    notes = runs.notes
    more = (
        [f"{many(len(notes) - _MOST_NOTES, 'more note')} of this kind."] if len(notes) > _MOST_NOTES else []
    )
    return notes[:_MOST_NOTES] + more


def _over_tasks(table: pl.DataFrame, column: str) -> tuple[list[Block], list[str]]:
    if task_column(table) is None:
        return [], []
    try:
        return [over_tasks_table(summarise_over_tasks(table, column=column))], []
    except SpinupError as error:
        return [], [f"The table over all tasks was left out: {error}"]
