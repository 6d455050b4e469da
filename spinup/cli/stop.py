"""``spinup stop``: ends what a launcher runs, from another terminal."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinup import console
from spinup.cli.find import default_data_dir, walk
from spinup.cli.look import look_at
from spinup.cli.output import confirm
from spinup.rundir.launches import Launch, LaunchedRun, is_at_work, process_start, read_launches
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import is_held
from spinup.rundir.status import host_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_POLL_S = 0.1
_BETWEEN_SIGNALS_S = 0.3
_TOLD_EVERY_S = 5.0
_MOST_TOLD = 20
_MOST_NAMED = 4


@click.command(short_help="Stop what a launcher runs.")
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(file_okay=False))
@click.option("--now", is_flag=True, help="End the runs at once, without the 10 s that they have to end.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait no longer."
)
@click.option(
    "--yes", "-y", is_flag=True, help="Do not ask where DIR is above several directories of results."
)
def command(directory: str | None, *, now: bool, timeout_s: float | None, yes: bool) -> int:
    """Stop every launcher with runs at or below DIR, and wait until it has ended.

    It is asked as by Ctrl-C: its runs get SIGTERM, after 10 s SIGKILL, and are recorded as interrupted.
    What had finished is kept; to go on, launch the same again.
    """
    root = Path(directory or default_data_dir()).expanduser()
    launches = live_launches(root)
    if not launches:
        console.say(f"No launcher is at work in {os.path.abspath(root)}.")
        return 0
    if not _is_meant(launches, is_sure=yes):
        return 1
    targets = [target for launch in launches if (target := _target(launch)) is not None]
    for target in targets:
        target.send(signal.SIGTERM)
    if now and targets:
        # Two signals of one kind that come at once count as one.
        time.sleep(_BETWEEN_SIGNALS_S)
        for target in targets:
            target.send(signal.SIGTERM)
    end_s = None if timeout_s is None else time.monotonic() + timeout_s
    all_have_ended = _wait(targets, end_s)
    for target in targets:
        target.close()
        _tell_end(target)
    return 0 if all_have_ended and len(targets) == len(launches) else 1


def live_launches(directory: Path) -> list[Launch]:
    """The launches that live and have runs at or below ``directory``.

    Raises:
        RecordError: There is no such directory.
    """
    place = walk(directory)
    inside = f"{place.root}/"
    return [
        launch
        for data_dir in place.data_dirs
        for launch in read_launches(data_dir)
        if launch.is_live and any(f"{run.directory}/".startswith(inside) for run in launch.runs)
    ]


def _is_meant(launches: Sequence[Launch], *, is_sure: bool) -> bool:
    """Whether all of ``launches`` are to be stopped: asked where they are of several directories."""
    data_dirs = sorted({str(launch.path.parent.parent) for launch in launches})
    if len(data_dirs) == 1:
        return True
    names = f"{', '.join(data_dirs[:_MOST_NAMED])}{', ...' if len(data_dirs) > _MOST_NAMED else ''}"
    return confirm(f"Stop {_count(len(launches), 'launcher')} in {names}?", is_sure=is_sure)


@dataclass
class Target:
    """A launcher that is stopped.

    Attributes:
        launch: Its record.
        running: The runs that were live when it was asked.
        handle: What stands for its process and no later one of the same id; None where there is no such.
    """

    launch: Launch
    running: Sequence[LaunchedRun]
    handle: int | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the launcher is gone."""
        return not is_at_work(self.launch.path)

    @property
    def num_left(self) -> int:
        """How many of its runs still live."""
        return sum(_is_live(run) for run in self.running)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the launcher, unless it has ended; wake it if Ctrl-Z has stopped it."""
        with suppress(ProcessLookupError):
            for each in (number, signal.SIGCONT):
                if self.handle is not None:
                    signal.pidfd_send_signal(self.handle, each)
                elif process_start(self.launch.pid) == self.launch.process_start:
                    os.kill(self.launch.pid, each)

    def close(self) -> None:
        """Let go of the process."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None


def _target(launch: Launch) -> Target | None:
    """What to stop; None, with a word why, where it cannot be stopped from here."""
    name = _name(launch)
    if launch.host != host_name():
        console.complain(
            f"{name} was launched on {console.one_line(launch.host)}. Stop it there: spinup stop."
        )
        return None
    handle = None
    with suppress(OSError, AttributeError):  # no such process; no such call on this system
        handle = os.pidfd_open(launch.pid)
    # After it was opened: this process, and no other, is the one that is signalled.
    if launch.process_start is None or process_start(launch.pid) != launch.process_start:
        if handle is not None:
            os.close(handle)
        if is_at_work(launch.path):
            console.complain(
                f"{name} is at work, but process {launch.pid} here is not its launcher, which may be in "
                "another container. Nothing was signalled; stop it where it was launched."
            )
        return None
    running = [run for run in launch.runs if run.is_to_run and _is_live(run)]
    console.say(
        f"Stopping {name}, launched by process {launch.pid}: {_count(len(running), 'run')} under way ...",
        bold=True,
    )
    return Target(launch, running, handle)


def _wait(
    targets: Sequence[Target], end_s: float | None, clock: Callable[[], float] = time.monotonic
) -> bool:
    """Wait until all have ended; False if the time is over before that."""
    told_s = clock()
    while left := [target for target in targets if not target.has_ended]:
        if end_s is not None and clock() >= end_s:
            names = ", ".join(map(_name, (target.launch for target in left)))
            console.complain(f"Still ending: {names}. To end its runs at once: spinup stop --now")
            return False
        if clock() - told_s >= _TOLD_EVERY_S:
            told_s = clock()
            console.say(f"  {_count(sum(target.num_left for target in left), 'run')} still ending ...")
        time.sleep(_POLL_S)
    return True


def _tell_end(target: Target) -> None:
    """Say what became of the runs that were under way."""
    if not target.has_ended:
        return
    states = {run: look_at(Path(run.directory)).state for run in target.running}
    stopped = [Path(run.directory).name for run, state in states.items() if state == "interrupted"]
    console.say(f"{_name(target.launch)} has ended. {_count(len(stopped), 'run')} interrupted.")
    for name in stopped[:_MOST_TOLD]:
        console.say(f"  {console.one_line(name)}")
    if len(stopped) > _MOST_TOLD:
        console.say(f"  ... and {len(stopped) - _MOST_TOLD} more")
    if stopped:
        console.say("What had finished is kept. To go on, launch the same again.")


def _is_live(run: LaunchedRun) -> bool:
    return is_held(RunDir(Path(run.directory)))


def _name(launch: Launch) -> str:
    return console.one_line(launch.grid_name) or "(no name)"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
