"""Reports as Markdown, as GitHub reads it; pictures are files beside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from spinup import console
from spinup.report.document import Facts, Listing, Picture, Points, Prose, Table
from spinup.report.words import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from spinup.report.document import Block, Report

MARK = "<!-- Made by spinup report -->"

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_BEGINNING = re.compile(r"^(\s*)([-+=]|[0-9]+[.)])")


def markdown_of(report: Report, link: Callable[[Picture], str]) -> str:
    """The report.

    Args:
        report: The report.
        link: The address of a picture.
    """
    parts = [
        MARK,
        f"# {_text(report.title)}",
        _prose(report.summary),
        "## Verdict",
        _points(report.verdicts),
    ]
    for section in report.sections:
        parts.append(f"## {_text(section.title)}")
        parts += [_block(block, link) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block, link: Callable[[Picture], str]) -> str:
    match block:
        case Prose():
            return "\n\n".join(map(_prose, block.paragraphs))
        case Points():
            return _points(block.items)
        case Facts():
            return _points(f"{name}: {text}" for name, text in block.rows)
        case Listing():
            return f"### {_text(block.title)}\n\n{_fenced(block.lines)}"
        case Table():
            return _table(block)
        case Picture():
            shown = f"### {_text(block.title)}\n\n![{_text(block.title)}](<{link(block)}>)"
            return f"{shown}\n\n{_prose(block.caption)}" if block.caption else shown
        case _:
            assert_never(block)


def _points(items: Iterable[str]) -> str:
    return "\n".join(f"- {_prose(item)}" for item in items)


def _prose(text: str) -> str:
    return _guarded(
        "".join(_name(piece) if is_name else _escaped(piece) for piece, is_name in pieces(text))
    )


def _name(text: str) -> str:
    return f"`{text}`"


def _text(text: str) -> str:
    return _guarded(_escaped(console.one_line(text)))


def _escaped(text: str) -> str:
    """``text`` that reads as it is: neither markup nor HTML."""
    return _SPECIAL.sub(r"\\\1", text)


def _guarded(text: str) -> str:
    """``text`` that begins no list and underlines no heading."""
    return _BEGINNING.sub(lambda match: f"{match[1]}{match[2][:-1]}\\{match[2][-1]}", text)


def _fenced(lines: Sequence[str]) -> str:
    shown = [console.one_line(line) for line in lines]
    # Longer than any row of backticks in it.
    longest = max((len(row) for line in shown for row in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *shown, fence])


def _table(block: Table) -> str:
    rules = [":---" if place < block.num_texts else "---:" for place in range(len(block.columns))]
    body = [_row(row, is_strong=place in block.strong) for place, row in enumerate(block.rows)]
    lines = [_row(block.columns), f"| {' | '.join(rules)} |", *body]
    title = [f"### {_text(block.title)}"] if block.title else []
    note = [_prose(block.note)] if block.note else []
    return "\n\n".join([*title, "\n".join(lines), *note])


def _row(cells: Iterable[str], *, is_strong: bool = False) -> str:
    mark = "**" if is_strong else ""
    texts = (_escaped(console.one_line(cell)) for cell in cells)
    return f"| {' | '.join(f'{mark}{text}{mark}' if text else '' for text in texts)} |"
