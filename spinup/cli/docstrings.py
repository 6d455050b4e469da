"""What a docstring says: its summary, and a text for each parameter. Pure; in the common styles."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEADING = re.compile(
    r"(args|arguments|parameters|params|keyword arguments|other parameters)\s*:?", re.IGNORECASE
)
_UNDERLINE = re.compile(r"[-=~]{3,}")
#: ``name: text`` and ``name (type): text`` of Google and Spinning Up; ``name : type`` of NumPy.
_ENTRY = re.compile(r"\*{0,2}(?P<name>\w+)(?:\s*\((?P<type>.*?)\))?\s*:\s*(?P<text>.*)")
_NUMPY_ENTRY = re.compile(r"\*{0,2}(?P<name>\w+(?:\s*,\s*\w+)*)(?:\s*:.*)?")
_SPHINX_ENTRY = re.compile(r":param\s+(?:[^:]*\s)?\*{0,2}(?P<name>\w+)\s*:\s*(?P<text>.*)")


def summary_of(docstring: str | None) -> str:
    """The first paragraph, as one line."""
    paragraph = inspect.cleandoc(docstring or "").partition("\n\n")[0]
    return " ".join(paragraph.split())


def parameter_texts(docstring: str | None) -> dict[str, str]:
    """From each parameter that ``docstring`` speaks of to what it says, as one line."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    texts = {name: " ".join(parts) for name, parts in _sphinx_entries(lines)}
    for is_numpy, section in _sections(lines):
        for name, parts in _entries(section, _NUMPY_ENTRY if is_numpy else _ENTRY):
            for each in re.split(r"\s*,\s*", name):
                texts.setdefault(each, " ".join(filter(None, parts)))
    return texts


def _sections(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    """Whether its heading is underlined, and its lines, for each section that lists parameters."""
    for place, line in enumerate(lines):
        if not _HEADING.fullmatch(line.strip()):
            continue
        is_numpy = place + 1 < len(lines) and bool(_UNDERLINE.fullmatch(lines[place + 1].strip()))
        begin, depth = place + 1 + is_numpy, _depth(line)
        yield is_numpy, list(_until_next(lines[begin:], depth, is_numpy=is_numpy))


def _until_next(lines: Sequence[str], depth: int, *, is_numpy: bool) -> Iterator[str]:
    for place, line in enumerate(lines):
        is_heading = _depth(line) <= depth and bool(line.strip())
        if is_heading and not is_numpy:
            return
        if is_numpy and place + 1 < len(lines) and _UNDERLINE.fullmatch(lines[place + 1].strip()):
            return
        yield line


def _entries(lines: Sequence[str], entry: re.Pattern[str]) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of text of each entry: what is indented further belongs to the one before."""
    filled = [line for line in lines if line.strip()]
    depth = min(map(_depth, filled), default=0)
    name, parts = "", list[str]()
    for line in filled:
        match = entry.fullmatch(line.strip()) if _depth(line) == depth else None
        if match is None:
            parts.append(line.strip())
            continue
        if name:
            yield name, parts
        name, parts = match["name"], [match.groupdict().get("text") or ""]
    if name:
        yield name, parts


def _sphinx_entries(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    name, parts = "", list[str]()
    for line in [*map(str.strip, lines), ":end:"]:
        match = _SPHINX_ENTRY.fullmatch(line)
        if name and (line.startswith(":") or not line):
            yield name, parts
            name = ""
        if match is not None:
            name, parts = match["name"], [match["text"]]
        elif name:
            parts.append(line)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
