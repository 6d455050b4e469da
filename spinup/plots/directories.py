"""From directories to learning curves, as ``spinup plot`` and Spinning Up's ``make_plots`` ask for them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from spinup.errors import PlotError
from spinup.plots.figure import check_picture, save
from spinup.plots.learning_curve import plot_learning_curve, plot_learning_curves
from spinup.plots.variants import order_of, with_variants
from spinup.results.groups import FINISHED
from spinup.results.runset import RunSet, load
from spinup.rundir.layout import RunDir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.figure import Figure, SubFigure

    from spinup.plots.estimates import OverSeeds

PERFORMANCE = "Performance"

_MOST_NAMES = 10
_MOST_LINES = 10  # that can be told apart in one picture


@dataclass(frozen=True)
class Wanted:
    """What to draw.

    Attributes:
        xaxis: Column along the horizontal axis; by default the steps, whatever their column is called.
        values: Columns to draw, one picture each; ``Performance`` is the return, of test episodes if any.
        count: A line for each run, instead of one for each variant.
        smooth: Each run's values become means over this many of its rows.
        select: Texts that a run's directory must have, all of them.
        exclude: Texts that it must not have, none of them.
        legend: A name for each directory, or for each line; by default the variants' names.
        estimate: What is made of the seeds: ``mean``, ``median``, ``iqm``, ``max`` or ``min``.
        show_seeds: Draw each seed too, thin and faint.
        show_all: Draw all lines, not the best 10 alone. With a ``legend``, all are drawn too.
    """

    xaxis: str | None = None
    values: Sequence[str] = (PERFORMANCE,)
    count: bool = False
    smooth: int = 1
    select: Sequence[str] = ()
    exclude: Sequence[str] = ()
    legend: Sequence[str] = ()
    estimate: OverSeeds = "mean"
    show_seeds: bool = False
    show_all: bool = False


def find_directories(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The directories that ``paths`` mean: themselves, or those whose names begin so.

    A path is a prefix only where no directory has that very name: ``exp_s1`` is not ``exp_s10``.

    Raises:
        PlotError: A path is no directory, and begins the name of none.
    """
    return list(dict.fromkeys(one for path in paths for one in _directories(os.fspath(path))))


def draw(
    directories: Sequence[str], wanted: Wanted, *, say: Callable[[str], None] | None = None
) -> list[Figure | SubFigure]:
    """A figure of learning curves for each of ``wanted.values``, a panel per task.

    Args:
        directories: Whose runs to draw; those below them too.
        wanted: How.
        say: Gets a line where the best are drawn alone.

    Raises:
        RecordError: There is no run, or a column is missing or holds text, or a seed was run twice.
        PlotError: No run is left after selection, or names and lines do not match.
    """
    runs = _selected(load(directories), wanted)
    curves = _lines(runs, wanted, directories)
    num_lines = curves["line"].n_unique()
    if num_lines > _MOST_LINES and not (wanted.show_all or wanted.legend):
        curves = curves.filter(pl.col("line").is_in(_best_lines(curves, runs.table)))
        if say is not None:
            say(
                f"The best {_MOST_LINES} of {num_lines} lines, by their return at the end. "
                "All of them: --all (in Python: show_all=True)."
            )
    return [_draw_one(curves, value, wanted) for value in wanted.values]


def draw_and_save(
    paths: Iterable[str | os.PathLike[str]],
    wanted: Wanted,
    out: str | os.PathLike[str] | None = None,
    *,
    say: Callable[[str], None],
) -> list[Path]:
    """Draw what is ``wanted`` of the runs below ``paths``, and save it; give the pictures' places.

    Args:
        paths: Directories, or where there is none of that name, what directories' names begin with.
        wanted: What to draw.
        out: File to write; with several values, each is added to its name. By default beside the data.
        say: Gets a line for each prefix that was completed, and for each picture.

    Raises:
        RecordError: As for `draw`.
        PlotError: As for `draw`, `find_directories` and `spinup.plots.figure.save`.
    """
    paths = [os.path.expanduser(os.fspath(path)) for path in paths]
    directories = find_directories(paths)
    for path in paths:
        if not os.path.isdir(path):
            say(f"{path} is no directory; taken as the beginning of: {', '.join(find_directories([path]))}")
    is_only = len(wanted.values) == 1
    places = [picture_path(out, directories, value, is_only=is_only) for value in wanted.values]
    for place in places:
        check_picture(place)  # before the work, not after it
    for figure, place, value in zip(draw(directories, wanted, say=say), places, wanted.values, strict=True):
        say(f"{value}: {save(figure, place)}")
    return places


def picture_path(
    out: str | os.PathLike[str] | None, directories: Sequence[str], value: str, *, is_only: bool
) -> Path:
    """Where the picture of ``value`` goes: ``out``, or beside the data.

    Args:
        out: File that the user named, if any; with several pictures, the value is added to its name.
        directories: Of the data.
        value: Column that is drawn.
        is_only: Whether there is no other picture.
    """
    suffix = "" if value == PERFORMANCE else "_" + re.sub(r"[^A-Za-z0-9.-]+", "-", value)[:80]
    if out is not None:
        path = Path(out).expanduser()
        return (
            path if is_only else path.with_name(f"{path.stem}_{suffix.lstrip('_') or value}{path.suffix}")
        )
    parents = [_without_run(Path(directory).absolute()) for directory in directories]
    return Path(os.path.commonpath(parents)) / f"learning_curves{suffix}.png"


