"""``python -m spinup.run``, as in Spinning Up."""

import sys

from spinup.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
