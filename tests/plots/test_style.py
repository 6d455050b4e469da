from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from spinup.plots.style import COLORS, cut, look, wrapped


def test_thirty_five_lines_can_be_told_apart():
    assert len({look(index) for index in range(35)}) == 35


def test_colours_are_dark_enough_on_white():
    # Luminance as in Rec. 709.
    for color in COLORS:
        red, green, blue = to_rgb(color)
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.75


@given(text=st.text(max_size=300), width=st.integers(1, 80))
def test_wrapped_text_fits_and_loses_nothing_but_spaces(text, width):
    found = wrapped(text, width)
    assert max(map(len, found.split("\n"))) <= width
    assert "".join(found.split()) == "".join(text.replace("\u200b", "").split())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("walker_lr0-1_gamma0-9", ["walker_lr0-", "1_gamma0-9"]),
        ("lr=0.1, gamma=0.99", ["lr=0.1,", "gamma=0.99"]),
    ],
)
def test_names_are_broken_where_their_parts_end(text, lines):
    assert wrapped(text, 12).split("\n") == lines


@given(text=st.text(max_size=2_000))
def test_a_cut_text_has_a_bound_and_keeps_its_ends(text):
    found = cut(text)
    assert len(found) <= 450
    assert found[:100] == text[:100]
    assert found[-100:] == text[-100:]
