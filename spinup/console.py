"""Colour, dividers, countdown and progress: the only module that prints."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def shows_color() -> bool:
    """True where colour codes are wanted: a terminal, and NO_COLOR (no-color.org) not set."""
    return bool(sys.stdout and sys.stdout.isatty()) and not os.environ.get("NO_COLOR")


def say(text: str = "", color: str | None = None, *, bold: bool = False) -> None:
    """Print a line, coloured where colour is shown; what the terminal cannot encode is escaped."""
    if sys.stdout is None:  # a process without a console, such as pythonw
        return
    if color is not None and shows_color():
        text = colorize(text, color, bold=bold)
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def complain(text: str) -> None:
    """Print an error for the user to stderr."""
    if sys.stderr is not None:
        print(f"spinup: {text}", file=sys.stderr, flush=True)


def divider() -> None:
    """Print a line across the page."""
    say("=" * WIDTH)


def countdown(wait_s: float) -> None:
    """Wait ``wait_s`` seconds behind a shrinking bar, on an interactive terminal only."""
    if wait_s <= 0 or not is_interactive():
        return
    end_s = time.monotonic() + wait_s
    bar_width = 40
    while (left_s := end_s - time.monotonic()) > 0:
        filled = round(bar_width * left_s / wait_s)
        bar = "#" * filled + "." * (bar_width - filled)
        print(f"\rLaunching in {left_s:4.1f} s [{bar}]", end="", flush=True)
        time.sleep(min(0.1, left_s))
    print("\r" + " " * WIDTH + "\r", end="", flush=True)


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
        grid.add_row(*row)
    Console(file=sys.stdout, markup=False, highlight=False).print(grid)
