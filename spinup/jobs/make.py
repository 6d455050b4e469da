"""From what a caller asks for to a job that has been checked."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.errors import RunDirError, UnsafePath
from spinup.jobs.call import make_call
from spinup.jobs.job import Job
from spinup.rundir.layout import RunDir, check_seed, run_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Place:
    """Where results go, and under which time.

    Attributes:
        data_dir: As the caller gave it.
        ymd: Date for the directories' names; empty for none.
        ymd_hms: Date and time, of the same moment.
    """

    data_dir: str
    ymd: str = ""
    ymd_hms: str = ""

    def output_dir(self, exp_name: str, seed: int | None) -> str:
        """The directory of an experiment, or with a seed of one of its runs.

        Raises:
            UnsafePath: The directory would not be in ``data_dir``.
        """
        return os.path.join(self.data_dir, run_path(exp_name, seed, ymd=self.ymd, ymd_hms=self.ymd_hms))


def make_job(
    exp_name: str,
    thunk: Callable[..., Any],
    kwargs: Mapping[str, Any],
    *,
    seed: Any = 0,
    num_cpu: Any = 1,
    place: Place,
    chosen: Mapping[str, Any] | None = None,
    ablation: Mapping[str, Any] | None = None,
) -> Job:
    """The job of calling ``thunk`` with ``kwargs``, once everything about it that can be checked is.

    Args:
        exp_name: Name of the experiment.
        thunk: What to call.
        kwargs: Its hyperparameters; ``logger_kwargs`` among them says where the run's directory is.
        seed: Seed of the run.
        num_cpu: Processes of the run, or ``'auto'``.
        place: Where results go.
        chosen: Parameters that are no argument of the thunk, for the record.
        ablation: What an ablation has changed, for the record.

    Raises:
        UnsafePath: The name or the seed is not fit for a directory.
        UnsupportedNumCpu: That many processes cannot be had.
        ThunkError: The thunk cannot be called like this.
        UnknownEnvironment: ``env_name`` is not known.
    """
    seed = check_seed(seed)
    # Absolute, since a thunk may change its working directory before it makes its logger.
    output_dir = os.path.abspath(place.output_dir(exp_name, seed))
    data_dir = os.path.abspath(place.data_dir)
    own = kwargs.get("logger_kwargs")
    if isinstance(own, dict) and own.get("output_dir"):
        output_dir = os.path.abspath(check_path(own["output_dir"], "logger_kwargs['output_dir']"))
        data_dir = os.path.dirname(output_dir)
    call = make_call(
        thunk, kwargs, seed=seed, logger_kwargs={"output_dir": output_dir, "exp_name": exp_name}
    )
    asked = {name: value for name, value in kwargs.items() if name != "logger_kwargs"}
    return Job(
        exp_name=exp_name,
        seed=seed,
        run_dir=RunDir(Path(output_dir)),
        data_dir=Path(data_dir),
        call=call,
        parameters={**asked, **(chosen or {})},
        num_cpu=num_cpu,
        ablation=ablation,
    )


def check_path(path: Any, name: str) -> str:
    """``path`` as a string, with the user's home in place of ``~``.

    Args:
        path: A string or path.
        name: What to call it in the error.

    Raises:
        UnsafePath: It is something else, or holds what no path can.
    """
    try:
        text = os.fspath(path)
        if isinstance(text, str) and text and b"\0" not in os.fsencode(text):
            return os.path.expanduser(text)
    except (TypeError, UnicodeEncodeError):
        pass
    raise UnsafePath(f"{name} must be the path of a directory, without a NUL character, not {path!r}.")


def check_data_dir(data_dir: Path, *, is_dry: bool = False) -> None:
    """Make ``data_dir``, and raise RunDirError unless files can be written in it.

    Args:
        data_dir: Where results go.
        is_dry: Make nothing: the directory counts in which ``data_dir`` would be made.
    """
    try:
        place = data_dir
        if is_dry:
            place = next(path for path in (data_dir, *data_dir.parents) if os.path.lexists(path))
        else:
            place.mkdir(parents=True, exist_ok=True)
        # Mostly without a name, which nobody can put a link under, and a killed process cannot leave; else
        # with one of those that `spinup.rundir.atomic` gives.
        tempfile.TemporaryFile(dir=place, prefix=".writable.", suffix=".tmp").close()
    except OSError as error:
        raise RunDirError(
            f"Results cannot be written to {data_dir}: {error}. "
            "Nothing was started; choose another data_dir."
        ) from error
