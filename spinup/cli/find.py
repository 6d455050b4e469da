"""Which runs the command line means: run directories below a directory, and runs by name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from spinup import console, user_config
from spinup.errors import RecordError, SpinupError
from spinup.rundir.layout import LAUNCHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SEED = re.compile(r"_s(-?[0-9]+)$")
_MOST_NAMED = 8
_MOST_COMPLETED = 2_000
_NO_DISKS = ("/proc", "/sys", "/dev")  # the kernel's own, full of things that look like files

#: Where the runs are that are called by their names.
data_dir_option = click.option(
    "--data-dir",
    "--data_dir",
    "data_dir",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Where names of runs are looked up; DEFAULT_DATA_DIR of spinup.user_config by default.",
)


@dataclass(frozen=True)
class Place:
    """A directory of runs, as it was walked through.

    Attributes:
        root: Where the walk began; absolute.
        runs: Every run directory at or below it, sorted.
        data_dirs: Directories with launch records: those below it, and the nearest around it.
    """

    root: Path
    runs: tuple[Path, ...]
    data_dirs: tuple[Path, ...]


def default_data_dir() -> str:
    """Where results go when nothing else is said, as the settings are now."""
    return os.path.expanduser(user_config.DEFAULT_DATA_DIR)


def walk(directory: str | os.PathLike[str]) -> Place:
    """All runs at or below ``directory``.

    A run is a directory with a status.json or a progress.txt. Hidden directories are not looked into, and
    no symbolic link below ``directory`` is followed.

    Raises:
        RecordError: There is no such directory, or one below it cannot be read.
    """
    root = Path(os.path.abspath(directory))
    if not root.is_dir():
        raise RecordError(f"There is no directory {root}. Name the one that holds your runs.")
    around = next((parent for parent in root.parents if (parent / LAUNCHES).is_dir()), None)
    data_dirs = [] if around is None else [around]
    runs = []
    for parent, is_run, has_launches in _directories(root):
        if is_run:
            runs.append(Path(parent))
        if has_launches:
            data_dirs.append(Path(parent))
    return Place(root, tuple(sorted(runs)), tuple(data_dirs))


def _directories(root: Path) -> Iterator[tuple[str, bool, bool]]:
    """Each directory, whether it is a run's, and whether it holds launch records."""
    for parent, names, files in os.walk(root, onerror=_refuse, followlinks=False):
        has_launches = LAUNCHES in names
        names[:] = [name for name in names if not _is_passed_over(parent, name)]
        yield parent, _is_run_with(files), has_launches


def _is_passed_over(parent: str, name: str) -> bool:
    return name.startswith(".") or os.path.join(parent, name) in _NO_DISKS


def _is_run_with(files: Sequence[str]) -> bool:
    return "status.json" in files or "progress.txt" in files


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # moved away since its parent was listed
        raise RecordError(
            f"Cannot look into {error.filename}: {error.strerror}. Make it readable, or move it elsewhere."
        ) from error


def find_run(text: str, data_dir: str | None) -> Path:
    """The directory of the one run that ``text`` means.

    Args:
        text: A run's directory, its name ``EXP_NAME_sSEED``, or a part that one name alone has.
        data_dir: Where names are looked up.

    Raises:
        RecordError: It means no run, or several.
    """
    found = find_runs(text, data_dir)
    if len(found) == 1:
        return found[0]
    if len({experiment_of(path.name) for path in found}) == 1:
        seeds = ", ".join(match[1] for path in found if (match := _SEED.search(path.name)))
        example = console.one_line(found[0].name)
        raise RecordError(
            f"{console.one_line(text)!r} has {len(found)} runs, with the seeds {seeds}. "
            f"Say which, as in {example}."
        )
    raise RecordError(f"{console.one_line(text)!r} may be any of {_listed(found)}. Say more of its name.")


def find_runs(text: str, data_dir: str | None, *, is_exact: bool = False) -> list[Path]:
    """The directories of all runs that ``text`` may mean; at least one.

    A directory means all runs at or below it. A name that is complete, with or without the seed, means no
    longer ones that begin like it.

    Args:
        text: A directory, a name, or a part of a name.
        data_dir: Where names are looked up.
        is_exact: Whether a part of a name will not do.

    Raises:
        RecordError: It means no run.
    """
    if os.path.isdir(text) and (runs := walk(text).runs):
        return [Path(os.path.abspath(text))] if Path(os.path.abspath(text)) in runs else list(runs)
    place = walk(data_dir or default_data_dir())
    wanted = text.strip("/")
    for fits in _FITS[:2] if is_exact else _FITS:
        found = [path for path in place.runs if fits(_below(path, place.root), wanted)]
        if found:
            return found
    raise RecordError(_unknown(text, place))


def _is_run(below: str, wanted: str) -> bool:
    return f"/{below}".endswith(f"/{wanted}")


def _is_run_of(below: str, wanted: str) -> bool:
    return _is_run(_SEED.sub("", below), wanted) or _is_run(below.rpartition("/")[0], wanted)


def _is_like(below: str, wanted: str) -> bool:
    return wanted in below


#: How a name can fit a run, which is known by its path below the directory of all: best first.
_FITS: tuple[Callable[[str, str], bool], ...] = (_is_run, _is_run_of, _is_like)


def _below(path: Path, root: Path) -> str:
    return path.name if path == root else path.relative_to(root).as_posix()


def experiment_of(name: str) -> str:
    """The name of the experiment that a run of this name is of, by Spinning Up's rule."""
    return _SEED.sub("", name)


def _unknown(text: str, place: Place) -> str:
    where = f"in {place.root}"
    if not place.runs:
        return f"There is no run {where}. Say where they are with --data-dir."
    import difflib  # noqa: PLC0415 - only an error needs it

    names = [path.name for path in place.runs[:_MOST_COMPLETED]]
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(map(console.one_line, near))}?" if near else ""
    return f"No run {where} is called {console.one_line(text)!r}.{hint}"


def _listed(paths: Sequence[Path]) -> str:
    names = [console.one_line(path.name) for path in paths[:_MOST_NAMED]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def complete_run(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of runs that begin like this; none where it takes longer than typing."""
    directory: Any = ctx.params.get("data_dir")
    try:
        root = Path(os.path.abspath(directory or default_data_dir()))
        names = [
            Path(path).name for path, is_run, _ in islice(_directories(root), _MOST_COMPLETED) if is_run
        ]
    except (SpinupError, OSError):
        return []
    found = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="dir")]
