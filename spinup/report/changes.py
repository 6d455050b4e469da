"""Comparisons with a baseline in sentences, the clearest first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from spinup.report.words import listed, on_task, quoted
from spinup.results.stats.comparison import Verdict
from spinup.results.stats.formatting import format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

_MOST_SENTENCES = 12
_ORDER: Final = [
    Verdict.BETTER,
    Verdict.WORSE,
    Verdict.UNCLEAR,
    Verdict.WITHIN_NOISE,
    Verdict.NO_EFFECT,
    Verdict.TOO_FEW,
]


def change_sentences(rows: Sequence[Row]) -> list[str]:
    """The comparisons in words, the clearest first; those that nothing can be said of in one sentence."""
    few = [row for row in rows if _has_too_few(row)]
    judged = sorted(
        (row for row in rows if not _has_too_few(row)),
        key=lambda row: _ORDER.index(Verdict(row["verdict"])),
    )
    said = _said_together(judged)
    sentences = [_sentence(same) for same in said[:_MOST_SENTENCES]]
    if left := [row for same in said[_MOST_SENTENCES:] for row in same]:
        counts = Counter(row["verdict"] for row in left)
        sentences.append(f"Then {', '.join(f'{number} {verdict}' for verdict, number in counts.items())}.")
    if few:
        sentences.append(_too_few(few, is_all=not judged))
    return sentences


def _has_too_few(row: Row) -> bool:
    # What has a p says itself why it is not judged.
    return bool(row["verdict"] == Verdict.TOO_FEW.value and row["p"] is None)


def _said_together(rows: Sequence[Row]) -> list[list[Row]]:
    """``rows`` by what there is to say of them: those of a task that changed nothing are one sentence."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for number, row in enumerate(rows):
        is_nothing = row["verdict"] == Verdict.NO_EFFECT.value
        key = (row["task"], row["mean"], _after_title(row)) if is_nothing else (number,)
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _sentence(rows: Sequence[Row]) -> str:
    first = rows[0]
    if len(rows) == 1:
        return f"{first['sentence']}."
    where = "" if first["task"] is None else f"On {first['task']}, "
    is_one_value = first["mean_low"] == first["mean_high"] == first["mean"]
    value = format_number(first["mean"]) if is_one_value else "the same"
    seeds = _after_title(first).rpartition("the same, ")[2]
    names = listed(quoted(row["variant"]) for row in rows)
    return f"{where}{len(rows)} changes changed nothing: every seed came to {value}, {seeds}: {names}."


def _after_title(row: Row) -> str:
    """The sentence of a comparison, without what it is about."""
    return str(row["sentence"]).removeprefix(f"`{row['variant']}`{on_task(row['task'])}")


def _too_few(rows: Sequence[Row], *, is_all: bool) -> str:
    if is_all and max(row["num_runs"] for row in rows) == 1:
        return "One seed each: no difference can be told from chance. Run more seeds, five at least."
    names = listed([quoted(row["variant"]) for row in rows])
    return f"Too few seeds have a result to judge {names}."
