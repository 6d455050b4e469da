"""A grid in a TOML file, with what is to be run and how; flags go before what the file says.

::

    name = "bench"
    thunk = "train.py:train"        # or: command = ["python", "train.py", "--lr", "{lr}"]

    [run]
    parallel = 4
    timeout = "2h"

    [[parameter]]
    key = "lr"
    values = [1e-3, 1e-4]

The rest is what `ExperimentGrid.save` writes. Paths are as seen from the working directory.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click import UsageError

from spinup.cli.options import find_option
from spinup.grid.document import build_grid, to_document
from spinup.utils.run_utils import ExperimentGrid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spinup.cli.request import Setting

#: Options that a flag alone can give: each says something about the file, or about this one launch.
_FLAGS_ALONE = ("exp_name", "grid", "json", "dry_run")


@dataclass(frozen=True)
class GridFile:
    """What a file says.

    Attributes:
        path: The file.
        thunk: What to run, as ``spinup run`` takes it; None if it does not say.
        command: The program to run instead.
        options: Options by keyword.
        document: The grid itself.
    """

    path: str
    thunk: str | None = None
    command: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)


def read_grid_file(path: str) -> GridFile:
    """What the file at ``path`` says; the grid in it is not looked at yet.

    Raises:
        UsageError: It cannot be read, or says what no file can.
    """
    try:
        document = tomllib.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    thunk, command, options = (document.pop(key, None) for key in ("thunk", "command", "run"))
    if thunk is not None and (command is not None or not isinstance(thunk, str)):
        raise UsageError(f"{path}: thunk is a text such as 'train.py:train', and stands without a command.")
    if command is not None and not (isinstance(command, list) and all(isinstance(w, str) for w in command)):
        raise UsageError(f"{path}: command is a list of texts, the program and its arguments.")
    words = None if command is None else tuple(command)
    return GridFile(path, thunk, words, _check_options(path, options), document)


def make_grid(file: GridFile, name: str | None, settings: Sequence[Setting]) -> ExperimentGrid:
    """The grid in ``file``, with what flags have set in place of what it says.

    Args:
        file: The file.
        name: The grid's name; None for the file's.
        settings: Parameters; those that the file does not have come last.

    Raises:
        UsageError: A flag cannot change what it should.
        GridError: The file describes no grid.
    """
    document = dict(file.document)
    if {"part", "union"} & set(document) and (settings or name is not None):
        raise UsageError(f"{file.path} describes a part or a union of grids, which flags cannot change.")
    tables = [dict(table) for table in _tables(document)]
    for setting in settings:
        _override(file.path, tables, setting)
    if settings:
        document["parameter"] = tables
    if name is not None:
        document["name"] = name
    return build_grid(document, ExperimentGrid)


def _tables(document: Mapping[str, Any]) -> list[Any]:
    tables = document.get("parameter", [])
    return tables if isinstance(tables, list) and all(isinstance(table, dict) for table in tables) else []


def _override(path: str, tables: list[dict[str, Any]], setting: Setting) -> None:
    key = setting.key
    if any(
        key in (*table.get("keys", ()), *table.get("drop", ()), *table.get("baseline", ()))
        for table in tables
    ):
        raise UsageError(
            f"--{key} cannot change {path}, where {key} goes together with others. Edit the file."
        )
    grid = ExperimentGrid()
    grid.add(key, setting.values, setting.shorthand)
    (new,) = to_document(grid.source)["parameter"]
    old = next((table for table in tables if table.get("key") == key), None)
    if old is None:
        tables.append(new)
        return
    for name in ("values", "distribution", "labels"):
        old.pop(name, None)
    old["values"] = new["values"]
    if setting.shorthand is not None:
        old["shorthand"] = setting.shorthand


def _check_options(path: str, options: Any) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise UsageError(f"{path}: [run] is a table of options, such as parallel = 4.")
    checked = {}
    for name, value in options.items():
        option = find_option(name)
        if option is None or option.keyword in _FLAGS_ALONE:
            raise UsageError(f"{path}: [run] has no {name!r}; it takes what spinup run --help lists.")
        checked[option.keyword] = value
    return checked
