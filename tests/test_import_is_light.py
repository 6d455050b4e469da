import subprocess
import sys

import pytest

HEAVY = {"numpy", "polars", "matplotlib", "scipy", "gymnasium", "torch", "mpi4py", "ray", "rich", "psutil"}
GRID = """
from spinup import ExperimentGrid
eg = ExperimentGrid(name="g")
eg.add("env_name", ["CartPole-v1", "Acrobot-v1"])
eg.add("seed", range(3))
eg.add("ac_kwargs:hidden_sizes", [(32,), (64, 64)], "hid")
eg.add("use_gae", [True, False])
eg.add("use_norm", [True, False])
eg.add("f", [lambda: 0, lambda: 1])
eg.print()
assert len([name for _, name in eg.named_variants()]) == len(eg)
"""


@pytest.mark.parametrize("code", ["import spinup", GRID], ids=["bare", "grid"])
def test_nothing_heavy_is_imported_before_something_runs(code):
    report = "\nimport sys; print('LOADED', *sys.modules)"
    run = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.rsplit("LOADED", 1)[1].split())
    assert "spinup" in loaded
    assert loaded & HEAVY == set()
