"""Prose of a report: plain sentences in which names stand between backticks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from spinup import console
from spinup.results.stats.formatting import format_p

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CODE = re.compile(r"`([^`]+)`")
_LONGEST_VALUE = 100


def pieces(text: str) -> list[tuple[str, bool]]:
    """``text`` in pieces, each with whether it is a name: what stands between two backticks.

    Characters that are not printable are escaped, so that no piece has more than one line.
    """
    found, end = [], 0
    for match in _CODE.finditer(text):
        found += [(text[end : match.start()], False), (match[1], True)]
        end = match.end()
    found.append((text[end:], False))
    return [(console.one_line(piece), is_name) for piece, is_name in found if piece]


def quoted(name: str) -> str:
    """``name`` as a name in a sentence."""
    return f"`{name.replace('`', chr(0x2BC))}`"


def on_task(task: str | None) -> str:
    """Where something holds, for the middle of a sentence; empty where there is one task."""
    return "" if task is None else f" on {task}"


def value_words(value: Any) -> str:
    """A hyperparameter's value, of moderate length."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return console.shortened(text, _LONGEST_VALUE)


def many(number: int, noun: str) -> str:
    """``1 run`` or ``1,200 runs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(items: Iterable[str], most: int = 5) -> str:
    """The first of ``items``, and how many more there are."""
    items = list(items)
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def span(seconds: float | None) -> str:
    """A length of time, as in ``1 h 05 min``; a dash for None."""
    if seconds is None:
        return "\N{EN DASH}"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours / 24:.1f} days"


def percent(share: float | None) -> str:
    """A share, as in ``83 %``; a dash for None."""
    if share is None:
        return "\N{EN DASH}"
    return "under 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def p_cell(p: float | None) -> str:
    """A p-value below its heading, as in ``0.36`` or ``< 0.001``; empty for None."""
    return "" if p is None else format_p(p).removeprefix("p ").removeprefix("= ")


def title_of(names: Sequence[str]) -> str:
    """What ``names`` have in common at their beginning, up to a whole part; empty where that is nothing."""
    if len(set(names)) == 1:
        return names[0]
    low, high = min(names), max(names)
    length = next(
        (i for i, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low)
    )
    common = low[:length]
    # `g_lr1` and `g_lr2` are of the grid g, not of g_lr.
    return re.split(r"[_/-][^_/-]*$", common)[0] if re.search(r"[_/-]", common) else ""
