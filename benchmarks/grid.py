"""Named variants a second for a grid of seven parameters, and memory for a million variants.

Beside it, in the same process: a bare loop that builds the same flat dicts and names nothing.

Run: ``python benchmarks/grid.py [--json]``
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from collections import deque

from report import make_parser, show

from spinup import ExperimentGrid

REPEATS = 5
MILLION = 1_000_000


def make_grid() -> ExperimentGrid:
    """Seven parameters as researchers have them, with nested ones, a flag and seeds."""
    eg = ExperimentGrid(name="ppo-bench")
    eg.add("env_name", [f"Env{i}-v1" for i in range(6)], "", in_name=True)
    eg.add("ac_kwargs:hidden_sizes", [(32,), (64, 64), (128, 128), (256, 256)], "hid")
    eg.add("ac_kwargs:activation", ["relu", "tanh", "elu"])
    eg.add("pi_lr", [10.0**-i for i in range(2, 7)])
    eg.add("clip_ratio", [0.05 * i for i in range(1, 13)])
    eg.add("use_gae", [True, False])
    eg.add("seed", range(10))
    return eg


def exhaust_grid() -> float:
    """Named variants a second."""
    eg = make_grid()
    begin_s = time.perf_counter()
    deque(eg.named_variants(), maxlen=0)
    return len(eg) / (time.perf_counter() - begin_s)


def exhaust_bare() -> float:
    """Flat dicts a second, without names."""
    eg = make_grid()
    keys, pools = eg.keys, eg.vals
    begin_s = time.perf_counter()
    deque((dict(zip(keys, values, strict=True)) for values in itertools.product(*pools)), maxlen=0)
    return len(eg) / (time.perf_counter() - begin_s)


def peak_mb_of_a_million() -> float:
    """Peak resident memory of a process that names a million variants, one by one, in MB."""
    code = (
        "import resource\n"
        "from collections import deque\n"
        "from spinup import ExperimentGrid\n"
        "eg = ExperimentGrid(name='g')\n"
        "for i in range(6):\n    eg.add(f'p{i}x', range(10))\n"
        f"assert len(eg) == {MILLION}\n"
        "deque(eg.named_variants(), maxlen=0)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # ru_maxrss is in KiB on Linux, in bytes on macOS.
    return int(run.stdout) * (1 if sys.platform == "darwin" else 1024) / 1e6


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    options = parser.parse_args()
    pairs = [(exhaust_grid(), exhaust_bare()) for _ in range(REPEATS)]
    figures = {
        "variants": len(make_grid()),
        "named_variants_per_s": round(statistics.median(grid for grid, _ in pairs)),
        "named_variants_per_s_worst": round(min(grid for grid, _ in pairs)),
        "bare_dicts_per_s": round(statistics.median(bare for _, bare in pairs)),
        "time_over_bare": round(statistics.median(bare / grid for grid, bare in pairs), 2),
        "peak_mb_of_a_million": round(peak_mb_of_a_million(), 1),
    }
    show(figures, is_json=options.json)


if __name__ == "__main__":
    main()
