"""Everything that has to lie in a run directory before its child starts."""

from __future__ import annotations

import inspect
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup import console
from spinup.errors import RecordError, RunDirError
from spinup.jobs.mark import write_mark
from spinup.jobs.payload import Surroundings, write_payload
from spinup.rundir.archive import UNTOLD, archive, describe_difference
from spinup.rundir.atomic import is_temporary, remove_temporary, write_text
from spinup.rundir.config import dumps
from spinup.rundir.layout import model_file
from spinup.rundir.provenance import write_provenance
from spinup.rundir.status import read_status, write_status

if TYPE_CHECKING:
    from spinup.jobs.job import Job
    from spinup.rundir.layout import RunDir
    from spinup.rundir.status import Status


def prepare(job: Job, earlier: Status | None = None) -> Status:
    """Make the job's run directory ready for its child, whose lock is held; the status that is now in it.

    Args:
        job: The run.
        earlier: The status of an attempt to go on from, whose files stay; None to begin anew, in an
            empty directory.

    Raises:
        RunDirError: The directory cannot be made, or what is in its place cannot be moved.
        NotPicklable: The call cannot be pickled.
    """
    status = job.queued(1 if earlier is None else earlier.attempt + 1)
    if earlier is None:
        make_room(job)
    run_dir = job.run_dir
    try:
        run_dir.path.mkdir(parents=True, exist_ok=True)
        if earlier is not None:
            clean(run_dir)
        # First of all: what tells a logger that it goes on from an earlier attempt.
        write_status(run_dir, status)
        # An earlier attempt may have been killed before it had both, or somebody has deleted them.
        # The child waits for the disk to have both, when it is done: here, a free slot would wait.
        if not os.path.lexists(run_dir.config):
            write_text(run_dir.config, dumps(job.config), is_durable=False)
        elif job.ablation is not None:
            with suppress(RecordError):  # damaged: said when the grid has ended
                write_mark(run_dir, job.ablation)
        if not os.path.lexists(run_dir.provenance):
            write_provenance(run_dir, job.description, _code_dir(job.call.thunk))
        if earlier is not None and earlier.has_error:  # else it is the thunk's own
            run_dir.error.unlink(missing_ok=True)  # output.log has it too
        write_payload(run_dir.payload, job.call, Surroundings.of_this_process())
    except OSError as error:
        raise RunDirError(f"The run directory {run_dir.path} cannot be written: {error}.") from error
    return status


def clean(run_dir: RunDir) -> None:
    """Remove what killed processes of the run were writing; its lock is held, and they are gone."""
    for directory in (run_dir.path, model_file(run_dir.path, None).parent):
        remove_temporary(directory)


def make_room(job: Job) -> None:
    """Move what is in the way of the job to ``.archive``, with one line that says what and why."""
    path = job.run_dir.path
    # What a launcher has left that was killed at its very first file is nothing to keep.
    if path.is_dir() and not path.is_symlink() and all(map(is_temporary, path.iterdir())):
        remove_temporary(path)
    if not path.is_symlink() and (not path.exists() or (path.is_dir() and not any(path.iterdir()))):
        return
    if not path.is_symlink() and not _holds_a_run(job.run_dir):
        raise RunDirError(
            f"{path} holds something, but no run ({_first_names(path)}), so it was left alone. "
            "Move it yourself, or choose another name or data_dir."
        )
    why = _describe_earlier(job)
    if not path.is_symlink():
        clean(job.run_dir)
    target = archive(job.run_dir, job.data_dir)
    place = os.path.relpath(target, job.data_dir)
    console.say(f"{path.name} held {why}; that was moved to {place} in {job.data_dir}.", "yellow")


def _holds_a_run(run_dir: RunDir) -> bool:
    marks = (run_dir.status, run_dir.config, run_dir.progress, run_dir.output, run_dir.payload)
    return any(os.path.lexists(mark) for mark in marks)


def _first_names(path: Path) -> str:
    names = sorted(child.name for child in path.iterdir()) if path.is_dir() else ["a file"]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _describe_earlier(job: Job) -> str:
    try:
        status = read_status(job.run_dir)
    except (RecordError, OSError):
        return "a run with a damaged record (its status.json cannot be read)"
    difference = describe_difference(job.run_dir, job.description)
    if difference:
        return f"a run with another config ({difference})"
    if status is None:
        return "something that is no run of this package"
    if status.identity != job.identity:
        return f"a run with another config ({UNTOLD})"
    return f"an earlier run of the same config ({status.state})"


def _code_dir(thunk: Any) -> Path | None:
    """Where the thunk's source is; None if it is in no file, as in a notebook."""
    function = inspect.unwrap(getattr(thunk, "func", thunk))
    with suppress(TypeError, OSError):
        file = Path(inspect.getfile(function if hasattr(function, "__qualname__") else type(function)))
        if file.is_file():
            return file.resolve().parent
    return None
