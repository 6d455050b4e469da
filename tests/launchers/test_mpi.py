"""Which MPI there is, and which command line runs a program with it."""

import os
import sys
from pathlib import Path

import pytest

from spinup import mpi
from spinup.errors import MpiError, UnsupportedNumCpu
from spinup.launchers.cores import usable_physical_cores
from spinup.launchers.mpi import find_mpi
from spinup.utils.num_cpu import check_num_cpu

LIBRARIES = {
    "MPICH": "MPICH Version:      4.2.3",
    "Open MPI": "Open MPI v5.0.6, package: ...",
    "Intel(R) MPI": "Intel(R) MPI Library 2021.14 for Linux* OS",
}
PROGRAMS = {
    "MPICH": "HYDRA build details:",
    "Open MPI": "mpiexec (Open MPI) 5.0.6",
    "Intel(R) MPI": "Intel(R) MPI Library for Linux* OS, Version 2021.14",
}


@pytest.fixture(autouse=True)
def unknown():
    """Nothing of what was found is believed in the next test."""
    find_mpi.cache_clear()
    yield
    find_mpi.cache_clear()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Pretends that mpi4py loads ``library``, and that PATH has these programs: what each says, by name."""

    def write(path, says, code=0):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
        path.chmod(0o755)
        return str(path)

    def install(library, programs, code=0):
        monkeypatch.setattr(sys, "executable", write(tmp_path / "bin" / "python", library, code))
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path / "path"))
        return {name: write(tmp_path / "path" / name, says) for name, says in programs.items()}

    return install


def test_the_mpi_of_this_interpreter_is_found_beside_it():
    found = find_mpi()
    assert found.kind.title == "MPICH"
    assert Path(found.mpiexec).parent == Path(sys.executable).parent
    command = found.command(3, ["program", "argument"])
    assert command[:3] == [found.mpiexec, "-n", "3"]
    assert command[-2:] == ["program", "argument"]
    assert "-bind-to" in found.command(3, ["program"], bind_to_core=True)


@pytest.mark.parametrize("title", LIBRARIES)
def test_the_mpiexec_of_another_implementation_is_passed_over(install, title):
    others = [says for kind, says in PROGRAMS.items() if kind != title]
    paths = install(
        LIBRARIES[title], {"mpiexec": others[0], "mpiexec.hydra": others[1], "mpirun": PROGRAMS[title]}
    )
    found = find_mpi()
    assert (found.kind.title, found.mpiexec) == (title, paths["mpirun"])


def test_open_mpi_is_told_what_it_needs(install, monkeypatch):
    install(LIBRARIES["Open MPI"], {"mpiexec": PROGRAMS["Open MPI"]})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    command = find_mpi().command(4, ["program"])
    assert "--allow-run-as-root" in command
    assert command[command.index("--map-by") + 1] == "slot:OVERSUBSCRIBE"
    assert command[command.index("--bind-to") + 1] == "none"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "--allow-run-as-root" not in find_mpi().command(4, ["program"])


def test_an_mpi_without_its_mpiexec_is_named(install):
    install(LIBRARIES["Open MPI"], {"mpiexec": PROGRAMS["MPICH"]})
    with pytest.raises(MpiError, match=r"Open MPI v5.0.6.*whose mpiexec is neither beside.*pip install"):
        find_mpi()


def test_a_library_that_cannot_be_loaded_is_named(install):
    install("RuntimeError: cannot load MPI library", {}, code=1)
    with pytest.raises(MpiError, match=r"RuntimeError: cannot load MPI library.*pip install"):
        find_mpi()


def test_without_mpi4py_more_than_one_process_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert check_num_cpu(1) == 1
    with pytest.raises(UnsupportedNumCpu, match=r"nothing was started.*pip install 'spinup\[mpi\]'"):
        check_num_cpu(2)


def test_auto_is_the_number_of_physical_cores():
    assert check_num_cpu("auto") == usable_physical_cores() <= len(os.sched_getaffinity(0))


def test_hardware_threads_of_one_core_count_once(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4}, raising=False)
    for number, siblings in enumerate(["0,2", "1,3", "0,2", "1,3"]):
        topology = tmp_path / f"cpu{number}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{siblings}\n")
    assert usable_physical_cores(cgroups=tmp_path / "none", cpus=tmp_path) == 3


def test_a_child_is_no_rank_of_the_run_that_its_launcher_belongs_to():
    environment = {
        "PMI_SIZE": "4",
        "PMI_RANK": "1",
        "OMPI_COMM_WORLD_SIZE": "4",
        "PMIX_RANK": "1",
        "OMPI_MCA_btl": "self",
        "PATH": "/bin",
    }
    assert mpi.strip(environment) == {"OMPI_MCA_btl": "self", "PATH": "/bin"}
