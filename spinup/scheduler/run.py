"""A grid's jobs, run to their ends on this machine."""

from __future__ import annotations

import os
import platform
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spinup.jobs.modules import ALWAYS
from spinup.launchers import gpus as gpu
from spinup.launchers.cores import thread_caps, usable_cores
from spinup.rundir.status import utc_now
from spinup.scheduler.crew import LocalCrew, View
from spinup.scheduler.inbox import Inbox, interrupts_held
from spinup.scheduler.loop import run_schedule
from spinup.scheduler.state import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spinup.jobs.job import Job
    from spinup.launchers.base import Isolation, Launcher, Post
    from spinup.rundir.record import RunRecord
    from spinup.scheduler.decide import Rerun


@dataclass(frozen=True)
class Options:
    """How jobs are to be run; checked.

    Attributes:
        num_cpu: Processes of each run.
        parallel: Runs at a time; None for as many as there are cores and GPUs.
        gpus: GPUs to be shared out; None for those that are visible.
        gpus_per_run: How many each run gets, or what part of one.
        memory_per_run_bytes: What a run's processes may hold in RAM together; None for no limit.
        isolation: ``warm``, ``fresh``, or ``auto``.
        retries: How often a failed run is tried again.
        timeout_s: Time that an attempt has, from when its process is there.
        on_failure: Whether the others go on when a run has failed.
        rerun: What is done again.
    """

    num_cpu: int = 1
    parallel: int | None = None
    gpus: Sequence[gpu.Gpu] | None = None
    gpus_per_run: float = 1.0
    memory_per_run_bytes: int | None = None
    isolation: Isolation = "auto"
    retries: int = 0
    timeout_s: float | None = None
    on_failure: Literal["continue", "stop"] = "continue"
    rerun: Rerun = "failed"


@dataclass(frozen=True)
class Room:
    """What there is to run on.

    Attributes:
        width: Runs at a time.
        threads: Threads that each process of a run should have.
        gpus: GPUs that are shared out.
        num_cpu: Processes of each run.
    """

    width: int
    threads: int
    gpus: tuple[gpu.Gpu, ...] = ()
    num_cpu: int = 1


def find_room(
    options: Options,
    *,
    cores: Callable[[], int] = usable_cores,
    discover: gpu.Discover = gpu.discover_nvidia,
) -> Room:
    """How many runs fit on this machine beside each other.

    Args:
        options: What is asked for.
        cores: How many cores there are.
        discover: Which GPUs there are.
    """
    found = (
        gpu.visible(discover(), os.environ.get("CUDA_VISIBLE_DEVICES"))
        if options.gpus is None
        else options.gpus
    )
    by_cores = max(1, cores() // options.num_cpu)
    width = by_cores if options.parallel is None else options.parallel
    if found:
        parts = gpu.parts_of(options.gpus_per_run)
        on_gpus = (
            len(found) * (gpu.PARTS // parts) if parts <= gpu.PARTS else len(found) * gpu.PARTS // parts
        )
        width = min(width, max(1, on_gpus))
    return Room(width, max(1, cores() // (width * options.num_cpu)), tuple(found), options.num_cpu)


class Workplace:
    """What starts runs, and where it posts what became of them; closed by whoever made it.

    Args:
        options: How runs will be started.
        room: What there is to run on.
    """

    def __init__(self, options: Options, room: Room) -> None:
        self.inbox = Inbox()
        self._room = room
        self._is_warm = options.isolation != "fresh" and not room.gpus and options.num_cpu == 1
        self._launcher: Launcher | None = None

    def get_ready(self, modules: Callable[[], Sequence[str]]) -> None:
        """Begin to import, in a process beside this one, what runs will need.

        Args:
            modules: Gives the names of the modules; asked only where runs may be forked.
        """
        if self._is_warm:
            names = modules()
            with interrupts_held():  # what is half made cannot be closed
                self._launcher = self._make_launcher(names)

    @property
    def launcher(self) -> Launcher:
        """What starts the runs."""
        if self._launcher is None:
            with interrupts_held():
                self._launcher = self._make_launcher(())
        return self._launcher

    def close(self) -> None:
        """End what still runs, and let go of everything."""
        with ExitStack() as stack:
            stack.callback(self.inbox.close)
            if self._launcher is not None:
                stack.callback(self._launcher.close)

    def _make_launcher(self, modules: Sequence[str]) -> Launcher:
        return make_launcher(self.inbox.post, thread_caps(self._room.threads), modules)


def run_jobs(
    jobs: Sequence[Job],
    options: Options,
    room: Room,
    view: View,
    *,
    workplace: Workplace | None = None,
    refresh_s: float | None = None,
    is_single: bool = False,
) -> list[RunRecord]:
    """Run ``jobs``; the record of each that has ended, in their order.

    Args:
        jobs: The runs.
        options: How they are run.
        room: What there is to run on.
        view: Shows how it goes.
        workplace: Where they are run, which is closed at the end; made here by default.
        refresh_s: The longest time between two looks at what runs; None for only when something happened.
        is_single: Whether an error that keeps a run from starting is the caller's.

    Raises:
        SpinupError: A run cannot be started, and it is the only one.
        KeyboardInterrupt: Ctrl-C came; what ran was ended and recorded.
    """
    if workplace is None:
        with closing(Workplace(options, room)) as workplace:
            workplace.get_ready(lambda: ALWAYS)
            return run_jobs(
                jobs, options, room, view, workplace=workplace, refresh_s=refresh_s, is_single=is_single
            )
    crew = LocalCrew(
        jobs=jobs,
        launcher=workplace.launcher,
        view=view,
        began_at=utc_now(),
        rerun=options.rerun,
        isolation=options.isolation,
        gpus=room.gpus,
        gpu_parts=gpu.parts_of(options.gpus_per_run),
        memory_limit_bytes=options.memory_per_run_bytes,
        timeout_s=options.timeout_s,
        retries=options.retries,
        is_single=is_single,
    )
    policy = Policy(
        slots=room.width * options.num_cpu,
        slots_per_run=options.num_cpu,
        retries=options.retries,
        timeout_s=options.timeout_s,
        stops_at_failure=options.on_failure == "stop",
        poll_interval_s=1.0,
    )
    if options.memory_per_run_bytes is not None:
        refresh_s = min(refresh_s or _MEMORY_WATCH_S, _MEMORY_WATCH_S)
    with ExitStack() as stack:
        stack.callback(crew.close)  # after all processes are gone
        stack.callback(workplace.close)
        run_schedule(policy, len(jobs), crew, workplace.inbox, refresh_s=refresh_s)
    return [crew.records[run] for run in sorted(crew.records)]


_MEMORY_WATCH_S = 0.5


def make_launcher(post: Post, environment: dict[str, str], preloads: Sequence[str]) -> Launcher:
    """The way to start runs on this machine: through a run server where the system has what it needs."""
    if platform.system() == "Linux":
        from spinup.launchers.local import LocalLauncher  # noqa: PLC0415 - Linux alone can import it

        return LocalLauncher(post, environment, preloads)
    from spinup.launchers.portable import PortableLauncher  # noqa: PLC0415 - needed elsewhere alone

    return PortableLauncher(post, environment)
