"""Colour, dividers, countdown and progress: the only module that prints."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

    #: A line in pieces: text, and rich's name of its style, such as ``bold red``; empty for none.
    Line: TypeAlias = Sequence[tuple[str, str]]

WIDTH = 80

_COLORS = {
    "gray": 30,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
    "white": 37,
    "crimson": 38,
}


def colorize(
    string: str,
    color: str,
    bold: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
    highlight: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
) -> str:
    """``string`` between the terminal codes for ``color``, whether or not a terminal shows it.

    Args:
        string: Text to colour.
        color: gray, red, green, yellow, blue, magenta, cyan, white or crimson.
        bold: In bold type.
        highlight: Colour the background instead of the letters.
    """
    codes = [str(_COLORS[color] + (10 if highlight else 0))]
    if bold:
        codes.append("1")
    return f"\x1b[{';'.join(codes)}m{string}\x1b[0m"


def is_interactive() -> bool:
    """True where a person watches: a terminal on stdout, outside continuous integration."""
    return bool(sys.stdout and sys.stdout.isatty()) and not os.environ.get("CI")


def can_redraw() -> bool:
    """True where lines can be drawn over for somebody who watches."""
    return is_interactive() and _obeys_codes()


def shows_color() -> bool:
    """True where colour codes are wanted: a terminal that knows them, NO_COLOR (no-color.org) not set."""
    is_terminal = bool(sys.stdout and sys.stdout.isatty())
    return is_terminal and _obeys_codes() and not os.environ.get("NO_COLOR")


def _obeys_codes() -> bool:
    return os.environ.get("TERM", "xterm") not in {"", "dumb", "unknown"}


def columns() -> int | None:
    """How wide lines may be for somebody who watches; None where they are kept, and not cut."""
    return shutil.get_terminal_size().columns if is_interactive() else None


def say(text: str = "", color: str | None = None, *, bold: bool = False) -> None:
    """Print a line, coloured where colour is shown; what the terminal cannot or must not get is escaped."""
    if sys.stdout is None:  # a process without a console, such as pythonw
        return
    if _open_regions:
        _open_regions[-1].say(text, color, bold=bold)
        return
    text = _printable(text)
    if color is not None and shows_color():
        text = colorize(text, color, bold=bold)
    print(_encodable(text, sys.stdout.encoding), flush=True)


def complain(text: str) -> None:
    """Print an error for the user to stderr."""
    if sys.stderr is not None:
        print(f"spinup: {_printable(text)}", file=sys.stderr, flush=True)


def divider() -> None:
    """Print a line across the page."""
    say("=" * min(WIDTH, columns() or WIDTH))


def countdown(wait_s: float) -> None:
    """Wait ``wait_s`` seconds behind a shrinking bar, on an interactive terminal only."""
    if wait_s <= 0 or not is_interactive():
        return
    end_s = time.monotonic() + wait_s
    longest = 0
    try:
        while (left_s := end_s - time.monotonic()) > 0:
            text = countdown_text(left_s, wait_s, shutil.get_terminal_size().columns)
            longest = max(longest, len(text))
            print(f"\r{text}", end="", flush=True)
            time.sleep(min(0.1, left_s))
    finally:
        # Spaces: not every terminal can erase. After Ctrl-C there are two more letters, ^C.
        blank = " " * min(longest + 2, shutil.get_terminal_size().columns - 1)
        print(f"\r{blank}\r", end="", flush=True)


def countdown_text(left_s: float, wait_s: float, width: int) -> str:
    """The line of the countdown, short enough for ``width`` columns and a ``^C`` behind it."""
    text = f"Launching in {left_s:4.1f} s"
    bar_width = min(40, width - len(text) - 6)
    if bar_width >= 5:
        filled = round(bar_width * min(1.0, left_s / wait_s))
        text += f" [{'#' * filled}{'.' * (bar_width - filled)}]"
    return text[: max(0, width - 3)]


def relay(data: bytes) -> None:
    """Write the bytes that a run printed to this process's stdout, as they are."""
    if sys.stdout is None:
        return
    buffer = getattr(sys.stdout, "buffer", None)
    sys.stdout.flush()
    if buffer is None:  # a notebook, or a test that captures text
        sys.stdout.write(data.decode("utf-8", "replace"))
    else:
        buffer.write(data)
    sys.stdout.flush()


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None) -> None:
    """Print a table: the first column to the left, the others to the right."""
    from rich import box  # noqa: PLC0415 - slow to import, and only tables need it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    grid = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    for place, name in enumerate(header):
        grid.add_column(name, justify="right" if place else "left", overflow="fold")
    for row in rows:
        grid.add_row(*map(one_line, row))
    Console(file=sys.stdout, markup=False, highlight=False).print(grid)


