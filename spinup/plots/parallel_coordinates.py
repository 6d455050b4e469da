"""Parallel coordinates: each variant of a large grid is a line through its parameters to its return."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spinup.errors import PlotError
from spinup.plots.estimates import OverSeeds, check_over_seeds, of_scores, words_of
from spinup.plots.figure import axes_or_new
from spinup.plots.style import GRAY, plain, words, wrapped
from spinup.plots.variants import (
    are_numbers,
    ordered,
    parameter_of,
    scores_of,
    spans_decades,
    value_words,
    variants_of_one_task,
    varying,
)
from spinup.results.stats.formatting import format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import polars as pl
    from matplotlib.axes import Axes

    FloatArray = npt.NDArray[np.float64]

_COLORS = "viridis_r"  # perceptually uniform, and the same to colour-blind readers
_MOST_PLACES = 12  # tick labels that can be read above each other
_SPREAD = 0.035  # of an axis' height, by which lines through one value are drawn apart
_STEPS = np.linspace(0, 1, 21)
_SMOOTH = _STEPS**2 * (3 - 2 * _STEPS)  # leaves and reaches each axis at a right angle


@dataclass(frozen=True)
class Coordinate:
    """One vertical axis.

    Attributes:
        name: The parameter, or the score.
        heights: Of each variant on the axis, shape (num_variants,), in 0 to 1.
        ticks: Places on the axis, in 0 to 1, and what is written there.
    """

    name: str
    heights: FloatArray
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class ParallelCoordinates:
    """The axes from left to right, and what colours each variant.

    Attributes:
        axes: The parameters, then the score.
        scores: Estimate over the seeds of each variant, shape (num_variants,), increasing.
        num_without: Variants that are not drawn: none of their seeds has a score.
    """

    axes: tuple[Coordinate, ...]
    scores: FloatArray
    num_without: int


def parallel_coordinates_data(
    table: pl.DataFrame,
    parameters: Sequence[str] | None = None,
    value: str = "last",
    *,
    estimate: OverSeeds = "mean",
) -> ParallelCoordinates:
    """Where each variant crosses each parameter's axis, the best variants last.

    Args:
        table: A row per run of one task: ``spinup.load(...).table``.
        parameters: Parameters of the axes, in order; by default all that vary.
        value: Column of scores.
        estimate: ``mean``, ``median``, ``iqm`` (interquartile mean), ``max`` or ``min`` over seeds.

    Raises:
        RecordError: There is no such parameter or column of numbers, no run, or a seed was run twice.
        PlotError: There are several tasks, no score, or no parameter that varies.
    """
    check_over_seeds(estimate)
    variants = variants_of_one_task(table, value)
    keys = (
        varying(variants) if parameters is None else [parameter_of(variants, name) for name in parameters]
    )
    if not keys:
        raise PlotError("No parameter varies: there are no coordinates to draw.")
    centers = np.array([of_scores(scores_of(variant), estimate)[0] for variant in variants])
    order = [int(place) for place in np.argsort(centers) if np.isfinite(centers[place])]
    if not order:
        raise PlotError(f"No run has a {words(value)} yet: there is nothing to colour the lines by.")
    scores = centers[order]
    axes = [_parameter_axis(key, [variants[place].parameters[key] for place in order]) for key in keys]
    return ParallelCoordinates(
        (*axes, _score_axis(words(value), scores)), scores, len(variants) - len(order)
    )


def plot_parallel_coordinates(
    table: pl.DataFrame,
    parameters: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    value: str = "last",
    estimate: OverSeeds = "mean",
) -> Axes:
    """Draw every variant as a line through its parameters to its return, the best on top.

    An axis is logarithmic where its values span decades, and has a place for each value where they
    are no numbers. Lines through the same value lie side by side, the better ones higher.

    Args:
        table: As for `parallel_coordinates_data`.
        parameters: As for `parallel_coordinates_data`.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        value: Column of scores.
        estimate: As for `parallel_coordinates_data`.

    Returns:
        The axes.

    Raises:
        RecordError: As for `parallel_coordinates_data`.
        PlotError: As for `parallel_coordinates_data`.
    """
    from matplotlib import colormaps  # noqa: PLC0415 - with what uses it
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    data = parallel_coordinates_data(table, parameters, value, estimate=estimate)
    ax = axes_or_new(ax, max(6.0, 1.7 * len(data.axes) + 1), 4.8)
    low, high = float(data.scores[0]), float(data.scores[-1])
    shades = np.full(data.scores.size, 0.5) if high == low else (data.scores - low) / (high - low)
    alpha = float(np.clip(12 / data.scores.size**0.75, 0.15, 0.9))
    lines = _lines(np.stack([axis.heights for axis in data.axes]))
    ax.add_collection(
        LineCollection(
            list(lines), colors=colormaps[_COLORS](0.05 + 0.95 * shades), linewidths=1.4, alpha=alpha
        ),
        autolim=False,
    )
    for place, axis in enumerate(data.axes):
        _draw_axis(ax, place, axis)
    ax.set(xlim=(-0.45, len(data.axes) - 0.55), ylim=(-0.03, 1.03), yticks=[])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_xticks(range(len(data.axes)), ["" for _ in data.axes])
    ax.set_xticklabels([wrapped(axis.name, 16) for axis in data.axes], parse_math=False)
    without = f"; {data.num_without} without any score not drawn" if data.num_without else ""
    ax.set_xlabel(
        f"{len(data.scores)} variants, {words_of(estimate)} over seeds; "
        f"the darker the line, the higher the return{without}",
        color=GRAY, fontsize=9,
    )  # fmt: skip
    return ax


def _parameter_axis(name: str, values: list[Any]) -> Coordinate:
    """Numbers by size, by their logarithm where they span decades; else a place for each value."""
    every = ordered(values)
    is_number = are_numbers(every)
    is_log = is_number and spans_decades(every)
    places = {one: float(one) if is_number else float(index) for index, one in enumerate(every)}
    if is_log:
        places = {one: math.log10(place) for one, place in places.items()}
    numbers, span = np.array([places[one] for one in values]), np.array(list(places.values()))
    if is_number and len(every) > _MOST_PLACES:
        ticks = np.linspace(span.min(), span.max(), 5)
        texts = [f"{10**tick if is_log else tick:.2g}" for tick in ticks]
        return Coordinate(name, _scaled(numbers, span), _ticks(_scaled(ticks, span), texts))
    shown = np.unique(np.linspace(0, len(every) - 1, min(len(every), _MOST_PLACES)).round().astype(int))
    # Values come in order of their return: the better ones get the higher place.
    heights = _inner(_scaled(numbers, span)) + _SPREAD * np.linspace(-1, 1, len(values) + 2)[1:-1]
    at = _inner(_scaled(span, span))[shown]
    return Coordinate(name, heights, _ticks(at, [value_words(every[index]) for index in shown]))


def _score_axis(name: str, scores: FloatArray) -> Coordinate:
    ticks = np.linspace(scores[0], scores[-1], 5 if scores[-1] > scores[0] else 1)
    reach = (scores[-1] - scores[0]) / 2
    at = _scaled(ticks, scores)
    return Coordinate(
        name, _scaled(scores, scores), _ticks(at, [format_number(tick, reach) for tick in ticks])
    )


def _ticks(at: FloatArray, texts: Sequence[str]) -> tuple[tuple[float, str], ...]:
    return tuple(zip(at.tolist(), texts, strict=True))


def _inner(heights: FloatArray) -> FloatArray:
    """``heights`` moved in, so that there is room to spread at both ends."""
    return _SPREAD + (1 - 2 * _SPREAD) * heights


def _scaled(numbers: FloatArray, span: FloatArray) -> FloatArray:
    """``numbers`` in 0 to 1 of ``span``; in the middle if that is a single value."""
    low, high = span.min(), span.max()
    return np.full(numbers.shape, 0.5) if low == high else (numbers - low) / (high - low)


def _lines(heights: FloatArray) -> FloatArray:
    """Smooth lines, shape (num_variants, num_points, 2), from heights of shape (num_axes, num_variants)."""
    between = [
        before[:, None] + (after - before)[:, None] * _SMOOTH
        for before, after in itertools.pairwise(heights)
    ]
    y = np.concatenate(between, axis=1)
    x = np.concatenate([place + _STEPS for place in range(len(between))])
    return np.stack([np.broadcast_to(x, y.shape), y], axis=-1)


def _draw_axis(ax: Axes, place: int, axis: Coordinate) -> None:
    ax.plot([place, place], [0, 1], color=GRAY, linewidth=1)
    for at, text in axis.ticks:
        written = ax.annotate(
            "", (place, at), xytext=(-4, 0), textcoords="offset points", ha="right", va="center",
            fontsize=8.5, bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip
        plain(written, wrapped(text, 16))
