"""``spinup archive`` and ``spinup rm``: runs out of the way, and archived runs gone for good.

Both move runs to ``DATA_DIR/.archive``, from where they can be moved back; ``rm --archived`` alone deletes.
"""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinup import console
from spinup.cli.find import complete_run, data_dir_option, default_data_dir, experiment_of, find_runs
from spinup.cli.look import look_at
from spinup.cli.output import confirm, size_of
from spinup.errors import RecordError, RunDirError, RunIsLive
from spinup.fingerprint import shorten
from spinup.rundir.archive import archive
from spinup.rundir.launches import forget
from spinup.rundir.layout import ARCHIVE, RunDir
from spinup.rundir.lock import locked

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from spinup.cli.look import Look

_MOST_SHOWN = 20

_runs_argument = click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_run)
_yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.command(short_help="Move runs out of the way.")
@_runs_argument
@_yes_option
@data_dir_option
def command(runs: tuple[str, ...], *, yes: bool, data_dir: str | None) -> int:
    """Move each RUN to the hidden directory .archive, which nothing that reads results looks into.

    RUN is a run's name, the name of an experiment, for all its seeds, or a directory, for all runs in it.
    What is running stays: then nothing is moved.
    """
    return _move(runs, data_dir, is_sure=yes)


@click.command("rm", short_help="Remove runs.")
@_runs_argument
@_yes_option
@click.option("--archived", is_flag=True, help="Delete archived runs for good; with no RUN, all of them.")
@data_dir_option
def remove(runs: tuple[str, ...], *, yes: bool, archived: bool, data_dir: str | None) -> int:
    """Move each RUN to the hidden directory .archive, as ``spinup archive`` does: nothing is lost.

    With --archived, RUN is a name in .archive, or how some begin, and is deleted for good.
    """
    if archived:
        return _delete(runs, data_dir, is_sure=yes)
    return _move(runs, data_dir, is_sure=yes)


@dataclass(frozen=True)
class _Move:
    """A run that is to be archived."""

    run: Path
    data_dir: Path


def _move(texts: Sequence[str], data_dir: str | None, *, is_sure: bool) -> int:
    if not texts:
        raise click.UsageError("Say which runs: their names, or directories.")
    found = {text: list(map(look_at, _find(text, data_dir))) for text in texts}
    looks = list({look.directory: look for each in found.values() for look in each}.values())
    moves = [_Move(look.directory, data_dir_of(look.directory, look.exp_name)) for look in looks]
    for text in filter(os.path.isdir, texts):
        _refuse_far(Path(os.path.abspath(text)), {move.data_dir for move in moves})
    _refuse_live(looks)
    shelves = ", ".join(sorted({str(move.data_dir / ARCHIVE) for move in moves}))
    _list([move.run.name for move in moves])
    if not confirm(f"Move {_count(len(moves))} to {shelves}?", is_sure=is_sure):
        return 1
    targets = [_archive(move) for move in moves]
    for place in {move.data_dir for move in moves}:
        forget(place, {str(move.run) for move in moves})
    console.say(f"Moved {_count(len(moves))} to {shelves}.")
    console.say("To have one back, move it where it was, such as:")
    console.say(f"  mv {shlex.quote(str(targets[-1]))} {shlex.quote(str(moves[-1].run))}")
    return 0


def _find(text: str, data_dir: str | None) -> list[Path]:
    """The runs that ``text`` means; where there are none, the error says if they are archived."""
    try:
        return find_runs(text, data_dir, is_exact=True)
    except RecordError as error:
        shelf = _shelf(data_dir)
        name = Path(text).name
        if not any(name in _names(path) for path in _on(shelf)):
            raise
        raise RecordError(
            f"{console.one_line(name)} is archived already, in {shelf}. "
            f"Delete it for good with: spinup rm --archived {console.one_line(name)}"
        ) from error


def _names(archived: Path) -> tuple[str, str, str]:
    """What an archived run can be called: with its time, by its own name, and by its experiment's."""
    run = archived.name.rpartition("@")[0]
    return archived.name, run, experiment_of(run)


def _refuse_far(directory: Path, data_dirs: Collection[Path]) -> None:
    """Raise RecordError where ``directory`` is above directories of results: nobody means all in a home."""
    below = sorted(str(each) for each in data_dirs if directory in each.parents)
    if below:
        more = f" and {len(below) - 1} more" if len(below) > 1 else ""
        raise RecordError(
            f"{directory} is above the directories of results {console.one_line(below[0])}{more}. "
            "Nothing was moved. Name the one whose runs you mean."
        )


def _refuse_live(looks: Sequence[Look]) -> None:
    live = [look.directory for look in looks if look.is_live]
    if live:
        more = f" and {len(live) - 1} more" if len(live) > 1 else ""
        raise RunIsLive(
            f"{console.one_line(live[0].name)}{more} {'are' if more else 'is'} running. Nothing was moved. "
            "End them first: spinup stop"
        )


def _archive(move: _Move) -> Path:
    run_dir = RunDir(move.run)
    with locked(run_dir):  # a launcher that is about to begin it waits meanwhile
        return archive(run_dir, move.data_dir)


def data_dir_of(run: Path, exp_name: str) -> Path:
    """The directory of results that a run belongs to, as its name makes its path.

    Of a run that was given a directory of its own, it is what that lies in.
    """
    parts = exp_name.split("/")
    if len(run.parents) < 2 * len(parts):
        return run.parent
    experiment = run.parents[len(parts) - 1]
    is_laid_out = experiment.name.endswith(shorten(parts[-1]))  # before it there may be a date
    return experiment.parents[len(parts) - 1] if is_laid_out else run.parent


def _delete(texts: Sequence[str], data_dir: str | None, *, is_sure: bool) -> int:
    found = _archived(_shelf(data_dir), texts)
    _list([path.name for path in found])
    size = size_of(sum(_size(path) for path in found))
    if not confirm(f"Delete {_count(len(found))}, {size}, for good?", is_sure=is_sure):
        return 1
    for path in found:
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise RunDirError(f"Cannot delete {path}: {error}.") from error
    console.say(f"Deleted {_count(len(found))}.")
    return 0


def _archived(shelf: Path, texts: Sequence[str]) -> list[Path]:
    """The archived directories that ``texts`` name or begin; all of them for no text."""
    every = _on(shelf)
    if not every:
        raise RecordError(f"Nothing is archived in {shelf}.")
    found: list[Path] = []
    for text in texts:
        fits = [path for path in every if text in _names(path)]
        if not fits:
            raise RecordError(f"Nothing in {shelf} is called {console.one_line(text)!r}.")
        found += fits
    return list(dict.fromkeys(found)) if texts else every


def _shelf(data_dir: str | None) -> Path:
    return Path(os.path.abspath(data_dir or default_data_dir())) / ARCHIVE


def _on(shelf: Path) -> list[Path]:
    """The archived directories."""
    if not shelf.is_dir() or shelf.is_symlink():
        return []
    return sorted(path for path in shelf.iterdir() if path.is_dir() and not path.is_symlink())


def _size(directory: Path) -> int:
    total = 0
    for parent, _, files in os.walk(directory):
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # gone meanwhile
                continue
    return total


def _list(names: Sequence[str]) -> None:
    for name in names[:_MOST_SHOWN]:
        console.say(f"  {console.one_line(name)}")
    if len(names) > _MOST_SHOWN:
        console.say(f"  ... and {len(names) - _MOST_SHOWN} more")


def _count(number: int) -> str:
    return f"{number} run{'s' * (number != 1)}"
