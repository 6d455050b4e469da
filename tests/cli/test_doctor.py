import json
import os
import stat

import pytest

from spinup.cli import doctor
from spinup.cli.main import main

NAMES = [
    *(
        "spinup",
        "python",
        "cores",
        "memory",
        "warm_start",
        "gpus",
        "torch",
        "mpi",
        "slurm",
        "ray",
        "gymnasium",
    ),
    *("gymnasium_classic_control", "gymnasium_box2d", "gymnasium_mujoco", "gymnasium_atari"),
    *("data_dir", "disk_space"),
]


@pytest.fixture(autouse=True)
def no_mpi_probe(monkeypatch):
    """Asking MPI starts three processes; its answers are tested with it."""
    monkeypatch.setattr(
        doctor, "_mpi", lambda: doctor.Finding("mpi", False, "no", "pip install 'spinup[mpi]'")
    )


@pytest.fixture
def lacks(monkeypatch):
    def hide(*modules):
        monkeypatch.setattr(doctor, "_has", lambda name: name not in modules)

    return hide


def finding(name, data_dir="."):
    from pathlib import Path

    return next(each for each in doctor.examine(Path(data_dir)) if each.name == name)


def test_the_json_is_what_the_documents_say(tmp_path, capsys):
    assert main(["doctor", "--json", "--data-dir", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (set(document), document["format"]) == ({"format", "findings"}, 1)
    assert [each["name"] for each in document["findings"]] == NAMES
    assert all(set(each) == {"name", "is_usable", "detail", "install"} for each in document["findings"])


def test_for_what_is_missing_there_is_a_line_to_type(lacks, capsys):
    lacks("torch", "ray", "Box2D", "mujoco", "ale_py")
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for line in ("spinup[torch]", "spinup[mpi]", "spinup[mujoco]", "gymnasium[box2d]", "gymnasium[atari]"):
        assert f"pip install '{line}'" in out


def test_nothing_is_made_and_nothing_is_left(tmp_path):
    assert finding("data_dir", tmp_path / "a" / "b").detail.endswith("b, to be made")
    assert finding("data_dir", tmp_path).is_usable
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    found = finding("data_dir", tmp_path / "file" / "below")
    assert not found.is_usable
    assert "cannot be written" in found.detail


def test_slurm_is_found_by_its_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not finding("slurm").is_usable
    program = tmp_path / "sbatch"
    program.write_text("#!/bin/sh\necho slurm 24.05.1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert finding("slurm").detail == f"slurm 24.05.1, {program}"
    program.write_text("#!/bin/sh\nexit 1\n")
    assert not finding("slurm").is_usable


def test_a_limit_of_a_control_group_is_told(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("2000000000\n")
    monkeypatch.setattr(doctor, "_LIMIT_FILES", (str(tmp_path / "memory.max"),))
    assert finding("memory").detail.endswith("; a control group allows 2.0 GB")


def test_gpus_that_are_hidden_are_told(monkeypatch):
    from spinup.launchers import gpus

    monkeypatch.setattr(doctor, "_has", lambda name: True)
    monkeypatch.setattr(gpus, "discover_nvidia", lambda: [gpus.Gpu(0, "GPU-a"), gpus.Gpu(1, "GPU-b")])
    monkeypatch.setattr(doctor, "_gpu_names", lambda number: ["H200 (141 GB)"] * number)
    monkeypatch.setattr(doctor, "version", lambda package: "1.0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    found = finding("gpus")
    assert found.is_usable
    assert found.detail == "2: H200 (141 GB), H200 (141 GB); CUDA_VISIBLE_DEVICES leaves 1 of them"


def test_little_space_is_told(tmp_path, monkeypatch):
    usage = os.statvfs_result([4096] * 10)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": usage.f_bsize})())
    assert not finding("disk_space", tmp_path).is_usable
