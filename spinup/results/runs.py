"""A run as its directory tells it: what it is called, what it was asked, and how it is."""

from __future__ import annotations

import gc
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.results.columns import encodable
from spinup.results.files import read_object
from spinup.results.find import CONFIG, STATUS, find
from spinup.results.hyperparameters import ABLATION, flat
from spinup.results.sources.delimited import PROGRESS_CSV, PROGRESS_TXT
from spinup.results.sources.tensorboard import TensorBoard, read_settings
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spinup.results.find import Found
    from spinup.results.sources.base import Source

# What run_path makes, here and in Spinning Up: perhaps a time, the name, perhaps a seed.
_DIRECTORY_NAME = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{2}-[0-9]{2}-[0-9]{2}[-_])?(?P<exp_name>.+?)(?:_s(?P<seed>-?[0-9]+))?",
    re.DOTALL,
)
# CleanRL's: environment, name, seed, time.
_CLEANRL_NAME = re.compile(r"(?P<exp_name>(?P<env_id>.+)__.+?)__(?P<seed>-?[0-9]+)__[0-9]+", re.DOTALL)
_READ = {CONFIG, STATUS, PROGRESS_TXT.file_name, PROGRESS_CSV.file_name}
_LONGEST_NAME = 10_000  # far more than any grid makes; a name is held for each row, and drawn
_SEEDS = range(-(2**63), 2**63)
# Tuples: what a damaged file has in their place may be anything, also what no set can look for.
_LIVE = ("queued", "running")
_STATES = ("done", "failed", *_LIVE)


