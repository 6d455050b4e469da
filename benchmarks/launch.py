"""What starting a run costs: many tiny real runs, warm and fresh, beside a bare forkserver loop.

The bare loop is `multiprocessing`'s forkserver with the same libraries preloaded, two processes at a
time, each importing the thunk's own module and running the same thunk (one episode of CartPole, one
logged row) in a directory each: no status, no configuration, no provenance, no payload, no output file.

Run: ``python benchmarks/launch.py [--json] [--runs 200] [--fresh-runs 20] [--torch]``
"""

from __future__ import annotations

import contextlib
import functools
import io
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing import forkserver
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tasks
from report import make_parser, show

if TYPE_CHECKING:
    from collections.abc import Callable

# The bare loop's children import this file anew (the forkserver's preloading of `__main__` had no effect
# before Python 3.14), so that it must cost them nothing: what it imports is preloaded, or imported late.
PRELOADED = [
    *("argparse", "contextlib", "functools", "io", "json", "statistics", "tempfile", "pathlib"),
    *("filelock", "numpy", "gymnasium", "gymnasium.envs.classic_control.cartpole", "spinup.loggers"),
]
PARALLEL = 2
REPEATS = 3


def bare_run(number: int, directory: str) -> None:
    """One run of the bare loop."""
    import gymnasium

    env_fn = functools.partial(gymnasium.make, "CartPole-v1")
    tasks.cartpole_episode(env_fn, number=number, logger_kwargs={"output_dir": directory, "exp_name": "x"})


def bare_s(root: str, num_runs: int) -> float:
    """Seconds for the bare forkserver loop, in a new directory in ``root``."""
    # The forkserver of Python 3.11 does not take over sys.path, so that `tasks` would not be found there.
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    here = tempfile.mkdtemp(dir=root)
    # Each measurement starts a server of its own, as each grid does.
    forkserver._forkserver._stop()  # type: ignore[attr-defined] # noqa: SLF001 - nothing public does it
    begin_s = time.perf_counter()
    running: list[Any] = []
    for number in range(num_runs):
        if len(running) == PARALLEL:
            ended = wait([process.sentinel for process in running])
            running = [process for process in running if process.sentinel not in ended]
        directory = Path(here, str(number))
        directory.mkdir()
        process = context.Process(target=bare_run, args=(number, str(directory)))
        process.start()
        running.append(process)
    for process in running:
        process.join()
    return time.perf_counter() - begin_s


def grid_s(root: str, thunk: Callable[..., Any], num_runs: int, **options: Any) -> float:
    """Seconds for a grid of ``num_runs`` runs, in a new directory in ``root``."""
    from spinup import ExperimentGrid

    eg = ExperimentGrid(name="launch")
    if thunk is tasks.cartpole_episode:
        eg.add("env_name", "CartPole-v1")
    eg.add("number", range(num_runs))
    here = tempfile.mkdtemp(dir=root)
    with contextlib.redirect_stdout(io.StringIO()):
        begin_s = time.perf_counter()
        eg.run(thunk, data_dir=here, gpus=None, **options)
        return time.perf_counter() - begin_s


def measure_cartpole(root: str, num_runs: int, num_fresh: int) -> dict[str, float]:
    """Milliseconds a run, and ratios."""
    pairs = [
        (
            grid_s(root, tasks.cartpole_episode, num_runs, parallel=PARALLEL, isolation="warm"),
            bare_s(root, num_runs),
        )
        for _ in range(REPEATS)
    ]
    fresh_s = grid_s(root, tasks.cartpole_episode, num_fresh, parallel=1, isolation="fresh")
    fresh_2_s = grid_s(root, tasks.cartpole_episode, num_fresh, parallel=PARALLEL, isolation="fresh")
    warm_ms = statistics.median(warm for warm, _ in pairs) * 1e3 / num_runs
    fresh_ms = fresh_s * 1e3 / num_fresh
    return {
        "runs": num_runs,
        "warm_ms": round(warm_ms, 1),
        "bare_forkserver_ms": round(statistics.median(bare for _, bare in pairs) * 1e3 / num_runs, 1),
        "warm_over_bare": round(statistics.median(warm / bare for warm, bare in pairs), 2),
        "fresh_one_by_one_ms": round(fresh_ms, 1),
        "fresh_one_by_one_over_warm": round(fresh_ms / warm_ms, 1),
        "fresh_parallel_over_one_by_one": round(fresh_2_s / fresh_s, 2),
    }


def measure_torch(root: str, num_runs: int, num_fresh: int) -> dict[str, float]:
    """The same for a thunk that imports PyTorch."""
    warm_ms = grid_s(root, tasks.torch_step, num_runs, parallel=PARALLEL, isolation="warm") * 1e3 / num_runs
    fresh_ms = grid_s(root, tasks.torch_step, num_fresh, parallel=1, isolation="fresh") * 1e3 / num_fresh
    return {
        "torch_runs": num_runs,
        "torch_warm_ms": round(warm_ms, 1),
        "torch_fresh_ms": round(fresh_ms, 1),
        "torch_fresh_over_warm": round(fresh_ms / warm_ms, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--fresh-runs", type=int, default=20)
    parser.add_argument("--torch", action="store_true", help="measure with PyTorch too")
    options = parser.parse_args()
    # Removed at the end: file systems make files more slowly just after many were deleted, as ext4 does.
    with tempfile.TemporaryDirectory() as root:
        figures = measure_cartpole(root, options.runs, options.fresh_runs)
        if options.torch:
            figures |= measure_torch(root, options.runs, max(3, options.fresh_runs // 4))
    show(figures, is_json=options.json)


if __name__ == "__main__":
    main()
