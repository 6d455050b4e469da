"""The command line: ``spinup COMMAND``.

This module imports next to nothing, so that Ctrl-C finds somebody to answer it from the beginning.
"""

import sys

TYPE_CHECKING = False  # as type checkers know it, without importing typing
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Do what the command line asks; give the exit code.

    0 is for all went well, 1 for something failed, 2 for a command line that cannot be understood, 130 for
    an interruption.

    Args:
        arguments: What follows the program's name; those of this process by default.
    """
    try:
        from spinup.cli.commands import answer  # noqa: PLC0415 - see above

        return answer(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        from spinup import console  # noqa: PLC0415

        console.complain("Interrupted. What had finished is kept.")
        return 130  # as a shell reports SIGINT


if __name__ == "__main__":
    sys.exit(main())
