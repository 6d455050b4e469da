"""Sensitivity to one parameter: the return at the end of training, at each value that was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.transforms import ScaledTranslation

from spinup.plots.estimates import OverSeeds, check_over_seeds, explained, of_scores
from spinup.plots.figure import axes_or_new
from spinup.plots.style import (
    Look,
    captioned,
    cut,
    legend_below,
    look,
    note,
    quiet,
    text_width,
    tick_names,
    words,
    wrapped,
)
from spinup.plots.variants import (
    are_numbers,
    names_beside,
    ordered,
    parameter_of,
    scores_of,
    settings,
    spans_decades,
    value_words,
    variants_of_one_task,
    varying,
)
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from spinup.results.groups import Variant

    FloatArray = npt.NDArray[np.float64]

_MOST_TICKS = 10  # that can be read beside each other


@dataclass(frozen=True)
class Sensitivity:
    """How the return follows one parameter, all others held.

    Attributes:
        name: The values of the other parameters that vary, and what else tells it from the others; empty
            if there is nothing.
        values: Of the parameter, in order.
        scores: Every seed's, for each value: arrays of shape (num_runs,), NaN where a run has none.
        center: Estimate over seeds, shape (num_values,); NaN without any score.
        low: Lower end of its 95 % interval, shape (num_values,); NaN with fewer than two seeds.
        high: Upper end of it.
    """

    name: str
    values: tuple[Any, ...]
    scores: tuple[FloatArray, ...]
    center: FloatArray
    low: FloatArray
    high: FloatArray


def sensitivity_data(
    table: pl.DataFrame, parameter: str, value: str = "last", *, estimate: OverSeeds = "mean"
) -> list[Sensitivity]:
    """The return at each value of ``parameter``, one entry for each setting of the others.

    Where experiments agree in all parameters and differ in name, each name has an entry of its own.

    Args:
        table: A row per run of one task: ``spinup.load(...).table``.
        parameter: Name of the parameter; the last parts will do, ``lr`` for ``optimizer:lr``.
        value: Column of scores.
        estimate: ``mean``, ``median``, ``iqm`` (interquartile mean), ``max`` or ``min`` over seeds.

    Raises:
        RecordError: There is no such parameter or column of numbers, no run, or a seed was run twice.
        PlotError: There are several tasks.
    """
    check_over_seeds(estimate)
    variants = variants_of_one_task(table, value)
    parameter = parameter_of(variants, parameter)
    others = [key for key in varying(variants) if key != parameter]
    lines: dict[str, list[Variant]] = {}
    for variant in variants:
        lines.setdefault(settings(variant.parameters, others), []).append(variant)
    return [
        _sensitivity(name, members, parameter, estimate)
        for setting, same in lines.items()
        for name, members in _by_name(setting, same, parameter)
    ]


def plot_sensitivity(
    table: pl.DataFrame,
    parameter: str,
    ax: Axes | None = None,
    *,
    value: str = "last",
    estimate: OverSeeds = "mean",
) -> Axes:
    """Draw the return against one parameter, a line for each setting of the others, with intervals.

    The horizontal axis is logarithmic where values span decades, and has a place for each value where
    they are no numbers.

    Args:
        table: As for `sensitivity_data`.
        parameter: Column of the parameter.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        value: Column of scores.
        estimate: As for `sensitivity_data`.

    Returns:
        The axes, with a legend below where there are several lines.

    Raises:
        RecordError: As for `sensitivity_data`.
        PlotError: As for `sensitivity_data`.
    """
    data = sensitivity_data(table, parameter, value, estimate=estimate)
    ax = axes_or_new(ax, 7, 4.4 + 0.2 * len(data))
    every = ordered(one for line in data for one in line.values)
    is_number = are_numbers(every)
    places = {one: float(one) if is_number else float(index) for index, one in enumerate(every)}
    if is_number and spans_decades(every):
        ax.set_xscale("log")
    handles = [
        _draw(ax, line, places, look(index), shift=index - (len(data) - 1) / 2, is_joined=is_number)
        for index, line in enumerate(data)
    ]
    quiet(ax)
    if not is_number or len(every) <= _MOST_TICKS:
        ax.minorticks_off()
        if not is_number:
            ax.set_xlim(-0.5, len(every) - 0.5)
        tick_names(ax.xaxis, list(places.values()), [wrapped(value_words(one), 14) for one in every])
    ax.set_xlabel(cut(parameter))
    ax.set_ylabel(words(value))
    caption = explained(estimate, "line" if is_number else "marks", "bars") + "; dots: single seeds"
    if any(line.name for line in data):
        legend_below(ax, handles, [wrapped(line.name, text_width(ax)) for line in data], title=caption)
    else:
        ax.set_xlabel(captioned(cut(parameter), caption))
        _note_missing(ax, data[0], places)
    return ax


def _by_name(
    setting: str, variants: Sequence[Variant], parameter: str
) -> Iterator[tuple[str, list[Variant]]]:
    """Lines with one variant at each value: where parameters do not tell all of them apart, names do."""
    lines: dict[str, list[Variant]] = {}
    for name, variant in zip(names_beside(variants, [parameter]), variants, strict=True):
        lines.setdefault(name, []).append(variant)
    for name, members in lines.items():
        yield ", ".join(filter(None, (name, setting))), members


def _sensitivity(
    name: str, variants: Sequence[Variant], parameter: str, estimate: OverSeeds
) -> Sensitivity:
    values = ordered(variant.parameters[parameter] for variant in variants)
    at = {variant.parameters[parameter]: variant for variant in variants}
    scores = [scores_of(at[one]) for one in values]
    found = np.array([of_scores(of_one, estimate) for of_one in scores])
    return Sensitivity(name, tuple(values), tuple(scores), found[:, 0], found[:, 1], found[:, 2])


def _draw(
    ax: Axes, line: Sensitivity, places: dict[Any, float], style: Look, *, shift: float, is_joined: bool
) -> Line2D:
    """Draw one line, ``shift`` places aside so that intervals do not cover each other; dots beside it."""
    x = np.array([places[one] for one in line.values])
    aside, beside = (
        ax.transData + ScaledTranslation(points / 72, 0, ax.figure.dpi_scale_trans)
        for points in (3 * shift, 3 * shift + 4)
    )
    for at, scores in zip(x, line.scores, strict=True):
        dots = {"color": style.color, "alpha": 0.35, "markersize": 3.5, "mew": 0}
        ax.plot(np.full(scores.size, at), scores, "o", transform=beside, **dots)  # type: ignore[arg-type]
    ax.vlines(x, line.low, line.high, color=style.color, linewidth=1.6, transform=aside)
    (drawn,) = ax.plot(
        x,
        line.center,
        color=style.color,
        linestyle=style.line if is_joined else "",
        marker=style.marker,
        markersize=5.5,
        linewidth=1.3,
        transform=aside,
    )
    _include(ax, x, np.concatenate([line.low, line.high, line.center, *line.scores]))
    return drawn


def _include(ax: Axes, x: FloatArray, y: FloatArray) -> None:
    """Make the axes reach what was drawn aside: Matplotlib leaves out what is not quite in data units."""
    y = y[np.isfinite(y)]
    ends = [(at, height) for at in x for height in ((y.min(), y.max()) if y.size else ())]
    ax.update_datalim(ends)
    ax.autoscale_view()


def _note_missing(ax: Axes, line: Sensitivity, places: dict[Any, float]) -> None:
    """Write above the axis how many seeds have a score, where some have none."""
    for value, scores in zip(line.values, line.scores, strict=True):
        k, n = int(is_usable(scores).sum()), scores.size
        if k < n:
            text = f"{k} of {n}" if k else "no\nresult"
            at = (places[value], 0.0)
            note(ax, text, at, xycoords=("data", "axes fraction"), xytext=(0, 4), ha="center")
