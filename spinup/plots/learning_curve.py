"""Learning curves: a line for each variant, in a band that says what is known from its seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spinup.errors import PlotError
from spinup.plots.curve_data import LearningCurve, columns_of, learning_curve_data
from spinup.plots.estimates import OverSeeds, explained
from spinup.plots.figure import axes_or_new, new_figure, save
from spinup.plots.style import (
    GRAY,
    Look,
    count_axis,
    cut,
    legend_below,
    legend_style,
    look,
    name_entries,
    note,
    quiet,
    start_at_zero,
    text_width,
    words,
    wrapped,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    FloatArray = npt.NDArray[np.float64]

_COUNTS = {"steps", "TotalEnvInteracts", "Epoch"}
_MOST_COLUMNS = 3  # of panels
_FAINT = 0.35


def plot_learning_curve(
    curves: pl.DataFrame,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    name: str = "exp_name",
    smooth: int = 1,
    estimate: OverSeeds = "mean",
    target: float | None = None,
    show_seeds: bool = False,
) -> Axes:
    """Draw a line for each variant over all its seeds, in a band of what is known from them.

    The band is a 95 % interval of the estimate; for ``max`` and ``min``, and for fewer
    than two seeds, there is none. Where some seeds have no value the line is faint.

    Args:
        curves: As for `learning_curve_data`.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        x: As for `learning_curve_data`.
        y: As for `learning_curve_data`.
        name: Column that names the variant.
        smooth: Each seed's values become means over this many of its rows.
        estimate: ``mean``, ``median``, ``iqm``, ``max`` or ``min`` over seeds.
        target: Height of a dashed line, in units of ``y``.
        show_seeds: Draw each seed too, thin and faint.

    Returns:
        The axes, whose ``figure`` `spinup.plots.figure.save` writes. The legend is below the axis.

    Raises:
        RecordError: As for `learning_curve_data`.
        PlotError: As for `learning_curve_data`.
    """
    data = learning_curve_data(curves, x, y, name=name, smooth=smooth, estimate=estimate)
    ax = axes_or_new(ax, 8, 4.6 + 0.2 * len(data))
    handles = _draw(
        ax, data, {curve.name: look(index) for index, curve in enumerate(data)}, show_seeds=show_seeds
    )
    _dress(ax, curves, x, y)
    names = [wrapped(curve.legend, text_width(ax)) for curve in data]
    if target is not None:
        handles.append(_draw_target(ax, target))
        names.append(f"target: {target:g}")
    legend_below(ax, handles, names, title=_legend_title(data, estimate))
    return ax


def plot_learning_curves(
    curves: pl.DataFrame,
    axes: Sequence[Axes] | None = None,
    *,
    task: str = "task",
    x: str | None = None,
    y: str | None = None,
    name: str = "variant",
    smooth: int = 1,
    estimate: OverSeeds = "mean",
    show_seeds: bool = False,
) -> list[Axes]:
    """Draw a panel for each task, with a line for each variant that looks the same in every panel.

    Args:
        curves: As for `learning_curve_data`, and with a column that names the task.
        axes: Where to draw, one for each task; by default, in a figure of their own.
        task: Column that names the task.
        x: As for `learning_curve_data`.
        y: As for `learning_curve_data`.
        name: Column that names the variant.
        smooth: As for `plot_learning_curve`.
        estimate: As for `plot_learning_curve`.
        show_seeds: As for `plot_learning_curve`.

    Returns:
        The axes, in the order of the tasks' names. In a figure of their own, one legend is below all.

    Raises:
        RecordError: As for `learning_curve_data`.
        PlotError: As for `learning_curve_data`; or ``axes`` are not as many as tasks.
    """
    # Where there is one task, its name may be null.
    tasks = curves[task].unique().sort().to_list()
    parts = [curves.filter(pl.col(task).eq_missing(one)) for one in tasks]
    has_begun = [_has_points(part, x, y) for part in parts]
    panels = [
        learning_curve_data(part, x, y, name=name, smooth=smooth, estimate=estimate)
        if has or not any(has_begun)
        else []
        for part, has in zip(parts, has_begun, strict=True)
    ]
    names = list(dict.fromkeys(curve.name for data in panels for curve in data))
    looks = {each: look(index) for index, each in enumerate(names)}
    is_own = axes is None
    axes = _grid_of_axes(len(tasks), len(names)) if axes is None else list(axes)
    if len(axes) != len(tasks):
        raise PlotError(f"There are {len(tasks)} tasks, and {len(axes)} axes to draw them on.")
    handles: dict[str, Line2D] = {}
    for ax, one, data in zip(axes, tasks, panels, strict=True):
        lines = _draw(ax, data, looks, show_seeds=show_seeds)
        handles |= {curve.name: line for curve, line in zip(data, lines, strict=True)}
        _dress(ax, curves, x, y)
        _name_panel(ax, one or "", data)
    if is_own:
        _legend_of_all(
            axes,
            [handles[each] for each in names],
            names,
            _legend_title([curve for data in panels for curve in data], estimate),
        )
    return axes


def save_learning_curve(
    curves: pl.DataFrame,
    path: str | os.PathLike[str],
    title: str | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    target: float | None = None,
) -> Path:
    """Draw as `plot_learning_curve` does, and save the picture as `spinup.plots.figure.save` does.

    Args:
        curves: As for `learning_curve_data`.
        path: File to write; its ending (.png, .svg, .pdf) says the format.
        title: Text above the picture.
        x: As for `learning_curve_data`.
        y: As for `learning_curve_data`.
        target: Height of a dashed line, in units of ``y``.

    Returns:
        ``path``.

    Raises:
        RecordError: As for `learning_curve_data`.
        PlotError: There is nothing to draw, or no picture can be saved there.
    """
    return save(plot_learning_curve(curves, x=x, y=y, target=target).figure, path, title=title)


def _has_points(curves: pl.DataFrame, x: str | None, y: str | None) -> bool:
    columns = columns_of(curves, x, y)
    return not curves.select(columns).drop_nulls().is_empty()


def _draw(
    ax: Axes, data: Sequence[LearningCurve], looks: Mapping[str, Look], *, show_seeds: bool
) -> list[Line2D]:
    """Draw each curve; give the lines that the legend shows."""
    is_first = not ax.has_data()
    height = _height(data)
    for curve in data:
        color = looks[curve.name].color
        telling = ~_is_vague(curve, height)
        # Beside one seed, its own line is the estimate.
        if len(curve.seeds) > 1 and (show_seeds or not telling.all()):
            ax.plot(curve.x, curve.seeds.T, color=color, linewidth=0.7, alpha=_FAINT)
        if np.isfinite(curve.low).any():
            ax.fill_between(
                curve.x, curve.low, curve.high, where=telling, color=color, alpha=0.16, linewidth=0
            )
    handles = [_draw_line(ax, curve, looks[curve.name]) for curve in data]
    if is_first and data:
        _fit_height(ax, data)
    return handles


def _range(data: Sequence[LearningCurve]) -> tuple[float, float] | None:
    """The lowest and the highest value of any seed; None without one."""
    values = np.concatenate([curve.seeds.ravel() for curve in data]) if data else np.array([])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else None


def _height(data: Sequence[LearningCurve]) -> float:
    """How far apart all that was measured is."""
    low, high = _range(data) or (0.0, 0.0)
    return high - low


def _is_vague(curve: LearningCurve, height: float) -> npt.NDArray[np.bool_]:
    """Where the band would cover half of the picture, which says little and hides all."""
    return np.asarray(curve.high - curve.low > height / 2) & np.isfinite(curve.low)


def _draw_line(ax: Axes, curve: LearningCurve, style: Look) -> Line2D:
    """The estimate: faint all along, and strong where every seed has a value."""
    strong = np.where(curve.num_seeds == len(curve.seeds), curve.center, np.nan)
    if not np.array_equal(strong, curve.center, equal_nan=True):
        _draw_values(ax, curve.x, curve.center, style, linewidth=1.2, alpha=0.5)
    return _draw_values(ax, curve.x, strong, style, linewidth=1.8)


def _draw_values(
    ax: Axes, x: FloatArray, values: FloatArray, style: Look, *, linewidth: float, alpha: float = 1
) -> Line2D:
    there = np.isfinite(np.concatenate([[np.nan], values, [np.nan]]))
    # As a line, a point without a neighbour would not be seen.
    is_lonely = there[1:-1] & ~there[:-2] & ~there[2:]
    marker = style.marker if is_lonely.any() else ""
    (line,) = ax.plot(
        x,
        values,
        color=style.color,
        linestyle=style.line,
        marker=marker,
        markersize=4,
        linewidth=linewidth,
        alpha=alpha,
    )
    if marker:
        line.set_markevery(is_lonely.tolist())
    return line


def _fit_height(ax: Axes, data: Sequence[LearningCurve]) -> None:
    """Show all that was measured; a band that is wider still is cut, or it would flatten all lines."""
    found = _range(data)
    if found is None:
        return
    low, high = found
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    ax.set_ylim(low - margin, high + margin)


def _draw_target(ax: Axes, target: float) -> Line2D:
    low, high = ax.get_ylim()
    line = ax.axhline(target, color=GRAY, linestyle=(0, (6, 3)), linewidth=1, zorder=1)
    room = 0.03 * (high - low)
    ax.set_ylim(min(low, target - room), max(high, target + room))
    return line


def _dress(ax: Axes, curves: pl.DataFrame, x: str | None, y: str | None) -> None:
    """Axis labels that a person understands."""
    x, y = columns_of(curves, x, y)
    quiet(ax)
    ax.margins(x=0.01)
    start_at_zero(ax)
    ax.set_ylabel(words(y))
    if x in _COUNTS:
        count_axis(ax, words(x))
    else:
        ax.set_xlabel(words(x))


def _legend_title(data: Sequence[LearningCurve], estimate: OverSeeds) -> str:
    """What line and band are, for the legend's title."""
    if all(len(curve.seeds) == 1 for curve in data):
        return "one seed each"
    faint = any((curve.num_seeds[np.isfinite(curve.center)] < len(curve.seeds)).any() for curve in data)
    vague = any(_is_vague(curve, _height(data)).any() for curve in data)
    return (
        explained(estimate, "line", "band")
        + ("; faint: not all seeds have a value there" if faint else "")
        + ("; thin: the seeds, where the band would cover half of the picture" if vague else "")
    )


