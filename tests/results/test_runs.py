from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

import spinup
from spinup.errors import RecordError
from spinup.results.runs import find_runs
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import locked

TABLE = "Epoch\tAverageEpRet\n0\t1.5\n"


def identities(data_dir: Path) -> list[tuple[str, int | None]]:
    return [(run.exp_name, run.seed) for run in find_runs(data_dir)]


def test_a_run_is_named_by_its_config(write_run, tmp_path):
    write_run("whatever", TABLE, {"exp_name": "ppo", "seed": 7, "lr": 0.1})
    assert identities(tmp_path) == [("ppo", 7)]


def test_a_run_without_a_config_is_named_by_its_directory(write_run, tmp_path):
    write_run("ppo_small_s2/ppo_small_s2_s10", TABLE)
    assert identities(tmp_path) == [("ppo_small_s2", 10)]


@pytest.mark.parametrize(
    ("directory", "identity"),
    [
        ("2024-01-31_23-59-59_ppo_s3", ("ppo", 3)),
        ("2024-01-31_23-59-59-ppo_s3", ("ppo", 3)),
        ("ppo_s-3", ("ppo", -3)),
        ("ppo", ("ppo", None)),
        ("ppo_sac", ("ppo_sac", None)),
        ("_s1", ("_s1", None)),
        ("ppo_s" + "9" * 200, ("ppo", None)),
    ],
)
def test_a_directory_name_is_read_as_run_path_makes_it(write_run, tmp_path, directory, identity):
    write_run(directory, TABLE)
    assert identities(tmp_path) == [identity]


@pytest.mark.parametrize("config", ["", "{", "[1]", '{"exp_name": "other"', "\0", "[" * 100_000])
def test_a_damaged_config_gives_way_to_the_directory_with_a_note(write_run, tmp_path, config):
    path = write_run("ppo_s4", TABLE, config)
    (run,) = find_runs(tmp_path)
    assert (run.exp_name, run.seed) == ("ppo", 4)
    (note,) = run.notes
    assert note.startswith(f"config.json was left out: {path / 'config.json'}")


@pytest.mark.parametrize("seed", [None, "5", 5.0, True, [5], 2**63])
def test_a_config_whose_seed_is_no_64_bit_integer_leaves_it_to_the_directory(write_run, tmp_path, seed):
    write_run("x_s4", TABLE, {"exp_name": "ppo", "seed": seed})
    assert identities(tmp_path) == [("ppo", None if seed == 2**63 else 4)]


@pytest.mark.parametrize("exp_name", [None, "", 3, ["ppo"]])
def test_a_config_without_a_usable_name_leaves_it_to_the_directory(write_run, tmp_path, exp_name):
    write_run("x_s4", TABLE, {"exp_name": exp_name, "seed": 1})
    assert identities(tmp_path) == [("x", 1)]


def test_runs_are_ordered_by_name_then_seed_as_a_number(write_run, tmp_path):
    for directory in ("b_s1", "a_s10", "a_s2", "a"):
        write_run(directory, TABLE)
    assert identities(tmp_path) == [("a", 2), ("a", 10), ("a", None), ("b", 1)]


def test_runs_are_found_at_every_depth(write_run, tmp_path):
    write_run("2024_ppo/deep/ppo_s0", TABLE)
    write_run("2024_ppo/deep/ppo_s0/more/ppo_s1", TABLE)
    assert identities(tmp_path) == [("ppo", 0), ("ppo", 1)]


def test_a_run_directory_is_found_when_it_is_what_was_asked_for(write_run):
    path = write_run("ppo_s0", TABLE)
    assert [run.directory for run in find_runs(path)] == [path]


def test_a_relative_data_dir_is_named_by_the_directory_it_means(write_run, monkeypatch):
    monkeypatch.chdir(write_run("ppo_s6", TABLE))
    assert identities(Path()) == [("ppo", 6)]


def test_an_experiment_whose_name_begins_the_same_is_not_read(write_run, tmp_path):
    write_run("ppo/ppo_s0", TABLE)
    write_run("ppo2/ppo2_s0", TABLE)
    assert identities(tmp_path / "ppo") == [("ppo", 0)]


def test_hidden_directories_are_skipped(write_run, tmp_path):
    write_run("ppo/ppo_s0", TABLE)
    write_run(".archive/ppo/ppo_s1", TABLE)
    write_run("ppo/.cache/ppo_s2", TABLE)
    assert identities(tmp_path) == [("ppo", 0)]


def test_a_directory_with_a_table_of_another_name_is_no_run(write_run, tmp_path):
    write_run("ppo_s0", TABLE)
    (tmp_path / "other_s0").mkdir()
    (tmp_path / "other_s0" / "progress.txt.bak").write_text(TABLE)
    (tmp_path / "third_s0" / "progress.txt").mkdir(parents=True)
    assert identities(tmp_path) == [("ppo", 0)]


