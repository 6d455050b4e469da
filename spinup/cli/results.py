"""What the commands that read results have in common: which runs are meant, and what they are judged by."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

import click

from spinup import console
from spinup.cli.find import default_data_dir, find_runs
from spinup.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from spinup.results.runset import RunSet

_RETURN = ("return", "last", "Performance")
_MOST_COLUMNS = 30  # named in an error


def by_option(also: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--by``: what runs are judged by.

    Args:
        also: What it may be beside, for the help.
    """
    return click.option(
        "--by",
        metavar="COLUMN",
        default="return",
        show_default=True,
        help="What counts: return (mean of the last 5 rows that have one), best (the highest row), "
        f"{also}or any column of progress.txt, whose last 5 rows count. Higher is better.",
    )


def load_runs(texts: Sequence[str], data_dir: str | None, by: str) -> tuple[RunSet, str]:
    """The runs that ``texts`` mean, and the column of their table that ``by`` means.

    Args:
        texts: Directories, globs, or names of experiments or runs; none for all results.
        data_dir: Where names are looked up.
        by: As for ``--by``.

    Raises:
        RecordError: A text means no run, or no run has that column, or only some.
    """
    from spinup.report.best import SCORES  # noqa: PLC0415 - heavy, and --help needs none
    from spinup.results.runset import RunSet, load  # noqa: PLC0415

    paths = [path for text in texts for path in _paths(text, data_dir)] or [default_data_dir()]
    if by in _RETURN:
        return load(paths), "last"
    if by in SCORES:
        return load(paths), by
    runs = load(paths, columns={by: "return"})
    _check_is_logged(RunSet(runs.runs), by)
    _check_column(runs, by)
    return runs, "last"


def _paths(text: str, data_dir: str | None) -> list[str]:
    expanded = os.path.expanduser(text)
    if os.path.isdir(expanded) or (glob.has_magic(expanded) and not _is_a_name(text, data_dir)):
        return [text]
    if not os.path.isdir(data_dir or default_data_dir()):
        return [text]  # there is nowhere to look up a name: reading it says what is wrong
    try:
        return [str(path) for path in find_runs(text, data_dir)]
    except RecordError as error:
        raise RecordError(f"There is no directory {console.one_line(text)}. {error}") from error


def _is_a_name(text: str, data_dir: str | None) -> bool:
    """Whether a text such as ``g_[1]`` is the name of runs as it stands."""
    try:
        return bool(find_runs(text, data_dir, is_exact=True))
    except RecordError:
        return False


def _check_is_logged(runs: RunSet, column: str) -> None:
    """Raise RecordError where ``column`` says which run it is, and not what it came to.

    Names, seeds and settings are no scores, though some are numbers.
    """
    if column in runs.table.columns and column not in _logged_columns(runs):
        raise RecordError(
            f"{column!r} says what a run is, not what it came to. There is: return, "
            f"{', '.join(_scores(runs)[:_MOST_COLUMNS])}."
        )


def _scores(runs: RunSet) -> list[str]:
    from spinup.report.best import SCORES  # noqa: PLC0415 - heavy

    return [*(name for name in SCORES if name not in _RETURN), *_logged_columns(runs)]


def _logged_columns(runs: RunSet) -> list[str]:
    """The columns of numbers that the runs have logged in progress.txt."""
    added = {"exp_name", "seed", "directory", "steps", "return"}
    curves = runs.curves
    return [name for name, dtype in curves.schema.items() if dtype.is_numeric() and name not in added]


def _check_column(runs: RunSet, column: str) -> None:
    """Raise RecordError unless all runs that have logged something have logged ``column``.

    What lacks it would be judged by its usual return, beside others judged by another thing.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    rows = runs.read([column])
    has_it = rows.group_by("directory", maintain_order=True).agg(pl.col(column).is_not_null().any())
    lacking = has_it.filter(~pl.col(column))["directory"].to_list()
    if lacking:
        raise RecordError(
            f"{len(lacking)} of {len(has_it)} runs have no {column!r}, such as {lacking[0]}. "
            "Name the others alone."
        )
