"""Reading results, beside what else a user would write: a pandas loop over the files, and a loop over JSON.

1,000 runs of 1,000 rows of 15 columns (240 MB) as one frame, and two of the columns alone; and 10,000 small
runs listed with their states, against a bare loop over the same config.json and status.json.

Run: ``python benchmarks/load.py [--json] [--runs 1000] [--small 10000]``
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from report import make_parser, show

import spinup

if TYPE_CHECKING:
    from collections.abc import Callable

NUM_ROWS = 1_000
COLUMNS = ["Epoch", "AverageEpRet", "TotalEnvInteracts", *(f"Column{number}" for number in range(12))]
SEEDS = 10
REPEATS = 5
CONFIG: dict[str, Any] = {
    "ac_kwargs": {"hidden_sizes": [64, 64]},
    "env_name": "CartPole-v1",
    "epochs": 100,
    "gamma": 0.99,
    "steps_per_epoch": 4000,
    "target_kl": 0.01,
    "train_pi_iters": 80,
}
STATUS: dict[str, Any] = {
    "state": "done",
    "identity": "0" * 64,
    "code": {f"algos/file{number}.py": "73ab6eeb19b789a5" for number in range(5)},
    "attempt": 1,
    "has_result": True,
    "queued_at": "2026-01-01T00:00:00.000Z",
    "started_at": "2026-01-01T00:00:01.000Z",
    "ended_at": "2026-01-01T00:10:00.000Z",
    "host": "machine",
    "pid": 1,
}


def write_runs(root: Path, num_runs: int, table: Callable[[], str]) -> None:
    """Run directories as this package leaves them, ten seeds for each variant."""
    for number in range(num_runs):
        name, seed = f"variant{number // SEEDS}", number % SEEDS
        path = root / name / f"{name}_s{seed}"
        path.mkdir(parents=True)
        identity = {"exp_name": name, "seed": seed}
        (path / "config.json").write_text(json.dumps({**CONFIG, **identity, "lr": 1e-5 * number}, indent=4))
        (path / "status.json").write_text(json.dumps({**STATUS, **identity}, indent=4))
        (path / "progress.txt").write_text(table())


def random_table(rng: np.random.Generator) -> str:
    """A progress.txt of numbers with all their digits."""
    values = rng.standard_normal((NUM_ROWS, len(COLUMNS))).tolist()
    lines = (
        "\t".join(map(str, [epoch, row[1], 4000 * (epoch + 1), *row[3:]]))
        for epoch, row in enumerate(values)
    )
    return "\n".join(["\t".join(COLUMNS), *lines]) + "\n"


def by_pandas(root: Path) -> int:
    """What a user would write: each file alone, then all in one."""
    files = sorted(root.glob("*/*/progress.txt"))
    return len(pd.concat([pd.read_table(file) for file in files]))


def by_bare_loop(root: Path) -> int:
    """Every config.json and status.json, opened and parsed."""
    found = []
    for run in root.glob("*/*"):
        for name in ("config.json", "status.json"):
            with open(run / name, encoding="utf-8") as file:
                found.append(json.load(file))
    return len(found) // 2


def by_listing(root: Path) -> int:
    """Name, seed and state of every run."""
    return len([(run.exp_name, run.seed, run.state) for run in spinup.load(root)])


def ratios(ways: dict[str, Callable[[], int]]) -> dict[str, float]:
    """Median seconds of each, in turns so that a busy machine is fair to all; and over the first one's."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, way in ways.items():
            begin_s = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - begin_s)
    base, *others = ways
    medians = {f"{name}_s": round(statistics.median(times), 3) for name, times in seconds.items()}
    pairs = {name: zip(seconds[name], seconds[base], strict=True) for name in others}
    over = {
        f"{name}_over_{base}": round(statistics.median(own / bare for own, bare in pairs[name]), 2)
        for name in others
    }
    return {**medians, **over}


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--small", type=int, default=10_000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as directory:
        large, small = Path(directory, "large"), Path(directory, "small")
        write_runs(large, options.runs, lambda: random_table(rng))
        write_runs(small, options.small, lambda: "Epoch\tAverageEpRet\n0\t1.0\n")
        rows = ratios(
            {
                "pandas": lambda: by_pandas(large),
                "curves": lambda: spinup.load(large).curves.height,
                "two_columns": lambda: spinup.load(large).read(["steps", "return"]).height,
            }
        )
        listing = ratios({"bare": lambda: by_bare_loop(small), "listing": lambda: by_listing(small)})
    show({"runs": options.runs, **rows, "small_runs": options.small, **listing}, is_json=options.json)


if __name__ == "__main__":
    main()