def test_links_are_not_followed(write_run, tmp_path):
    data_dir = write_run("data/ppo_s0", TABLE).parent
    outside = write_run("outside/ppo_s1", TABLE, {"exp_name": "secret", "seed": 1})
    (data_dir / "link").symlink_to(outside)
    (data_dir / "loop").symlink_to(data_dir)
    for name, linked in (("ppo_s2", "progress.txt"), ("ppo_s3", "config.json")):
        (data_dir / name).mkdir()
        (data_dir / name / linked).symlink_to(outside / linked)
    (data_dir / "ppo_s3" / "progress.txt").write_text(TABLE)
    assert identities(data_dir) == [("ppo", 0), ("ppo", 3)]


@pytest.mark.parametrize("name", ["progress.txt", "config.json", "status.json"])
def test_a_file_that_is_a_link_is_noted(write_run, tmp_path, name):
    run = write_run("data/ppo_s0", TABLE, {"exp_name": "ppo", "seed": 0})
    target = tmp_path / "target"
    target.write_text("{}")
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(target)
    (found,) = find_runs(tmp_path)
    assert f"{name} is a link, not followed" in found.notes


def test_a_data_dir_that_is_itself_a_link_is_read(write_run, tmp_path):
    write_run("data/ppo_s0", TABLE)
    (tmp_path / "link").symlink_to("data")
    assert identities(tmp_path / "link") == [("ppo", 0)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_a_table_is_not_waited_on(write_run, tmp_path):
    write_run("ppo_s0", TABLE)
    (tmp_path / "ppo_s1").mkdir()
    os.mkfifo(tmp_path / "ppo_s1" / "progress.txt")
    assert identities(tmp_path) == [("ppo", 0)]


@pytest.mark.parametrize("missing", ["nowhere", "file"])
def test_a_data_dir_that_is_no_directory_is_named_in_the_error(tmp_path, missing):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"There is no directory|is a file") as caught:
        find_runs(tmp_path / missing)
    assert str(tmp_path / missing) in str(caught.value)


def test_a_data_dir_without_runs_says_what_was_looked_for_and_where(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match=r"progress\.txt") as caught:
        find_runs(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_listing_that_fails_is_an_error_and_no_missing_seed(write_run, tmp_path, monkeypatch):
    write_run("ppo_s0", TABLE)
    locked = write_run("ppo_s1", TABLE)
    scandir = os.scandir

    def refusing(path: object) -> object:
        if str(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(RecordError, match="Permission denied") as caught:
        find_runs(tmp_path)
    assert str(locked) in str(caught.value)


def test_a_directory_that_vanishes_while_others_are_listed_is_no_error(write_run, tmp_path, monkeypatch):
    write_run("ppo_s0", TABLE)
    gone = write_run("ppo_s1", TABLE)
    scandir = os.scandir

    def vanishing(path: object) -> object:
        if str(path) == str(gone):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert identities(tmp_path) == [("ppo", 0)]


def test_a_table_that_is_gone_when_it_is_read_is_named_in_the_error(write_run, tmp_path):
    path = write_run("ppo_s0", TABLE)
    runs = spinup.load(tmp_path)
    (path / "progress.txt").unlink()
    with pytest.raises(RecordError, match="Cannot read") as caught:
        _ = runs.curves
    assert str(path / "progress.txt") in str(caught.value)


def test_a_name_of_endless_length_is_not_believed(write_run, tmp_path):
    write_run("ppo/ppo_s1", TABLE, {"exp_name": "x" * 10_001, "seed": 7})
    (run,) = find_runs(tmp_path)
    assert (run.exp_name, run.seed) == ("ppo", 7)
    assert "10001 characters" in run.notes[0]


STATUS = {"state": "done", "exp_name": "ppo", "seed": 1, "identity": "0" * 64}


def write_status(directory: Path, **changes: object) -> None:
    (directory / "status.json").write_text(json.dumps({**STATUS, **changes}))


def state_of(directory: Path) -> tuple[str, str | None]:
    (run,) = find_runs(directory)
    return run.state, run.reason


def test_a_run_without_a_status_is_in_no_known_state(write_run):
    assert state_of(write_run("ppo_s0", TABLE)) == ("unknown", None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"state": "done"}, ("done", None)),
        ({"state": "failed", "reason": "exit code 3"}, ("failed", "exit code 3")),
        ({"state": "failed", "reason": "interrupted"}, ("interrupted", "interrupted")),
        ({"state": "running"}, ("interrupted", "killed, with its launcher")),
        ({"state": "queued"}, ("interrupted", "killed, with its launcher")),
        ({"state": "flying"}, ("unknown", None)),
        ({"state": ["done"]}, ("unknown", None)),
        ({"state": "failed", "reason": 3}, ("failed", None)),
    ],
)
def test_a_state_is_believed_where_it_can_be(write_run, status, expected):
    path = write_run("ppo_s0", TABLE)
    write_status(path, **status)
    assert state_of(path) == expected


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_run_is_live_while_its_lock_is_held(write_run, state):
    path = write_run("ppo_s0", TABLE)
    write_status(path, state=state)
    with locked(RunDir(path)):
        assert state_of(path) == (state, None)
    assert state_of(path)[0] == "interrupted"


