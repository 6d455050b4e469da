"""What the benchmarks have in common: their command line, and how they print figures."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """A command line that has ``--json``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def show(figures: Mapping[str, float], *, is_json: bool) -> None:
    """Print ``figures``, a line each or as JSON."""
    if is_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<32} {value:>12,}")
