"""Spinning Up's plotter: ``make_plots``, ``get_datasets`` and ``plot_data``, with pictures saved to files.

The same as ``spinup plot``, for scripts that import it from here. Frames are polars' (``.to_pandas()``
where pandas is wanted), and `plot_data` takes both. Nothing is shown on a display.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any, cast

from spinup import console
from spinup.errors import PlotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import polars as pl
    from matplotlib.axes import Axes

__all__ = ["get_all_datasets", "get_datasets", "make_plots", "plot_data"]

# As in Spinning Up, each run that is read has a number of its own.
_numbers = itertools.count()


def make_plots(
    all_logdirs: str | Sequence[str],
    legend: str | Sequence[str] | None = None,
    xaxis: str | None = None,
    values: str | Sequence[str] | None = None,
    count: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
    font_scale: float | None = None,  # noqa: ARG001 - the specification's signature
    smooth: int = 1,
    select: str | Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    estimator: str = "mean",
    *,
    out: str | os.PathLike[str] | None = None,
    show_all: bool = False,
) -> list[Path]:
    """Draw and save learning curves of the runs in or below directories; give the pictures' places.

    Args:
        all_logdirs: Directories of runs. One that is not there stands for all whose names begin so.
        legend: A name for each directory, or for each line; by default the variants' names.
        xaxis: Column along the horizontal axis, ``TotalEnvInteracts`` by default.
        values: Columns to draw, a picture each. ``Performance``, the default, is the return:
            ``AverageTestEpRet`` where a run has it, else ``AverageEpRet``.
        count: A line for each run, instead of one for each variant.
        font_scale: Taken for Spinning Up's sake, and not used: text has the size that fits the picture.
        smooth: Each run's values become means over this many of its rows.
        select: Texts that a run's path must have, all of them.
        exclude: Texts that it must not have, none of them.
        estimator: What is drawn of several seeds: ``mean``, ``median``, ``iqm``, ``max`` or ``min``.
        out: File to write (.png, .svg, .pdf); by default, beside the data.
        show_all: Draw all lines, where there are more than 10; else the best 10, which is printed.

    Raises:
        RecordError: There is no run, or a column is missing or holds text, or a seed was run twice.
        PlotError: No directory, no run is left, names and lines do not match, or no picture can be saved.
    """
    from spinup.plots.directories import Wanted, draw_and_save  # noqa: PLC0415 - heavy

    wanted = Wanted(
        xaxis=xaxis,
        values=_several(values) or Wanted.values,
        count=count,
        smooth=smooth,
        select=_several(select),
        exclude=_several(exclude),
        legend=_several(legend),
        estimate=cast("Any", estimator),  # the plot checks it
        show_all=show_all,
    )
    return draw_and_save(_several(all_logdirs), wanted, out, say=console.say)


def get_datasets(logdir: str | os.PathLike[str], condition: str | None = None) -> list[pl.DataFrame]:
    """The rows of each run in or below ``logdir``, a frame each.

    Before the columns of progress.txt: ``Unit`` (a number for the run), ``Condition1`` (``condition``, or
    the variant), ``Condition2`` (the same with the number behind it) and ``Performance`` (the return).

    Args:
        logdir: A directory.
        condition: What to call all of these runs.

    Raises:
        RecordError: There is no directory or no run.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    from spinup.results.runset import load  # noqa: PLC0415

    datasets = []
    for name, runs in load(logdir).by_variant():
        for rows in runs.curves.partition_by("directory", maintain_order=True):
            unit = next(_numbers)
            labels = [
                pl.lit(unit).alias("Unit"),
                pl.lit(condition or name).alias("Condition1"),
                pl.lit(f"{condition or name}-{unit}").alias("Condition2"),
                pl.col("return").alias("Performance"),
            ]
            datasets.append(
                rows.select(*labels, pl.exclude("exp_name", "seed", "directory", "steps", "return"))
            )
    return datasets


def get_all_datasets(
    all_logdirs: Iterable[str],
    legend: Sequence[str] | None = None,
    select: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
) -> list[pl.DataFrame]:
    """As `get_datasets`, of several directories, or of all whose names begin so where there is none.

    Args:
        all_logdirs: Directories.
        legend: What to call the runs of each.
        select: Texts that a directory must have, all of them.
        exclude: Texts that it must not have, none of them.

    Raises:
        RecordError: There is no run in a directory.
        PlotError: There is no such directory, or there are not as many names as directories.
    """
    from spinup.plots.directories import find_directories  # noqa: PLC0415 - heavy

    directories = [
        directory
        for directory in find_directories(_several(all_logdirs))
        if all(text in directory for text in select or ())
        and not any(text in directory for text in exclude or ())
    ]
    names = list(legend) if legend else [None] * len(directories)
    if len(names) != len(directories):
        raise PlotError(
            f"There are {len(names)} names for {len(directories)} directories: {', '.join(directories)}."
        )
    return [
        data
        for directory, name in zip(directories, names, strict=True)
        for data in get_datasets(directory, name)
    ]


def plot_data(
    data: Any,
    xaxis: str = "Epoch",
    value: str = "AverageEpRet",
    condition: str = "Condition1",
    smooth: int = 1,
    *,
    estimator: str = "mean",
    ax: Axes | None = None,
) -> Axes:
    """Draw a line for each condition over its units; give the axes, whose ``figure`` can be saved.

    Args:
        data: What `get_datasets` returns, or one such frame; polars or pandas.
        xaxis: Column along the horizontal axis.
        value: Column along the vertical axis.
        condition: Column that names the line.
        smooth: Each unit's values become means over this many of its rows.
        estimator: ``mean``, ``median``, ``iqm``, ``max`` or ``min`` over units.
        ax: Where to draw; by default, in a figure of its own.

    Raises:
        RecordError: A column is missing or holds text.
        PlotError: There is nothing to draw, or no such estimator.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    from spinup.plots.learning_curve import plot_learning_curve  # noqa: PLC0415

    frames = [_as_polars(frame) for frame in (data if isinstance(data, list | tuple) else [data])]
    if not frames:
        raise PlotError("There are no data to plot.")
    rows = pl.concat(frames, how="diagonal_relaxed")
    if missing := [name for name in ("Unit", condition, xaxis, value) if name not in rows.columns]:
        raise PlotError(
            f"The data have no column {missing[0]!r}. There is: {', '.join(rows.columns[:50])}."
        )
    curves = rows.with_columns(
        directory=pl.format("unit {} of {}", "Unit", condition), seed=pl.lit(None, dtype=pl.Int64)
    )
    how: dict[str, Any] = {"smooth": smooth, "estimate": estimator, "name": condition}
    return plot_learning_curve(curves, ax, x=xaxis, y=value, **how)


def _several(texts: Any) -> list[str]:
    """One text or path, several or none, as a list."""
    if texts is None:
        return []
    return [os.fspath(texts)] if isinstance(texts, str | os.PathLike) else list(map(os.fspath, texts))


def _as_polars(frame: Any) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - heavy

    if isinstance(frame, pl.DataFrame):
        return frame
    return pl.DataFrame({str(name): frame[name].tolist() for name in frame.columns})
