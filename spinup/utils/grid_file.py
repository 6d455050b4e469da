"""Grids in TOML files: read, checked and written. What a document says is in `spinup.grid.document`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from spinup.errors import GridError, GridFileError
from spinup.rundir.atomic import write_text

if TYPE_CHECKING:
    import os

    from spinup.grid import Grid

AnyGrid = TypeVar("AnyGrid", bound="Grid")


def write_grid(grid: Grid, path: str | os.PathLike[str]) -> None:
    """Write ``grid`` to the TOML file ``path``.

    Raises:
        GridError: The file could not say all of it.
        GridFileError: The file cannot be written.
    """
    # Not at the top, here and below: most grids are in no file.
    import tomli_w  # noqa: PLC0415

    from spinup.grid.document import to_document  # noqa: PLC0415

    text = tomli_w.dumps(to_document(grid.source))
    file = Path(path)
    try:
        write_text(file, text)
    except OSError as error:
        reason = error.strerror if file.parent.is_dir() else f"there is no directory {file.parent}"
        raise GridFileError(f"The grid cannot be saved to {file}: {reason}.") from error


def read_grid(path: str | os.PathLike[str], cls: type[AnyGrid]) -> AnyGrid:
    """The grid that the TOML file ``path`` describes.

    Raises:
        GridError: It describes none.
        OSError: The file cannot be read.
    """
    import tomllib  # noqa: PLC0415

    from spinup.grid.document import build_grid  # noqa: PLC0415

    file = Path(path)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GridError(f"{file} is no TOML file: {error}.") from error
    try:
        return build_grid(document, cls)
    except GridError as error:
        raise type(error)(f"{file}: {error}") from error
