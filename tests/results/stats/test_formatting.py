import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.results.stats.formatting import format_interval, format_number, format_p

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (-212.34, -260.1, -164.4, f"{MINUS}212 [{MINUS}260, {MINUS}164]"),
        (0.12345, 0.1, 0.15, "0.123 [0.100, 0.150]"),
        (21234.0, 16400.0, 26000.0, "21,200 [16,400, 26,000]"),
        (-0.01, -20.0, 20.0, f"0 [{MINUS}20, 20]"),
        (500.0, 500.0, 500.0, "500 [500, 500]"),
        (3.14159, None, None, "3.142"),
        (None, None, None, "\N{EN DASH}"),
        (1e300, 0.9e300, 1.1e300, "1e+300 [9e+299, 1.1e+300]"),
        (1.5e-9, 1e-9, 2e-9, "1.5e-09 [1e-09, 2e-09]"),
    ],
)
def test_numbers_have_the_digits_that_their_interval_leaves_a_meaning_to(value, low, high, text):
    assert format_interval(value, low, high) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0042, "p = 0.004"),
        (0.0124, "p = 0.01"),
        (0.3, "p = 0.30"),
        (1e-9, "p < 0.001"),
        (0.0, "p < 0.001"),
        (0.0496, "p = 0.0496"),
        (0.052, "p = 0.052"),
        (0.0504, "p = 0.0504"),
        (1.0, "p = 1.00"),
        (None, "no p"),
    ],
)
def test_p_is_short_and_never_rounded_to_0_or_across_the_level(p, text):
    assert format_p(p) == text


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(min_value=0))
def test_every_number_can_be_shown(value, uncertainty):
    text = format_number(value, uncertainty)
    assert text
    assert not text.startswith("-")
    if abs(value) < 1e300 and math.isfinite(uncertainty):
        shown = float(text.replace(MINUS, "-").replace(",", ""))
        assert abs(shown - value) <= max(uncertainty, 0.01 * abs(value))
