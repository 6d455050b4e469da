"""The variants that a picture shows: which parameters tell them apart, and how their values read."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from spinup.errors import PlotError
from spinup.results.groups import task_column, variants_of
from spinup.results.hyperparameters import full_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from spinup.results.groups import Variant

    FloatArray = npt.NDArray[np.float64]

_DECADES = 50  # a factor from which a logarithmic axis is the better one
_MEMBERS = {"directory": pl.String, "variant": pl.String, "task": pl.String}


def variants_of_one_task(table: pl.DataFrame, value: str) -> list[Variant]:
    """The variants of ``table``, with ``value`` as their scores; at least one.

    Raises:
        RecordError: As for `spinup.results.groups.variants_of`.
        PlotError: There are several tasks, whose scores have no common scale.
    """
    found = variants_of(table, column=value)
    tasks = [name for name in dict.fromkeys(variant.task for variant in found) if name is not None]
    if len(tasks) > 1:
        key = task_column(table)
        raise PlotError(
            f"There are {len(tasks)} tasks ({', '.join(tasks[:5])}{', ...' if tasks[5:] else ''}), whose "
            f"scores have no common scale. Draw one: table.filter(pl.col({key!r}) == {tasks[0]!r})."
        )
    return found


def scores_of(variant: Variant) -> FloatArray:
    """The score of each seed, shape (num_seeds,); NaN for a run that has none."""
    return np.array(list(variant.scores.values()), dtype=np.float64)


def varying(variants: Sequence[Variant]) -> list[str]:
    """The parameters that have more than one value."""
    return [
        key for key in variants[0].parameters if len({variant.parameters[key] for variant in variants}) > 1
    ]


def parameter_of(variants: Sequence[Variant], name: str) -> str:
    """The whole key that ``name`` means, such as ``ac_kwargs:hidden_sizes`` for ``hidden_sizes``.

    Raises:
        RecordError: No run has such a parameter, or several.
    """
    return full_key(name, variants[0].parameters)


def settings(parameters: Mapping[str, Any], keys: Iterable[str]) -> str:
    """The values of ``keys`` in words, such as ``lr=0.001, use_gae=true``."""
    return ", ".join(f"{key.rsplit(':', 1)[-1]}={value_words(parameters[key])}" for key in keys)


def value_words(value: object) -> str:
    """A parameter's value, as short as can be."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def are_numbers(values: Iterable[object]) -> bool:
    """Whether all ``values`` are numbers, truth values not among them."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def spans_decades(values: Iterable[float]) -> bool:
    """Whether a logarithmic axis is the better one for these numbers."""
    numbers = [value for value in values if math.isfinite(value)]
    return len(numbers) > 1 and min(numbers) > 0 and max(numbers) / min(numbers) >= _DECADES


def ordered(values: Iterable[Any]) -> list[Any]:
    """Different values, numbers by size, others by what they read; none last."""

    def order(value: Any) -> tuple[bool, bool, float, str]:
        is_number = are_numbers([value])
        return value is None, not is_number, float(value) if is_number else 0.0, value_words(value)

    return sorted(dict.fromkeys(values), key=order)


def order_of(mean: float | None, num_used: int, num_runs: int) -> tuple[bool, bool, bool, float]:
    """For sorting variants, the best first: what lacks results comes after what is complete.

    A seed that failed may have been the bad one, so that the mean of the others flatters; and one seed
    alone is luck beside several.

    Args:
        mean: Over the seeds that have a result; None without any.
        num_used: How many have one.
        num_runs: How many there are.
    """
    return mean is None, num_used < 2, num_used < num_runs, -(mean or 0.0)


def members_of(table: pl.DataFrame, *, task: str | None = None) -> pl.DataFrame:
    """A row for each run of ``table``: ``directory``, and ``variant`` (its label) and ``task``.

    Args:
        table: A row per run: ``spinup.load(...).table``.
        task: Column that tells tasks apart; by default, ``env_name`` and the like.

    Raises:
        RecordError: As for `spinup.results.groups.variants_of`.
    """
    # Which runs are whose is no matter of scores: any column of numbers will do.
    variants = variants_of(table.with_row_index("_row"), column="_row", task=task)
    rows = [
        (directory, variant.label, variant.task)
        for variant in variants
        for directory in variant.directories.values()
    ]
    return pl.DataFrame(rows, schema=_MEMBERS, orient="row")


def with_variants(curves: pl.DataFrame, table: pl.DataFrame, *, task: str | None = None) -> pl.DataFrame:
    """``curves`` with the columns ``variant`` and ``task`` (null where there is one).

    A run that has no row yet gets one of nulls, so that it counts among the seeds of its variant.

    Args:
        curves: A row per logged row, with ``directory``: ``spinup.load(...).curves``.
        table: A row per run: ``spinup.load(...).table``.
        task: Column of ``table`` that tells tasks apart; by default, ``env_name`` and the like.

    Raises:
        RecordError: As for `spinup.results.groups.variants_of`.
    """
    found = members_of(table, task=task)
    rows = curves.drop("variant", "task", strict=False)
    begun = rows.join(found, on="directory", how="left", maintain_order="left")
    others = found.join(rows, on="directory", how="anti", maintain_order="left")
    others = others.join(table.select("directory", "exp_name", "seed"), on="directory", how="left")
    return pl.concat(
        [begun, others.select(name for name in begun.columns if name in others.columns)], how="diagonal"
    )


def names_beside(variants: Sequence[Variant], keys: Sequence[str]) -> list[str]:
    """What tells variants apart beside the values of ``keys``; empty for each where these tell all.

    Names such as ``ppo_lr1``, ``ppo_lr2`` and ``sac_lr1``, for the key ``lr``, come to ``ppo``, ``ppo`` and
    ``sac``: the parts of a name that follow from the values say nothing new. Where names have
    not as many parts each, all of a name is told.
    """
    values = [tuple(value_words(variant.parameters[key]) for key in keys) for variant in variants]
    if len(set(values)) == len(variants):
        return [""] * len(variants)
    parts = [variant.exp_name.split("_") for variant in variants]
    if len({len(each) for each in parts}) > 1:
        return [variant.exp_name for variant in variants]
    columns = [column for column in zip(*parts, strict=True) if not _follows(column, values)]
    return ["_".join(each) for each in zip(*columns, strict=True)]


def _follows(parts: Sequence[str], values: Sequence[tuple[str, ...]]) -> bool:
    """Whether each of ``values`` has one of ``parts`` only."""
    return len(set(zip(values, parts, strict=True))) == len(set(values))
