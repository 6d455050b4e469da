"""Random numbers that are a hash of what they are for: the same on every machine, in every version.

Number k does not depend on how many are drawn, so that a larger sample begins with the smaller one.
"""

from __future__ import annotations

import hashlib

#: Bits of one draw.
NUM_BITS = 256

_ROUNDS = 4
_LEAST_HALF_BITS = 3  # a network over fewer bits makes too few different orders


def draw(*purpose: object) -> int:
    """A whole number from 0 to 2**256 - 1, the SHA-256 hash of ``purpose``."""
    text = "\0".join(map(str, purpose)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest(), "big")


def shuffled(place: int, size: int, *purpose: object) -> int:
    """What stands at ``place`` when the numbers from 0 to ``size - 1`` are shuffled; none is held.

    A Feistel network (Luby and Rackoff, 1988) permutes a power of two that is not smaller than
    ``size``; it is walked along until it comes back into the range (Black and Rogaway, 2002).
    """
    if size == 1:
        return 0
    half = max(_LEAST_HALF_BITS, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = place >> half, place & mask
        for number in range(_ROUNDS):
            left, right = right, left ^ (draw(*purpose, number, right) & mask)
        place = left << half | right
        if place < size:
            return place
