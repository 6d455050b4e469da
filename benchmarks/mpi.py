"""What several MPI processes cost and gain: the time to their first line, and ARS on two against one.

The first line: from the request to start a run of two processes to what the first of them prints, beside
``mpiexec -n 2 python -c 'from mpi4py import MPI; ...'``, which prints as much.

Run: ``python benchmarks/mpi.py [--json] [--repeats 10] [--env Hopper-v5]``; the environment needs the
extra ``mujoco``.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from report import make_parser, show

from spinup import call_experiment
from spinup.algos.ars import ars
from spinup.jobs.make import Place, make_job
from spinup.jobs.prepare import prepare
from spinup.launchers.base import Exited, Request, Started
from spinup.launchers.cores import thread_caps
from spinup.launchers.local import LocalLauncher
from spinup.launchers.mpi import find_mpi
from spinup.rundir.lock import acquire

# The clock is that of the machine, the same in all its processes.
# One write a line, so that those of two processes do not mix.
FIRST_LINE = "from mpi4py import MPI; import time; print(f'{time.monotonic()}\\n', end='', flush=True)"


def say_when() -> None:
    """Print the time."""
    print(f"{time.monotonic()}\n", end="", flush=True)


def bare_s() -> float:
    """Seconds to the first line of a bare ``mpiexec``."""
    begin_s = time.monotonic()
    command = [find_mpi().mpiexec, "-n", "2", sys.executable, "-c", FIRST_LINE]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return min(map(float, lines)) - begin_s


def run_s(launcher: LocalLauncher, has_ended: threading.Event, place: Place, number: int) -> float:
    """Seconds to the first line of a run."""
    job = make_job(f"run{number}", say_when, {}, num_cpu=2, place=place)
    lock = acquire(job.run_dir)
    assert lock is not None
    prepare(job)
    has_ended.clear()
    begin_s = time.monotonic()
    launcher.start(Request(number, job, lock.file, "fresh"))
    has_ended.wait()
    lock.release()
    return min(map(float, job.run_dir.output.read_text().split())) - begin_s


def measure_first_line(repeats: int) -> dict[str, float]:
    """Milliseconds, and the ratio of each pair."""
    has_ended = threading.Event()

    def post(message: Started | Exited) -> None:
        if isinstance(message, Exited):
            has_ended.set()

    launcher = LocalLauncher(post, thread_caps(1))
    with tempfile.TemporaryDirectory() as root, contextlib.closing(launcher):
        place = Place(root)
        run_s(launcher, has_ended, place, 0)  # starts the run server
        pairs = [(run_s(launcher, has_ended, place, k + 1), bare_s()) for k in range(repeats)]
    return {
        "first_line_ms": round(statistics.median(run for run, _ in pairs) * 1e3, 1),
        "bare_first_line_ms": round(statistics.median(bare for _, bare in pairs) * 1e3, 1),
        "first_line_over_bare": round(statistics.median(run / bare for run, bare in pairs), 2),
    }


def ars_s(env_name: str, num_cpu: int) -> float:
    """Seconds that ARS says it took in so many processes: without the time that their start takes."""
    with tempfile.TemporaryDirectory() as root, contextlib.redirect_stdout(io.StringIO()):
        record = call_experiment(
            "ars",
            ars,
            num_cpu=num_cpu,
            data_dir=root,
            env_name=env_name,
            version="V2-t",
            N=16,
            b=8,
            nu=0.025,
            shift=1.0,
            epochs=30,
        )
        table = Path(record.directory, "progress.txt").read_text().splitlines()
    return float(table[-1].split("\t")[table[0].split("\t").index("Time")])


def measure_ars(env_name: str) -> dict[str, float]:
    """Seconds in one and in two processes, and how much faster two are."""
    pairs = [(ars_s(env_name, 1), ars_s(env_name, 2)) for _ in range(3)]
    return {
        "one_process_s": round(statistics.median(one for one, _ in pairs), 2),
        "two_processes_s": round(statistics.median(two for _, two in pairs), 2),
        "speedup": round(statistics.median(one / two for one, two in pairs), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--env", default="Hopper-v5")
    options = parser.parse_args()
    figures = measure_first_line(options.repeats) | measure_ars(options.env)
    show(figures, is_json=options.json)


if __name__ == "__main__":
    main()