def _name_panel(ax: Axes, task: str, data: Sequence[LearningCurve]) -> None:
    """Write the task above its panel, and below it how many seeds incomplete lines stand for."""
    parts = [f"{cut(c.name, 25)} {c.num_ended} of {len(c.seeds)}" for c in data if not c.is_whole]
    if not data:
        middle = {"xycoords": "axes fraction", "xytext": (0, 0), "ha": "center"}
        note(ax, "no run has a value yet", (0.5, 0.5), **middle)
    ax.set_title(wrapped(task, 40), fontsize=11, pad=16 if parts else 6, parse_math=False)
    if parts:
        more = f" and {len(parts) - 2} more" if len(parts) > 2 else ""
        text = f"seeds at the end: {', '.join(parts[:2])}{more}"
        note(ax, text, (0.5, 1), xycoords="axes fraction", xytext=(0, 5), ha="center")


def _grid_of_axes(num_panels: int, num_names: int) -> list[Axes]:
    columns = 2 if num_panels == 4 else min(num_panels, _MOST_COLUMNS)
    rows = -(-num_panels // columns)
    figure = new_figure(max(6.5, 4.0 * columns), 3.1 * rows + 0.5 + 0.2 * min(num_names, 12))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in panels[num_panels:]:
        unused.remove()
    return list(panels[:num_panels])


def _legend_of_all(
    axes: Sequence[Axes], handles: Sequence[Line2D], names: Sequence[str], title: str
) -> None:
    figure = axes[0].figure
    width = int(11 * figure.figure.get_figwidth())
    shown = [wrapped(name, width - 6) for name in names]
    legend = figure.legend(
        handles, [" "] * len(shown), title=" ", loc="outside lower left", **legend_style(shown, width)
    )
    name_entries(legend, shown, title)