def test_a_damaged_status_is_noted(write_run):
    path = write_run("ppo_s0", TABLE)
    (path / "status.json").write_text("{")
    (run,) = find_runs(path)
    assert run.state == "unknown"
    assert run.notes[0].startswith("status.json was left out")


def test_a_run_that_failed_before_its_first_row_is_a_run(tmp_path):
    (tmp_path / "ppo_s3").mkdir()
    write_status(tmp_path / "ppo_s3", state="failed", reason="exception")
    assert [(run.exp_name, run.seed, run.state) for run in find_runs(tmp_path)] == [("ppo", 1, "failed")]


def test_a_config_alone_is_a_run_only_if_it_is_one_of_a_run(tmp_path):
    for name, config in (("model", {"hidden_size": 3}), ("ppo_s1", {"exp_name": "ppo", "seed": 1})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    assert identities(tmp_path) == [("ppo", 1)]


def test_what_else_logs_inside_a_run_is_no_run_of_its_own(write_run):
    path = write_run("ppo_s0", TABLE)
    (path / "sb3").mkdir()
    (path / "sb3" / "progress.csv").write_text("a,b\n1,2\n")
    assert identities(path) == [("ppo", 0)]


def test_several_paths_and_globs_give_each_run_once(write_run, tmp_path):
    for name in ("a/a_s0", "a2/a2_s0", "b/b_s0"):
        write_run(name, TABLE)
    runs = find_runs(tmp_path / "a", str(tmp_path / "a*"), tmp_path / "b" / "b_s0")
    assert [run.exp_name for run in runs] == ["a", "a2", "b"]


def test_a_name_that_looks_like_a_glob_means_itself(write_run, tmp_path):
    write_run("a[1]/a_s0", TABLE)
    write_run("a1/b_s0", TABLE)
    assert identities(tmp_path / "a[1]") == [("a", 0)]


def test_a_glob_that_matches_nothing_is_an_error(tmp_path):
    with pytest.raises(RecordError, match="No directory matches"):
        find_runs(tmp_path / "x*")


def test_the_beginning_of_a_name_is_no_name_and_the_error_says_what_is_there(write_run, tmp_path):
    write_run("exp_s10", TABLE)
    with pytest.raises(RecordError, match=r"exp_s10.*exp_s1\*"):
        find_runs(tmp_path / "exp_s1")


def test_times_and_the_mark_of_an_ablation_are_read(write_run):
    mark = {"is_baseline": False, "changed": ["use_gae"]}
    path = write_run("ppo_s0", TABLE, {"exp_name": "ppo", "seed": 0, "lr": 1, "_ablation": mark})
    write_status(path, started_at="2026-01-02T03:04:05.000Z", ended_at="2026-01-02T03:04:07.500Z")
    (run,) = find_runs(path)
    assert (run.started_at, run.duration_s) == (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 2.5)
    assert (run.is_baseline, run.changed, run.hyperparameters) == (False, ["use_gae"], {"lr": 1})


@pytest.mark.parametrize("mark", [None, 3, [], {"is_baseline": 1, "changed": "x"}])
def test_a_mark_of_another_make_is_no_mark(write_run, mark):
    (run,) = find_runs(write_run("ppo_s0", TABLE, {"exp_name": "ppo", "_ablation": mark}))
    assert (run.is_baseline, run.changed) == (False, None)


@pytest.mark.parametrize("time", [None, 5, "yesterday", "2026-01-02T03:04:05", "9999-99-99"])
def test_a_time_that_is_none_is_unknown(write_run, time):
    path = write_run("ppo_s0", TABLE)
    write_status(path, started_at=time, ended_at="2026-01-02T03:04:05Z")
    (run,) = find_runs(path)
    assert (run.started_at, run.duration_s) == (None, None)


@pytest.mark.parametrize("paths", [[], [""]])
def test_no_directory_at_all_is_an_error(paths):
    with pytest.raises(RecordError, match="No directory was named"):
        find_runs(*paths)
