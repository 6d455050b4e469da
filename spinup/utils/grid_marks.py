"""The latest launch's grid is the word on what an ablation has changed, also in runs that are kept."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spinup import console
from spinup.errors import RecordError
from spinup.jobs.mark import read_mark, write_mark
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import acquire
from spinup.rundir.status import State, glance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spinup.utils.grid_plan import PlannedRun

_ENDED = (State.DONE, State.FAILED)


@contextmanager
def marked(plan: Sequence[PlannedRun]) -> Iterator[None]:
    """Bring the marks of earlier runs up to ``plan``, and in the end those of what others have done.

    A grid without an ablation says nothing about marks, and no config.json is looked at.
    """
    if all(run.ablation is None for run in plan):
        yield
        return
    _mark(run for run in plan if not run.decision.is_to_run)
    try:
        yield
    finally:
        _mark(run for run in plan if run.decision.is_to_run)


def _mark(runs: Iterable[PlannedRun]) -> None:
    problems = [problem for run in runs if (problem := _mark_one(run))]
    if problems:
        more = f" So it is with {len(problems) - 1} more." if len(problems) > 1 else ""
        console.say(
            f"The mark of the ablation could not be brought up to date: {problems[0]}.{more}", "yellow"
        )


def _mark_one(run: PlannedRun) -> str | None:
    """Mark one run, if it has ended and is the one that is meant; what keeps it from that, if anything."""
    seen = glance(run.directory)
    if seen is None or seen.state not in _ENDED:
        return None
    run_dir = RunDir(Path(run.directory))
    try:
        if read_mark(run_dir) == run.ablation:
            return None
        lock = acquire(run_dir)
        if lock is None:
            return None  # it is live, and its launcher's grid has the word
        try:
            seen = glance(run.directory)
            if seen is not None and seen.state in _ENDED and seen.identity == run.make().identity:
                write_mark(run_dir, run.ablation)
        finally:
            lock.release()
    except (OSError, RecordError) as error:
        return console.one_line(f"{run.directory}: {error}")
    return None
