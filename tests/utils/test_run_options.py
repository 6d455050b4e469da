import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.errors import SettingError
from spinup.utils.run_options import parse_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90.0),
        (0.5, 0.5),
        ("90", 90.0),
        ("90s", 90.0),
        ("2h", 7200.0),
        ("1h30m", 5400.0),
        (" 1H 30min ", 5400.0),
        ("1.5h", 5400.0),
        ("2d", 172800.0),
    ],
)
def test_a_time_is_seconds_or_a_text_with_units(value, seconds):
    assert parse_seconds(value) == seconds


@pytest.mark.parametrize(
    "value",
    [0, -1, True, None, math.nan, math.inf, 10**400, "", "0s", "h", "-1h", "1m1h", "1 hour", "9" * 400],
)
def test_anything_else_is_refused(value):
    with pytest.raises(SettingError, match="timeout must be a time above 0"):
        parse_seconds(value)


@given(st.text(st.sampled_from("0123456789.dhms in")))
def test_any_text_is_a_time_above_0_or_refused(text):
    try:
        assert 0 < parse_seconds(text) < math.inf
    except SettingError:
        return