def _directories(path: str) -> list[str]:
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        return [path]
    parent, prefix = os.path.split(path)
    names = sorted(os.listdir(parent or ".")) if os.path.isdir(parent or ".") else []
    found = [os.path.join(parent, name) for name in names if prefix and name.startswith(prefix)]
    found = [directory for directory in found if os.path.isdir(directory)]
    if not found:
        raise PlotError(
            f"There is no directory {path}, nor one whose name begins so: nothing to plot from."
        )
    return found


def _without_run(directory: Path) -> Path:
    """The directory, or its parent if it is a run's own, which is no place for pictures."""
    return directory.parent if RunDir(directory).progress.exists() else directory


def _selected(runs: RunSet, wanted: Wanted) -> RunSet:
    kept = runs.filter(
        lambda run: (
            all(text in run.path for text in wanted.select)
            and not any(text in run.path for text in wanted.exclude)
        )
    )
    if not len(kept):
        raise PlotError(
            f"None of the {len(runs)} runs is left: select and exclude go by what is in a run's directory, "
            f"such as {runs.runs[0].path}."
        )
    return kept


def _lines(runs: RunSet, wanted: Wanted, directories: Sequence[str]) -> pl.DataFrame:
    """The rows of all runs, with the columns ``line`` and ``task``."""
    curves = runs.read(dict.fromkeys([_x(wanted), *map(_column, wanted.values)]))
    if wanted.legend and (by_directory := _by_directory(curves, runs.table, wanted.legend, directories)):
        return pl.concat(by_directory)
    named = with_variants(curves, runs.table).with_columns(line=pl.col("variant"))
    if wanted.count:
        seed = pl.format(", seed {}", pl.col("seed")).fill_null(pl.format(", {}", pl.col("directory")))
        named = named.with_columns(line=pl.col("variant") + seed)
    return _renamed(named, wanted.legend) if wanted.legend else named


def _best_lines(curves: pl.DataFrame, table: pl.DataFrame) -> list[str]:
    """The names of the best lines; of several tasks, the best of each come first."""
    is_finished = pl.col("state").is_in(list(FINISHED)) & pl.col("last").is_finite()
    scores = table.select("directory", score=pl.when(is_finished).then("last"))
    runs = curves.select("line", "task", "directory").unique(maintain_order=True)
    lines = (
        runs.join(scores, on="directory", how="left", maintain_order="left")
        .group_by("task", "line", maintain_order=True)
        .agg(pl.col("score").mean(), num_used=pl.col("score").count(), num_runs=pl.len())
    )
    ranked: list[tuple[int, str]] = []
    for _, of_task in lines.group_by("task", maintain_order=True):
        rows = sorted(of_task.to_dicts(), key=lambda r: order_of(r["score"], r["num_used"], r["num_runs"]))
        ranked += [(place, row["line"]) for place, row in enumerate(rows)]
    best_first = sorted(ranked, key=lambda each: each[0])
    return list(dict.fromkeys(line for _, line in best_first))[:_MOST_LINES]


def _by_directory(
    curves: pl.DataFrame, table: pl.DataFrame, legend: Sequence[str], directories: Sequence[str]
) -> list[pl.DataFrame]:
    """The rows of each directory under its name; none where names are not one for each directory.

    Each is looked at by itself: the same variant, in two directories, is two lines.
    """
    parts = [(curves.filter(_is_below(root)), table.filter(_is_below(root))) for root in directories]
    parts = [(rows, own) for rows, own in parts if len(own)]
    if len(legend) != len(parts):
        return []
    named = [with_variants(rows, own) for rows, own in parts]
    if any(rows.select("variant", "task").n_unique() > rows["task"].n_unique() for rows in named):
        return []
    return [rows.with_columns(line=pl.lit(name)) for name, rows in zip(legend, named, strict=True)]


def _renamed(named: pl.DataFrame, legend: Sequence[str]) -> pl.DataFrame:
    lines = named["line"].unique(maintain_order=True).to_list()
    if len(legend) != len(lines):
        more = f" and {len(lines) - _MOST_NAMES} more" if len(lines) > _MOST_NAMES else ""
        raise PlotError(
            f"The legend has {len(legend)} names. There are {len(lines)} lines, in this order: "
            f"{', '.join(lines[:_MOST_NAMES])}{more}. Give a name for each."
        )
    return named.with_columns(line=pl.col("line").replace_strict(lines, list(legend)))


def _is_below(root: str) -> pl.Expr:
    directory = pl.col("directory")
    return (directory == root) | directory.str.starts_with(os.path.join(root, ""))


def _x(wanted: Wanted) -> str:
    return "steps" if wanted.xaxis in {None, "TotalEnvInteracts"} else str(wanted.xaxis)


def _column(value: str) -> str:
    return "return" if value == PERFORMANCE else value


def _draw_one(curves: pl.DataFrame, value: str, wanted: Wanted) -> Figure | SubFigure:
    how: dict[str, Any] = {
        "x": _x(wanted),
        "y": _column(value),
        "name": "line",
        "smooth": wanted.smooth,
        "estimate": wanted.estimate,
        "show_seeds": wanted.show_seeds,
    }
    if curves["task"].n_unique() > 1:
        return plot_learning_curves(curves, **how)[0].figure
    return plot_learning_curve(curves, **how).figure
