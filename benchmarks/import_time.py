"""How long importing takes, over a bare interpreter: ``import spinup``, and all that a grid needs.

The interpreters run in turn; each figure is the median of the differences, pair by pair. The
modules' own times are what ``python -X importtime`` says.

Run: ``python benchmarks/import_time.py [--json]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

REPEATS = 15
CASES = {
    "import_spinup": "import spinup",
    "import_experiment_grid": "from spinup import ExperimentGrid",
    "import_logger": "from spinup import EpochLogger",
}


def wall_ms(code: str) -> float:
    """Wall time of an interpreter that runs ``code``."""
    begin_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - begin_s) * 1e3


def importtime_ms(code: str) -> float:
    """What ``-X importtime`` says of the modules that ``code`` imports and a bare interpreter does not."""

    def total(what: str) -> int:
        run = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", what], capture_output=True, text=True, check=True
        )
        lines = [line.removeprefix("import time:").split("|") for line in run.stderr.splitlines()]
        return sum(int(line[0]) for line in lines if line[0].strip().isdigit())

    return statistics.median((total(code) - total("pass")) / 1e3 for _ in range(5))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wall_ms("pass")
    figures = {}
    for name, code in CASES.items():
        wall = statistics.median(wall_ms(code) - wall_ms("pass") for _ in range(REPEATS))
        figures[name] = {
            "wall_ms_over_bare": round(wall, 1),
            "importtime_ms": round(importtime_ms(code), 1),
        }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{'':<24} {'wall, ms over bare':>20} {'-X importtime, ms':>20}")
    for name, row in figures.items():
        print(f"{name:<24} {row['wall_ms_over_bare']:>20} {row['importtime_ms']:>20}")


if __name__ == "__main__":
    main()
