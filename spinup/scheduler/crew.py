"""What performs the scheduler's actions: locks, directories, GPUs, launchers, and each run's record."""

from __future__ import annotations

import platform
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from spinup.errors import RecordError, SpinupError
from spinup.jobs.modules import modules_of, sets_environment
from spinup.jobs.payload import open_payload
from spinup.jobs.prepare import clean, prepare
from spinup.launchers.base import GRACE_S, Exited, Launcher, Request, Started
from spinup.launchers.gpus import PARTS, take
from spinup.rundir.lock import acquire
from spinup.rundir.record import RunRecord, read_record_or_failure, record_of
from spinup.rundir.status import State, exit_reason, read_status, utc_now, write_status
from spinup.scheduler.decide import INTERRUPTIONS, Decision, decide
from spinup.scheduler.events import Begun, Ended, FoundDone, NoResource, Outcome, Unavailable, Why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.jobs.job import Job
    from spinup.launchers.base import Isolation
    from spinup.launchers.gpus import Gpu, Lease
    from spinup.rundir.lock import RunLock
    from spinup.rundir.status import Status
    from spinup.scheduler.decide import Rerun
    from spinup.scheduler.events import Event, Record, Start, Stop
    from spinup.scheduler.state import Schedule

#: Reason of a run that could not even start.
NOT_STARTED = "not started"

#: How much of a pickled call is looked at for what it will import.
SCANNED_BYTES = 1 << 20


@dataclass
class Active:
    """A run that is under way.

    Attributes:
        job: The run.
        attempt: Number of the scheduler's attempt.
        lock: Its lock, held.
        began_s: When it was started, and then when its process was there, in monotonic seconds.
        status: The status with which it was started, and in the end the one with which it ended.
        lease: The GPUs that it has.
        pid: Its process, once that is known.
        why: Why it was told to stop, if it was.
        detail: More about that, for a run that says nothing itself.
        oom_kills: How many processes the kernel had ended for want of memory when it began.
    """

    job: Job
    attempt: int
    lock: RunLock
    began_s: float
    status: Status
    lease: Lease | None = None
    pid: int | None = None
    why: str | None = None
    detail: str | None = None
    oom_kills: int = 0

    def tell_why(self, why: str, detail: str | None = None) -> None:
        """Note why it ends, if that was not decided before."""
        if self.why is None:
            self.why, self.detail = why, detail

    def overrule(self) -> None:
        """Have its status say why it was told to stop, if it was."""
        if self.why is not None:
            self.status = self.status.overruled(self.why, self.detail)


