"""Learning curves: the mean over the seeds of each experiment, and the range that they span."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation

from spinup.errors import RecordError
from spinup.results.table import check_numbers, check_seeds
from spinup.rundir.atomic import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    FloatArray = npt.NDArray[np.float64]

X = "TotalEnvInteracts"
Y = "AverageEpRet"

# Okabe and Ito's palette, told apart by colour-blind readers too, less its yellow, too faint on white.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_STYLES = ("-", "--", ":", "-.")  # one after the other, once the colours are used up
_LABELS = {
    "TotalEnvInteracts": "environment interactions",
    "Epoch": "epoch",
    "Time": "time since the start (s)",
    "AverageEpRet": "mean return per episode",
    "AverageTestEpRet": "mean return per test episode",
    "EpLen": "mean length of an episode (steps)",
    "TestEpLen": "mean length of a test episode (steps)",
}
_COUNTS = {"TotalEnvInteracts", "Epoch"}
_GRAY = "#555555"
_MOST_POINTS = 1_000  # about as many as the picture has pixels
_LARGEST = 1e300  # beyond, differences and sums overflow, here and in Matplotlib
_LONGEST_TEXT = 450  # characters of a name in the legend, or of a column's beside an axis
_LARGEST_COUNT = 1e15  # written with all its digits
_LABEL_WIDTH = 90  # characters that fit the width of the picture


def learning_curve_data(curves: pl.DataFrame, x: str = X, y: str = Y) -> pl.DataFrame:
    """Mean and range over seeds of ``y``, along ``x``, for each experiment.

    The seeds of an experiment are interpolated linearly at every ``x`` that one of them logged (or at
    1000 even steps, where those are more), from where the last of them begins to where the first of
    them ends. So every point stands for the same seeds, and none is guessed beyond a run's end; a
    run that was cut short shortens its experiment's curve. Of rows with the same ``x`` the last
    counts. Where a seed's ``y`` is not finite (or beyond 1e300), so is the mean: NaN, a
    gap in the picture.

    Args:
        curves: As `spinup.results.table.load_curves` returns it.
        x: Column to follow.
        y: Column to average.

    Returns:
        One row per experiment and point. Columns: ``exp_name``, ``num_seeds``, ``x``, ``mean``,
        ``low`` and ``high`` (the lowest and the highest seed there). An experiment without any
        value has no rows.

    Raises:
        RecordError: A column is missing or holds text, no run has a value in both, the seeds of an
            experiment share no ``x``, a seed was run twice, or an ``x`` is beyond 1e300.
    """
    check_numbers(curves, [x, y])
    check_seeds(curves)
    points = curves.filter(pl.col(x).is_finite() & pl.col(y).is_not_null())
    if points.is_empty():
        raise RecordError(f"No run has a row with both {x!r} and {y!r} yet: there is no curve to draw.")
    if not (too_large := points.filter(pl.col(x).abs() > _LARGEST)).is_empty():
        raise RecordError(
            f"{x!r} is {too_large[x][0]:g} in {too_large['directory'][0]}: no axis reaches so far. "
            "Follow another column, or filter the table by its column 'directory'."
        )
    return pl.concat(
        [
            _aggregate(str(exp_name), runs, x, y)
            for (exp_name,), runs in points.group_by("exp_name", maintain_order=True)
        ]
    )


def plot_learning_curve(
    curves: pl.DataFrame,
    ax: Axes | None = None,
    *,
    x: str = X,
    y: str = Y,
    target: float | None = None,
) -> Axes:
    """Draw each experiment's mean over seeds, in a band from the lowest to the highest seed.

    Args:
        curves: As `spinup.results.table.load_curves` returns it.
        ax: Where to draw; by default, in a figure of its own, outside pyplot.
        x: Column along the horizontal axis.
        y: Column along the vertical axis.
        target: Height of a dashed line, in units of ``y``.

    Returns:
        The axes, whose ``figure`` has a ``savefig``. The legend is below the horizontal axis.

    Raises:
        RecordError: As for `learning_curve_data`.
    """
    data = learning_curve_data(curves, x, y)
    if ax is None:
        ax = Figure(figsize=(8, 5), layout="constrained", facecolor="white").subplots()
    handles, names = [], []
    for index, ((exp_name,), curve) in enumerate(data.group_by("exp_name", maintain_order=True)):
        handles.append(_draw(ax, curve, index))
        names.append(_legend_name(str(exp_name), curve["num_seeds"][0]))
    if target is not None:
        handles.append(ax.axhline(target, color=_GRAY, linestyle=(0, (6, 3)), linewidth=1, zorder=1))
        names.append(f"target: {target:g}")
    _dress(ax, x, y)
    _legend(ax, handles, names, has_band=bool((data["num_seeds"] > 1).any()))
    return ax


def save_learning_curve(
    curves: pl.DataFrame,
    path: str | os.PathLike[str],
    title: str | None = None,
    *,
    x: str = X,
    y: str = Y,
    target: float | None = None,
) -> Path:
    """Draw as `plot_learning_curve` does and save the picture, whole or not at all.

    Args:
        curves: As `spinup.results.table.load_curves` returns it.
        path: File to write; its ending (.png, .pdf, .svg) says the format. PNG has 150 dots an inch.
        title: Text above the picture.
        x: Column along the horizontal axis.
        y: Column along the vertical axis.
        target: Height of a dashed line, in units of ``y``.

    Returns:
        ``path``.

    Raises:
        RecordError: As for `learning_curve_data`.
        ValueError: Matplotlib knows no format of that ending.
        OSError: The file cannot be written.
    """
    path = Path(path)
    num_experiments = curves["exp_name"].n_unique()
    figure = Figure(figsize=(8, 4.6 + 0.2 * num_experiments), layout="constrained", facecolor="white")
    ax = plot_learning_curve(curves, figure.subplots(), x=x, y=y, target=target)
    if title is not None:
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=12, parse_math=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        figure.savefig(file, format=path.suffix[1:] or "png", dpi=150, facecolor="white")
    return path


def _aggregate(exp_name: str, runs: pl.DataFrame, x: str, y: str) -> pl.DataFrame:
    """The curve of one experiment."""
    seeds = [_points(run, x, y) for run in runs.partition_by("directory", maintain_order=True)]
    start, end = max(xs[0] for xs, _ in seeds), min(xs[-1] for xs, _ in seeds)
    if start > end:
        raise RecordError(
            f"The seeds of {_cut(exp_name)!r} share no {x}: one begins at {start:g}, another ends at "
            f"{end:g}. Wait for more rows, or filter the table by its column 'directory'."
        )
    grid = np.unique(np.concatenate([xs for xs, _ in seeds]))
    grid = grid[(start <= grid) & (grid <= end)]
    if grid.size > _MOST_POINTS:
        grid = np.linspace(start, end, _MOST_POINTS)
    values = np.stack([np.interp(grid, xs, ys) for xs, ys in seeds])  # (num_seeds, num_points)
    return pl.DataFrame(
        {
            "exp_name": pl.repeat(exp_name, grid.size, eager=True),
            "num_seeds": pl.repeat(len(seeds), grid.size, dtype=pl.Int64, eager=True),
            "x": grid,
            "mean": values.mean(axis=0),
            "low": values.min(axis=0),
            "high": values.max(axis=0),
        }
    )


def _points(run: pl.DataFrame, x: str, y: str) -> tuple[FloatArray, FloatArray]:
    """``x``, increasing, and ``y`` of one run, both of shape (num_points,)."""
    run = run.unique(x, keep="last", maintain_order=True).sort(x)
    ys = run[y].to_numpy()
    return run[x].to_numpy(), np.where(np.abs(ys) <= _LARGEST, ys, np.nan)


def _draw(ax: Axes, curve: pl.DataFrame, index: int) -> Line2D:
    """Draw the curve of the experiment that is ``index``-th in the legend."""
    color = _COLORS[index % len(_COLORS)]
    style = _STYLES[index // len(_COLORS) % len(_STYLES)]
    xs = curve["x"].to_numpy()
    if curve["num_seeds"][0] > 1:
        low, high = curve["low"].to_numpy(), curve["high"].to_numpy()
        ax.fill_between(xs, low, high, color=color, alpha=0.18, linewidth=0)
    # A line of one point shows nothing.
    marker = "o" if len(curve) == 1 else ""
    (line,) = ax.plot(
        xs, curve["mean"].to_numpy(), color=color, linestyle=style, marker=marker, linewidth=1.8
    )
    return line


def _dress(ax: Axes, x: str, y: str) -> None:
    """Axis labels that a person understands, and no more ink than needed."""
    ax.set_xlabel(_LABELS.get(x, _cut(x)), parse_math=False)
    ax.set_ylabel(_LABELS.get(y, _cut(y)), parse_math=False)
    if x in _COUNTS and max(map(abs, ax.get_xlim())) < _LARGEST_COUNT:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.grid(axis="y", color="#DDDDDD", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["bottom", "left"]].set_color(_GRAY)
    ax.tick_params(color=_GRAY)
    ax.margins(x=0.01)


def _legend(ax: Axes, handles: Sequence[Line2D], names: Sequence[str], *, has_band: bool) -> None:
    """Put the legend below the axis label, where it covers no curve, however long the names are."""
    below = ax.transAxes + ScaledTranslation(0, -0.55, ax.figure.dpi_scale_trans)
    legend = ax.legend(
        handles,
        [" "] * len(names),
        title="line: mean over seeds; band: lowest to highest seed" if has_band else "one seed each",
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=below,
        borderaxespad=0,
        borderpad=0,
        frameon=False,
        fontsize=9,
        title_fontsize=9,
        ncols=1 if max(map(len, names)) > _LABEL_WIDTH // 2 - 5 or len(names) < 4 else 2,
    )
    legend.get_title().set_color(_GRAY)
    for text, name in zip(legend.get_texts(), names, strict=True):
        # Set here, not above: a legend drops labels that begin with _, and reads math between $.
        text.set_text(name)
        text.set_parse_math(False)


def _legend_name(exp_name: str, num_seeds: int) -> str:
    name = f"{_cut(exp_name)} ({num_seeds} seed{'' if num_seeds == 1 else 's'})"
    return textwrap.fill(name, _LABEL_WIDTH, break_on_hyphens=False)


def _cut(text: str) -> str:
    """``text``, or its beginning and its end: drawing takes time and room for each character."""
    half = _LONGEST_TEXT // 2
    return text if len(text) <= _LONGEST_TEXT else f"{text[:half]} ... {text[-half:]}"
