"""What the commands have in common in what they print."""

from __future__ import annotations

import json
import math
import sys
from datetime import UTC, datetime
from typing import Any

import click

from spinup import console
from spinup.utils.live_view import figure


def print_json(value: Any) -> None:
    """Print ``value`` as JSON that every reader takes: NaN and infinities are strings, as in the record."""
    console.say(json.dumps(_finite(value), indent=2, allow_nan=False))


def confirm(question: str, *, is_sure: bool) -> bool:
    """Whether the user wants it; asked only where they have not said so already.

    Raises:
        UsageError: There is nobody to ask.
    """
    if is_sure:
        return True
    if not (sys.stdin and sys.stdin.isatty()):
        raise click.UsageError(f"{question} There is nobody to ask here; --yes does it without asking.")
    is_wanted = click.confirm(console.one_line(question))
    if not is_wanted:
        console.say("Nothing was done.")
    return is_wanted


def figure_of(value: float | None) -> str:
    """A number in a few columns; NaN and infinities by their names, nothing for None."""
    if value is None:
        return ""
    return figure(str(value)) if math.isfinite(value) else str(value)


def size_of(num_bytes: int) -> str:
    """A number of bytes, as a person says it."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def utc_text(time_s: float | None) -> str | None:
    """A time in seconds since 1970 as the record has it: UTC, ISO 8601, to the millisecond."""
    if time_s is None:
        return None
    moment = datetime.fromtimestamp(time_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
