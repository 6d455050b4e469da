"""What a child process executes: ``run_entrypoint.py PAYLOAD``.

PAYLOAD is the path of a payload file, or a thunk as Spinning Up sends it: pickled, compressed and in
base64.
"""

import os
import sys


def main(argument: str) -> int:
    """Run what ``argument`` stands for; give the exit code."""
    if os.path.isfile(argument):
        from pathlib import Path  # noqa: PLC0415

        from spinup import mpi  # noqa: PLC0415 - after sys.path is set

        if mpi.was_started_by_mpi():
            from spinup.launchers.ranks import run  # noqa: PLC0415 - a run of several processes
        else:
            from spinup.jobs.child import run  # noqa: PLC0415 - the ordinary case
        return run(Path(argument).absolute())
    import base64  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    import cloudpickle  # noqa: PLC0415

    thunk = cloudpickle.loads(zlib.decompress(base64.b64decode(argument)))
    thunk()
    return 0


if __name__ == "__main__":
    # This file's directory, which Python puts first, would hide modules of the user's.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(main(sys.argv[1]))