def one_line(text: str) -> str:
    """``text``, with escapes for what would break the line or change the terminal.

    For whatever a run could have made up: its name, its error, what its record says.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shortened(text: str, width: int, mark: str = "…") -> str:
    """``text`` in ``width`` columns; the middle gives way, as names differ mostly towards their ends."""
    if len(text) <= width:
        return text
    room = max(0, width - len(mark))
    end = room - room // 3
    return text[: room - end] + mark + text[len(text) - end :]


def told_apart(names: Sequence[str], width: int, mark: str = "…") -> list[str]:
    """``names`` in ``width`` columns each; where they are too long, what all begin with gives way first."""
    if max(map(len, names), default=0) <= width:
        return list(names)
    room = max(0, width - len(mark))
    pairs = enumerate(zip(min(names), max(names), strict=False))
    num_equal = next((place for place, (one, other) in pairs if one != other), 0)
    num_cut = min(num_equal, max(map(len, names)) - room)
    if num_cut <= len(mark):
        return [shortened(name, width, mark) for name in names]
    return [mark + shortened(name[num_cut:], room, mark) for name in names]


_open_regions: list[LiveRegion] = []


class LiveRegion:
    """Lines that are drawn over and over, below all that is printed meanwhile. Close it in the end.

    Args:
        target: Where to draw; this process's stdout by default.
    """

    def __init__(self, target: Console | None = None) -> None:
        from rich.live import Live  # noqa: PLC0415 - slow to import, and only terminals need it

        self._console = _terminal() if target is None else target
        # rich hides the cursor. Ctrl-Z and Ctrl-\ would leave it so: nobody shows it again.
        self._console.show_cursor = lambda show=True: show  # type: ignore[method-assign]
        # No refreshes by rich, which take a thread: it is drawn when there is something new.
        self._live = Live(console=self._console, auto_refresh=False)
        self._drawn: list[Text] = []
        self._drawn_width = 0

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows that the terminal has now."""
        return self._console.size.width, self._console.size.height

    @property
    def has_unicode(self) -> bool:
        """Whether the terminal can show more than ASCII."""
        return self._console.encoding.startswith("utf")

    def draw(self, lines: Sequence[Line]) -> None:
        """Show ``lines`` in the place of those that are shown now; what is too long is cut."""
        from rich.console import Group  # noqa: PLC0415

        width, _ = self.size
        with suppress(OSError):  # the terminal is gone: what it showed goes on
            if not self._live.is_started:
                _open_regions.append(self)
                self._live.start()
            if width < self._drawn_width:
                self._erase_wrapped(width)
            # Two columns stay free for the ^C that the terminal writes, which must not begin a new line.
            self._drawn = [self._text(line, width - 3) for line in lines]
            self._drawn_width = width
            self._live.update(Group(*self._drawn), refresh=True)

    def say(self, text: str, color: str | None = None, *, bold: bool = False) -> None:
        """Print a line above."""
        style = " ".join([*(["bold"] if bold else []), *([color] if color in _COLORS else [])])
        line = self._text([(text, style.replace("gray", "dim").replace("crimson", "red"))])
        self._console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Leave the lines as they are, and the terminal as it was."""
        if self in _open_regions:
            _open_regions.remove(self)
            with suppress(OSError):
                self._live.stop()

    def _text(self, line: Line, width: int | None = None) -> Text:
        from rich.text import Text  # noqa: PLC0415

        encoding = self._console.encoding
        text = Text.assemble(*((_encodable(_printable(piece), encoding), style) for piece, style in line))
        if width is not None:
            text.truncate(max(1, width), overflow="crop")
        return text

    def _erase_wrapped(self, width: int) -> None:
        """Erase the lines that are there because the terminal was made narrower and wrapped the others."""
        from rich.control import Control  # noqa: PLC0415
        from rich.segment import ControlType  # noqa: PLC0415

        more = sum(max(0, text.cell_len - 1) // width for text in self._drawn)
        erase: list[Any] = [(ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)]
        self._console.control(Control(*erase * more))


def _terminal() -> Console:
    from rich.console import Console  # noqa: PLC0415 - slow to import

    return Console(
        file=sys.stdout,
        force_terminal=True,
        force_interactive=True,
        no_color=not shows_color(),
        soft_wrap=True,
        markup=False,
        highlight=False,
        emoji=False,
    )


def _encodable(text: str, encoding: str | None) -> str:
    """``text``, with escapes for what ``encoding`` does not have."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _printable(text: str) -> str:
    """``text``, with escapes for what would change the terminal; lines and columns stay."""
    return re.sub(r"[^\n\t]+", lambda match: one_line(match[0]), text)
