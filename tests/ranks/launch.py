"""A launch script: ``launch.py DATA_DIR``. Its run waits the first time, and is done the second."""

import os
import sys

from ranks import thunks

from spinup import ExperimentGrid


def wait_once(logger_kwargs):
    if not os.path.exists(os.environ["RANKS_SECOND_TIME"]):
        thunks.wait()
    return thunks.who()


ExperimentGrid("w").run(wait_once, num_cpu=2, data_dir=sys.argv[1])