class View(Protocol):
    """Shows the user how it goes."""

    def started(self, active: Active) -> None:
        """A run has begun."""

    def ended(self, active: Active, record: RunRecord, outcome: Outcome) -> None:
        """An attempt has ended."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def refresh(self, schedule: Schedule, active: Sequence[Active]) -> None:
        """Show how it stands."""


@dataclass
class LocalCrew:
    """Performs the actions on this machine.

    Attributes:
        jobs: The runs; the scheduler knows them by their places here.
        launcher: Starts them.
        view: Shows how it goes.
        began_at: UTC; what another launcher has done since then is not done again.
        rerun: What is done again.
        isolation: How they are started.
        gpus: From which each run gets a share.
        gpu_parts: How large a share.
        memory_limit_bytes: What a run's processes may hold in RAM together.
        timeout_s: Time that each attempt has.
        retries: How often a failed run is tried again.
        is_single: Whether an error that keeps a run from starting is the caller's, not only the run's.
    """

    jobs: Sequence[Job]
    launcher: Launcher
    view: View
    began_at: str
    rerun: Rerun
    isolation: Isolation = "auto"
    gpus: Sequence[Gpu] = ()
    gpu_parts: int = PARTS
    memory_limit_bytes: int | None = None
    timeout_s: float | None = None
    retries: int = 0
    is_single: bool = False
    records: dict[int, RunRecord] = field(default_factory=dict)
    _active: dict[int, Active] = field(default_factory=dict)
    # What tells each run's last attempt here from those of other launchers.
    _keys: dict[int, tuple[str, int, str | None]] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def start(self, action: Start, now_s: float) -> Event | None:
        """Start a run; an event if that is its end already, or if it could not be done."""
        job = self.jobs[action.run]
        try:
            return self._start(action, job, now_s)
        except (SpinupError, OSError, ValueError) as error:  # the last of what damaged records hold
            self._abandon(action.run)
            if self.is_single:
                raise
            record = RunRecord(
                name=job.exp_name,
                seed=job.seed,
                directory=job.run_dir.path,
                state=State.FAILED,
                reason=NOT_STARTED,
                message=str(error),
            )
            self.records[action.run] = record
            self.view.note(f"{job.exp_name} seed {job.seed} could not be started: {error}")
            return FoundDone(action.run, Outcome.FAILED, now_s)

    def _start(self, action: Start, job: Job, now_s: float) -> Event | None:
        lock = acquire(job.run_dir)
        if lock is None:
            return Unavailable(action.run, now_s)
        with ExitStack() as held:
            held.callback(lock.release)
            earlier = _status_of(job)
            is_own = earlier is not None and earlier.key == self._keys.get(action.run)
            decision = decide(earlier, job.identity, job.code, self.rerun)
            if not is_own and self._was_done_by_another(earlier, job, decision):
                record = read_record_or_failure(job.run_dir, job.exp_name, job.seed)
                self.records[action.run] = record
                outcome = Outcome.DONE if record.state is State.DONE else Outcome.FAILED
                return FoundDone(action.run, outcome, now_s)
            lease = take(self.gpus, self.gpu_parts) if self.gpus else None
            if self.gpus and lease is None:
                return NoResource(action.run, now_s)
            if lease is not None:
                held.callback(lease.close)
            status = prepare(job, earlier if is_own or decision is Decision.AGAIN else None)
            held.pop_all()
        self._keys[action.run] = status.key
        active = Active(job, action.attempt, lock, now_s, status, lease, oom_kills=_count_oom_kills())
        self._active[action.run] = active
        self.launcher.start(self._request(action.run, active))
        self.view.started(active)
        return None

    def _was_done_by_another(self, earlier: Status | None, job: Job, decision: Decision) -> bool:
        """Whether another launcher has brought this run to its end since this one made its plan."""
        if not decision.is_to_run:
            return True
        if earlier is None or earlier.identity != job.identity:
            return False
        # What is still to come was written before somebody set the clock back.
        if not self.began_at <= (earlier.ended_at or "") <= utc_now():
            return False
        if earlier.state is State.DONE:
            return True
        # Where failures are tried again, this one may be one of several, and the next try as well be ours.
        return self.retries == 0 and earlier.reason not in INTERRUPTIONS

    def _request(self, run: int, active: Active) -> Request:
        isolation = self.isolation
        if (isolation == "auto" and self.gpus) or active.job.num_cpu > 1:
            isolation = "fresh"  # CUDA does not survive a fork, and mpiexec starts what it starts
        if isolation == "auto" and sets_environment(active.job.call.thunk):
            isolation = "fresh"
            self._tell_once("the thunk sets environment variables, which its imports may read")
        modules: tuple[str, ...] = ()
        if isolation != "fresh":
            _, file = open_payload(active.job.run_dir.payload)
            with file:
                modules = tuple(modules_of(file.read(SCANNED_BYTES), active.job.call.thunk))
        environment = {} if active.lease is None else active.lease.environment()
        return Request(run, active.job, active.lock.file, isolation, modules, environment)

    def _tell_once(self, why_fresh: str) -> None:
        if why_fresh not in self._told:
            self._told.add(why_fresh)
            self.view.note(f"Each run has a fresh interpreter: {why_fresh}.")

    def stop(self, action: Stop) -> None:
        """Stop a run."""
        active = self._active.get(action.run)
        if active is not None:
            grace_s = 0 if action.is_immediate else GRACE_S
            if action.why is Why.TIMEOUT and self.timeout_s is not None:
                self._end(action.run, active, "timeout", grace_s, f"after {self.timeout_s:g} s")
            else:
                self._end(action.run, active, "interrupted", grace_s)

    def _end(self, run: int, active: Active, why: str, grace_s: float, detail: str | None = None) -> None:
        active.tell_why(why, detail)
        self.launcher.stop(run, grace_s)

    def hear(self, message: Started | Exited, now_s: float) -> Begun | Ended | None:
        """Take note of what a launcher says; an event if an attempt has begun or ended by that."""
        active = self._active.get(message.run)
        if active is None:
            return None
        if isinstance(message, Started):
            active.pid, active.began_s = message.pid, now_s
            if message.note is not None:
                self._tell_once(message.note)
            return Begun(message.run, now_s, active.attempt)
        outcome = self._conclude(message, active)
        self._abandon(message.run)
        self.records[message.run] = _record_of(active)
        self.view.ended(active, self.records[message.run], outcome)
        return Ended(message.run, outcome, now_s, active.attempt)

    def _conclude(self, exited: Exited, active: Active) -> Outcome:
        """Write down how a run ended, where the child could not; give what that means."""
        found = _status_of(active.job)
        if found is not None and found.key != active.status.key:
            # Somebody has removed the directory, and what is there now is not ours to judge or to write.
            message = "another launcher has begun the run anew in its place"
            active.status = active.status.failed("directory replaced", message=message)
            active.overrule()
            return _outcome_of(active.status)
        # None if it is gone, or the thunk, or somebody else, has damaged it.
        active.status = found or active.status
        if active.status.state is State.DONE and (active.why is None or active.status.has_returned):
            return Outcome.DONE
        if active.status.state not in {State.DONE, State.FAILED}:
            active.status = _failure(active.status, exited)
        if active.status.signal == "SIGKILL" and _count_oom_kills() > active.oom_kills:
            active.tell_why("out of memory", "the kernel ended a process")
        active.overrule()
        self._write(active)
        return _outcome_of(active.status)

    def _write(self, active: Active) -> None:
        run_dir = active.job.run_dir
        try:
            run_dir.path.mkdir(parents=True, exist_ok=True)  # the thunk may have deleted it
            clean(run_dir)
            write_status(run_dir, active.status)
        except OSError as error:
            self.view.note(f"The status of {run_dir.path} could not be written: {error}")

    def _abandon(self, run: int) -> None:
        active = self._active.pop(run, None)
        if active is not None:
            active.lock.release()
            if active.lease is not None:
                active.lease.close()

    def close(self) -> None:
        """Let go of everything, where the loop itself was broken off; all processes are gone."""
        for run in list(self._active):
            self._abandon(run)

    def record(self, action: Record) -> None:
        """Take note of a run's final fate."""

    def show(self, schedule: Schedule) -> None:
        """Look after what runs, and let the user see how it goes."""
        if self.memory_limit_bytes is not None:
            self._watch_memory(self.memory_limit_bytes)
        self.view.refresh(schedule, list(self._active.values()))

    def _watch_memory(self, limit_bytes: int) -> None:
        for run, active in self._active.items():
            if active.pid is None or active.why is not None:
                continue
            held_bytes = _resident_bytes(active.pid)
            if held_bytes > limit_bytes:
                detail = f"{held_bytes / 1e9:.3g} GB were held, of {limit_bytes / 1e9:.3g} GB"
                self._end(run, active, "out of memory", 0, detail)


