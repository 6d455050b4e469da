import json
import subprocess
import types

import pytest

from spinup.rundir import provenance
from spinup.rundir.layout import RunDir
from spinup.rundir.provenance import LARGEST_DIFF_BYTES, git_state, write_provenance


@pytest.fixture
def repo(tmp_path, monkeypatch):
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "a")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.org")
    path = tmp_path / "repo"
    path.mkdir()
    (path / "algo.py").write_text("x = 1\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", path, *command], check=True)
    return path


def test_a_clean_repository_is_its_commit(repo):
    head = subprocess.run(
        ["git", "-C", repo, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert git_state(repo) == {
        "commit": head.stdout.strip(),
        "is_dirty": False,
        "diff": "",
        "diff_is_cut": False,
        "untracked_files": [],
    }


def test_programs_that_a_repository_names_are_not_run(repo, tmp_path):
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    subprocess.run(["git", "-C", repo, "config", "core.fsmonitor", trap], check=True)
    (repo / "algo.py").write_text("x = 2\n")
    assert git_state(repo)["is_dirty"]
    assert not (tmp_path / "sprung").exists()


def test_what_has_changed_since_is_kept(repo):
    (repo / "algo.py").write_text("x = 2\n")
    state = git_state(repo)
    assert state["is_dirty"]
    assert "-x = 1\n+x = 2\n" in state["diff"]


def test_files_that_git_does_not_know_are_named(repo):
    (repo / "pkg").mkdir()
    (repo / "pkg" / "new.py").write_text("x = 3\n")
    assert git_state(repo / "pkg")["untracked_files"] == ["pkg/new.py"]


def test_a_large_diff_is_cut(repo):
    (repo / "algo.py").write_text("y" * (LARGEST_DIFF_BYTES + 1))
    state = git_state(repo)
    assert state["diff_is_cut"]
    assert len(state["diff"]) == LARGEST_DIFF_BYTES


@pytest.fixture
def slow_git(monkeypatch):
    """A git that takes 3 s for each answer, by a clock of its own; that clock, and what it was asked."""
    now_s = [100.0]
    asked = []

    def git(directory, *arguments):
        asked.append(arguments[0])
        now_s[0] += 3.0
        return None if arguments[0] == "diff" else b"abc\n"

    monkeypatch.setattr(provenance, "_git", git)
    monkeypatch.setattr(provenance, "time", types.SimpleNamespace(monotonic=lambda: now_s[0]))
    return now_s, asked


def test_a_slow_git_is_asked_the_less_often_the_slower_it_is(slow_git, tmp_path):
    now_s, asked = slow_git
    git_state(tmp_path)
    assert len(asked) == 3
    now_s[0] += 20 * 9.0 - 1
    git_state(tmp_path)
    assert len(asked) == 3
    now_s[0] += 2.0
    git_state(tmp_path)
    assert len(asked) == 6


def test_a_repository_is_not_called_clean_where_git_could_not_say(slow_git, tmp_path):
    state = git_state(tmp_path)
    assert (state["is_dirty"], state["diff"]) == (None, "")


def test_outside_of_a_repository_there_is_no_state(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) is None


def test_the_environment_is_not_written_down(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "a-secret-of-mine")
    run_dir = RunDir(tmp_path)
    write_provenance(run_dir, {"thunk": "m:f"}, tmp_path)
    content = json.loads(run_dir.provenance.read_text())
    assert "a-secret-of-mine" not in run_dir.provenance.read_text()
    assert content["call"] == {"thunk": "m:f"}
    assert content["packages"]["cloudpickle"]
    assert content["machine"]["python"]


def test_an_upgrade_between_two_grids_is_noted(tmp_path, monkeypatch):
    versions = iter(["1.0", "2.0"])
    clock = iter([0.0, 0.0, 10.0, 10.0])
    monkeypatch.setattr(provenance, "_answers", {})
    monkeypatch.setattr(provenance, "_packages", lambda: {"package": next(versions)})
    monkeypatch.setattr(provenance, "time", types.SimpleNamespace(monotonic=lambda: next(clock)))
    for expected in ("1.0", "2.0"):
        run_dir = RunDir(tmp_path / expected)
        run_dir.path.mkdir()
        provenance.write_provenance(run_dir, {}, None)
        assert json.loads(run_dir.provenance.read_text())["packages"] == {"package": expected}
