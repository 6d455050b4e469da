"""``python -m spinup.run``, as in Spinning Up: ``spinup run``, and ``spinup plot`` where that is asked."""

import sys

from spinup.cli.main import main

if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(main(words if words[:1] == ["plot"] else ["run", *words]))
