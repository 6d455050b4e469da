"""Draws from the axes of a grid: the same for the same seed, whatever is drawn before or after."""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING, Any

from spinup.grid.draws import draw, shuffled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spinup.grid.axes import Axis


def draws(axes: Sequence[Axis], seed: int) -> Iterator[tuple[list[Sequence[int]], Mapping[int, Any]]]:
    """One draw after the other: for each axis the places to choose from, and the values drawn, by axis.

    Of the axes that are lists every combination comes once, in a shuffled order, and then again in
    another one if there are distributions; all seeds come each time.
    """
    listed = [at for at, axis in enumerate(axes) if not axis.is_drawn and not axis.is_seeds]
    bases = [len(axes[at].rows) for at in listed]
    num_combinations = math.prod(bases)
    is_endless = any(axis.is_drawn for axis in axes)
    for number in count() if is_endless else range(num_combinations):
        turn, place = divmod(number, num_combinations)
        combination = shuffled(place, num_combinations, "combination", seed, turn)
        chosen = dict(zip(listed, digits_of(combination, bases), strict=True))
        yield (
            [
                range(len(axis.rows)) if axis.is_seeds else (chosen.get(at, 0),)
                for at, axis in enumerate(axes)
            ],
            {at: _value(axis, seed, number) for at, axis in enumerate(axes) if axis.is_drawn},
        )


def _value(axis: Axis, seed: int, number: int) -> Any:
    (parameter,) = axis.parameters
    assert parameter.distribution is not None
    return parameter.distribution.value(draw("value", seed, parameter.key, number))


def digits_of(number: int, bases: Sequence[int]) -> list[int]:
    """``number`` written with a digit for each of ``bases``, the last one changing fastest."""
    digits = []
    for base in reversed(bases):
        number, digit = divmod(number, base)
        digits.append(digit)
    return digits[::-1]
