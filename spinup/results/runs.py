"""Which runs are below a directory, what they are called, and what is in their progress.txt."""

from __future__ import annotations

import os
import re
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.rundir.config import read_json_object
from spinup.rundir.layout import RunDir
from spinup.rundir.progress import read_ragged

if TYPE_CHECKING:
    from collections.abc import Iterator

# What run_path makes, here and in Spinning Up: perhaps a time, the name, perhaps a seed.
_DIRECTORY_NAME = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{2}-[0-9]{2}-[0-9]{2}[-_])?(?P<exp_name>.+?)(?:_s(?P<seed>-?[0-9]+))?",
    re.DOTALL,
)
_LONGEST_NAME = 10_000  # far more than any grid makes; a name is held for each row, and drawn
_SEEDS = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Run:
    """A run that has a progress.txt.

    Attributes:
        exp_name: Name of the experiment.
        seed: Seed of the run; None where nothing tells it, or where it needs more than 64 bits.
        directory: The run's directory.
    """

    exp_name: str
    seed: int | None
    directory: Path

    def progress(self) -> tuple[list[str], list[list[str]]]:
        """The header and the whole rows of progress.txt, as cells of text; a row may be shorter.

        Raises:
            RecordError: The file cannot be read.
        """
        path = RunDir(self.directory).progress
        try:
            return read_ragged(path)
        except OSError as error:
            raise RecordError(f"Cannot read {path}: {error.strerror}.") from error


def find_runs(data_dir: str | os.PathLike[str]) -> list[Run]:
    """Every run at or below ``data_dir``, ordered by name, seed and directory.

    A run is a directory with a progress.txt. Directories whose name begins with a dot, such as
    ``.archive``, are not looked into, and no symbolic link below ``data_dir`` is followed: it may
    lead out of it, or count one run twice.

    Args:
        data_dir: Directory of the runs; the directory of one experiment, or of one run, will do.

    Raises:
        RecordError: ``data_dir`` is no directory, or holds no run, or cannot be read.
    """
    root = Path(data_dir)
    if not root.is_dir():
        raise RecordError(f"There is no directory {root}: nothing to read results from.")
    runs = [_identify(directory) for directory in _run_directories(root)]
    if not runs:
        raise RecordError(
            f"No run in {root}: neither it nor a directory below it has a progress.txt. "
            "Hidden directories and symbolic links were not followed."
        )
    return sorted(runs, key=_order)


def _run_directories(root: Path) -> Iterator[Path]:
    for parent, names, _ in os.walk(root, onerror=_refuse, followlinks=False):
        names[:] = [name for name in names if not name.startswith(".")]
        if _is_plain_file(RunDir(Path(parent)).progress):
            yield Path(parent)


def _refuse(error: OSError) -> None:
    """Raise RecordError for what may not be looked at; what is not there is no error."""
    # os.walk would pass over it, and the table would lack seeds without a word.
    if isinstance(error, FileNotFoundError):  # or no more: archived since its parent was listed
        return
    raise RecordError(
        f"Cannot look into {error.filename}: {error.strerror}. Make it readable, or move it elsewhere."
    ) from error


def _is_plain_file(path: Path) -> bool:
    """False for links, and for pipes, which a reader would wait on for ever."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError as error:
        _refuse(error)
        return False


def _identify(directory: Path) -> Run:
    """The run in ``directory``, as its config.json calls it, or else as its directory is called."""
    match = _DIRECTORY_NAME.fullmatch(directory.resolve().name)
    exp_name, seed = (match["exp_name"], match["seed"]) if match else (str(directory), None)
    config = _config(RunDir(directory).config)
    named = config.get("exp_name")
    if isinstance(named, str) and len(named) > _LONGEST_NAME:
        warnings.warn(
            f"The exp_name in {RunDir(directory).config} has {len(named)} characters, more than "
            f"{_LONGEST_NAME}. The run's name is taken from its directory.",
            stacklevel=2,
        )
        named = None
    return Run(
        exp_name=named if isinstance(named, str) and named else exp_name,
        seed=_seed(config.get("seed"), otherwise=seed),
        directory=directory,
    )


def _config(path: Path) -> dict[str, Any]:
    if not _is_plain_file(path):
        return {}
    try:
        return read_json_object(path)
    except (RecordError, OSError) as error:
        warnings.warn(f"{error} The run's name and seed are taken from its directory.", stacklevel=2)
        return {}


def _seed(value: object, *, otherwise: str | None) -> int | None:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    seed = value if is_integer else int(otherwise) if otherwise else None
    return seed if isinstance(seed, int) and seed in _SEEDS else None


def _order(run: Run) -> tuple[str, bool, int, str]:
    return run.exp_name, run.seed is None, run.seed or 0, str(run.directory)
