"""Two parameters against each other: the return at the end of training in each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spinup.errors import PlotError
from spinup.plots.estimates import OverSeeds, check_over_seeds, of_scores, words_of
from spinup.plots.figure import axes_or_new
from spinup.plots.style import GRAY, cut, quiet, text_width, tick_names, words, wrapped
from spinup.plots.variants import (
    names_beside,
    ordered,
    parameter_of,
    scores_of,
    value_words,
    variants_of_one_task,
    varying,
)
from spinup.results.stats.formatting import format_number
from spinup.results.stats.scores import is_usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

    from spinup.results.groups import Variant

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]

_COLORS = "viridis"  # perceptually uniform, and the same to colour-blind readers


@dataclass(frozen=True)
class HeatMap:
    """The return for each pair of values of two parameters.

    Attributes:
        columns: Values of the horizontal parameter, in order.
        rows: Values of the vertical parameter, in order, the lowest first.
        center: Estimate over seeds, shape (num_rows, num_columns); NaN without any score.
        num_scores: Seeds that have a score, same shape.
        num_runs: Runs that there are, same shape.
    """

    columns: tuple[Any, ...]
    rows: tuple[Any, ...]
    center: FloatArray
    num_scores: IntArray
    num_runs: IntArray


def heat_map_data(
    table: pl.DataFrame, x: str, y: str, value: str = "last", *, estimate: OverSeeds = "mean"
) -> HeatMap:
    """The return for each pair of values of ``x`` and ``y``; no other parameter may vary.

    Args:
        table: A row per run of one task: ``spinup.load(...).table``.
        x: Horizontal parameter; the last parts of its name will do.
        y: Vertical parameter.
        value: Column of scores.
        estimate: ``mean``, ``median``, ``iqm`` (interquartile mean), ``max`` or ``min`` over seeds.

    Raises:
        RecordError: There is no such parameter or column of numbers, no run, or a seed was run twice.
        PlotError: There are several tasks, or other parameters vary, or experiments differ in name alone:
            nothing but seeds is averaged over.
    """
    check_over_seeds(estimate)
    variants = variants_of_one_task(table, value)
    x, y = parameter_of(variants, x), parameter_of(variants, y)
    if others := [key for key in varying(variants) if key not in {x, y}]:
        raise PlotError(
            f"Beside {x!r} and {y!r}, {', '.join(map(repr, others))} varies too, and nothing "
            f"but seeds is averaged over. Keep one value: table.filter(pl.col({others[0]!r}) == ...)."
        )
    _check_names(variants, x, y)
    columns, rows = (ordered(variant.parameters[key] for variant in variants) for key in (x, y))
    scores: dict[tuple[int, int], FloatArray] = {}
    for variant in variants:
        cell = rows.index(variant.parameters[y]), columns.index(variant.parameters[x])
        scores[cell] = scores_of(variant)
    center = np.full((len(rows), len(columns)), np.nan)
    num_scores, num_runs = np.zeros((2, *center.shape), dtype=np.int64)
    for cell, found in scores.items():
        center[cell] = of_scores(found, estimate)[0]
        num_scores[cell], num_runs[cell] = is_usable(found).sum(), found.size
    return HeatMap(tuple(columns), tuple(rows), center, num_scores, num_runs)


def plot_heat_map(
    table: pl.DataFrame,
    x: str,
    y: str,
    ax: Axes | None = None,
    *,
    value: str = "last",
    estimate: OverSeeds = "mean",
) -> Axes:
    """Draw the return for each pair of values as colour, and written where there is room.

    A hatched cell has no run; a crossed one has runs, but none with a score; where only
    some seeds have one, the cell says how many.

    Args:
        table: As for `heat_map_data`.
        x: As for `heat_map_data`.
        y: As for `heat_map_data`.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        value: Column of scores.
        estimate: As for `heat_map_data`.

    Returns:
        The axes, with a colour bar beside them.

    Raises:
        RecordError: As for `heat_map_data`.
        PlotError: As for `heat_map_data`.
    """
    data = heat_map_data(table, x, y, value, estimate=estimate)
    num_rows, num_columns = data.center.shape
    ax = axes_or_new(ax, min(14, max(5, 2.8 + 0.75 * num_columns)), min(11, max(3, 1.6 + 0.5 * num_rows)))
    mesh = ax.pcolormesh(np.ma.masked_invalid(data.center), cmap=_COLORS, edgecolors="white", linewidth=1)
    quiet(ax, grid="")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    tick_names(ax.xaxis, [place + 0.5 for place in range(num_columns)], _names(data.columns))
    tick_names(ax.yaxis, [place + 0.5 for place in range(num_rows)], _names(data.rows))
    if _are_wide(ax, data.columns):
        ax.tick_params("x", labelrotation=35)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    ax.set_xlabel(cut(x))
    ax.set_ylabel(cut(y))
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
    bar.set_label(wrapped(f"{words(value)} ({words_of(estimate)} over seeds)", 28), parse_math=False)
    bar.outline.set_visible(False)
    _mark_missing(ax, data)
    _write_values(ax, data, mesh)
    return ax


def _check_names(variants: Sequence[Variant], x: str, y: str) -> None:
    """Raise PlotError where a cell would have several experiments in it."""
    names = list(dict.fromkeys(names_beside(variants, [x, y])))
    if len(names) > 1:
        more = ", ..." if names[3:] else ""
        raise PlotError(
            f"Experiments with the same {x!r} and {y!r} differ in name ({', '.join(names[:3])}{more}), and "
            "nothing but seeds is averaged over. Keep one: "
            f"table.filter(pl.col('exp_name').str.contains({names[0]!r}, literal=True))."
        )


def _names(values: tuple[Any, ...]) -> list[str]:
    return [cut(value_words(value), 40) for value in values]


def _are_wide(ax: Axes, values: tuple[Any, ...]) -> bool:
    """Whether names beside each other would run into each other."""
    return max(map(len, _names(values))) * len(values) > text_width(ax)


def _mark_missing(ax: Axes, data: HeatMap) -> None:
    for row, column in np.argwhere(~np.isfinite(data.center)):
        if data.num_runs[row, column]:
            ax.plot(column + 0.5, row + 0.5, "x", color=GRAY, markersize=8)
        else:
            ax.fill([column, column + 1, column + 1, column], [row, row, row + 1, row + 1],
                    facecolor="none", edgecolor="#CCCCCC", hatch="///", linewidth=0)  # fmt: skip


def _write_values(ax: Axes, data: HeatMap, mesh: QuadMesh) -> None:
    """Write each cell's value, if there is room for all."""
    there = np.argwhere(np.isfinite(data.center))
    texts = [_cell_text(data, row, column) for row, column in there]
    if not texts or not _has_room(ax, data, texts):
        return
    colors = np.asarray(mesh.to_rgba(np.ma.masked_invalid(data.center)))
    for (row, column), text in zip(there, texts, strict=True):
        # Luminance as in Rec. 709.
        is_dark = np.dot(colors[row, column, :3], (0.2126, 0.7152, 0.0722)) < 0.5
        color = "white" if is_dark else "black"
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=9, color=color)


def _cell_text(data: HeatMap, row: int, column: int) -> str:
    k, n, center = data.num_scores[row, column], data.num_runs[row, column], data.center[row, column]
    value = format_number(center) if 1e-3 <= abs(center) < 1e5 or center == 0 else f"{center:.2e}"
    return value + (f"\n{k} of {n}" if k < n else "")


def _has_room(ax: Axes, data: HeatMap, texts: list[str]) -> bool:
    # What has room is known once everything else has its place.
    ax.figure.figure.draw_without_rendering()
    box, dots_per_in = ax.get_window_extent(), ax.figure.dpi
    num_rows, num_columns = data.center.shape
    longest = max(len(line) for text in texts for line in text.split("\n"))
    tallest = 1 + max(text.count("\n") for text in texts)
    is_wide = box.width / num_columns >= (0.085 * longest + 0.06) * dots_per_in
    return bool(is_wide and box.height / num_rows >= (0.16 * tallest + 0.06) * dots_per_in)
