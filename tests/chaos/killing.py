"""A grid that is launched, struck at a chosen moment, and looked at afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

#: In the environment of all processes of a round, which tells them from those of others.
DIARY = "CHAOS_DIARY"
#: How many runs the grid of launch.py has, and how many of them run beside each other.
NUM_RUNS = 6
WIDTH = 2

_PATIENCE_S = 60.0
_POLL_S = 0.003


@dataclass(frozen=True)
class Fault:
    """What is done to whom, and when.

    Attributes:
        victim: ``launcher``, ``server`` or ``child``.
        number: The signal that it gets.
        moment: What is counted, a method of `Round`.
        count: How much of it has to come after the launch; 0 for as soon as there is a run server.
        delay_s: Time from then to the signal.
    """

    victim: str
    number: signal.Signals
    moment: str
    count: int
    delay_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Fault:
        """Any fault: those that end a run without a word are the most likely."""
        victim = rng.choice(["launcher", "launcher", "server", "child"])
        numbers = [signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
        if victim == "launcher":
            numbers.append(signal.SIGHUP)
        number = signal.SIGKILL if victim == "server" else rng.choice(numbers)
        moment, most = rng.choice([("rows", 20), ("rows", 20), ("begun", 4), ("ended", 4), ("begun", 0)])
        return cls(victim, number, moment, rng.randint(min(1, most), most), rng.uniform(0, 0.012))

    @property
    def most_lost(self) -> int:
        """How many runs it can break off."""
        return 1 if self.victim == "child" else WIDTH


@dataclass
class Round:
    """A data directory, and launches that work in it.

    Attributes:
        project: Where launch.py is, and what is beside it.
        place: Where everything goes that this round writes.
        keywords: What ``ExperimentGrid.run`` is given.
    """

    project: Path
    place: Path
    keywords: dict[str, object] = field(default_factory=dict)
    launches: int = 0

    @property
    def data_dir(self) -> Path:
        return self.place / "data"

    @property
    def diary(self) -> Path:
        return self.place / "diary"

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the launch script."""
        self.launches += 1
        command = [sys.executable, "launch.py", str(self.data_dir), json.dumps(self.keywords)]
        with (self.place / "launch.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, DIARY: str(self.diary)},
                start_new_session=True,
            )

    def strike(self, launcher: subprocess.Popen[bytes], fault: Fault, rng: random.Random) -> bool:
        """Wait for the moment, and hit the victim; False if the launcher has ended before."""
        count: Callable[[], int] = getattr(self, f"count_{fault.moment}")
        wanted = count() + fault.count
        while not self.victims(launcher, "server") or count() < wanted:
            if launcher.poll() is not None:
                return False
            time.sleep(_POLL_S)
        time.sleep(fault.delay_s)
        while launcher.poll() is None:
            victims = self.victims(launcher, fault.victim)
            with suppress(psutil.NoSuchProcess):
                if victims:
                    rng.choice(victims).send_signal(fault.number)
                    return True
        return False

    def victims(self, launcher: subprocess.Popen[bytes], kind: str) -> list[psutil.Process]:
        """The processes of that kind that there are now."""
        if kind == "launcher":
            return [psutil.Process(launcher.pid)]
        servers = [child for child in children(launcher.pid) if is_server(child)]
        if kind == "server":
            return servers
        return [run for server in servers for run in children(server.pid)]

    def finish(self, launcher: subprocess.Popen[bytes]) -> int:
        """Wait for the launcher's end; its exit code."""
        return launcher.wait(_PATIENCE_S)

    # -- What there is

    def statuses(self) -> dict[str, dict[str, object]]:
        """Each run's status, by the name of its directory."""
        files = self.data_dir.glob("walk*/*/status.json")
        return {file.parent.name: json.loads(file.read_text()) for file in files}

    def count_begun(self) -> int:
        return self._diary().count("begun")

    def count_ended(self) -> int:
        return self._diary().count("ended")

    def count_rows(self) -> int:
        return sum(file.read_bytes().count(b"\n") for file in self.data_dir.glob("walk*/*/progress.txt"))

    def events(self, event: str) -> Counter[str]:
        """How often each run has written ``event``, by the name of its directory."""
        lines = [line.split() for line in self._diary().splitlines()]
        return Counter(f"walk_lr{lr}_s{seed}" for name, lr, seed in lines if name == event)

    def _diary(self) -> str:
        return self.diary.read_text() if self.diary.exists() else ""

    def outcome(self) -> dict[str, bytes]:
        """What the runs have found out, by file."""
        names = ("progress.txt", "result.json", "config.json")
        files = [file for name in names for file in self.data_dir.glob(f"walk*/*/{name}")]
        return {str(file.relative_to(self.data_dir)): file.read_bytes() for file in files}

    def litter(self) -> list[str]:
        """Locks, temporary files, payloads, whole runs moved away: what a finished grid has no use for."""
        kinds = (".*.lock", ".*.tmp", ".writable-*", "payload.pkl", "*.thunk.*", ".archive/*/status.json")
        found = [path for kind in kinds for path in self.data_dir.rglob(kind)]
        return sorted(str(path.relative_to(self.data_dir)) for path in found)

    def processes(self) -> list[psutil.Process]:
        """All processes of this round that are alive."""
        return processes_of(self.diary)

    def log(self) -> str:
        """What the launchers have printed."""
        return (self.place / "launch.log").read_text(errors="replace")


def processes_of(diary: Path) -> list[psutil.Process]:
    """All processes that are alive and have this diary in their environment."""
    entry = f"{DIARY}={diary}"
    return [process for process in psutil.process_iter() if entry in environment_of(process)]


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Wait for the end of what a killed launcher has left; it must come by itself."""
    _, alive = psutil.wait_procs(processes, timeout=_PATIENCE_S)
    assert alive == []


def children(pid: int) -> list[psutil.Process]:
    """The children of ``pid`` now; psutil would read the whole process table for them."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                with suppress(psutil.NoSuchProcess):
                    found.append(psutil.Process(int(child)))
    return found


def is_server(process: psutil.Process) -> bool:
    try:
        return any("spinup.launchers.server" in part for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def environment_of(process: psutil.Process) -> list[str]:
    """NAME=value, as the process was given them; none of one that is gone, or not ours."""
    try:
        return Path(f"/proc/{process.pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
