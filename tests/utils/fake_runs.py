"""Runs that are under way, schedules and a terminal, for views to be tried on."""

from utils import thunks

from spinup.jobs.call import Call
from spinup.jobs.job import Job
from spinup.rundir.layout import RunDir
from spinup.rundir.record import RunRecord
from spinup.rundir.status import State, Status
from spinup.scheduler.crew import Active
from spinup.scheduler.state import Attempt, Phase, Policy, Schedule


def make_active(tmp_path, name="g_lr1", seed=0, attempt=1, began_s=0.0):
    run_dir = RunDir(tmp_path / name / f"{name}_s{seed}")
    run_dir.path.mkdir(parents=True, exist_ok=True)
    job = Job(name, seed, run_dir, tmp_path, Call(thunks.add, {}))
    status = Status(State.QUEUED, name, seed, "identity", attempt=attempt)
    return Active(job, attempt, None, began_s, status)


def record_of(active, state=State.FAILED, reason="exception", message="ValueError: boom"):
    job = active.job
    if state is State.DONE:
        reason = message = None
    return RunRecord(job.exp_name, job.seed, job.run_dir.path, state, None, reason, message)


def make_schedule(total=4, slots=2, running=0, retries=0, **fields):
    attempts = tuple(Attempt(run, 1, 0.0, alone=False, last=None) for run in range(running))
    return Schedule(Policy(slots, retries=retries), total, Phase.OPEN, 0.0, running=attempts, **fields)


def log(active, text):
    active.job.run_dir.progress.write_bytes(text.encode() if isinstance(text, str) else text)


class FakeRegion:
    has_unicode = True
    size = (80, 24)

    def draw(self, lines):
        self.lines = ["".join(text for text, _ in line) for line in lines]

    def close(self):
        self.is_closed = True
