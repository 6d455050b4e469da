"""A planned grid, run: what is kept, what runs, and how the user hears of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinup import user_config
from spinup.errors import GridFailed, RecordError
from spinup.rundir.record import RunRecord, read_record
from spinup.rundir.status import State, Status, read_status
from spinup.scheduler.decide import Decision, decide, summary
from spinup.utils import announce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.jobs.job import Job
    from spinup.scheduler.run import Options


@dataclass(frozen=True)
class Planned:
    """A job, and what is to be done about it.

    Attributes:
        job: The run.
        decision: What is to be done.
        changed: Files of its code that have changed since it was done.
    """

    job: Job
    decision: Decision
    changed: tuple[str, ...] = ()


def run_planned(jobs: Sequence[Job], options: Options, *, num_equal: int, is_dry: bool) -> list[RunRecord]:
    """Run those of ``jobs`` that are not done yet; the records of all, in their order.

    Raises:
        GridFailed: Some of them failed.
    """
    from spinup.scheduler.run import find_room, run_jobs  # noqa: PLC0415 - a dry run does without
    from spinup.utils.views import LineView  # noqa: PLC0415

    plan = [plan_job(job, options) for job in jobs]
    data_dir = jobs[0].data_dir
    to_run = _seeds_outermost([planned.job for planned in plan if planned.decision.is_to_run])
    announce.coming_experiments(
        [job.exp_name for job in (jobs if is_dry else to_run)], len(to_run), num_equal, data_dir
    )
    room = find_room(options)
    announce.plan(
        summary((p.decision for p in plan), (f for p in plan for f in p.changed)), room, len(to_run)
    )
    if is_dry:
        announce.directories([(planned.job.run_dir.path, planned.decision) for planned in plan])
        return []
    done: dict[str, RunRecord] = {}
    if to_run:
        announce.launch_delay(user_config.WAIT_BEFORE_LAUNCH)
        try:
            records = run_jobs(to_run, options, room, LineView(len(to_run)))
            done = {str(record.directory): record for record in records}
        finally:
            everything = [_record(planned.job, done) for planned in plan]
            announce.grid_ended([r for r in everything if r is not None], len(jobs), data_dir)
    else:
        everything = [_record(planned.job, done) for planned in plan]
    return _checked([record for record in everything if record is not None])


def plan_job(job: Job, options: Options) -> Planned:
    """What is to be done about ``job``."""
    status = _status_of(job)
    code = job.code if status is not None and status.identity == job.identity else {}
    decision = decide(status, job.identity, code, options.rerun)
    if decision is not Decision.KEEP_STALE or status is None:
        return Planned(job, decision)
    from spinup.jobs.code import changed  # noqa: PLC0415 - stale runs alone need it

    return Planned(job, decision, tuple(changed(status.code or {}, code)))


def _status_of(job: Job) -> Status | None:
    with suppress(RecordError, OSError):
        return read_status(job.run_dir)
    return None


def _seeds_outermost(jobs: Sequence[Job]) -> list[Job]:
    """``jobs`` with all variants of the first seed first, so that each has one result early."""
    order = {seed: place for place, seed in enumerate(dict.fromkeys(job.seed for job in jobs))}
    return sorted(jobs, key=lambda job: order[job.seed])


def _record(job: Job, done: dict[str, RunRecord]) -> RunRecord | None:
    record = done.get(str(job.run_dir.path))
    if record is None:
        with suppress(RecordError, OSError):
            record = read_record(job.run_dir)
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
