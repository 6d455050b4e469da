"""Reports as files: the format by the ending, pictures and further tables in a directory beside."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from spinup.errors import ReportError
from spinup.plots.figure import check_picture
from spinup.report import csv, html, latex, markdown
from spinup.report.document import Picture, Table
from spinup.rundir.atomic import CAREFULLY, replacing, write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from spinup.report.document import Report

_DPI = 150
_BEGINNING_BYTES = 1 << 12
#: What a report of ours has among its first bytes.
_MARKS = {
    ".html": b'<meta name="generator" content="spinup report">',
    ".md": markdown.MARK.encode(),
    ".tex": latex.MARK.encode(),
    ".csv": b"",  # such a file has no room for a mark: its header is compared
}


def save(report: Report, path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write ``report`` to ``path``; see `Report.save`."""
    path = Path(path)
    check_target(path, force=force)
    path.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS[path.suffix.lower()](report, path, force)
    return path


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise ReportError unless a report may be written to ``path``; CSV files are looked at later."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _MARKS:
        what = f"the ending {path.suffix!r}" if path.suffix else "no ending"
        raise ReportError(f"{path} has {what}, which is no report's. Known: {', '.join(_MARKS)}.")
    if not force:
        _check(path, _MARKS[suffix])


def _write_html(report: Report, path: Path, force: bool) -> None:  # noqa: ARG001, FBT001 - one of several writers
    write_text(path, html.page_of(report))


def _write_markdown(report: Report, path: Path, force: bool) -> None:  # noqa: FBT001
    folder = _folder(path)
    _save_pictures(report, folder, ".png", force=force)
    write_text(path, markdown.markdown_of(report, lambda picture: f"{folder.name}/{picture.name}.png"))


def _write_latex(report: Report, path: Path, force: bool) -> None:  # noqa: FBT001
    folder = _folder(path)
    _save_pictures(report, folder, ".pdf", force=force)
    write_text(path, latex.latex_of(report, lambda picture: f"{folder.name}/{picture.name}.pdf"))


def _write_csv(report: Report, path: Path, force: bool) -> None:  # noqa: FBT001
    tables = [block for block in report.blocks if isinstance(block, Table)]
    folder = _folder(path)
    places = {table.name: folder / f"{table.name}.csv" for table in tables[1:]} | {tables[0].name: path}
    if not force:
        for table in tables:
            # The first columns alone: others depend on what was run.
            _check(places[table.name], ",".join(csv.header_of(table).split(",")[:3]).encode())
    for table in tables:
        places[table.name].parent.mkdir(exist_ok=True)
        write_text(places[table.name], csv.csv_of(table))


_WRITERS: dict[str, Callable[[Report, Path, bool], None]] = {
    ".html": _write_html,
    ".md": _write_markdown,
    ".tex": _write_latex,
    ".csv": _write_csv,
}


def _folder(path: Path) -> Path:
    return path.with_name(f"{path.stem}_files")


def _save_pictures(report: Report, folder: Path, suffix: str, *, force: bool) -> None:
    pictures = [block for block in report.blocks if isinstance(block, Picture)]
    places = [folder / f"{picture.name}{suffix}" for picture in pictures]
    if not force:
        for place in places:
            check_picture(place)
    dateless = {"CreationDate": None} if suffix == ".pdf" else {}
    for picture, place in zip(pictures, places, strict=True):
        place.parent.mkdir(exist_ok=True)
        with replacing(place) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the report says what there was, from when it was drawn
            picture.figure.savefig(file, format=suffix[1:], dpi=_DPI, metadata=dateless)


def _check(path: Path, mark: bytes) -> None:
    """Raise ReportError where something is at ``path`` that has not ``mark`` in its beginning."""
    try:
        handle = os.open(path, os.O_RDONLY | CAREFULLY)
    except FileNotFoundError:
        return
    except OSError:
        beginning = None  # a link, or not ours to read
    else:
        with os.fdopen(handle, "rb") as file:
            is_plain = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            beginning = file.read(_BEGINNING_BYTES) if is_plain else None
    if beginning is None or (beginning and mark not in beginning):
        raise ReportError(
            f"{path} is there already, and was not made by spinup report. It was left as it is: choose "
            "another name, or replace it by --force (in Python: force=True)."
        )
