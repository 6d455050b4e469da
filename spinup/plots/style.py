"""How every picture looks: colours and line styles that can be told apart, quiet axes, text as it is."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.legend import Legend
    from matplotlib.text import Text

# Okabe and Ito's palette (Color Universal Design, 2008), told apart by colour-blind readers too, less
# its yellow, too faint on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BETTER, WORSE, UNDECIDED, UNJUDGED = "#0072B2", "#D55E00", "#999999", "#E3E3E3"
GRAY = "#555555"
PALE = "#DDDDDD"

# Once the colours are used up; each pair of them differs in grey too.
_LINES: tuple[str | tuple[int, tuple[float, ...]], ...] = ("-", "--", ":", "-.", (0, (8, 2, 1, 2, 1, 2)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LONGEST_TEXT = 450  # characters; drawing takes time and room for each
_WORDS = {
    "steps": "environment interactions",
    "return": "mean return per episode",
    "last": "return at the end of training",
    "best": "best return during training",
    "TotalEnvInteracts": "environment interactions",
    "Performance": "mean return per episode",
    "Epoch": "epoch",
    "Time": "time since the start (s)",
    "AverageEpRet": "mean return per episode",
    "AverageTestEpRet": "mean return per test episode",
    "EpLen": "mean length of an episode (steps)",
    "TestEpLen": "mean length of a test episode (steps)",
}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_POWER = 15  # beyond, Matplotlib's own notation is the better one


@dataclass(frozen=True)
class Look:
    """What tells one line from the others."""

    color: str
    line: str | tuple[int, tuple[float, ...]]
    marker: str


def look(index: int) -> Look:
    """The look of the ``index``-th line; 35 of them differ in colour or line."""
    turn = index // len(COLORS)
    return Look(COLORS[index % len(COLORS)], _LINES[turn % len(_LINES)], _MARKERS[turn % len(_MARKERS)])


def words(column: str) -> str:
    """What a person would call ``column``."""
    return _WORDS.get(column, cut(column))


def cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    """``text``, or its beginning and its end."""
    half = (longest - 5) // 2
    return text if len(text) <= longest else f"{text[:half]} ... {text[-half:]}"


def wrapped(text: str, width: int) -> str:
    """``text`` in lines of at most ``width`` characters, broken after ``_`` or ``-`` where it can be."""
    # A zero-width space is where a name may be broken; none is left in the result.
    soft = cut(text).replace("_", "_\u200b").replace("-", "-\u200b").split("\u200b")
    lines = [""]
    for piece in (part for chunk in soft for part in textwrap.wrap(chunk, width, drop_whitespace=False)):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return "\n".join(line.rstrip() for line in lines)


def plain(text: Text, content: str) -> Text:
    """Make ``text`` read ``content``, character by character: no mathematics between dollar signs."""
    text.set_parse_math(False)
    text.set_text(content)
    return text


def tick_names(axis: Axis, places: Sequence[float], names: Iterable[str]) -> None:
    """Write ``names`` at ``places`` of ``axis``, as they are."""
    axis.set_ticks(list(places), ["" for _ in places])
    for label, _name in zip(axis.get_ticklabels(), names, strict=True):
        label.set_parse_math(False)
    # A fixed formatter, not the labels' own text: drawing would write over that.
    axis.set_ticklabels(list(names), parse_math=False)


def quiet(ax: Axes, *, grid: str = "y") -> None:
    """No more ink than needed: two spines, and a pale grid behind the data."""
    for artist in (ax.title, ax.xaxis.label, ax.yaxis.label):
        artist.set_parse_math(False)
    ax.grid(visible=False)
    if grid:
        ax.grid(visible=True, axis=grid, color=PALE, linewidth=0.8)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["bottom", "left"]].set_color(GRAY)
    ax.tick_params(color=GRAY)


def count_axis(ax: Axes, label: str) -> None:
    """Make the horizontal axis count whole things, in units of a power of ten that ``label`` names."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - with what uses it

    largest = max(map(abs, ax.get_xlim()))
    power = 3 * int(math.log10(largest) // 3) if largest >= 10_000 else 0
    if power > _LARGEST_POWER:
        ax.set_xlabel(label)
        return
    unit = 10**power
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=power == 0, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / unit:,.6g}"))
    ax.set_xlabel(f"{label} (10{str(power).translate(_SUPERSCRIPTS)})" if power else label)


def start_at_zero(ax: Axes) -> None:
    """Let the horizontal axis begin at 0 if its data nearly do, or are a single point."""
    low, high = ax.dataLim.intervalx
    if 0 <= low <= 0.1 * high or 0 < low == high:
        ax.set_xlim(0, 1.01 * high if high > low else 2 * high)


def text_width(ax: Axes) -> int:
    """Characters of a legend that fit the width of ``ax``, before its neighbours take room from it."""
    return max(20, int(13 * ax.get_window_extent().width / ax.figure.dpi))


def captioned(label: str, caption: str) -> str:
    """An axis label with what else is to be said below it, in lines that fit beside wide tick labels."""
    parts = caption.replace(" ", "\u00a0").replace(";\u00a0", "; ")  # broken between its parts only
    return f"{label}\n{textwrap.fill(parts, 56)}".replace("\u00a0", " ")


def note(ax: Axes, text: str, place: tuple[float, float], **how: object) -> None:
    """Write ``text`` small and grey a little off ``place``, in units of the data by default."""
    options = {"textcoords": "offset points", "fontsize": 8, "color": GRAY, "parse_math": False, **how}
    ax.annotate(text, place, **options)  # type: ignore[arg-type]


def legend_below(ax: Axes, handles: Sequence[Artist], names: Sequence[str], *, title: str) -> None:
    """Put a legend below the axis label, where it covers no data, however long the names are."""
    from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415 - with what uses it

    below = ax.transAxes + ScaledTranslation(0, -0.55, ax.figure.dpi_scale_trans)
    legend = ax.legend(
        handles,
        [" "] * len(names),
        title=" ",
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=below,
        borderaxespad=0,
        borderpad=0,
        **legend_style(names, text_width(ax)),
    )
    name_entries(legend, names, title)


def legend_style(names: Sequence[str], width: int) -> dict[str, Any]:
    """Arguments of a legend that has room for ``width`` characters a line."""
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    return {
        "alignment": "left",
        "frameon": False,
        "fontsize": 9,
        "title_fontsize": 9,
        "ncols": max(1, min(width // (longest + 8), -(-len(names) // 3), 4)),
        "handlelength": 2.8,
    }


def name_entries(legend: Legend, names: Sequence[str], title: str) -> None:
    """Write ``names`` and ``title`` into ``legend``."""
    # Set here, not when it is made: a legend drops labels that begin with _, and reads math between $.
    plain(legend.get_title(), title).set_color(GRAY)
    for text, name in zip(legend.get_texts(), names, strict=True):
        plain(text, name)
