"""How long ``spinup --help`` takes to answer, over a bare interpreter, and some other first answers.

The two run in turn; each figure is the median of the differences, pair by pair.

Run: ``python benchmarks/cli.py [--json]``
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from report import make_parser, show

REPEATS = 15
CASES = {
    "help": ["--help"],
    "run_help": ["run", "--help"],
    "run_an_unknown_flag": ["run", "json:dumps", "--no_such", "1"],
    "run_a_command_dry": ["run", "--lr", "1", "2", "--dry-run", "--", "echo", "{lr}"],
}


def wall_ms(*arguments: str, cwd: str) -> float:
    """Wall time of an interpreter with these arguments."""
    begin_s = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        check=False,  # a wrong command line is one of the cases
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
    )
    return (time.perf_counter() - begin_s) * 1e3


def over_bare_ms(words: list[str], cwd: str) -> float:
    """How much longer than a bare interpreter the command line takes."""
    wall_ms("-m", "spinup", *words, cwd=cwd)
    pairs = (
        (wall_ms("-m", "spinup", *words, cwd=cwd), wall_ms("-c", "pass", cwd=cwd)) for _ in range(REPEATS)
    )
    return round(statistics.median(one - bare for one, bare in pairs), 1)


def main() -> None:
    """Measure and print."""
    options = make_parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as cwd:
        show(
            {f"{name}_ms_over_bare": over_bare_ms(words, cwd) for name, words in CASES.items()},
            is_json=options.json,
        )


if __name__ == "__main__":
    main()
