"""Whether names made of parts can be taken apart again in one way only.

A name is one segment per parameter, run together: ``_lr0-1`` + ``_use``. Two variants that differ in
a segment can still have the same name, as with the flags ``use_gae`` and ``use_norm``, both ``use``.
This is unique decipherability (Sardinas and Patterson, 1953), for words of one fixed length.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def is_ambiguous(segments: Sequence[Sequence[str]]) -> bool:
    """Whether two different choices of one segment per parameter can read the same.

    Args:
        segments: For each parameter its different segments, in the order in which they are joined.
    """
    pools = [sorted(pool) for pool in segments]
    # A state: one reading has used parameters up to `leader` and is `ahead` characters further than
    # the other, which has used those up to `laggard`.
    seen = {
        (i + 1, i + 1, longer[len(shorter) :])
        for i, pool in enumerate(pools)
        for shorter in pool
        for longer in _starting_with(pool, shorter)
        if longer != shorter
    }
    states = list(seen)
    while states:
        leader, laggard, ahead = states.pop()
        if leader == laggard and not ahead:
            return True
        if not ahead and leader < laggard:
            # Neither is ahead, so the one that has used fewer parameters is the one to go on.
            leader, laggard = laggard, leader
        if laggard == len(pools):
            continue
        for state in _steps(pools[laggard], leader, laggard, ahead):
            if state not in seen:
                seen.add(state)
                states.append(state)
    return False


def _steps(pool: Sequence[str], leader: int, laggard: int, ahead: str) -> Iterator[tuple[int, int, str]]:
    """The states after the reading that lags behind has used one more segment."""
    for segment in _starting_with(pool, ahead):
        yield laggard + 1, leader, segment[len(ahead) :]
    for length in range(len(ahead)):
        at = bisect_left(pool, ahead[:length])
        if at < len(pool) and pool[at] == ahead[:length]:
            yield leader, laggard + 1, ahead[length:]


def _starting_with(pool: Sequence[str], prefix: str) -> Iterator[str]:
    for at in range(bisect_left(pool, prefix), len(pool)):
        if not pool[at].startswith(prefix):
            return
        yield pool[at]


def count_readings(name: str, segments: Sequence[Pool], *, is_stripped: bool) -> int:
    """In how many ways ``name`` can be made of one segment per parameter.

    Args:
        name: The joined segments.
        segments: For each parameter its segments, in the order in which they are joined.
        is_stripped: Underscores at the beginning of ``name`` were taken off.
    """
    # How many choices so far end at this place in the name; -1: nothing but stripped underscores.
    counts = Counter({-1 if is_stripped else 0: 1})
    for pool in segments:
        following: Counter[int] = Counter()
        for at, count in counts.items():
            for end, ways in pool.ends(name, at):
                following[end] += count * ways
        counts = following
    return counts[len(name)] + (counts[-1] if not name else 0)


class Pool:
    """One parameter's segments, ready to be looked for in names.

    Args:
        segments: The different segments.
    """

    def __init__(self, segments: Sequence[str]) -> None:
        self._plain = Counter(segments)
        # What is left of them at the beginning of a name, where underscores are taken off.
        self._first = Counter(segment.lstrip("_") for segment in segments)
        self._plain_lengths = sorted({len(segment) for segment in self._plain})
        self._first_lengths = sorted({len(segment) for segment in self._first})

    def ends(self, name: str, at: int) -> Iterator[tuple[int, int]]:
        """Where a segment that begins at ``at`` can end, and how many segments do."""
        is_first = at < 0
        at = max(at, 0)
        segments = self._first if is_first else self._plain
        for length in self._first_lengths if is_first else self._plain_lengths:
            ways = segments.get(name[at : at + length], 0) if at + length <= len(name) else 0
            if ways:
                yield (-1 if is_first and not length else at + length), ways
