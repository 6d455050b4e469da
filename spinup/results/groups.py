"""The runs of a table by variant and by task: what belongs together, and what it is called."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from spinup.errors import RecordError
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import polars as pl

#: Columns of a run table that are no hyperparameter.
RUN_COLUMNS: Final = frozenset(
    {
        *("exp_name", "seed", "directory", "state", "reason", "is_baseline", "changed", "started_at"),
        *("duration_s", "num_rows", "steps", "last", "best", "code", "commit", "is_dirty"),
    }
)
#: States whose result counts. What is running has not come to its return yet; what has no status.json,
#: such as Spinning Up's own runs, is taken as finished.
FINISHED: Final = frozenset({"done", "unknown"})

_TASK_NAMES = ("env_name", "env", "env_id", "env_fn", "task")
_MOST_NAMES = 10


@dataclass(frozen=True)
class Variant:
    """The runs that differ in their seed only.

    Attributes:
        label: What it changes against the baseline of an ablation, else its name; within a task, each
            has another.
        exp_name: Name of the experiment.
        task: Environment, where the table has several; else None.
        is_baseline: Marked as the one that the others are compared with.
        parameters: Its hyperparameters by flattened key, the task not among them.
        scores: By seed; NaN for a run that failed, diverged or is not finished.
    """

    label: str
    exp_name: str
    task: str | None
    is_baseline: bool
    parameters: Mapping[str, Any]
    scores: Mapping[Hashable, float]

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


class _Key(NamedTuple):
    """What the runs of a variant share."""

    exp_name: str
    task: Any
    settings: frozenset[tuple[str, Hashable]]


def task_column(table: pl.DataFrame, task: str | None = None) -> str | None:
    """The column that tells tasks apart: ``task``, else one of the usual names if its values differ.

    Raises:
        RecordError: There is no column ``task``.
    """
    if task is not None:
        require_columns(table, [task])
        return task
    usual = (name for name in _TASK_NAMES if name in table.columns)
    return next((name for name in usual if table[name].n_unique() > 1), None)


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
    names = [name for name in parameters_of(table) if name not in {task, column}]
    groups: dict[_Key, list[dict[str, Any]]] = defaultdict(list)
    for row in table.iter_rows(named=True):
        groups[_key(row, names, task)].append(row)
    whole = _with_early_ends(groups)
    found = [_variant(rows, names, column, task) for rows in whole]
    return _labelled(found, [_changes(rows[0]) for rows in whole])


def _key(row: Mapping[str, Any], names: Sequence[str], task: str | None) -> _Key:
    settings = frozenset((name, _hashable(row[name])) for name in names if row[name] is not None)
    return _Key(row["exp_name"], row[task] if task else None, settings)


def _with_early_ends(groups: Mapping[_Key, list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """The groups, each with its runs that ended too early to note all of their hyperparameters.

    What an algorithm adds to config.json is missing there; such a run is a seed that failed, and no
    variant of its own. It goes with the one group that has all it has, where there is one.
    """
    whole = {key: list(rows) for key, rows in groups.items()}
    for key, rows in groups.items():
        if any(row.get("state", "unknown") in FINISHED for row in rows):
            continue
        wider = [other for other in whole if other[:2] == key[:2] and key.settings < other.settings]
        if len(wider) == 1:
            whole[wider[0]] += whole.pop(key)
    return list(whole.values())


def _variant(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], column: str, task: str | None
) -> Variant:
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
        is_finished = row.get("state", "unknown") in FINISHED
        directories[seed] = row["directory"]
        scores[seed] = float(row[column]) if is_finished and row[column] is not None else math.nan
    return Variant(
        label=first["exp_name"],
        exp_name=first["exp_name"],
        task=None if task is None else str(first[task]),
        is_baseline=any(row.get("is_baseline") for row in rows),
        parameters={name: _hashable(first[name]) for name in names},
        scores=scores,
    )


def _hashable(value: object) -> Hashable:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _changes(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row.get("changed") or ())


def _labelled(variants: Sequence[Variant], changes: Sequence[tuple[str, ...]]) -> list[Variant]:
    """``variants`` with labels that differ within each task, and are the same across tasks."""
    num_tasks = len({variant.task for variant in variants})
    per_task = Counter((variant.task, keys) for variant, keys in zip(variants, changes, strict=True))
    names = Counter((variant.task, variant.exp_name) for variant in variants)
    varying = _varying([variant.parameters for variant in variants])
    labelled = []
    for variant, keys in zip(variants, changes, strict=True):
        settings = _settings(variant, varying)
        label = variant.exp_name
        if keys:
            is_alone = per_task[variant.task, keys] == 1
            label = ", ".join(keys) if is_alone else _settings(variant, keys)
        elif variant.is_baseline and num_tasks > 1:
            label = "baseline"
        elif num_tasks > 1:
            label = settings or variant.exp_name
        elif names[variant.task, variant.exp_name] > 1:
            label = f"{variant.exp_name} ({settings})"
        labelled.append(_with_label(variant, label))
    return labelled


def _with_label(variant: Variant, label: str) -> Variant:
    return Variant(
        label, variant.exp_name, variant.task, variant.is_baseline, variant.parameters, variant.scores
    )


def _varying(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in parameters[0] if len({each[name] for each in parameters}) > 1]


def _settings(variant: Variant, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={variant.parameters.get(name)}" for name in names)


def baselines_of(variants: Sequence[Variant], baseline: str | None = None) -> dict[str | None, Variant]:
    """The variant of each task that the others are compared with.

    Args:
        variants: As from `variants_of`.
        baseline: Its ``exp_name`` or label; by default, the one that is marked.

    Raises:
        RecordError: A task has none, or several.
    """
    chosen = [variant for variant in variants if _is_chosen(variant, baseline)]
    if baseline is not None and chosen:
        # A name often has the environment in it: the same hyperparameters are the baseline elsewhere.
        settings = [variant.parameters for variant in chosen]
        known = {variant.task for variant in chosen}
        chosen += [v for v in variants if v.task not in known and v.parameters in settings]
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


def _is_chosen(variant: Variant, baseline: str | None) -> bool:
    return variant.is_baseline if baseline is None else baseline in {variant.exp_name, variant.label}


def _names(variants: Sequence[Variant]) -> str:
    names = list(dict.fromkeys(variant.exp_name for variant in variants))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
