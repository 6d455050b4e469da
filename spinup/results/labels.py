"""What the variants of a table are called, within each task and across tasks."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from spinup.results.groups import Variant

_FEWEST_LETTERS = 3  # of a part of a name that may stand for the task, as `hop` does for Hopper-v4


def labels_of(variants: Sequence[Variant], changes: Sequence[tuple[str, ...]]) -> list[str]:
    """A label for each variant: another for each within a task, the same for one variant on several tasks.

    It is as short as it can be: what an ablation changed, else what tells the settings apart, else the
    name without the task; name and settings where one of these alone says too little.

    Args:
        variants: Of all tasks; ``label`` is not read.
        changes: Of each variant, the keys in which it differs from its ablation's baseline.
    """
    varying = _varying(variants)
    stems = [_stem(variant) for variant in variants]
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(_identities(variants, stems, changes, varying)):
        members[key].append(place)
    firsts = [places[0] for places in members.values()]
    candidates = [_candidates(variants, stems, changes, varying, place) for place in firsts]
    labels = [""] * len(variants)
    for label, places in zip(_distinct(candidates), members.values(), strict=True):
        for place in places:
            labels[place] = label
    return labels


def _identities(
    variants: Sequence[Variant],
    stems: Sequence[str],
    changes: Sequence[tuple[str, ...]],
    varying: Sequence[str],
) -> list[Hashable]:
    """What makes a variant the same on another task; no two of one task have the same."""
    settings = [tuple(variant.parameters[name] for name in varying) for variant in variants]
    marks = [
        (variant.is_baseline, keys, own)
        for variant, keys, own in zip(variants, changes, settings, strict=True)
    ]
    tasks = [variant.task for variant in variants]
    # What an ablation marked is the same on every task, however its grids were called there.
    num_alike = Counter(zip(tasks, marks, strict=True))
    repeated = {mark for (_, mark), number in num_alike.items() if number > 1}
    found: list[Hashable] = [
        mark if (mark[0] or mark[1]) and mark not in repeated else (stem, mark)
        for stem, mark in zip(stems, marks, strict=True)
    ]
    twice = Counter(zip(tasks, found, strict=True))
    return [
        (key, variant.exp_name) if twice[variant.task, key] > 1 else key
        for key, variant in zip(found, variants, strict=True)
    ]


def _candidates(
    variants: Sequence[Variant],
    stems: Sequence[str],
    changes: Sequence[tuple[str, ...]],
    varying: Sequence[str],
    place: int,
) -> list[str]:
    """Names of one variant, each saying more than the one before."""
    variant, stem = variants[place], stems[place]
    is_one_task = len({variant.task for variant in variants}) == 1
    settings = settings_in_words(variant.parameters, varying)
    whole = f"{stem} ({settings})" if settings else stem
    if changes[place]:
        changed = _changed_in_words(variant.parameters, changes[place], varying)
        return [changed, f"{stem} ({changed})", whole]
    if variant.is_baseline and not is_one_task:
        return ["baseline", stem, whole]
    return [stem, whole] if is_one_task or not settings else [settings, stem, whole]


def _distinct(candidates: Sequence[Sequence[str]]) -> list[str]:
    """The first of each that no other has; those that share all of theirs are numbered."""
    longest = max(map(len, candidates))
    labels = [own[0] for own in candidates]
    for level in range(1, longest):
        num = Counter(labels)
        labels = [
            own[min(level, len(own) - 1)] if num[label] > 1 else label
            for own, label in zip(candidates, labels, strict=True)
        ]
    taken: set[str] = set()
    for place, label in enumerate(labels):
        number = 2
        while labels[place] in taken:
            labels[place] = f"{label} #{number}"
            number += 1
        taken.add(labels[place])
    return labels


def _varying(variants: Sequence[Variant]) -> list[str]:
    """The parameters that have several values on one of the tasks."""
    by_task: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for variant in variants:
        by_task[variant.task].append(variant.parameters)
    return [
        name
        for name in variants[0].parameters
        if any(len({own[name] for own in members}) > 1 for members in by_task.values())
    ]


def settings_in_words(parameters: Mapping[str, Any], names: Iterable[str]) -> str:
    """The values of ``names`` in words, such as ``lr=0.1, use_gae=false``; without what is not set."""
    return ", ".join(f"{name}={_words(parameters[name])}" for name in names if parameters[name] is not None)


def _changed_in_words(parameters: Mapping[str, Any], keys: Iterable[str], varying: Iterable[str]) -> str:
    texts = []
    for key in keys:
        # A mapping has a column for each of its own keys.
        inner = [name for name in varying if name.startswith(f"{key}:")]
        if key in parameters:
            texts.append(f"{key}={_words(parameters[key])}")
        else:
            texts.append(settings_in_words(parameters, inner) or key)
    return ", ".join(texts)


def _words(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _stem(variant: Variant) -> str:
    """The name without the task in it, so that it is the same on every task."""
    name = variant.exp_name
    if variant.task is None:
        return name
    value = "[^a-z0-9]+".join(re.findall("[a-z0-9]+", variant.task.lower()))
    if not value:
        return name
    # As a word of its own, else behind its key, as in `ppo_envhopper-v4`.
    for before in ("(?<![a-z0-9])", ""):
        parts = re.split(f"{before}{value}(?![a-z0-9])", name, maxsplit=1, flags=re.IGNORECASE)
        if len(parts) == 2:
            return _joined(parts) or name
    words = re.split("([^A-Za-z0-9]+)", name)
    short = [place for place, word in enumerate(words) if _is_part(word, variant.task)]
    if not short:
        return name
    return _joined(["".join(words[: short[0]]), "".join(words[short[0] + 1 :])]) or name


def _is_part(word: str, task: str) -> bool:
    return len(word) >= _FEWEST_LETTERS and word.isalpha() and word.lower() in task.lower()


def _joined(parts: Sequence[str]) -> str:
    """The two, with one separator between them where there was one on both sides."""
    before, after = parts
    separators = "_-. /:"
    if not before or not after or (before[-1] in separators and after[0] in separators):
        after = after.lstrip(separators)
    return f"{before}{after}".strip(separators) if not before or not after else f"{before}{after}"
