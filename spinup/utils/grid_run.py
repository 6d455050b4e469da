"""A planned grid, run: what is kept, what runs, and how the user hears of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from spinup import console, user_config
from spinup.errors import GridFailed, RecordError
from spinup.jobs.call import Call
from spinup.jobs.environments import MakeEnvironment
from spinup.jobs.job import Job
from spinup.jobs.modules import modules_of
from spinup.jobs.payload import beginning_of
from spinup.rundir.archive import UNTOLD, describe_difference
from spinup.rundir.launches import LaunchedRun, recorded, tidy
from spinup.rundir.layout import RunDir
from spinup.rundir.record import RunRecord, read_record, read_record_or_failure
from spinup.rundir.status import State, glance
from spinup.scheduler.crew import NOT_STARTED, SCANNED_BYTES
from spinup.scheduler.decide import Decision, summary
from spinup.scheduler.run import run_jobs
from spinup.utils import announce

if TYPE_CHECKING:
    from spinup.grid import Grid
    from spinup.scheduler.run import Options, Room, Workplace
    from spinup.utils.grid_plan import PlannedRun
    from spinup.utils.live_view import LiveView
    from spinup.utils.views import LineView

_REFRESH_S = 0.5

_INTERRUPTED, _NOT_BEGUN = "interrupted", "not begun"
_WHY_NOT = {
    Decision.ELSEWHERE: "running elsewhere",
    Decision.KEEP_UNFINISHED: "left unfinished",
    Decision.KEEP_OTHER: "left with another config",
}


@dataclass(frozen=True)
class Ending:
    """How a grid stands when nothing of it runs here any more.

    Attributes:
        runs: What was decided about each run, and its record if it has ended.
        num_by_others: How many of them another launcher has brought to their ends meanwhile.
    """

    runs: Sequence[tuple[Decision, RunRecord | None]]
    num_by_others: int = 0

    @property
    def num_runs(self) -> int:
        """How many runs the grid has."""
        return len(self.runs)

    @property
    def records(self) -> list[RunRecord]:
        """Of the runs that have ended."""
        return [record for _, record in self.runs if record is not None]

    @property
    def num_done(self) -> int:
        """How many runs are done."""
        return sum(record.state is State.DONE for record in self.records)

    @property
    def failed(self) -> list[RunRecord]:
        """The runs that failed by themselves."""
        return [r for r in self.records if r.state is not State.DONE and r.reason != _INTERRUPTED]

    @property
    def others(self) -> dict[str, int]:
        """How many runs are neither done nor failed, by what became of them."""
        fates = Counter(
            _INTERRUPTED if record is not None else _WHY_NOT.get(decision, _NOT_BEGUN)
            for decision, record in self.runs
            if record is None or record.reason == _INTERRUPTED
        )
        return {fate: fates[fate] for fate in (_INTERRUPTED, _NOT_BEGUN, *_WHY_NOT.values()) if fates[fate]}

    @property
    def can_go_on(self) -> bool:
        """Whether the same again would do some of the others."""
        return any(
            decision.is_to_run and (record is None or record.reason == _INTERRUPTED)
            for decision, record in self.runs
        )


def modules_ahead(grid: Grid, thunk: Any) -> list[str]:
    """Names of the libraries that the runs of ``grid`` will import, as far as its first values tell."""
    values: dict[str, Any] = {parameter.key: parameter.values[0] for parameter in grid.parameters}
    function: Any = values.get(thunk) if isinstance(thunk, str) else thunk
    kwargs = {key: MakeEnvironment(value) for key, value in values.items() if key == "env_name"}
    return modules_of(beginning_of(Call(function, kwargs), SCANNED_BYTES), function)


def run_planned(
    plan: Sequence[PlannedRun],
    options: Options,
    room: Room,
    workplace: Workplace | None,
    *,
    data_dir: str,
    num_equal: int,
    grid_name: str = "",
) -> list[RunRecord]:
    """Do what ``plan`` says is to be done; the records of all runs that have ended, in its order.

    Args:
        plan: Every run, and what is to be done about it.
        options: How the runs are run.
        room: What there is to run on.
        workplace: Where they are run; None to print the plan only.
        data_dir: Where results go.
        num_equal: How many variants are equal to others.
        grid_name: What the launch is called on record.

    Raises:
        GridFailed: Some of them failed.
    """
    to_run = [run for run in _seeds_outermost(plan) if run.decision.is_to_run]
    if to_run and workplace is not None:
        announce.coming_experiments([run.name for run in to_run], data_dir)
    text = summary(((run.decision, run.changed) for run in plan), _difference(plan))
    announce.plan(text, room, len(to_run), num_equal)
    if workplace is None:
        announce.dry_run([(run.directory, run.decision) for run in plan])
        return []
    done: dict[str, RunRecord] = {}
    num_by_others = 0
    try:
        if not to_run:
            tidy(Path(data_dir))
        else:
            announce.launch_delay(user_config.WAIT_BEFORE_LAUNCH)
            on_record = (LaunchedRun(r.name, r.seed, r.directory, r.decision.is_to_run) for r in plan)
            with recorded(Path(data_dir), grid_name, room.width, on_record):
                done, num_by_others = _run(to_run, options, room, workplace)
    finally:
        ending = Ending([(run.decision, _own_record(run, done)) for run in plan], num_by_others)
        announce.grid_ended(ending, data_dir)
    if any(record.state is not State.DONE for record in ending.records):
        raise GridFailed(announce.grid_failure(ending), ending.records)
    return ending.records


def _run(
    runs: Sequence[PlannedRun], options: Options, room: Room, workplace: Workplace
) -> tuple[dict[str, RunRecord], int]:
    """Run them; their records by directory, and how many of them another launcher has ended."""
    with closing(_view(len(runs))) as view:
        refresh_s = _REFRESH_S if console.can_redraw() else None
        records = run_jobs(_Jobs(runs), options, room, view, workplace=workplace, refresh_s=refresh_s)
    here = view.tally.tried_here
    num_by_others = sum(r.directory not in here and r.reason != NOT_STARTED for r in records)
    return {str(record.directory): record for record in records}, num_by_others


def _own_record(run: PlannedRun, done: dict[str, RunRecord]) -> RunRecord | None:
    """The run's record; None if it has not ended, or if what is in its directory has another config."""
    if run.directory not in done:
        if run.decision is Decision.KEEP_OTHER:
            return None
        if run.decision in {Decision.REPLACE, Decision.ELSEWHERE}:
            seen = glance(run.directory)
            if seen is not None and seen.identity != run.make().identity:
                return None
    return _record(run, done)


def _difference(plan: Sequence[PlannedRun]) -> str:
    """What is different in the first run that has another config, such as the thunk's name."""
    run = next((run for run in plan if run.decision is Decision.REPLACE), None)
    if run is None:
        return ""
    return describe_difference(RunDir(Path(run.directory)), run.make().description) or UNTOLD


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
    record, run_dir = done.get(run.directory), RunDir(Path(run.directory))
    if record is None and run.decision in {Decision.KEEP, Decision.KEEP_STALE, Decision.KEEP_FAILED}:
        # Whatever has become of it since: without a record, the next run's would be taken for this one's.
        return read_record_or_failure(run_dir, run.name, run.seed)
    if record is None:
        with suppress(RecordError, OSError):
            record = read_record(run_dir)
    return record if record is not None and record.state in {State.DONE, State.FAILED} else None
