"""Where everything is: the one module that knows a file's or a directory's name."""

from __future__ import annotations

import itertools
import operator
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import UnsafePath
from spinup.fingerprint import LONGEST_NAME_BYTES, shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARCHIVE = ".archive"
LAUNCHES = ".launches"

_LARGEST_SEED_BITS = 128  # what a SeedSequence takes as one number
_LONGEST_SUFFIX = 42  # "_s", a sign, and as many digits as such a number has


@dataclass(frozen=True)
class RunDir:
    """One run's directory, and the files in it."""

    path: Path

    @property
    def config(self) -> Path:
        """The variant, JSON-safe, with ``exp_name`` and ``seed``."""
        return self.path / "config.json"

    @property
    def progress(self) -> Path:
        """The table that the logger writes, row by row."""
        return self.path / "progress.txt"

    @property
    def status(self) -> Path:
        """How the run is, or how it ended."""
        return self.path / "status.json"

    @property
    def output(self) -> Path:
        """What the run wrote to stdout and stderr."""
        return self.path / "output.log"

    @property
    def error(self) -> Path:
        """The traceback, when the thunk raised."""
        return self.path / "error.txt"

    @property
    def provenance(self) -> Path:
        """What was called, by which code, on which machine."""
        return self.path / "provenance.json"

    @property
    def result(self) -> Path:
        """What the thunk returned."""
        return self.path / "result.json"

    @property
    def payload(self) -> Path:
        """The pickled call, until the run is done."""
        return self.path / "payload.pkl"

    @property
    def lock(self) -> Path:
        """Held while the run is live. Beside the directory, which can so be moved under it."""
        return self.path.parent / f".{shorten(self.path.name, LONGEST_NAME_BYTES - 6)}.lock"


def state_file(output_dir: Path, itr: int | None) -> Path:
    """Where ``Logger.save_state`` keeps the state dict."""
    return output_dir / f"vars{'' if itr is None else itr}.pkl"


def model_file(output_dir: Path, itr: int | None) -> Path:
    """Where ``Logger.save_state`` keeps the PyTorch model."""
    return output_dir / "pyt_save" / f"model{'' if itr is None else itr}.pt"


def run_path(exp_name: str, seed: int | None, *, ymd: str = "", ymd_hms: str = "") -> str:
    """The directory of a run, relative to ``data_dir``.

    Args:
        exp_name: Name of the experiment; a ``/`` in it makes directories.
        seed: Seed of the run, or None for the directory of the experiment.
        ymd: Date before the experiment's directory, empty for none.
        ymd_hms: Date and time before the run's directory, empty for none.

    Raises:
        UnsafePath: ``exp_name`` would lead out of ``data_dir``, or ``seed`` is no integer.
    """
    if seed is None:
        check_exp_name(exp_name)
        return _experiment(exp_name, ymd)
    return run_paths(exp_name, ymd=ymd, ymd_hms=ymd_hms)(check_seed(seed))


def run_paths(exp_name: str, *, ymd: str = "", ymd_hms: str = "") -> Callable[[int], str]:
    """A function from a seed to the directory of that run, relative to ``data_dir``.

    Args:
        exp_name: As in `run_path`, checked here once for all seeds.
        ymd: As in `run_path`.
        ymd_hms: As in `run_path`.

    Raises:
        UnsafePath: ``exp_name`` would lead out of ``data_dir``.
    """
    check_exp_name(exp_name)
    experiment = _experiment(exp_name, ymd)
    stamped = f"{ymd_hms}_{exp_name}" if ymd_hms else exp_name
    if len(os.fsencode(stamped)) <= LONGEST_NAME_BYTES - _LONGEST_SUFFIX:
        beginning = os.path.join(experiment, stamped)
        return lambda seed: f"{beginning}_s{seed}"
    return lambda seed: os.path.join(experiment, _shorten_parts(stamped, suffix=f"_s{seed}"))


def _experiment(exp_name: str, ymd: str) -> str:
    return _shorten_parts(f"{ymd}_{exp_name}" if ymd else exp_name)


def check_exp_name(exp_name: str) -> None:
    """Raise UnsafePath unless ``exp_name`` stays inside ``data_dir``, whatever it is."""
    if not isinstance(exp_name, str):
        raise UnsafePath(f"exp_name must be a string, not {exp_name!r}.")
    parts = exp_name.replace("\\", "/").split("/")
    if "\0" in exp_name:
        problem = "holds a NUL character"
    elif exp_name.startswith(("/", "\\")) or (os.name == "nt" and ":" in exp_name):
        problem = "is an absolute path"
    elif any(part in {".", ".."} for part in parts):
        problem = "would leave data_dir"
    elif any(part.startswith(".") for part in parts):
        problem = "begins with a dot, and readers pass over hidden directories"
    elif any(_is_run_of(outer, inner) for outer, inner in itertools.pairwise(parts)):
        problem = "would lie inside the directory of another run"
    elif not _is_encodable(exp_name):
        problem = "holds characters that no file name can have"
    else:
        return
    raise UnsafePath(
        f"The name {exp_name!r} {problem}. Choose a plain name, and say where results go with data_dir."
    )


def _is_run_of(experiment: str, directory: str) -> bool:
    return bool(re.fullmatch(re.escape(experiment) + r"_s-?\d+", directory))


def _is_encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def check_seed(seed: Any) -> int:
    """``seed`` as an int, NumPy's integers included.

    Raises:
        UnsafePath: It is no integer; a seed is part of a directory's name.
    """
    try:
        number = operator.index(seed)
    except TypeError:
        number = None
    if number is None or isinstance(seed, bool):
        raise UnsafePath(f"A seed must be an integer, not {seed!r}: it is part of a directory's name.")
    if number.bit_length() > _LARGEST_SEED_BITS:
        raise UnsafePath(f"A seed must have at most {_LARGEST_SEED_BITS} bits; this one is larger.")
    return number


def _shorten_parts(name: str, suffix: str = "") -> str:
    *parents, last = name.split("/")
    return "/".join([*map(shorten, parents), shorten(last, LONGEST_NAME_BYTES - len(suffix)) + suffix])
