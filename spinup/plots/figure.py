"""Figures outside pyplot, and their files: PNG, SVG and PDF, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from spinup.errors import PlotError
from spinup.rundir.atomic import CAREFULLY, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

#: Formats by the ending of a file's name, and how such a file begins.
FORMATS = {".png": (b"\x89PNG",), ".svg": (b"<?xml", b"<svg"), ".pdf": (b"%PDF",)}

_DPI = 150


def new_figure(width_in: float, height_in: float) -> Figure:
    """A figure of that size in inches, outside pyplot, whose parts make room for each other."""
    # Rounded, or sums such as 4.6 + 0.6 make it a pixel less high.
    size_in = round(width_in, 2), round(height_in, 2)
    return Figure(figsize=size_in, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))


def axes_or_new(ax: Axes | None, width_in: float, height_in: float) -> Axes:
    """``ax``, or the axes of a new figure of that size in inches."""
    return new_figure(width_in, height_in).subplots() if ax is None else ax


def save(figure: Figure | SubFigure, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """Write ``figure`` to ``path``, whole or not at all; an earlier picture there is replaced.

    Args:
        figure: What to write; ``ax.figure`` of what a ``plot_`` function returns.
        path: File to write. Its ending says the format: .png (150 dots an inch), .svg or .pdf. Its
            directory is made.
        title: Text above the picture.

    Returns:
        ``path``.

    Raises:
        PlotError: The ending is none of these, something that is no such picture is at ``path``, or the
            file cannot be written.
    """
    path = Path(path)
    suffix = check_picture(path)
    root = figure.figure  # of a subfigure, the whole
    if title is not None:
        root.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", parse_math=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            root.savefig(file, format=suffix[1:], dpi=_DPI)
    except OSError as error:
        raise PlotError(f"The picture cannot be written to {path}: {error.strerror or error}.") from error
    return path


def check_picture(path: str | os.PathLike[str]) -> str:
    """The format's ending, such as ``.png``, if a picture may be written to ``path``.

    Raises:
        PlotError: The ending is unknown, or something that is no such picture is at ``path``.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise PlotError(
            f"{path} has {f'the ending {path.suffix!r}' if path.suffix else 'no ending'}, which is no "
            f"picture's. Known: {', '.join(FORMATS)}."
        )
    if not _may_be_replaced(path, FORMATS[suffix]):
        raise PlotError(
            f"{path} is there already, and is no {suffix[1:].upper()} picture. It was left as it is: "
            "choose another name, or remove it first."
        )
    return suffix


def _may_be_replaced(path: Path, beginnings: tuple[bytes, ...]) -> bool:
    """True where nothing is, or an empty file, or a picture."""
    try:
        handle = os.open(path, os.O_RDONLY | CAREFULLY)
    except (FileNotFoundError, NotADirectoryError):
        return True  # whether it can be written is another question
    except OSError:  # a link, or not ours to read
        return False
    try:
        is_plain = stat.S_ISREG(os.fstat(handle).st_mode)
        beginning = os.read(handle, 16) if is_plain else b""
    finally:
        os.close(handle)
    return is_plain and (not beginning or beginning.startswith(beginnings))