def _status_of(job: Job) -> Status | None:
    with suppress(RecordError, OSError):
        return read_status(job.run_dir)
    return None


def _failure(status: Status, exited: Exited) -> Status:
    """How a run has ended that could not say so itself."""
    reason, name = ("lost", None) if exited.code is None else exit_reason(exited.code)
    code = exited.code if exited.code is not None and exited.code >= 0 else None
    return status.failed(reason, message=exited.error, exit_code=code, signal=name)


def _outcome_of(status: Status) -> Outcome:
    return {
        "interrupted": Outcome.INTERRUPTED,
        "timeout": Outcome.TIMED_OUT,
        "out of memory": Outcome.OUT_OF_MEMORY,
    }.get(status.reason or "", Outcome.FAILED)


def _record_of(active: Active) -> RunRecord:
    run_dir = active.job.run_dir
    if active.status.state is State.DONE:
        return read_record_or_failure(run_dir, active.job.exp_name, active.job.seed, active.status)
    # Not as the directory says: the disk may not have taken the run's end, or the place be another's.
    return record_of(run_dir, active.status)


def _resident_bytes(pid: int) -> int:
    """Memory that ``pid`` and its descendants hold in RAM."""
    if platform.system() == "Linux":
        from spinup.launchers.processes import resident_bytes  # noqa: PLC0415 - Linux alone has it

        return resident_bytes(pid)
    import psutil  # noqa: PLC0415 - slower, and needed elsewhere alone

    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):  # gone, or not ours to look at
                total += each.memory_info().rss
    return total


def _count_oom_kills() -> int:
    """How many processes the kernel has ended for want of memory since it started."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
