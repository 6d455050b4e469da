"""Numbers for people: no more digits than the uncertainty leaves a meaning to."""

from __future__ import annotations

import math

_MINUS = "\N{MINUS SIGN}"
_MOST_DECIMALS = 6
_LARGEST = 1e12


def format_number(value: float | None, uncertainty: float | None = None) -> str:
    """``value`` rounded to two significant digits of its ``uncertainty``, or to four of its own.

    Args:
        value: None reads as a dash.
        uncertainty: Half the width of its interval, in the same unit.
    """
    if value is None:
        return "\N{EN DASH}"
    if not math.isfinite(value):
        return _signed(f"{value}")
    is_known = uncertainty is not None and math.isfinite(uncertainty) and uncertainty > 0
    decimals = _decimals(uncertainty, 2) if is_known and uncertainty else _decimals(value, 4)
    if decimals > _MOST_DECIMALS or abs(value) >= _LARGEST:
        return _signed(f"{value:.3g}")
    rounded = round(value, decimals) + 0.0  # no minus before a zero
    text = f"{rounded:,.{max(0, decimals)}f}"
    if not is_known and "." in text:
        text = text.rstrip("0").rstrip(".")
    return _signed(text)


def format_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Such as ``212 [164, 260]``; without the brackets where there is no interval."""
    if low is None or high is None:
        return format_number(value)
    half = (high - low) / 2
    return f"{format_number(value, half)} [{format_number(low, half)}, {format_number(high, half)}]"


def format_p(p: float | None) -> str:
    """Such as ``p = 0.004``; never rounded to 0, nor across 0.05."""
    if p is None:
        return "no p"
    if p < 0.001:
        return "p < 0.001"
    text = f"{p:.1g}" if p < 0.0095 else f"{p:.2f}"
    if text == "0.05" and p != 0.05:
        text = f"{p:.3f}" if f"{p:.3f}" != "0.050" else f"{p:.4f}"
    return f"p = {text}"


def _decimals(size: float, digits: int) -> int:
    """Decimal places that leave ``digits`` significant digits of ``size``; below 0 for tens."""
    if size == 0:
        return 0
    return digits - 1 - math.floor(math.log10(abs(size)))


def _signed(text: str) -> str:
    return text.replace("-", _MINUS, 1) if text.startswith("-") else text
