"""What a report is: sections of a few kinds of blocks, which each format writes its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import polars as pl
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Prose:
    """Paragraphs; names stand between backticks, as in all texts here."""

    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names, and what they are."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Listing:
    """Lines for a terminal or an editor, as they are."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: Of its CSV file.
        title: Above it.
        columns: Headings.
        rows: Cells as a person reads them; at most as many as a page can hold.
        frame: All of it, as numbers.
        num_texts: The first so many columns hold text, the others figures.
        note: Below it.
        strong: Numbers of the rows that stand out.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    frame: pl.DataFrame = field(repr=False)
    num_texts: int = 1
    note: str = ""
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        name: Of its file.
        title: Above it.
        caption: Below it; may be empty.
        svg: The picture as an element of a page.
        figure: The same for other formats.
    """

    name: str
    title: str
    caption: str
    svg: str = field(repr=False)
    figure: Figure = field(repr=False, compare=False)


Block: TypeAlias = Prose | Points | Facts | Listing | Table | Picture


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: Its heading.
        blocks: What is in it.
        is_folded: Whether a page shows the heading alone until it is opened.
    """

    title: str
    blocks: tuple[Block, ...]
    is_folded: bool = False

    @property
    def anchor(self) -> str:
        """What a link to it is called."""
        return self.title.lower().replace(" ", "-")


@dataclass(frozen=True)
class Report:
    """What some runs came to.

    Attributes:
        title: What was run.
        summary: How many runs there are, and in which states.
        verdicts: What they came to, a sentence each.
        findings: What a reader has to know before the numbers, a sentence each.
        sections: The rest.
        is_final: Whether no run is still to come.
    """

    title: str
    summary: str
    verdicts: tuple[str, ...]
    findings: tuple[str, ...]
    sections: tuple[Section, ...]
    is_final: bool = True

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables by name, as numbers: ``results``, ``runs``, and others where there are any."""
        return {block.name: block.frame for block in self.blocks if isinstance(block, Table)}

    @property
    def blocks(self) -> list[Block]:
        """The blocks of all sections."""
        return [block for section in self.sections for block in section.blocks]

    def to_html(self) -> str:
        """One page that needs nothing else: no network, no script, no other file."""
        from spinup.report.html import page_of  # noqa: PLC0415 - the template engine, where a page is wanted

        return page_of(self)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write the report to ``path``, whole or not at all; an earlier report there is replaced.

        Args:
            path: Its ending says the format: .html (one file), .md or .tex (pictures go to a directory
                beside it, ``report_files`` for ``report.md``), .csv (the table of results; the others go to
                that directory).
            force: Also replace a file that is no report of ours.

        Returns:
            ``path``.

        Raises:
            ReportError: The ending is none of these, or something else is at ``path``.
            OSError: It cannot be written.
        """
        from spinup.report.files import save  # noqa: PLC0415 - what writes a report imports it

        return save(self, path, force=force)

    def _repr_html_(self) -> str:
        from spinup.report.html import fragment_of  # noqa: PLC0415 - as above

        return fragment_of(self)
