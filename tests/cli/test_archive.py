import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cli.made_runs import held, make_run

from spinup.cli.archive import data_dir_of
from spinup.cli.main import main
from spinup.fingerprint import shorten
from spinup.rundir.launches import LaunchedRun, read_launches, recorded


@pytest.fixture
def data(tmp_path):
    for name in ("g_lr1", "g_lr10"):
        for seed in (0, 10):
            make_run(tmp_path, name, seed)
    return tmp_path


def left(data):
    return sorted(path.parent.name for path in data.glob("g_*/*/status.json"))


def archived(data):
    return sorted(path.name.partition("@")[0] for path in (data / ".archive").glob("*"))


@pytest.mark.parametrize("command", ["rm", "archive"])
def test_runs_are_moved_not_lost(data, capsys, command):
    assert main([command, "g_lr1_s0", "-y", "--data-dir", str(data)]) == 0
    assert left(data) == ["g_lr10_s0", "g_lr10_s10", "g_lr1_s10"]
    assert archived(data) == ["g_lr1_s0"]
    out = capsys.readouterr().out
    back = out.splitlines()[-1].split()
    subprocess.run(back, check=True)
    assert "g_lr1_s0" in left(data)


def test_the_name_of_an_experiment_means_all_its_seeds(data):
    assert main(["archive", "g_lr1", "-y", "--data-dir", str(data)]) == 0
    assert archived(data) == ["g_lr1_s0", "g_lr1_s10"]


def test_a_part_of_a_name_is_not_enough(data, capsys):
    assert main(["rm", "lr1", "-y", "--data-dir", str(data)]) == 1
    assert len(left(data)) == 4
    assert "is called 'lr1'" in capsys.readouterr().err


def test_what_runs_is_refused_and_then_nothing_is_moved(data, capsys):
    make_run(data, "g_lr2", 0, state="running")
    with held(data / "g_lr2" / "g_lr2_s0"):
        assert main(["rm", "g_lr1", "g_lr2", "-y", "--data-dir", str(data)]) == 1
    assert len(left(data)) == 5
    assert "g_lr2_s0 is running. Nothing was moved" in capsys.readouterr().err


def test_a_directory_elsewhere_goes_to_its_own_archive(data, tmp_path_factory, monkeypatch):
    monkeypatch.setattr("spinup.user_config.DEFAULT_DATA_DIR", str(tmp_path_factory.mktemp("default")))
    assert main(["archive", str(data / "g_lr1" / "g_lr1_s0"), "-y"]) == 0
    assert archived(data) == ["g_lr1_s0"]


@pytest.mark.parametrize(
    ("run", "exp_name", "expected"),
    [
        ("data/x/x_s0", "x", "data"),
        ("data/2026-01-01_x/2026-01-01_10-00-00_x_s0", "x", "data"),
        ("data/deep/er/deep/er_s0", "deep/er", "data"),
        ("data/x", "x", "data"),
        ("data/own", "x", "data"),
        (f"data/{shorten('x' * 300)}/{'x' * 200}_s0", "x" * 300, "data"),
    ],
)
def test_where_a_run_belongs_is_told_by_its_path(run, exp_name, expected):
    assert data_dir_of(Path("/home/me") / run, exp_name) == Path("/home/me") / expected


def test_a_run_in_an_odd_place_belongs_to_what_it_lies_in():
    assert data_dir_of(Path("/x"), "a/b/c") == Path("/")


def test_who_cannot_be_asked_has_to_say_yes(data, capsys, monkeypatch):
    with open(os.devnull) as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        assert main(["rm", "g_lr1", "--data-dir", str(data)]) == 2
    assert len(left(data)) == 4
    assert "--yes" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "code", "num_left"), [(b"y\n", 0, 2), (b"\n", 1, 4), (b"n\n", 1, 4)])
def test_it_asks_first(data, answer, code, num_left):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "spinup", "rm", "g_lr1", "--data-dir", data]
    with subprocess.Popen(command, stdin=slave, stdout=subprocess.PIPE) as process:
        os.write(master, answer)
        out, _ = process.communicate(timeout=60)
    os.close(slave)
    os.close(master)
    assert process.returncode == code
    assert len(left(data)) == num_left
    assert b"Move 2 runs to " in out


def test_archived_runs_are_not_called_not_begun(data):
    runs = [LaunchedRun(name, 0, f"{data}/{name}/{name}_s0") for name in ("g_lr1", "g_lr10")]
    with recorded(data, "g", 1, runs):
        pass
    assert main(["rm", "g_lr1", "-y", "--data-dir", str(data)]) == 0
    assert [run.name for run in read_launches(data)[0].runs] == ["g_lr10"]


def test_archived_runs_are_deleted_for_good_on_request(data, capsys):
    assert main(["rm", "g_lr1", "g_lr10_s0", "-y", "--data-dir", str(data)]) == 0
    assert main(["rm", "--archived", "g_lr1_s0", "-y", "--data-dir", str(data)]) == 0
    assert archived(data) == ["g_lr10_s0", "g_lr1_s10"]
    assert main(["rm", "--archived", "-y", "--data-dir", str(data)]) == 0
    assert archived(data) == []
    assert left(data) == ["g_lr10_s10"]
    assert main(["rm", "--archived", "-y", "--data-dir", str(data)]) == 1
    assert "Nothing is archived" in capsys.readouterr().err


def test_deleting_leads_nowhere_outside(data, tmp_path_factory):
    outside = make_run(tmp_path_factory.mktemp("outside"))
    (data / ".archive").mkdir()
    (data / ".archive" / "x@1").symlink_to(outside)
    assert main(["rm", "--archived", "-y", "--data-dir", str(data)]) == 1
    assert main(["rm", "--archived", "../g_lr1", "-y", "--data-dir", str(data)]) == 1
    assert (outside / "status.json").exists()
    assert (data / "g_lr1" / "g_lr1_s0").exists()


def test_it_wants_to_know_which(capsys):
    assert main(["rm"]) == 2
    assert "Say which runs" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["rm", "archive"])
def test_a_directory_above_directories_of_results_is_refused(tmp_path, capsys, command):
    make_run(tmp_path / "home" / "data", "g_lr1", 0)
    make_run(tmp_path / "home", "g_lr2", 0)
    assert main([command, "-y", str(tmp_path / "home")]) == 1
    assert f"above the directories of results {tmp_path}/home/data." in capsys.readouterr().err
    assert len(list(tmp_path.rglob("status.json"))) == 2
    assert list(tmp_path.rglob(".archive")) == []


@pytest.mark.parametrize("below", ["", "g_lr1", "g_lr1/g_lr1_s0"])
def test_a_directory_of_results_an_experiment_and_a_run_can_be_named(data, below):
    assert main(["archive", "-y", str(data / below)]) == 0
    assert len(archived(data)) == {"": 4, "g_lr1": 2, "g_lr1/g_lr1_s0": 1}[below]


@pytest.mark.parametrize("name", ["g_lr1_s0", "g_lr1"])
def test_what_is_archived_already_is_said_to_be(data, capsys, name):
    assert main(["archive", "g_lr1", "-y", "--data-dir", str(data)]) == 0
    assert main(["archive", name, "-y", "--data-dir", str(data)]) == 1
    assert f"{name} is archived already, in {data}/.archive" in capsys.readouterr().err
