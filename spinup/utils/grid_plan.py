"""What a grid has to run, and why: every variant looked at and checked before the first one starts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError, UnsafePath
from spinup.grid.variants import make_builder
from spinup.jobs.code import changed
from spinup.jobs.environments import MakeEnvironment
from spinup.jobs.identity import call_part, parameter_part, seed_part, total
from spinup.jobs.make import check_data_dir, make_job
from spinup.jobs.payload import check_picklable
from spinup.rundir.layout import RunDir, check_seed, run_paths
from spinup.rundir.lock import remove_stale
from spinup.rundir.status import State, glance
from spinup.scheduler.decide import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spinup.grid import Grid
    from spinup.jobs.job import Job
    from spinup.jobs.make import Place
    from spinup.scheduler.decide import Rerun

_ATOMS = (type(None), bool, int, float, complex, str, bytes)


_UNENDED = (State.QUEUED, State.RUNNING)
_MAY_BE_STALE = (Decision.KEEP_STALE, Decision.RESTART, Decision.REDO)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run of a grid, and what is to be done about it.

    Attributes:
        name: Name of the experiment.
        seed: Seed of the run.
        directory: Where it is, or will be.
        decision: What is to be done.
        make: Makes the job, once it is its turn.
        changed: Files of its code that have changed since it was begun.
    """

    name: str
    seed: int
    directory: str
    decision: Decision
    make: Callable[[], Job]
    changed: tuple[str, ...] = ()


def plan_grid(
    grid: Grid, thunk: Any, *, num_cpu: int, place: Place, rerun: Rerun, is_dry: bool = False
) -> list[PlannedRun]:
    """The runs of ``grid``, in its order; variants that are equal in all are one run.

    Args:
        grid: The grid.
        thunk: What to call, or the key of a parameter whose values are what to call.
        num_cpu: Processes of each run.
        place: Where results go.
        rerun: What is done again.
        is_dry: Make nothing, not even the directory of the results.

    Raises:
        SpinupError: One of the runs cannot be done; says which and why.
    """
    planner = _Planner(grid, thunk, num_cpu, place)
    planner.check(is_dry=is_dry)
    plan: dict[str, PlannedRun] = {}
    identities: dict[str, str] = {}
    for run, identity in planner.runs(rerun):
        if identities.setdefault(run.directory, identity) != identity:
            raise GridError(
                f"Two variants would write to one directory, {run.directory}. Leave output_dir out of "
                "the grid's logger_kwargs, and each gets a directory of its own."
            )
        plan.setdefault(run.directory, run)
    return list(plan.values())


