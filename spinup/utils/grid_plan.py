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
from spinup.grid.grid import pools_of
from spinup.grid.part import looked_through
from spinup.grid.variants import ABSENT, Builder
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
    from collections.abc import Callable, Iterator, Mapping

    from spinup.grid import Grid
    from spinup.grid.axes import Change
    from spinup.grid.space import Row
    from spinup.grid.variants import Values
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
        ablation: What an ablation has changed in it, as config.json says it; None without one.
    """

    name: str
    seed: int
    directory: str
    decision: Decision
    make: Callable[[], Job]
    changed: tuple[str, ...] = ()
    ablation: Mapping[str, Any] | None = None


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
        self._columns = grid.columns
        self._build = Builder(self._columns, pools_of(grid.source))
        self._seed_at = self._columns.index("seed") if "seed" in self._columns else None
        # By the values' addresses, which stay theirs: the grid holds its values, this list all others.
        self._rows = None if grid.is_plain else list(looked_through(grid.source))
        self._parts: list[dict[int, int]] = [{} for _ in self._columns]
        self._codes: dict[tuple[int, ...], Mapping[str, str]] = {}

    def check(self, *, is_dry: bool) -> None:
        """Raise the error of whatever cannot work, before anything is started or looked at."""
        _check_thunk_key(self._grid, self._thunk)
        # A program that is no Python may know environments that Gymnasium does not.
        if getattr(self._thunk, "makes_environments", True):
            for value in self._values_of("env_name"):
                MakeEnvironment.of(value)
        for value in self._values_of("seed"):
            _check_seed(value)
        data_dir = Path(os.path.abspath(self._place.data_dir))
        for values in self._examples():
            data_dir = self._make("check", values).data_dir
        self._check_picklable()
        check_data_dir(data_dir, is_dry=is_dry)

    def runs(self, rerun: Rerun) -> Iterator[tuple[PlannedRun, str]]:
        """Every run and its identity, in the grid's order."""
        paths: dict[str, Callable[[int], str]] = {}
        base = os.path.abspath(self._place.data_dir)
        own_places = any(key.partition(":")[0] == "logger_kwargs" for key in self._columns)
        rows = self._grid.rows() if self._rows is None else self._rows
        for row, identity in zip(rows, self._identities(), strict=True):
            values, name, _ = row
            seed = 0 if self._seed_at is None else _seed(values[self._seed_at])
            if own_places:
                directory = str(self._make(name, values).run_dir.path)
            else:
                if name not in paths:
                    paths[name] = run_paths(name, ymd=self._place.ymd, ymd_hms=self._place.ymd_hms)
                directory = f"{base}/{paths[name](seed)}"
            yield self._look_at(row, seed, directory, identity, rerun), identity

    def _identities(self) -> Iterator[str]:
        constant = 0 if isinstance(self._thunk, str) else call_part(self._thunk, self._num_cpu)
        if self._seed_at is None:
            constant += seed_part(0)
        if self._rows is None:
            parameters = enumerate(self._grid.parameters)
            parts = [[self._part(at, value) for value in parameter.values] for at, parameter in parameters]
            yield from (total([constant, *chosen]) for chosen in product(*parts))
            return
        for values, _, _ in self._rows:
            yield total([constant, *map(self._part, range(len(values)), values)])

    def _look_at(self, row: Row, seed: int, directory: str, identity: str, rerun: Rerun) -> PlannedRun:
        values, name, change = row
        seen = glance(directory)
        mark = None if change is None else change.mark

        def make() -> Job:
            return self._make(name, values, change)

        if seen is None:
            decision = _decide_without_record(directory, rerun)
            return PlannedRun(name, seed, directory, decision, make, ablation=mark)
        code = self._code(values) if seen.identity == identity else {}
        decision = decide(seen, identity, code, rerun)
        is_told = seen.code is not None and decision in _MAY_BE_STALE
        files = tuple(changed(seen.code or {}, code)) if is_told else ()
        if seen.state in _UNENDED and decision.is_to_run and _is_live(directory):
            decision, files = Decision.ELSEWHERE, ()
        return PlannedRun(name, seed, directory, decision, make, files, mark)

    def _make(self, name: str, values: Values, change: Change | None = None) -> Job:
        variant = self._build(values)
        seed = variant.pop("seed", 0)
        thunk = self._thunk
        chosen = {thunk: variant.pop(thunk)} if isinstance(thunk, str) else {}
        return make_job(
            name,
            chosen[thunk] if isinstance(thunk, str) else thunk,
            variant,
            seed=seed,
            num_cpu=self._num_cpu,
            place=self._place,
            chosen=chosen,
            ablation=None if change is None else change.mark,
        )

    def _part(self, at: int, value: Any) -> int:
        """What the value in column ``at`` adds to the identity."""
        known = self._parts[at]
        part = known.get(id(value))
        if part is None:
            part = known[id(value)] = self._new_part(self._columns[at], value)
        return part

    def _new_part(self, key: str, value: Any) -> int:
        if key == "seed":
            return seed_part(_seed(value))
        if value is ABSENT or key.partition(":")[0] == "logger_kwargs":
            return 0  # where a run writes is no part of what it is
        part = parameter_part(key, value)
        return part + call_part(value, self._num_cpu) if key == self._thunk else part

    def _code(self, values: Values) -> Mapping[str, str]:
        """Hashes of the code behind a variant; the same for all whose values hold the same code."""
        key = tuple(id(value) for value in values if not _is_data(value))
        if key not in self._codes:
            self._codes[key] = self._make("code", values).code
        return self._codes[key]

    def _values_of(self, key: str) -> list[Any]:
        """The values of a column in some variant."""
        if key not in self._columns:
            return []
        at = self._columns.index(key)
        if self._rows is None:
            return list(self._grid.parameters[at].values)
        values = {id(row[0][at]): row[0][at] for row in self._rows}
        return [value for value in values.values() if value is not ABSENT]

    def _examples(self) -> list[Values]:
        """Variants that have between them every thunk, and every set of arguments, that any has."""
        thunk_at = self._columns.index(self._thunk) if isinstance(self._thunk, str) else None
        if self._rows is None:
            first = tuple(parameter.values[0] for parameter in self._grid.parameters)
            if thunk_at is None:
                return [first]
            return [
                (*first[:thunk_at], function, *first[thunk_at + 1 :])
                for function in self._grid.parameters[thunk_at].values
            ]
        examples: dict[object, Values] = {}
        for values, name, _ in self._rows:
            function = None if thunk_at is None else values[thunk_at]
            if function is ABSENT:
                raise GridError(f"run({self._thunk!r}) cannot run {name!r}, which has no {self._thunk!r}.")
            kind = (id(function), *(value is ABSENT for value in values))
            examples.setdefault(kind, values)
        return list(examples.values())

    def _check_picklable(self) -> None:
        if not isinstance(self._thunk, str):
            check_picklable(self._thunk, "The thunk")
        for parameter in self._grid.parameters:
            for place, value in enumerate(parameter.values):
                if not isinstance(value, _ATOMS) and value is not ABSENT and not parameter.is_drawn:
                    check_picklable(value, f"Value {place} of the parameter {parameter.key!r}")
        listed = set(self._grid.keys)
        for key in self._columns:
            for value in () if key in listed else self._values_of(key):
                if not _is_data(value):
                    check_picklable(value, f"A derived value of {key!r}")


def _is_data(value: Any) -> bool:
    """Whether there can be no code in a value."""
    if type(value) in {list, tuple}:
        return all(map(_is_data, value))
    return isinstance(value, _ATOMS)


def _seed(value: Any) -> int:
    return 0 if value is ABSENT else check_seed(value)


def _decide_without_record(directory: str, rerun: Rerun) -> Decision:
    """What to do where no status can be read."""
    if rerun == "none" and _holds_something(directory):
        # Such as Spinning Up's own: begun anew, it would be archived first.
        return Decision.KEEP_OTHER
    return Decision.DAMAGED if os.path.lexists(f"{directory}/status.json") else Decision.NEW


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
    able = [p.key for p in grid.parameters if ":" not in p.key and all(map(callable, p.present))]
    if thunk not in able:
        names = f"those of {', '.join(map(repr, able))} are" if able else "no parameter's are"
        raise GridError(
            f"run({thunk!r}) needs a parameter {thunk!r} whose values are all callable; "
            f"in this grid {names}."
        )
