"""How much of a second core a grid makes use of: the demo's grid, two runs at a time against one.

Run: ``python benchmarks/throughput.py [--json]``
"""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time

from report import make_parser, show

from spinup.algos.ars import ars
from spinup.cli.demo import make_grid

REPEATS = 3


def demo_s(parallel: int) -> float:
    """Seconds for the demo's grid."""
    with tempfile.TemporaryDirectory() as data_dir, contextlib.redirect_stdout(io.StringIO()):
        begin_s = time.perf_counter()
        make_grid().run(ars, data_dir=data_dir, parallel=parallel)
        return time.perf_counter() - begin_s


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    options = parser.parse_args()
    pairs = [(demo_s(1), demo_s(2)) for _ in range(REPEATS)]
    figures = {
        "one_by_one_s": round(statistics.median(one for one, _ in pairs), 2),
        "two_at_a_time_s": round(statistics.median(two for _, two in pairs), 2),
        "speedup": round(statistics.median(one / two for one, two in pairs), 2),
    }
    show(figures, is_json=options.json)


if __name__ == "__main__":
    main()
