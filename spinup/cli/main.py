"""The command line: ``spinup COMMAND``."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from spinup import console
from spinup.cli import demo
from spinup.errors import SpinupError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = """\
Hyperparameter grids for reinforcement learning, in runs that can be trusted.

Try it:        spinup demo
In a script:   from spinup import ExperimentGrid
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; give the exit code.

    Args:
        arguments: What follows the program's name; those of this process by default.
    """
    parser = _make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return int(options.command(options))
    except SpinupError as error:
        console.complain(str(error))
        return 1
    except KeyboardInterrupt:
        console.complain("Interrupted. What had finished is kept.")
        return 130  # as a shell reports SIGINT


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="spinup", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"spinup {version('spinup')}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    demo.add_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
