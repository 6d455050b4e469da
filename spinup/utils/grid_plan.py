"""What a grid has to run: every job made and checked before the first one starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spinup.errors import GridError
from spinup.jobs.make import Place, check_data_dir, make_job
from spinup.jobs.payload import check_picklable

if TYPE_CHECKING:
    from collections.abc import Callable

    from spinup.grid import Grid
    from spinup.jobs.job import Job

_ATOMS = (type(None), bool, int, float, complex, str, bytes)


def plan_grid(grid: Grid, thunk: Any, *, num_cpu: Any, place: Place) -> list[Job]:
    """The jobs of ``grid``, in its order; variants that are equal in all are one job.

    Args:
        grid: The grid.
        thunk: What to call, or the key of a parameter whose values are what to call.
        num_cpu: Processes of each run.
        place: Where results go.

    Raises:
        SpinupError: One of the jobs cannot be done; says which and why.
    """
    _check_thunk_key(grid, thunk)
    jobs: dict[str, Job] = {}
    for variant, name in grid.named_variants():
        seed = variant.pop("seed", 0)
        chosen = {thunk: variant.pop(thunk)} if isinstance(thunk, str) else {}
        function: Callable[..., Any] = chosen[thunk] if isinstance(thunk, str) else thunk
        job = make_job(name, function, variant, seed=seed, num_cpu=num_cpu, place=place, chosen=chosen)
        other = jobs.setdefault(str(job.run_dir.path), job)
        if other.identity != job.identity:
            raise GridError(
                f"Two variants would write to one directory, {job.run_dir.path}. Leave output_dir out of "
                "the grid's logger_kwargs, and each gets a directory of its own."
            )
    _check_picklable(grid, thunk)
    for data_dir in {job.data_dir for job in jobs.values()}:
        check_data_dir(data_dir)
    return list(jobs.values())


def _check_thunk_key(grid: Grid, thunk: Any) -> None:
    if not isinstance(thunk, str):
        return
    able = [p.key for p in grid.parameters if ":" not in p.key and all(map(callable, p.values))]
    if thunk not in able:
        names = f"those of {', '.join(map(repr, able))} are" if able else "no parameter's are"
        raise GridError(
            f"run({thunk!r}) needs a parameter {thunk!r} whose values are all callable; "
            f"in this grid {names}."
        )


def _check_picklable(grid: Grid, thunk: Any) -> None:
    if not isinstance(thunk, str):
        check_picklable(thunk, "The thunk")
    for parameter in grid.parameters:
        for place, value in enumerate(parameter.values):
            if not isinstance(value, _ATOMS):
                check_picklable(value, f"Value {place} of the parameter {parameter.key!r}")
