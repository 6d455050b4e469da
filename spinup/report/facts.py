"""What was run: grid, seeds, code, machine, time and failures."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from spinup.plots.variants import are_numbers
from spinup.report.document import Facts
from spinup.report.words import listed, many, quoted, span, value_words
from spinup.results.columns import RETURN
from spinup.results.run_table import LAST_ROWS
from spinup.results.runset import summary_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spinup.report.document import Block
    from spinup.report.origin import Code, Origin
    from spinup.results.runset import RunSet
    from spinup.rundir.launches import Launch

_MOST_CONSTANTS = 200


def facts_of(
    runs: RunSet, origin: Origin, launches: Sequence[Launch], num_coming: int, column: str
) -> Iterator[tuple[str, str]]:
    """Names, and what they are.

    Args:
        runs: What was run.
        origin: Where they come from.
        launches: Launches on record that have one of them.
        num_coming: Runs that are still to end.
        column: Of the run table: the score of a run.
    """
    yield "runs", summary_of(runs)
    if num_coming:
        yield "still to end", many(num_coming, "run")
    if names := list(dict.fromkeys(launch.grid_name for launch in launches)):
        yield "grids", listed([quoted(name) for name in names])
    for key, values in runs.hyperparameters.items():
        yield f"{key} (varies)", listed(map(value_words, in_order(values)), most=12)
    yield "what counts", what_counts(runs, column)
    seeds = sorted({run.seed for run in runs if run.seed is not None})
    if seeds:
        yield "seeds", listed(map(str, seeds), most=20)
    if origin.thunks:
        yield "what was called", listed([quoted(thunk) for thunk in origin.thunks])
    if origin.code:
        yield "commit", listed([quoted(code.commit) + _dirt(code) for code in origin.code])
    digests = runs.table["code"].drop_nulls().unique().len()
    if digests:
        yield "versions of the code", str(digests)
    if origin.machines:
        yield "machine", listed(origin.machines, most=3)
    yield from _times(runs)
    states = {state: [r for r in runs if r.state == state] for state in ("failed", "interrupted")}
    yield "failures", ", ".join(f"{len(found)} {state}" for state, found in states.items())
    yield "directory", quoted(common_path(runs))


def in_order(values: Sequence[Any]) -> list[Any]:
    """Numbers by size, anything else as it comes."""
    return sorted(values) if are_numbers(values) else list(values)


def score_name(runs: RunSet) -> str | None:
    """The column of progress.txt that counts instead of the usual return, if one was asked for."""
    return next((name for name, role in runs.names.added.items() if role == RETURN), None)


def what_counts(runs: RunSet, column: str) -> str:
    """What the score of a run is."""
    name = score_name(runs)
    value = "return" if name is None else quoted(name)
    words = {"last": f"mean {value} of the last {LAST_ROWS} rows that have one", "best": f"highest {value}"}
    return words.get(column, quoted(column))


def _times(runs: RunSet) -> Iterator[tuple[str, str]]:
    started = runs.table["started_at"].drop_nulls()
    durations = runs.table["duration_s"].drop_nulls()
    if len(started):
        yield "first run started", started.dt.strftime("%Y-%m-%d %H:%M UTC").min()  # type: ignore[misc]
        ends = runs.table.select(
            pl.col("started_at") + pl.duration(seconds=pl.col("duration_s"))
        ).to_series()
        first, last = started.min(), ends.drop_nulls().max()
        if isinstance(first, datetime) and isinstance(last, datetime):
            yield "from the first start to the last end", span((last - first).total_seconds())
    if len(durations):
        total = float(durations.sum())
        yield "time in all runs", f"{span(total)}, {span(total / len(durations))} each on average"


def _dirt(code: Code) -> str:
    if code.is_dirty is None:
        return " (whether with changes is not known)"
    return " with changes that were not committed" if code.is_dirty else ""


def settings_of(runs: RunSet) -> list[Block]:
    """All hyperparameters, those that vary first."""
    rows = [(key, value_words(value)) for key, value in list(runs.constants.items())[:_MOST_CONSTANTS]]
    varying = [
        (key, listed(map(value_words, values), most=20)) for key, values in runs.hyperparameters.items()
    ]
    return [Facts(tuple(varying + rows))] if rows or varying else []


def common_path(runs: RunSet) -> str:
    """The directory that holds all of them."""
    paths = [os.path.abspath(run.path) for run in runs]
    return os.path.commonpath(paths)
