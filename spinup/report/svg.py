"""Figures as elements of a page: the same bytes each time, and nothing that reaches beyond its picture."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROOT = re.compile(r"<svg\b[^>]*>")
_NO_CONTENT = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style\b[^>]*>.*?</style>", re.DOTALL)
_EMPTY = re.compile(r"<defs>\s*</defs>\s*")
_IDS = re.compile(r'(\bid="|\burl\(#|\b(?:xlink:)?href="#)')
_SIZE = re.compile(r'(?:viewBox|width|height)="[^"]*"')
# What Matplotlib says for every element of the page, in a style sheet.
_LINES = 'style="stroke-linejoin:round;stroke-linecap:butt"'


def svg_of(figure: Figure, name: str) -> str:
    """``figure`` as one ``<svg>`` element.

    Args:
        figure: What to draw. Its texts become outlines.
        name: Differs among the pictures of a page: it begins the ids of all that is in this one.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - with what uses it

    text = io.StringIO()
    with rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return element_of(text.getvalue(), name)


def element_of(document: str, name: str) -> str:
    """The picture in an SVG document, without comments, metadata and styles, and with ids of its own."""
    root = _ROOT.search(document)
    assert root is not None, "Matplotlib writes one"
    inside = _EMPTY.sub("", _NO_CONTENT.sub("", document[root.end() : document.rindex("</svg>")]))
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", name)
    inside = _IDS.sub(lambda match: f"{match[1]}{prefix}-", inside)
    view = " ".join(_SIZE.findall(root[0]))
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} {view} {_LINES} role="img">{inside.strip()}</svg>'
