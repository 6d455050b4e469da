r"""Reports as LaTeX that any engine compiles with booktabs and graphicx; pictures are files beside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from spinup import console
from spinup.report.document import Facts, Listing, Picture, Points, Prose, Table
from spinup.report.words import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from spinup.report.document import Block, Report

MARK = "% Made by spinup report"

MOST_ROWS: Final = 50  # of a table on paper
_LARGEST_CODE_POINT = 0x17F  # up to here, the fonts of every engine have the letters

_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",  # -- would become a dash
    "[": "{[}",  # behind \\ it would be an argument
    "]": "{]}",
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{PLUS-MINUS SIGN}": r"\ensuremath{\pm}",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{HORIZONTAL ELLIPSIS}": r"\dots{}",
    "\N{MODIFIER LETTER APOSTROPHE}": "'",
}
_PREAMBLE = r"""\documentclass{article}
\usepackage{iftex}
\ifpdftex
  \usepackage[utf8]{inputenc}
\fi
\usepackage[T1]{fontenc}
\usepackage{textcomp}
\usepackage[a4paper, margin=2.2cm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5em}
\begin{document}"""


def latex_of(report: Report, link: Callable[[Picture], str]) -> str:
    """The report, as a whole document.

    Args:
        report: The report.
        link: The path of a picture.
    """
    parts = [
        MARK,
        _PREAMBLE,
        rf"{{\LARGE {_text(report.title)}}}",
        _prose(report.summary),
        r"\section*{Verdict}",
        _points(report.verdicts),
    ]
    for section in report.sections:
        parts.append(rf"\section*{{{_text(section.title)}}}")
        parts += [_block(block, link) for block in section.blocks]
    return "\n\n".join([*parts, r"\end{document}"]) + "\n"


def _block(block: Block, link: Callable[[Picture], str]) -> str:
    match block:
        case Prose():
            return "\n\n".join(map(_prose, block.paragraphs))
        case Points():
            return _points(block.items)
        case Facts():
            rows = [rf"\item[{{{_text(name)}}}] {_prose(text)}" for name, text in block.rows]
            return "\n".join([r"\begin{description}", *rows, r"\end{description}"])
        case Listing():
            lines = [rf"\texttt{{{_text(line)}}}\\" for line in block.lines]
            title = rf"\subsection*{{{_text(block.title)}}}"
            return "\n".join([title, r"{\footnotesize\raggedright", *lines, r"\par}"])
        case Table():
            return _table(block)
        case Picture():
            return "\n".join(
                [
                    rf"\subsection*{{{_text(block.title)}}}",
                    rf"\includegraphics[width=\linewidth]{{\detokenize{{{link(block)}}}}}",
                    *([_prose(block.caption)] if block.caption else []),
                ]
            )
        case _:
            assert_never(block)


def _points(items: Sequence[str]) -> str:
    return "\n".join([r"\begin{itemize}", *(rf"\item {_prose(item)}" for item in items), r"\end{itemize}"])


def _prose(text: str) -> str:
    return "".join(
        rf"\texttt{{{_escaped(piece)}}}" if is_name else _escaped(piece) for piece, is_name in pieces(text)
    )


def _text(text: str) -> str:
    return _escaped(console.one_line(text))


def _escaped(text: str) -> str:
    """``text`` that reads as it is; a letter that not every engine has is written as its code point."""
    return "".join(map(_character, text))


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    is_known = ord(character) <= _LARGEST_CODE_POINT
    return character if is_known else f"{{[}}U+{ord(character):04X}{{]}}"


def _table(block: Table) -> str:
    """A table as wide as the page at most, between rules."""
    columns = "".join("l" if place < block.num_texts else "r" for place in range(len(block.columns)))
    body = [_row(row, is_strong=place in block.strong) for place, row in enumerate(block.rows[:MOST_ROWS])]
    left = len(block.rows) - MOST_ROWS
    note = block.note + (f" The other {left} rows are in the CSV file." if left > 0 else "")
    return "\n".join(
        [
            *([rf"\subsection*{{{_text(block.title)}}}"] if block.title else []),
            rf"% table: {re.sub('[^a-z_]', '', block.name)}",
            # Made smaller where it would not fit.
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _row(block.columns),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            *([rf"\par{{\footnotesize {_prose(note.strip())}}}"] if note.strip() else []),
        ]
    )


def _row(cells: Iterable[str], *, is_strong: bool = False) -> str:
    texts = [rf"\textbf{{{_text(cell)}}}" if is_strong else _text(cell) for cell in cells]
    return rf"{' & '.join(texts)} \\"
