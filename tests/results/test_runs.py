from __future__ import annotations

import os
from pathlib import Path

import pytest

from spinup.errors import RecordError
from spinup.results.runs import find_runs

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
def test_a_damaged_config_gives_way_to_the_directory_with_a_warning(write_run, tmp_path, config):
    path = write_run("ppo_s4", TABLE, config)
    with pytest.warns(UserWarning, match="taken from its directory") as caught:
        assert identities(tmp_path) == [("ppo", 4)]
    assert str(path / "config.json") in str(caught[0].message)


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
    with pytest.raises(RecordError, match="There is no directory") as caught:
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


def test_a_directory_that_may_not_be_entered_is_an_error_and_no_missing_seed(
    write_run, tmp_path, monkeypatch
):
    locked = write_run("ppo_s1", TABLE)
    lstat = Path.lstat

    def refusing(path: Path) -> os.stat_result:
        if path.parent == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", refusing)
    with pytest.raises(RecordError, match="Permission denied"):
        find_runs(tmp_path)


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
    (run,) = find_runs(tmp_path)
    (path / "progress.txt").unlink()
    with pytest.raises(RecordError, match="Cannot read") as caught:
        run.progress()
    assert str(path / "progress.txt") in str(caught.value)


def test_a_name_of_endless_length_is_not_believed(write_run, tmp_path):
    write_run("ppo/ppo_s1", TABLE, {"exp_name": "x" * 10_001, "seed": 7})
    with pytest.warns(UserWarning, match="10001 characters"):
        (run,) = find_runs(tmp_path)
    assert (run.exp_name, run.seed) == ("ppo", 7)
