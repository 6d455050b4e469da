"""`spinup.load`: the runs below some directories, to be looked through, divided and read."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spinup.results.columns import RETURN, STEPS, ColumnMap, Selection
from spinup.results.hyperparameters import asked, full_key, text_of
from spinup.results.show import html_of
from spinup.results.variants import variants_of, varying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import polars as pl

    from spinup.results.curves import Rows
    from spinup.results.runs import Run
    from spinup.results.variants import Variant

    Path = str | os.PathLike[str]

_FACTS: dict[str, Callable[[Run], Any]] = {
    "exp_name": lambda run: run.exp_name,
    "seed": lambda run: run.seed,
    "directory": lambda run: run.path,
    "state": lambda run: run.state,
}


def load(path: Path | Iterable[Path], *more: Path, columns: Mapping[str, str] | None = None) -> RunSet:
    """The runs at or below one or several directories, of this package or not.

    Read are configurations and states; rows only once they are asked for. Nothing is unpickled, evaluated
    or written. The directories may be those of Spinning Up (``config.json``, ``progress.txt``), or hold a
    ``progress.csv`` or ``monitor.csv`` of Stable-Baselines3, or event files of TensorBoard, as CleanRL's
    (these need ``pip install 'spinup[tb]'``). Of several such files, the first of these is read.

    Args:
        path: A directory, a glob such as ``data/ppo-*``, or several of these. It means itself alone:
            ``data/exp_s1`` is not ``data/exp_s10``.
        more: Further ones.
        columns: Names that are to be read as ``steps`` or ``return`` besides the usual ones, as in
            ``{"eval/score": "return"}``; they come first.

    Raises:
        RecordError: A path is no directory, a glob matches none, there is no run, or a directory cannot be
            looked into.
    """
    from spinup.results.runs import find_runs  # noqa: PLC0415 - needs polars, and `import *` does not

    paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    return RunSet(tuple(find_runs(*paths, *more)), ColumnMap(dict(columns or {})))


@dataclass(frozen=True, eq=False)
class RunSet:
    """Some runs, as their directories were when they were loaded; rows are read once, at the first use.

    Attributes:
        runs: Ordered by name, seed and directory.
        names: What is read as ``steps`` and as ``return``.
    """

    runs: tuple[Run, ...]
    names: ColumnMap = field(default_factory=ColumnMap, repr=False)

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __repr__(self) -> str:
        return f"<RunSet: {summary_of(self)}>"

    def _repr_html_(self) -> str:
        return html_of(summary_of(self), self.table, self.hyperparameters)

    @cached_property
    def states(self) -> pl.DataFrame:
        """A row for each run, without what is in its rows: this is quick for thousands of runs.

        Columns: ``exp_name``, ``seed``, ``directory``, ``state`` (done, failed, running, queued,
        interrupted, unknown), ``reason``, ``is_baseline``, ``changed``, ``started_at``, ``duration_s``.
        """
        from spinup.results.run_table import states_of  # noqa: PLC0415

        return states_of(self.runs)

    @cached_property
    def table(self) -> pl.DataFrame:
        """A row for each run: those of `states`, then what its rows came to, code and hyperparameters.

        ``num_rows``; ``steps`` (the last); ``last`` (the return: mean of the last 5 rows that have one; NaN
        where the run has diverged); ``best`` (the highest return, null where there is none); ``code`` (the
        same where the code was the same), ``commit``, ``is_dirty``; and a column for each hyperparameter by
        its key in a grid, such as ``ac_kwargs:hidden_sizes``: of the values' type where they have one,
        else JSON text; null where a run has it not.
        """
        from spinup.results.run_table import table_of  # noqa: PLC0415

        return table_of(self.runs, self.names)

    @property
    def curves(self) -> pl.DataFrame:
        """A row for each row of each run: all that was logged.

        Columns: ``exp_name``, ``seed``, ``directory``, ``steps``, ``return``, then those of all files by
        their own names. One is Float64 where every filled cell of every run is a number, else text. Null:
        the cell is empty, or the run lacks the column. A column of a file that bears a name already taken
        gets `` (progress)`` appended.
        """
        from spinup.results.curves import curves_of  # noqa: PLC0415

        return curves_of(self.runs, self._rows)

    def read(self, columns: Iterable[str]) -> pl.DataFrame:
        """As `curves`, with these columns alone, which is several times as fast.

        Args:
            columns: As `curves` names them; name, seed and directory of the run are always there.

        Raises:
            RecordError: No run has one of them.
        """
        from spinup.results.curves import curves_of, read_rows  # noqa: PLC0415

        wanted = (columns,) if isinstance(columns, str) else tuple(columns)
        rows = read_rows(self.runs, Selection(wanted, self.names))
        found = curves_of(self.runs, rows)
        for name in wanted:
            if name not in found.columns:
                full_key(name, [STEPS, RETURN, *self.curves.columns])
        identity = [name for name in ("exp_name", "seed", "directory") if name not in wanted]
        return found.select(*identity, *dict.fromkeys(wanted))

    @property
    def notes(self) -> list[str]:
        """What was left out or is odd, a line each: torn lines, damaged files, cells that are no number.

        All rows are read for it.
        """
        from spinup.results.curves import diverged  # noqa: PLC0415

        seen = [(run.path, note) for run in self.runs for note in run.notes]
        rows = self._rows
        return [f"{path}: {note}" for path, note in [*seen, *rows.notes, *diverged(self.runs, rows)]]

    @cached_property
    def hyperparameters(self) -> dict[str, list[Any]]:
        """The hyperparameters that have several values among these runs, and the values."""
        return varying(run.hyperparameters for run in self.runs)

    @cached_property
    def constants(self) -> dict[str, Any]:
        """The hyperparameters that have one value in all of these runs that have them."""
        every = {key: value for run in self.runs for key, value in run.hyperparameters.items()}
        return {key: value for key, value in every.items() if key not in self.hyperparameters}

    @cached_property
    def variants(self) -> list[Variant]:
        """What differs in more than the seed: the runs by name and hyperparameters."""
        return variants_of(self.runs)

    def by_variant(self) -> Iterator[tuple[str, RunSet]]:
        """The name and the runs of each variant: its runs differ in nothing but the seed."""
        for variant in self.variants:
            yield variant.name, self._of(variant.runs)

    def group_by(self, key: str) -> Iterator[tuple[Any, RunSet]]:
        """The runs by their value of a hyperparameter, lowest first; None for those that lack it.

        Args:
            key: As for `where`.

        Raises:
            RecordError: No run has ``key``.
        """
        value_of = self._reader(key)
        groups: dict[str, list[Run]] = {}
        for run in self.runs:
            groups.setdefault(text_of(value_of(run)), []).append(run)
        in_order = sorted(groups.values(), key=lambda runs: _order(value_of(runs[0])))
        # No generator: a wrong key is told where it was asked for, not where the groups are read.
        return ((value_of(runs[0]), self._of(runs)) for runs in in_order)

    def where(self, conditions: Mapping[str, Any] | None = None, /, **more: Any) -> RunSet:
        """The runs that have these hyperparameters.

        Values are compared as config.json has them: ``(64, 64)`` is ``[64, 64]``, a class its name, 1 is
        1.0. None also means a run that lacks the hyperparameter.

        Args:
            conditions: By key, for keys that are no Python names: ``{"ac_kwargs:hidden_sizes": [64, 64]}``.
                The last part of a key will do where it is one key's alone: ``hidden_sizes``.
            more: The same, as in ``lr=3e-4``; ``exp_name``, ``seed``, ``directory`` and ``state`` too.

        Raises:
            RecordError: No run has such a key.
        """
        runs = self.runs
        for key, value in {**(conditions or {}), **more}.items():
            value_of, wanted = self._reader(key), asked(value)
            runs = tuple(run for run in runs if text_of(value_of(run)) == wanted)
        return self._of(runs)

    def filter(self, predicate: Callable[[Run], bool]) -> RunSet:
        """The runs for which ``predicate`` is true, as in ``lambda run: run.seed < 3``."""
        return self._of(run for run in self.runs if predicate(run))

    @cached_property
    def _rows(self) -> Rows:
        from spinup.results.curves import read_rows  # noqa: PLC0415

        return read_rows(self.runs, Selection(None, self.names))

    def _of(self, runs: Iterable[Run]) -> RunSet:
        return RunSet(tuple(runs), self.names)

    def _reader(self, key: str) -> Callable[[Run], Any]:
        """How to get the value of ``key``; a hyperparameter comes before a fact of the same name."""
        keys = [*dict.fromkeys(key for run in self.runs for key in run.hyperparameters), *_FACTS]
        name = full_key(key, keys) if self.runs else key
        if name in _FACTS and not any(name in run.hyperparameters for run in self.runs):
            return _FACTS[name]
        return lambda run: run.hyperparameters.get(name)


def summary_of(runs: RunSet) -> str:
    """How many runs of how many variants there are, and in which states."""
    if not runs.runs:
        return "no runs"
    states = Counter(run.state for run in runs)
    counted = ", ".join(f"{number} {state}" for state, number in states.most_common())
    return f"{_many(len(runs), 'run')} of {_many(len(runs.variants), 'variant')}, {counted}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers first, by size; then texts and lists; None last."""
    if value is None:
        return 2, 0.0, ""
    is_number = isinstance(value, (int, float)) and abs(value) < 1e300
    return (0, float(value), "") if is_number else (1, 0.0, text_of(value))
