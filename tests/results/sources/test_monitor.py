from __future__ import annotations

import json

import polars as pl
import pytest

import spinup


def write_monitor(directory, name: str, t_start: float | None, rows: str, header: str = "r,l,t") -> None:
    directory.mkdir(parents=True, exist_ok=True)
    first = (
        "" if t_start is None else "#" + json.dumps({"t_start": t_start, "env_id": "CartPole-v1"}) + "\n"
    )
    (directory / name).write_text(f"{first}{header}\n{rows}")


def test_steps_are_those_of_all_episodes_so_far(tmp_path):
    write_monitor(tmp_path / "ppo_s3", "monitor.csv", 100.0, "9.0,9,0.5\n21.0,21,1.5\n")
    runs = spinup.load(tmp_path)
    (run,) = runs
    assert (run.exp_name, run.seed, run.state) == ("ppo", 3, "unknown")
    expected = pl.DataFrame({"steps": [9.0, 30.0], "return": [9.0, 21.0], "r": [9.0, 21.0]})
    assert runs.curves.select("steps", "return", "r").equals(expected)
    row = runs.table.row(0, named=True)
    assert (row["last"], row["best"], row["steps"], row["duration_s"]) == (15.0, 21.0, 30.0, 1.5)
    assert row["started_at"].timestamp() == 100.0


def test_the_episodes_of_several_environments_come_in_the_order_in_which_they_ended(tmp_path):
    write_monitor(tmp_path / "a", "0.monitor.csv", 100.0, "1,10,1\n3,10,9\n")
    write_monitor(tmp_path / "a", "1.monitor.csv", 104.0, "2,5,1\n")
    curves = spinup.load(tmp_path).curves
    assert curves.select("steps", "return").rows() == [(10.0, 1.0), (15.0, 2.0), (25.0, 3.0)]


def test_a_file_without_its_first_line_is_read_with_a_note(tmp_path):
    write_monitor(tmp_path / "a", "monitor.csv", None, "1,10,1\n2,5")
    runs = spinup.load(tmp_path)
    assert runs.curves["return"].to_list() == [1.0]
    (torn, start) = runs.notes
    assert "monitor.csv: the last line is not whole" in torn
    assert start.endswith("does not say when it was begun")


@pytest.mark.parametrize("content", ["", "#", "#{}\n", '#{"t_start": "x"}\n', '#{"t_start": 1}\nr,l,t\n'])
def test_a_file_without_an_episode_has_no_row(tmp_path, content):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "monitor.csv").write_text(content)
    runs = spinup.load(tmp_path)
    assert runs.curves.height == 0
    assert runs.table["num_rows"].to_list() == [0]


def test_other_columns_and_texts_are_kept(tmp_path):
    write_monitor(tmp_path / "a", "monitor.csv", 1.0, "1,2,3,yes\n", header="r,l,t,is_success")
    assert spinup.load(tmp_path).read(["is_success"])["is_success"].to_list() == ["yes"]


def test_stable_baselines_progress_comes_before_its_monitor(tmp_path):
    write_monitor(tmp_path / "a", "monitor.csv", 1.0, "1,2,3\n")
    (tmp_path / "a" / "progress.csv").write_text(
        "rollout/ep_rew_mean,time/total_timesteps,time/time_elapsed\n20.5,2048,3\n,4096,6\n"
    )
    runs = spinup.load(tmp_path)
    assert runs.curves.select("steps", "return").rows() == [(2048.0, 20.5), (4096.0, None)]
    row = runs.table.row(0, named=True)
    assert (row["steps"], row["last"], row["duration_s"]) == (4096.0, 20.5, 6.0)