class _Planner:
    """One grid's planning: what is the same for many variants is worked out once."""

    def __init__(self, grid: Grid, thunk: Any, num_cpu: int, place: Place) -> None:
        self._grid = grid
        self._thunk = thunk
        self._num_cpu = num_cpu
        self._place = place
        self._pools = [parameter.values for parameter in grid.parameters]
        self._build = make_builder(grid.keys, self._pools)
        self._seed_at = grid.keys.index("seed") if "seed" in grid.keys else None
        self._codes: dict[tuple[int, ...], Mapping[str, str]] = {}

    def check(self, *, is_dry: bool) -> None:
        """Raise the error of whatever cannot work, before anything is started or looked at."""
        grid, thunk = self._grid, self._thunk
        _check_thunk_key(grid, thunk)
        for parameter in grid.parameters:
            if parameter.key == "env_name":
                for value in parameter.values:
                    MakeEnvironment.of(value)
            if parameter.key == "seed":
                for value in parameter.values:
                    _check_seed(value)
        # All variants have the same arguments, so that one of each thunk stands for all.
        first = [pool[0] for pool in self._pools]
        job = self._make("check", tuple(first))
        if isinstance(thunk, str):
            at = grid.keys.index(thunk)
            for function in self._pools[at]:
                self._make("check", (*first[:at], function, *first[at + 1 :]))
        _check_picklable(grid, thunk)
        check_data_dir(job.data_dir, is_dry=is_dry)

    def runs(self, rerun: Rerun) -> Iterator[tuple[PlannedRun, str]]:
        """Every run and its identity, in the grid's order."""
        parts = [self._parts(parameter.key, parameter.values) for parameter in self._grid.parameters]
        constant = 0 if isinstance(self._thunk, str) else call_part(self._thunk, self._num_cpu)
        if self._seed_at is None:
            constant += seed_part(0)
        paths: dict[str, Callable[[int], str]] = {}
        base = os.path.abspath(self._place.data_dir)
        own_places = any(key.partition(":")[0] == "logger_kwargs" for key in self._grid.keys)
        names = (name for _, name in self._grid.named_variants()) if own_places else self._grid.names()
        for values, chosen, name in zip(product(*self._pools), product(*parts), names, strict=True):
            identity = total([constant, *chosen])
            seed = 0 if self._seed_at is None else check_seed(values[self._seed_at])
            if own_places:
                directory = str(self._make(name, values).run_dir.path)
            else:
                if name not in paths:
                    paths[name] = run_paths(name, ymd=self._place.ymd, ymd_hms=self._place.ymd_hms)
                directory = f"{base}/{paths[name](seed)}"
            yield self._look_at(name, seed, directory, values, identity, rerun), identity

    def _look_at(
        self, name: str, seed: int, directory: str, values: tuple[Any, ...], identity: str, rerun: Rerun
    ) -> PlannedRun:
        seen = glance(directory)

        def make() -> Job:
            return self._make(name, values)

        if seen is None:
            # Such as Spinning Up's own: begun anew, it would be archived first.
            is_kept = rerun == "none" and _holds_something(directory)
            decision = Decision.KEEP_OTHER if is_kept else Decision.NEW
            return PlannedRun(name, seed, directory, decision, make)
        code = self._code(values) if seen.identity == identity else {}
        decision = decide(seen, identity, code, rerun)
        is_told = seen.code is not None and decision in _MAY_BE_STALE
        files = tuple(changed(seen.code or {}, code)) if is_told else ()
        if seen.state in _UNENDED and decision.is_to_run and _is_live(directory):
            decision, files = Decision.ELSEWHERE, ()
        return PlannedRun(name, seed, directory, decision, make, files)

    def _make(self, name: str, values: tuple[Any, ...]) -> Job:
        variant = self._build(values)
        seed = variant.pop("seed", 0)
        thunk = self._thunk
        chosen = {thunk: variant.pop(thunk)} if isinstance(thunk, str) else {}
        function: Callable[..., Any] = chosen[thunk] if isinstance(thunk, str) else thunk
        return make_job(
            name, function, variant, seed=seed, num_cpu=self._num_cpu, place=self._place, chosen=chosen
        )

    def _parts(self, key: str, values: Sequence[Any]) -> list[int]:
        """What each value of a parameter adds to the identity."""
        if key == "seed":
            return [seed_part(check_seed(value)) for value in values]
        if key.partition(":")[0] == "logger_kwargs":
            return [0] * len(values)  # where a run writes is no part of what it is
        parts = [parameter_part(key, value) for value in values]
        if key == self._thunk:
            return [
                part + call_part(value, self._num_cpu) for part, value in zip(parts, values, strict=True)
            ]
        return parts

    def _code(self, values: tuple[Any, ...]) -> Mapping[str, str]:
        """Hashes of the code behind a variant; the same for all whose values hold the same code."""
        key = tuple(id(value) for value in values if not isinstance(value, _ATOMS))
        if key not in self._codes:
            self._codes[key] = self._make("code", values).code
        return self._codes[key]


def _holds_something(directory: str) -> bool:
    try:
        with os.scandir(directory) as found:
            return any(found)
    except FileNotFoundError:
        return False
    except OSError:  # a file, or what this user may not look into
        return True


def _is_live(directory: str) -> bool:
    """Whether another launcher is doing the run right now."""
    with suppress(OSError):
        return not remove_stale(RunDir(Path(directory)))
    return False


def _check_seed(seed: Any) -> None:
    try:
        check_seed(seed)
    except UnsafePath as error:
        if isinstance(seed, Iterable) and not isinstance(seed, str):
            raise UnsafePath(
                f"{error} Several seeds are a list, as in add('seed', [0, 10, 20])."
            ) from error
        raise


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
