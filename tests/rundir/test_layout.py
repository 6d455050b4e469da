import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup import setup_logger_kwargs
from spinup.errors import UnsafePath
from spinup.rundir.layout import ARCHIVE, RunDir, run_path


@pytest.mark.parametrize(
    "name",
    ["..", ".", "../x", "a/../../x", "/x", "a\0b", "a/..", "..\\x", "\\x", ".archive", ".archive/x", 3],
)
def test_a_name_that_would_leave_data_dir_is_an_error(name):
    with pytest.raises(UnsafePath):
        run_path(name, 0)
    with pytest.raises(UnsafePath):
        run_path(name, None)


@pytest.mark.parametrize("seed", ["0", "../x", 1.5, True, (1,), "0/../../x"])
def test_a_seed_that_is_no_integer_is_an_error(seed):
    with pytest.raises(UnsafePath, match="must be an integer"):
        run_path("x", seed)


def test_numpys_integers_are_seeds():
    assert run_path("x", np.int64(3)) == "x/x_s3"


def test_a_nul_in_data_dir_is_an_error():
    with pytest.raises(UnsafePath, match="NUL"):
        setup_logger_kwargs("x", 0, data_dir="a\0b")


def test_dots_inside_a_name_are_fine():
    assert run_path("ppo.v2..final", 0) == "ppo.v2..final/ppo.v2..final_s0"


@given(st.text(max_size=300), st.integers(-(2**63), 2**64))
def test_no_name_leads_out_of_data_dir_or_is_too_long(name, seed):
    try:
        path = run_path(name, seed)
    except UnsafePath:
        return
    parts = path.split("/")
    assert not path.startswith("/")
    assert ".." not in parts
    assert parts[0] != ARCHIVE
    assert all(len(part.encode("utf-8", "surrogatepass")) <= 255 for part in parts)
    assert parts[-1].endswith(f"_s{seed}")


def test_long_names_that_differ_have_directories_that_differ():
    names = ["a" * 250 + c for c in "xyz"]
    paths = {run_path(name, seed) for name in names for seed in (0, 1, 12345)}
    assert len(paths) == 9


def test_the_lock_of_a_long_name_is_a_possible_file(tmp_path):
    run_dir = RunDir(tmp_path / ("a" * 255))
    run_dir.lock.touch()
    assert run_dir.lock.exists()


@pytest.mark.parametrize("name", [".hidden", "a/.b", "a/a_s0", "a/a_s-3", "x/a/a_s0/y", "\ud800"])
def test_a_name_that_would_hide_or_mix_runs_is_an_error(name):
    with pytest.raises(UnsafePath):
        run_path(name, 0)


def test_a_name_that_ends_like_a_run_is_fine():
    assert run_path("a_s0", 1) == "a_s0/a_s0_s1"
    assert run_path("b/a_s0", 1) == "b/a_s0/b/a_s0_s1"


@pytest.mark.parametrize("seed", [10**300, -(10**300), 10**5000], ids=["large", "small", "huge"])
def test_a_seed_that_no_directory_can_hold_is_an_error(seed):
    with pytest.raises(UnsafePath, match="at most 128 bits"):
        run_path("x", seed)
