"""A launch script as a user writes it: ``launch.py DATA_DIR KEYWORDS``, the keywords of run as JSON."""

import json
import sys

from walk import walk

from spinup import ExperimentGrid

eg = ExperimentGrid(name="walk")
eg.add("lr", [1, 2, 3])
eg.add("seed", [0, 10])
eg.run(walk, data_dir=sys.argv[1], gpus=None, **json.loads(sys.argv[2]))
