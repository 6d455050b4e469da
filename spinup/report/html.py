"""Reports as web pages. All text is escaped by the template engine; only our own pictures are not."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from spinup import console
from spinup.report.words import pieces

if TYPE_CHECKING:
    from spinup.report.document import Block, Report


def page_of(report: Report) -> str:
    """The report as one page."""
    return _environment().get_template("page.html.jinja").render(report=report, css=_css())


def fragment_of(report: Report) -> str:
    """The report as a part of a page, such as a notebook."""
    body = _environment().get_template("body.html.jinja").render(report=report)
    return f"<style>\n{_css()}</style>\n{body}"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("spinup.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"pieces": pieces, "line": console.one_line, "kind": _kind, "picture": _picture}
    return environment


@functools.cache
def _css() -> Markup:
    environment = _environment()
    assert environment.loader is not None, "it is given above"
    source, _, _ = environment.loader.get_source(environment, "report.css")
    return Markup(source)  # noqa: S704 - our own file


def _kind(block: Block) -> str:
    return type(block).__name__


def _picture(svg: str, title: str) -> Markup:
    """The drawing, with its title for those who do not see it."""
    label = escape(console.one_line(title))
    # What Matplotlib has drawn holds no text of others: all of it is outlines.
    return Markup(svg.replace(' role="img">', f' role="img" aria-label="{label}">', 1))  # noqa: S704
