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


def count_readings(name: str, segments: Sequence[Sequence[str]], *, is_stripped: bool) -> int:
    """In how many ways ``name`` can be made of one segment per parameter.

    Args:
        name: The joined segments.
        segments: As in `is_ambiguous`.
        is_stripped: Underscores at the beginning of ``name`` were taken off.
    """
    # How many choices so far end at this place in the name; -1: nothing but stripped underscores.
    counts: Counter[int] = Counter({-1 if is_stripped else 0: 1})
    for pool in segments:
        following: Counter[int] = Counter()
        for segment in pool:
            for at, count in counts.items():
                end = _end(name, segment, at)
                if end is not None:
                    following[end] += count
        counts = following
    return counts[len(name)] + (counts[-1] if not name else 0)


def _end(name: str, segment: str, at: int) -> int | None:
    """Where the segment that begins at ``at`` ends, or None if the name goes on otherwise."""
    if at < 0:
        segment = segment.lstrip("_")
        if not segment:
            return -1
        at = 0
    return at + len(segment) if name.startswith(segment, at) else None
