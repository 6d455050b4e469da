"""A planned grid, run: what is kept, what runs, and how the user hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, overload

from spinup import console, user_config
from spinup.errors import GridFailed, RecordError
from spinup.jobs.job import Job
from spinup.rundir.layout import RunDir
from spinup.rundir.record import RunRecord, read_record
from spinup.rundir.status import State
from spinup.scheduler.decide import summary
from spinup.utils import announce

if TYPE_CHECKING:
    from spinup.scheduler.run import Options
    from spinup.utils.grid_plan import PlannedRun
    from spinup.utils.live_view import LiveView
    from spinup.utils.views import LineView

_REFRESH_S = 0.5


def run_planned(
    plan: Sequence[PlannedRun], options: Options, *, data_dir: str, num_equal: int, is_dry: bool
) -> list[RunRecord]:
    """Do what ``plan`` says is to be done; the records of all runs, in its order.

    Raises:
        GridFailed: Some of them failed.
    """
    from spinup.scheduler.run import find_room, run_jobs  # noqa: PLC0415 - building a grid does without

    to_run = [run for run in _seeds_outermost(plan) if run.decision.is_to_run]
    announce.coming_experiments(
        [r.name for r in (plan if is_dry else to_run)], len(to_run), num_equal, data_dir
    )
    room = find_room(options)
    text = summary((run.decision for run in plan), (file for run in plan for file in run.changed))
    announce.plan(text, room, len(to_run))
    if is_dry:
        announce.directories([(run.directory, run.decision) for run in plan])
        return []
    done: dict[str, RunRecord] = {}
    try:
        if to_run:
            announce.launch_delay(user_config.WAIT_BEFORE_LAUNCH)
            with closing(_view(len(to_run))) as view:
                refresh_s = _REFRESH_S if console.can_redraw() else None
                records = run_jobs(_Jobs(to_run), options, room, view, refresh_s=refresh_s)
            done = {str(record.directory): record for record in records}
    finally:
        ended = [record for run in plan if (record := _record(run, done)) is not None]
        announce.grid_ended(ended, len(plan), data_dir)
    return _checked(ended)


def _view(total: int) -> LineView | LiveView:
    """A live view where somebody watches a terminal, and lines elsewhere."""
    # Not at the top: building a grid, and a dry run, do without.
    if console.can_redraw():
        from spinup.utils.live_view import LiveView  # noqa: PLC0415

        return LiveView()
    from spinup.utils.views import LineView  # noqa: PLC0415

    return LineView(total)


class _Jobs(Sequence[Job]):
    """The jobs of planned runs, each made when it is its turn."""

    def __init__(self, runs: Sequence[PlannedRun]) -> None:
        self._runs = runs

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, place: int) -> Job: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Job]: ...
    def __getitem__(self, place: int | slice) -> Job | Sequence[Job]:
        return _Jobs(self._runs[place]) if isinstance(place, slice) else self._runs[place].make()


def _seeds_outermost(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """``runs`` with all variants of the first seed first, so that each has one result early."""
    order = {seed: place for place, seed in enumerate(dict.fromkeys(run.seed for run in runs))}
    return sorted(runs, key=lambda run: order[run.seed])


def _record(run: PlannedRun, done: dict[str, RunRecord]) -> RunRecord | None:
    record = done.get(run.directory)
    if record is None:
        with suppress(RecordError, OSError):
            record = read_record(RunDir(Path(run.directory)))
    return record if record is not None and record.state in {State.DONE, State.FAILED} else None


def _checked(records: list[RunRecord]) -> list[RunRecord]:
    failed = [record for record in records if record.state is not State.DONE]
    if failed:
        first = failed[0]
        raise GridFailed(
            f"{len(failed)} of {len(records)} runs failed, the first of them {first.name!r} "
            f"(seed {first.seed}): {announce.failure_text(first)} ({first.directory})",
            records,
        )
    return records