@dataclass(frozen=True, eq=False)
class Run:
    """A run, as its directory was when it was looked at.

    Attributes:
        exp_name: Name of the experiment.
        seed: Seed of the run; None where nothing tells it, or where it needs more than 64 bits.
        path: The run's directory.
        state: done, failed, running, queued, interrupted (it was ended from outside, or says that it
            runs and nobody holds its lock), or unknown (there is no status.json).
        reason: Why it failed, in a few words.
        config: What config.json holds.
        status: What status.json holds.
        source: What reads its rows; None where there are none.
        notes: What was odd in the files that were read for this.
    """

    exp_name: str
    seed: int | None
    path: str
    state: str = "unknown"
    reason: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    status: Mapping[str, Any] = field(default_factory=dict, repr=False)
    source: Source | None = field(default=None, repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return Path(self.path)

    @cached_property
    def hyperparameters(self) -> dict[str, Any]:
        """The hyperparameters by their keys in a grid, such as ``ac_kwargs:hidden_sizes``."""
        return flat(self.config, os.path.basename(self.path))

    @property
    def is_baseline(self) -> bool:
        """Whether an ablation compares its other runs with this one."""
        return self._ablation.get("is_baseline") is True

    @property
    def changed(self) -> list[str] | None:
        """The keys in which this run differs from its ablation's baseline; None if that is not noted."""
        changed = self._ablation.get("changed")
        return [str(key) for key in changed] if isinstance(changed, list) else None

    @property
    def started_at(self) -> datetime | None:
        """When its process began; UTC."""
        return _time(self.status.get("started_at"))

    @property
    def duration_s(self) -> float | None:
        """Seconds from its start to its end, or to now while it runs; None where that is not noted."""
        started = self.started_at
        ended = datetime.now(UTC) if self.state == "running" else _time(self.status.get("ended_at"))
        return (ended - started).total_seconds() if started and ended else None

    @property
    def _ablation(self) -> Mapping[str, Any]:
        mark = self.config.get(ABLATION)
        return mark if isinstance(mark, dict) else {}


def find_runs(*paths: str | os.PathLike[str]) -> list[Run]:
    """Every run at or below ``paths``, ordered by name, seed and directory.

    Args:
        paths: Directories, or globs; which of the directories below count: `spinup.results.find.find`.

    Raises:
        RecordError: A path is no directory, a glob matches none, there is no run, or a directory cannot
            be looked into.
    """
    with _uncollected():
        runs = [run for found in find(paths) if (run := look_at(found)) is not None]
    if not runs:
        raise RecordError(
            f"No run in {', '.join(str(path) for path in paths)}: no directory there has a "
            "progress.txt, status.json, progress.csv, monitor.csv or event file. "
            "Hidden directories and symbolic links were not followed."
        )
    return sorted(runs, key=_order)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for garbage: all that is made here stays, and the search takes a third longer."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def look_at(found: Found) -> Run | None:
    """The run in a directory; None if it has a config.json that is no run's, and nothing else."""
    notes = [f"{name} is a link, not followed" for name in sorted(found.links & _READ)]
    config = _object(found, CONFIG, notes)
    status = _object(found, STATUS, notes)
    if (
        found.source is None
        and STATUS not in found.files
        and not {"exp_name", "logger_kwargs"} & config.keys()
    ):
        return None
    if isinstance(found.source, TensorBoard) and not config:
        config = _logged_settings(found)
    state, reason = _state(found, status)
    return Run(
        exp_name=_name(config, notes) or _from_directory(found)[0],
        seed=_seed(config.get("seed", status.get("seed")), found),
        path=found.path,
        state=state,
        reason=reason,
        config=config,
        status=status,
        source=found.source,
        notes=tuple(notes),
    )


def _object(found: Found, file: str, notes: list[str]) -> dict[str, Any]:
    if file not in found.files:
        return {}
    try:
        return read_object(f"{found.path}{os.sep}{file}")
    except RecordError as error:
        notes.append(f"{file} was left out: {error}")
        return {}


def _logged_settings(found: Found) -> dict[str, Any]:
    """What a CleanRL run logs of its settings, and what its directory's name says."""
    settings = read_settings(found.path)
    match = _CLEANRL_NAME.fullmatch(found.name)
    # Not the logged name: CleanRL's is that of the script, the same for every environment.
    settings.pop("exp_name", None)
    return {"env_id": match["env_id"], **settings} if match else settings


def _from_directory(found: Found) -> tuple[str, str | None]:
    """The name and the seed that the directory's own name says."""
    name = found.name or found.path
    match = _CLEANRL_NAME.fullmatch(name) or _DIRECTORY_NAME.fullmatch(name)
    return (encodable(match["exp_name"]), match["seed"]) if match else (encodable(name), None)


def _name(config: Mapping[str, Any], notes: list[str]) -> str | None:
    name = config.get("exp_name")
    if not isinstance(name, str):
        return None
    if len(name) > _LONGEST_NAME:
        notes.append(f"the exp_name in {CONFIG} has {len(name)} characters, more than {_LONGEST_NAME}")
        return None
    return encodable(name)


def _seed(value: object, found: Found) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        text = _from_directory(found)[1]
        value = None if text is None else int(text)
    # Not whatever it is: to look for None, a range goes through all of its numbers.
    return value if isinstance(value, int) and value in _SEEDS else None


def _state(found: Found, status: Mapping[str, Any]) -> tuple[str, str | None]:
    """How the run is, and why: what the status says, where that can be."""
    state, reason = status.get("state"), status.get("reason")
    reason = encodable(reason) if isinstance(reason, str) else None
    if state not in _STATES:
        return "unknown", None
    if state == "failed":
        return ("interrupted" if reason == "interrupted" else "failed"), reason
    if state == "done" or is_held(RunDir(Path(found.path))):
        return str(state), None
    again = _object(found, STATUS, [])  # it may have ended between the two looks
    if again.get("state") not in _LIVE and again:
        return _state(found, again)
    return "interrupted", "killed, with its launcher"


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.astimezone(UTC) if time is not None and time.tzinfo is not None else None


def _order(run: Run) -> tuple[str, bool, int, str]:
    return run.exp_name, run.seed is None, run.seed or 0, run.path
