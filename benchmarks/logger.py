"""How many rows a second the logger writes, beside a loop that only writes them.

Run: ``python benchmarks/logger.py [--json] [--rows 20000]``
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from spinup.loggers import EpochLogger, Logger

if TYPE_CHECKING:
    from collections.abc import Callable

NUM_COLUMNS = 15
REPEATS = 5
KEYS = [f"Column{number}" for number in range(NUM_COLUMNS)]
Rows = list[list[float]]


def write_bare(directory: Path, rows: Rows) -> None:
    """Each row as text, flushed: the least that a table that survives a crash costs."""
    with (directory / "progress.txt").open("w") as file:
        file.write("\t".join(KEYS) + "\n")
        for row in rows:
            file.write("\t".join(map(str, row)) + "\n")
            file.flush()


def write_logger(directory: Path, rows: Rows) -> None:
    """The same rows through Logger."""
    with Logger(directory, console=False) as logger:
        for row in rows:
            for key, value in zip(KEYS, row, strict=True):
                logger.log_tabular(key, value)
            logger.dump_tabular()


def write_epoch_logger(directory: Path, rows: Rows) -> None:
    """Three values of each of five keys a row, written as ten columns of means and deviations."""
    names = ("A", "B", "C", "D", "E")
    with EpochLogger(directory, console=False) as logger:
        for row in rows:
            for start in (0, 5, 10):
                logger.store(**dict(zip(names, row[start : start + 5], strict=True)))
            for name in names:
                logger.log_tabular(name)
            logger.dump_tabular()


def rows_per_s(write: Callable[[Path, Rows], None], rows: Rows) -> float:
    """Rows a second, once."""
    with tempfile.TemporaryDirectory() as directory:
        start_s = time.perf_counter()
        write(Path(directory), rows)
        return len(rows) / (time.perf_counter() - start_s)


def measure(num_rows: int) -> dict[str, float]:
    """Medians over the repeats, which take turns so that a busy machine is fair to all."""
    rng = random.Random(0)
    rows = [[rng.gauss(0, 1) for _ in KEYS] for _ in range(num_rows)]
    writers = {"bare": write_bare, "logger": write_logger, "epoch_logger": write_epoch_logger}
    rates: dict[str, list[float]] = {name: [] for name in writers}
    for _ in range(REPEATS):
        for name, write in writers.items():
            rates[name].append(rows_per_s(write, rows))
    medians = {f"{name}_rows_per_s": statistics.median(values) for name, values in rates.items()}
    ratio = medians["logger_rows_per_s"] / medians["bare_rows_per_s"]
    return {"columns": NUM_COLUMNS, "rows": num_rows, **medians, "logger_to_bare": ratio}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=20_000, help="rows a measurement")
    args = parser.parse_args()
    figures = measure(args.rows)
    if args.json:
        print(json.dumps(figures, indent=4))
        return
    print(f"{NUM_COLUMNS} columns, {args.rows} rows, median of {REPEATS}")
    print(f"{'bare write and flush':<24}{figures['bare_rows_per_s']:>10,.0f} rows/s")
    print(f"{'Logger':<24}{figures['logger_rows_per_s']:>10,.0f} rows/s")
    print(f"{'EpochLogger, 5 keys':<24}{figures['epoch_logger_rows_per_s']:>10,.0f} rows/s")
    print(f"{'Logger / bare':<24}{figures['logger_to_bare']:>10.2f}")


if __name__ == "__main__":
    main()
