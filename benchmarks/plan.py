"""Planning a grid that is done: 10,000 run directories looked at, against a bare loop that reads them.

The bare loop opens and parses the same 10,000 status.json. Also: memory and time for planning 100,000
variants of which nothing is there yet.

Run: ``python benchmarks/plan.py [--json] [--runs 10000]``
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from report import make_parser, show

from spinup import ExperimentGrid
from spinup.jobs.make import Place
from spinup.rundir.status import write_status
from spinup.scheduler.decide import Decision
from spinup.utils.grid_plan import PlannedRun, plan_grid

if TYPE_CHECKING:
    from pathlib import Path

REPEATS = 3
NUM_SEEDS = 10


def thunk(lr: float, hidden: tuple[int, ...], gamma: float = 0.99, seed: int = 0) -> float:
    """Stands for an algorithm; is never called."""
    return lr * gamma * seed + len(hidden)


def make_grid(num_runs: int) -> ExperimentGrid:
    """A grid of ``num_runs`` runs."""
    eg = ExperimentGrid(name="plan")
    eg.add("seed", range(NUM_SEEDS))
    eg.add("hidden", [(32,), (64, 64)])
    eg.add("lr", [1e-5 * i for i in range(1, num_runs // (2 * NUM_SEEDS) + 1)])
    eg.add("gamma", 0.99)
    return eg


def plan(eg: ExperimentGrid, data_dir: str) -> list[PlannedRun]:
    """What is to be done about every run of the grid."""
    return plan_grid(eg, thunk, num_cpu=1, place=Place(data_dir), rerun="failed")


def finish_all(eg: ExperimentGrid, data_dir: str) -> list[Path]:
    """Write the directories that the grid would leave; the paths of their status files."""
    files = []
    for run in plan(eg, data_dir):
        job = run.make()
        job.run_dir.path.mkdir(parents=True)
        write_status(job.run_dir, job.queued().running().done())
        files.append(job.run_dir.status)
    return files


def plan_s(eg: ExperimentGrid, data_dir: str) -> float:
    """Seconds for deciding about every run of the grid."""
    begin_s = time.perf_counter()
    runs = plan(eg, data_dir)
    elapsed_s = time.perf_counter() - begin_s
    assert all(run.decision is Decision.KEEP for run in runs)
    return elapsed_s


def bare_s(files: list[Path]) -> float:
    """Seconds for opening and parsing every status file."""
    begin_s = time.perf_counter()
    for file in files:
        with open(file, encoding="utf-8") as stream:
            json.load(stream)
    return time.perf_counter() - begin_s


def from_nothing(num_runs: int) -> tuple[float, float]:
    """Seconds and bytes a variant for planning a grid of which nothing is there yet."""
    with tempfile.TemporaryDirectory() as data_dir:
        eg = make_grid(num_runs)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin_s = time.perf_counter()
        runs = plan(eg, data_dir)
        elapsed_s = time.perf_counter() - begin_s
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert len(runs) == num_runs
    return elapsed_s, used * (1 if sys.platform == "darwin" else 1024) / num_runs


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    small_s, small_bytes = from_nothing(10_000)
    large_s, large_bytes = from_nothing(100_000)
    with tempfile.TemporaryDirectory() as data_dir:
        eg = make_grid(options.runs)
        files = finish_all(eg, data_dir)
        pairs = [(plan_s(eg, data_dir), bare_s(files)) for _ in range(REPEATS)]
    figures = {
        "runs": options.runs,
        "plan_s": round(statistics.median(planned for planned, _ in pairs), 3),
        "bare_s": round(statistics.median(bare for _, bare in pairs), 3),
        "plan_over_bare": round(statistics.median(planned / bare for planned, bare in pairs), 2),
        "new_10k_us_per_variant": round(small_s * 1e6 / 10_000, 1),
        "new_10k_bytes_per_variant": round(small_bytes),
        "new_100k_us_per_variant": round(large_s * 1e6 / 100_000, 1),
        "new_100k_bytes_per_variant": round(large_bytes),
    }
    show(figures, is_json=options.json)


if __name__ == "__main__":
    main()
