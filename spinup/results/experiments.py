"""What the names of variants say beyond their hyperparameters: the algorithm, mostly."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from spinup.results.groups import Variant

    _Words = list[str]


def experiments_of(variants: Sequence[Variant]) -> list[str]:
    """The experiment that each variant is of, where two of one task have the same hyperparameters; else [].

    That is what tells their names apart: ``ppo`` and ``sac`` of ``ppo_lr0.1``, ``sac_lr0.1`` and so on.
    Where that would leave two the same, it is the whole name.

    Args:
        variants: Of one task.
    """
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for variant in variants:
        alike[frozenset(variant.parameters.items())].append(variant.exp_name)
    if all(len(names) == 1 for names in alike.values()):
        return []
    short = {short for names in alike.values() for short in _apart(names) if short}
    found = [_experiment(variant.exp_name, short) for variant in variants]
    cells = {(name, *variant.parameters.values()) for name, variant in zip(found, variants, strict=True)}
    return found if len(cells) == len(variants) else [variant.exp_name for variant in variants]


def _apart(names: Sequence[str]) -> list[str]:
    """``names`` without the words at either end that all of them share."""
    words = [_words(name) for name in names]
    if len(words) < 2:
        return []
    begin = _num_shared(words)
    rest = [own[begin:] for own in words]
    end = _num_shared([own[::-1] for own in rest])
    return ["_".join(own[: len(own) - end]) for own in rest]


def _num_shared(words: Sequence[_Words]) -> int:
    shortest = min(map(len, words))
    return next((n for n in range(shortest) if len({own[n] for own in words}) > 1), shortest)


def _experiment(name: str, known: set[str]) -> str:
    """The one of ``known`` that is in ``name``; else ``name``."""
    text = f"_{'_'.join(_words(name))}_"
    found = [short for short in known if f"_{short}_" in text]
    return found[0] if len(found) == 1 else name


def _words(name: str) -> _Words:
    return [word for word in re.split(r"[^\w.]+|_", name) if word]
