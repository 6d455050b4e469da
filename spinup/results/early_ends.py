"""Runs that ended before their algorithm had noted all of its hyperparameters: seeds of which variant?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

#: States whose result counts. What is running has not come to its return yet; what has no status.json,
#: such as Spinning Up's own runs, is taken as finished.
FINISHED: Final = frozenset({"done", "unknown"})

_Item = TypeVar("_Item", bound="Hashable")


def homes(
    settings: Iterable[frozenset[_Item]], finished: Collection[frozenset[_Item]]
) -> dict[frozenset[_Item], frozenset[_Item]]:
    """For each of the settings of one experiment, those of the variant that its runs belong to.

    What an algorithm adds to config.json is missing where a run ended too early; such a run is a seed that
    failed, and no variant of its own. It goes with the one variant that has all it has, where there is
    one. A run that finished has noted all it ever will: it stays where it is.

    Args:
        settings: Each as key and value of every hyperparameter.
        finished: Those of ``settings`` that a finished run has.
    """
    home: dict[frozenset[_Item], frozenset[_Item]] = {}
    for own in sorted(dict.fromkeys(settings), key=len, reverse=True):
        wider = set() if own in finished else {home[other] for other in home if own < other}
        home[own] = wider.pop() if len(wider) == 1 else own
    return home
