"""For authors of backends: the suite that every launcher passes.

Derive a class whose name begins with ``Test``, say how a launcher is made, and let pytest find it::

    class TestMyLauncher(LauncherContract):
        def make_launcher(self, post):
            return MyLauncher(post)
"""

from __future__ import annotations

import atexit
import gzip
import os
import queue
import signal
import sys
import threading
import types
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.jobs.make import Place, make_job
from spinup.jobs.prepare import prepare
from spinup.launchers.base import Exited, Launcher, Post, Request, Started
from spinup.rundir.lock import RunLock, acquire
from spinup.rundir.status import State, read_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from spinup.jobs.job import Job
    from spinup.launchers.base import Isolation

_PATIENCE_S = 60.0


def _answer(number: int) -> int:
    print(f"this is run {number}")  # noqa: T201 - what a run prints is what is tested
    return number * 2


def _environment() -> list[str | None]:
    return [os.environ.get("SPINUP_TEST_A"), os.environ.get("SPINUP_TEST_B")]


def _exit(code: int) -> None:
    os._exit(code)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _leave_open(directory: str) -> None:
    """Leave to the end of the process what only the end of a script does."""
    kept: list[Any] = [open(Path(directory, "text"), "w", encoding="utf-8")]  # noqa: SIM115
    kept[0].write("text")
    kept.append(gzip.open(Path(directory, "gzip"), "wt", encoding="utf-8"))  # noqa: SIM115
    kept[1].write("compressed")
    kept.append(kept)  # a cycle, which nobody counts down to zero
    sys.modules["_kept_by_test"] = types.SimpleNamespace(kept=kept)  # type: ignore[assignment]
    atexit.register(Path(directory, "atexit").write_text, "called")

    def outlive() -> None:
        threading.main_thread().join()
        Path(directory, "thread").write_text("over")

    threading.Thread(target=outlive).start()
    print("no new line", end="")  # noqa: T201


def _pause() -> None:
    signal.pause()


def _ignore_and_pause() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    while True:
        signal.pause()


class LauncherContract(ABC):
    """What the scheduler relies on, whatever the backend."""

    @abstractmethod
    def make_launcher(self, post: Post) -> Launcher:
        """A launcher whose events go to ``post``."""

    def test_a_run_is_started_and_ends(self, tmp_path: Path) -> None:
        """One Started at most, then one Exited; the child has written its record."""
        with Bench(self.make_launcher, tmp_path) as bench:
            job = bench.start(0, _answer, number=21)
            assert bench.wait_for_end(0).code == 0
            status = read_status(job.run_dir)
            assert status is not None
            assert status.state is State.DONE
            assert job.run_dir.result.read_text().strip() == "42"
            assert job.run_dir.output.read_text() == "this is run 21\n"

    def test_several_runs_are_told_apart(self, tmp_path: Path) -> None:
        """Each event names its run."""
        with Bench(self.make_launcher, tmp_path) as bench:
            for number in range(4):
                bench.start(number, _exit, code=number + 3)
            assert {number: bench.wait_for_end(number).code for number in range(4)} == {
                0: 3,
                1: 4,
                2: 5,
                3: 6,
            }

    def test_a_signal_is_told_from_an_exit_code(self, tmp_path: Path) -> None:
        """The number of the signal, negative."""
        with Bench(self.make_launcher, tmp_path) as bench:
            bench.start(0, _die)
            assert bench.wait_for_end(0).code == -signal.SIGKILL

    def test_a_run_has_its_own_environment(self, tmp_path: Path) -> None:
        """What one run is given, the next one does not see."""
        with Bench(self.make_launcher, tmp_path) as bench:
            first = bench.start(0, _environment, environment={"SPINUP_TEST_A": "1"})
            bench.wait_for_end(0)
            second = bench.start(1, _environment, environment={"SPINUP_TEST_B": "2"})
            bench.wait_for_end(1)
            assert first.run_dir.result.read_text().split() == ["[", '"1",', "null", "]"]
            assert second.run_dir.result.read_text().split() == ["[", "null,", '"2"', "]"]

    def test_a_run_ends_as_a_script_does(self, tmp_path: Path) -> None:
        """Open files are written, threads waited for, `atexit` functions called."""
        with Bench(self.make_launcher, tmp_path) as bench:
            left = tmp_path / "left"
            left.mkdir()
            job = bench.start(0, _leave_open, directory=str(left))
            assert bench.wait_for_end(0).code == 0
            assert job.run_dir.output.read_text() == "no new line"
            assert (left / "text").read_text() == "text"
            assert gzip.decompress((left / "gzip").read_bytes()) == b"compressed"
            assert (left / "atexit").read_text() == "called"
            assert (left / "thread").read_text() == "over"

    def test_a_run_that_is_stopped_ends_gently(self, tmp_path: Path) -> None:
        """By SIGTERM, long before the grace is over."""
        with Bench(self.make_launcher, tmp_path) as bench:
            bench.start(0, _pause)
            bench.wait_for_start(0)
            bench.launcher.stop(0, grace_s=1000.0)
            assert bench.wait_for_end(0).code == -signal.SIGTERM

    def test_a_run_that_does_not_listen_is_ended_by_force(self, tmp_path: Path) -> None:
        """By SIGKILL, when there is no grace left."""
        with Bench(self.make_launcher, tmp_path) as bench:
            job = bench.start(0, _ignore_and_pause)
            while not (job.run_dir.output.exists() and "ready" in job.run_dir.output.read_text()):
                os.sched_yield()
            bench.launcher.stop(0, grace_s=1000.0)
            bench.launcher.stop(0, grace_s=0.0)
            assert bench.wait_for_end(0).code == -signal.SIGKILL

    def test_stopping_what_has_ended_is_harmless(self, tmp_path: Path) -> None:
        """The scheduler may ask while the event is on its way."""
        with Bench(self.make_launcher, tmp_path) as bench:
            bench.start(0, _answer, number=1)
            bench.wait_for_end(0)
            bench.launcher.stop(0)
            bench.launcher.stop(99)
            bench.start(1, _answer, number=1)
            assert bench.wait_for_end(1).code == 0

    def test_closing_ends_what_runs(self, tmp_path: Path) -> None:
        """Nothing outlives a launcher that was closed, and the run's lock is free."""
        with Bench(self.make_launcher, tmp_path) as bench:
            job = bench.start(0, _pause)
            pid = bench.wait_for_start(0).pid
            bench.launcher.close()
            assert pid is None or not _is_running(pid)
            bench.release_all()
            lock = acquire(job.run_dir)
            assert lock is not None
            lock.release()


