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
    # Its own number is a run's score here, so that each variant says which rows are its runs; and all
    # runs count, where a score counts of finished ones only.
    numbered = table.drop("state", strict=False).with_row_index("_row")
    names = [
        (table["directory"][int(row)], variant.label, variant.task)
        for variant in variants_of(numbered, column="_row", task=task)
        for row in variant.scores.values()
    ]
    schema = {"directory": pl.String, "variant": pl.String, "task": pl.String}
    found = pl.DataFrame(names, schema=schema, orient="row")
    rows = curves.drop("variant", "task", strict=False)
    begun = rows.join(found, on="directory", how="left", maintain_order="left")
    others = found.join(rows, on="directory", how="anti", maintain_order="left")
    others = others.join(table.select("directory", "exp_name", "seed"), on="directory", how="left")
    return pl.concat(
        [begun, others.select(name for name in begun.columns if name in others.columns)], how="diagonal"
    )
