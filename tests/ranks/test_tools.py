"""Spinning Up's MPI tools, in one process without MPI and in several with it."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranks import thunks

from spinup import call_experiment
from spinup.errors import MpiError
from spinup.loggers.summary import Summary, merge, summarize_own
from spinup.utils import mpi_tools

NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=20)


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_statistics_of_parts_are_those_of_the_whole(parts):
    merged = merge([summarize_own(part) for part in parts])
    whole = [number for part in parts for number in part]
    if not whole:
        assert merged.count == 0
        assert math.isnan(merged.mean)
        return
    assert merged.count == len(whole)
    assert merged.mean == pytest.approx(np.mean(whole), rel=1e-9, abs=1e-6)
    assert merged.std == pytest.approx(np.std(whole), rel=1e-6, abs=1e-3)
    assert (merged.min, merged.max) == (min(whole), max(whole))


def test_the_statistics_of_a_single_part_are_not_rounded_again():
    part = summarize_own([0.1, 0.2, 0.7])
    assert merge([Summary(), part, Summary()]) is part


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_finite_in_one_part_is_seen_in_the_whole(odd):
    merged = merge([summarize_own([1.0]), summarize_own([odd])])
    assert not math.isfinite(merged.mean)
    assert not math.isfinite(merged.max)


def test_one_process_needs_no_mpi():
    code = """
import sys
sys.modules["mpi4py"] = None
import numpy as np
from spinup.utils import mpi_tools as t
x, buff = np.array([1.0, 2.0]), np.zeros(2)
t.allreduce(x, buff); t.broadcast(x); t.mpi_fork(1); t.msg("here", "it is")
assert buff.tolist() == [1.0, 2.0]
assert (t.proc_id(), t.num_procs()) == (0, 1)
assert t.mpi_sum(3) == t.mpi_avg(3) == 3.0 and isinstance(t.mpi_avg(3), float)
assert t.mpi_op([1, 2], "MAX").tolist() == [1.0, 2.0]
assert t.mpi_statistics_scalar([1, 3], with_min_and_max=True) == (2.0, 1.0, 1.0, 3.0)
assert t.mpi_statistics_scalar(np.ones((2, 2), np.float32)) == (1.0, 0.0)
assert str(t.mpi_statistics_scalar([])) == "(nan, nan)"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Message from 0: it is \t here" in done.stdout


def test_an_operation_that_is_none_is_named():
    with pytest.raises(MpiError, match="AVERAGE"):
        mpi_tools.mpi_op(1.0, "AVERAGE")


def test_forking_a_program_that_is_in_no_file_is_an_error():
    code = "from spinup.utils.mpi_tools import mpi_fork; mpi_fork(2); print('not reached')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MpiError: mpi_fork(2) cannot start this program again" in done.stderr
    assert done.stdout == ""


def test_a_script_that_forks_is_run_by_each_process_and_exits_as_they_do(tmp_path):
    script = tmp_path / "a script.py"
    script.write_text("""
import sys
from spinup.utils.mpi_tools import mpi_fork, num_procs, mpi_sum, proc_id
print("begins", flush=True)
mpi_fork(3)
print(f"sum {mpi_sum(proc_id() + 1)} of {num_procs()} {sys.argv[1:]}\\n", end="")
sys.exit(4)
""")
    done = subprocess.run([sys.executable, script, "an argument"], capture_output=True, text=True)
    assert done.returncode == 4
    assert done.stdout.count("begins") == 4
    assert done.stdout.count("sum 6.0 of 3 ['an argument']") == 3


@pytest.mark.parametrize("num_procs", [2, 3])
def test_tools_in_several_processes(tmp_path, num_procs):
    rng = np.random.default_rng(num_procs)
    parts = [[rng.normal(size=rng.integers(0, 4)).tolist() for _ in range(num_procs)] for _ in range(40)]
    parts += [[[] for _ in range(num_procs)], [[], [1e9, 1e9 + 1], []][:num_procs]]
    record = call_experiment(
        "tools", thunks.tools, num_cpu=num_procs, data_dir=tmp_path, parts=parts, x=[0.1, 2.0]
    )
    assert len(record.result) == num_procs
    first = record.result[0]
    for rank, found in enumerate(record.result):
        assert (found["proc_id"], found["num_procs"]) == (rank, num_procs)
        assert {**found, "proc_id": 0, "statistics": 0} == {**first, "proc_id": 0, "statistics": 0}
        for part, statistics in zip(parts, found["statistics"], strict=True):
            whole = np.concatenate(part)
            expected = [f(whole) if whole.size else math.nan for f in (np.mean, np.std, np.min, np.max)]
            assert [float(number) for number in statistics] == pytest.approx(
                expected, rel=1e-12, abs=1e-12, nan_ok=True
            )
    assert first["sum"] == sum(range(num_procs + 1))
    assert first["avg"] == pytest.approx([(num_procs - 1) / 2, 1e-9], rel=1e-15)
    assert first["min"] == [0.0, 1.0 - num_procs]
    assert first["broadcast"] == pytest.approx([1.1, 3.0])
    assert first["allreduce"] == pytest.approx([num_procs - 0.9, num_procs + 1.0])


def test_models_are_averaged_and_synchronized(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'spinup[torch]'")
    record = call_experiment("models", thunks.models, num_cpu=2, data_dir=tmp_path)
    (synced, grads, threads), (other_synced, other_grads, _) = record.result
    assert synced == other_synced
    assert grads == other_grads == [[1.0] * 6, [0.5] * 3, None]
    assert threads == 1
