"""The runs of a table by variant and by task: what belongs together, and what it is called."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from spinup.errors import RecordError
from spinup.results import early_ends
from spinup.results.early_ends import homes
from spinup.results.labels import labels_of
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import polars as pl

    _Row = Mapping[str, Any]
    _Settings = frozenset[tuple[str, Hashable]]

#: Columns of a run table that are no hyperparameter.
RUN_COLUMNS: Final = frozenset(
    {
        *("exp_name", "seed", "directory", "state", "reason", "is_baseline", "changed", "started_at"),
        *("duration_s", "num_rows", "steps", "last", "best", "code", "commit", "is_dirty"),
    }
)
#: States whose result counts.
FINISHED: Final = early_ends.FINISHED

_TASK_NAMES = ("env_name", "env", "env_id", "env_fn", "task")
_MOST_NAMES = 10


@dataclass(frozen=True)
class Variant:
    """The runs that differ in their seed only.

    Attributes:
        label: What it changes against the baseline of an ablation, else its settings or its name; within
            a task each has another, and one variant has the same on every task.
        exp_name: Name of the experiment.
        task: Environment, where the table has several; else None.
        is_baseline: Marked as the one that the others are compared with.
        parameters: Its hyperparameters by flattened key, the task not among them.
        scores: By seed; NaN for a run that failed, diverged or is not finished.
        directories: Of its runs, by seed.
    """

    label: str
    exp_name: str
    task: str | None
    is_baseline: bool
    parameters: Mapping[str, Any]
    scores: Mapping[Hashable, float]
    directories: Mapping[Hashable, str] = field(default_factory=dict)

    @property
    def counts(self) -> tuple[int, int]:
        """Seeds that have a result, and seeds."""
        return sum(bool(is_usable(score)) for score in self.scores.values()), len(self.scores)

    @property
    def title(self) -> str:
        """The label, quoted, and the task where there are several."""
        return f"`{self.label}`" + (f" on {self.task}" if self.task is not None else "")


def parameters_of(table: pl.DataFrame) -> list[str]:
    """The hyperparameters: columns of a run table that say what was run."""
    return [name for name in table.columns if name not in RUN_COLUMNS]


def task_column(table: pl.DataFrame, task: str | None = None) -> str | None:
    """The column that tells tasks apart: ``task``, else one of the usual names if its values differ.

    Raises:
        RecordError: There is no column ``task``.
    """
    if task is not None:
        require_columns(table, [task])
        return task
    usual = (name for name in _TASK_NAMES if name in table.columns)
    return next((name for name in usual if table[name].drop_nulls().n_unique() > 1), None)


def require_columns(table: pl.DataFrame, columns: Sequence[str]) -> None:
    """Raise RecordError unless ``table`` has a run, and each of ``columns``."""
    for column in columns:
        if column not in table.columns:
            known = ", ".join(table.columns[:50])
            raise RecordError(f"There is no column {column!r} among the runs'. There is: {known}.")
    if table.is_empty():
        raise RecordError("There is no run in the table.")


def variants_of(table: pl.DataFrame, *, column: str = "last", task: str | None = None) -> list[Variant]:
    """The variants, in the order of their first runs.

    Args:
        table: One row per run: a run table.
        column: Score of a run.
        task: Column that tells tasks apart; by default, ``env_name`` and the like if its values differ.

    Raises:
        RecordError: A column is missing or holds no numbers, the table has no run, or a seed of a
            variant was run twice.
    """
    require_columns(table, ["exp_name", "seed", "directory", column])
    if not table.schema[column].is_numeric() and table[column].null_count() < len(table):
        raise RecordError(f"Column {column!r} of the table of runs holds no numbers.")
    task = task_column(table, task)
    keys = [name for name in parameters_of(table) if name != column]
    names = [name for name in keys if name != task]
    groups = _grouped(table, keys)
    found = [_variant(rows, names, column, task) for rows in groups]
    labels = labels_of(found, [_changes(rows[0]) for rows in groups])
    return [replace(variant, label=label) for variant, label in zip(found, labels, strict=True)]


def _grouped(table: pl.DataFrame, keys: Sequence[str]) -> list[list[_Row]]:
    """The rows of each variant, one that has all of its settings first."""
    experiments: dict[str, dict[_Settings, list[_Row]]] = {}
    for row in table.iter_rows(named=True):
        groups = experiments.setdefault(row["exp_name"], {})
        groups.setdefault(_settings(row, keys), []).append(row)
    return [rows for groups in experiments.values() for rows in _whole(groups)]


def _settings(row: _Row, keys: Sequence[str]) -> _Settings:
    return frozenset((name, _hashable(row[name])) for name in keys if row[name] is not None)


def _whole(groups: Mapping[_Settings, list[_Row]]) -> list[list[_Row]]:
    """The groups of one name, each with its runs that ended before they had noted all of their settings."""
    finished = {own for own, rows in groups.items() if any(_is_finished(row) for row in rows)}
    home = homes(groups, finished)
    whole = {own: list(rows) for own, rows in groups.items() if home[own] == own}
    for own, rows in groups.items():
        if home[own] != own:
            whole[home[own]] += rows
    return list(whole.values())


def _is_finished(row: _Row) -> bool:
    return row.get("state", "unknown") in FINISHED


def _variant(rows: Sequence[_Row], names: Sequence[str], column: str, task: str | None) -> Variant:
    first = rows[0]
    directories: dict[Hashable, str] = {}
    scores: dict[Hashable, float] = {}
    for row in rows:
        # A run whose seed is unknown is a seed of its own, and nobody's pair.
        seed = row["directory"] if row["seed"] is None else row["seed"]
        if seed in scores:
            raise RecordError(
                f"Seed {seed} of {first['exp_name']!r} is there twice: {directories[seed]}, "
                f"{row['directory']}. Move one elsewhere, or filter the table by its column 'directory'."
            )
        directories[seed] = row["directory"]
        scores[seed] = float(row[column]) if _is_finished(row) and row[column] is not None else math.nan
    return Variant(
        label=first["exp_name"],
        exp_name=first["exp_name"],
        task=None if task is None else str(first[task]),
        is_baseline=any(row.get("is_baseline") for row in rows),
        parameters={name: _hashable(first[name]) for name in names},
        scores=scores,
        directories=directories,
    )


def _hashable(value: object) -> Hashable:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _changes(row: _Row) -> tuple[str, ...]:
    return tuple(row.get("changed") or ())


def baselines_of(variants: Sequence[Variant], baseline: str | None = None) -> dict[str | None, Variant]:
    """The variant of each task that the others are compared with.

    Args:
        variants: As from `variants_of`.
        baseline: Its ``exp_name`` or label; by default, the one that is marked.

    Raises:
        RecordError: A task has none, or several.
    """
    chosen = [variant for variant in variants if _is_chosen(variant, baseline)]
    if baseline is not None:
        chosen += _elsewhere(variants, chosen)
    found: dict[str | None, Variant] = {}
    for variant in chosen:
        if variant.task in found:
            raise RecordError(
                f"{found[variant.task].title} and {variant.title} are both a baseline. Say which one to "
                f"compare with: {_names(variants)}."
            )
        found[variant.task] = variant
    if lacking := [variant for variant in variants if variant.task not in found]:
        where = "" if lacking[0].task is None else f" on {lacking[0].task}"
        what = "No variant is marked as the baseline" if baseline is None else f"No variant {baseline!r}"
        raise RecordError(f"{what}{where}. Name the one to compare with: {_names(lacking)}.")
    return found


def _elsewhere(variants: Sequence[Variant], chosen: Sequence[Variant]) -> list[Variant]:
    """The same variants on the other tasks: a name often has the environment in it."""
    known = {variant.task for variant in chosen}
    others = [variant for variant in variants if variant.task not in known]
    labels = {variant.label for variant in chosen}
    found = [variant for variant in others if variant.label in labels]
    known |= {variant.task for variant in found}
    settings = [variant.parameters for variant in chosen]
    return found + [v for v in others if v.task not in known and v.parameters in settings]


def _is_chosen(variant: Variant, baseline: str | None) -> bool:
    return variant.is_baseline if baseline is None else baseline in {variant.exp_name, variant.label}


def _names(variants: Sequence[Variant]) -> str:
    names = list(dict.fromkeys(variant.exp_name for variant in variants))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