class Bench:
    """A launcher under test, with what it posts.

    Args:
        make_launcher: Makes it, given where its events go.
        data_dir: Where the runs' directories are made.
    """

    def __init__(self, make_launcher: Callable[[Post], Launcher], data_dir: Path) -> None:
        self._events: queue.SimpleQueue[Started | Exited] = queue.SimpleQueue()
        self._seen: list[Started | Exited] = []
        self._locks: dict[Path, RunLock] = {}
        self._place = Place(str(data_dir))
        self.launcher = make_launcher(self._events.put)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.launcher.close()
        self.release_all()

    def prepare(self, run: int, thunk: Callable[..., Any], **kwargs: Any) -> Job:
        """The job of a run, its directory prepared, its lock taken."""
        job = make_job(f"run{run}", thunk, kwargs, place=self._place)
        lock = acquire(job.run_dir)
        assert lock is not None
        self._locks[job.run_dir.path] = lock
        prepare(job)
        return job

    def launch(
        self,
        run: int,
        job: Job,
        environment: dict[str, str] | None = None,
        isolation: Isolation = "auto",
        modules: tuple[str, ...] = (),
    ) -> None:
        """Have a prepared job run, under the number ``run``."""
        lock = self._locks[job.run_dir.path].file
        self.launcher.start(Request(run, job, lock, isolation, modules, environment or {}))

    def start(
        self, run: int, thunk: Callable[..., Any], environment: dict[str, str] | None = None, **kwargs: Any
    ) -> Job:
        """Have ``thunk`` run, under the number ``run``."""
        job = self.prepare(run, thunk, **kwargs)
        self.launch(run, job, environment)
        return job

    def wait_for_start(self, run: int) -> Started:
        """The event that says that ``run`` has a process."""
        found = self._wait_for(run, Started)
        assert isinstance(found, Started)
        return found

    def wait_for_end(self, run: int) -> Exited:
        """The event that says that ``run`` has ended; there is one."""
        found = self._wait_for(run, Exited)
        assert isinstance(found, Exited)
        assert sum(isinstance(event, Exited) and event.run == run for event in self._seen) == 1
        return found

    def release_all(self) -> None:
        """Let go of the runs' locks."""
        while self._locks:
            self._locks.popitem()[1].release()

    def _wait_for(self, run: int, kind: type[Started | Exited]) -> Started | Exited:
        while True:
            for event in self._seen:
                if event.run == run and isinstance(event, kind):
                    return event
            self._seen.append(self._events.get(timeout=_PATIENCE_S))


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
