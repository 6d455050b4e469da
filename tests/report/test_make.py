import json
import shlex
import subprocess
import sys

import pytest
from cli.made_runs import held, make_run
from report.conftest import provenance, report, returns

import spinup
from spinup.errors import PlotError, RecordError
from spinup.report import pictures
from spinup.report.document import Facts, Listing, Picture
from spinup.report.origin import origin_of


def names(made):
    return [block.name for block in made.blocks if isinstance(block, Picture)]


def facts(made):
    return {name: text for block in made.blocks if isinstance(block, Facts) for name, text in block.rows}


def test_an_ablation_has_bars_and_curves(ablation):
    made = report(ablation)
    assert names(made) == ["curves", "ablation"]
    assert made.tables["results"]["verdict"].to_list() == [None, "worse", "within seed noise"]


def test_a_chosen_baseline_has_bars_too(grid):
    assert names(report(grid, baseline="g_lr1_clip0-1")) == ["curves", "ablation"]


def test_two_hyperparameters_have_a_heat_map_and_effects(grid):
    made = report(grid)
    assert names(made) == ["curves", "heat_map", "final"]
    assert made.tables["effects"]["effect"][0] == "lr"


def test_one_number_has_its_sensitivity(tmp_path):
    for lr in (1, 2, 3):
        for seed in range(2):
            make_run(tmp_path, f"g_lr{lr}", seed, returns=returns(lr, seed), config={"lr": lr})
    assert names(report(tmp_path)) == ["curves", "sensitivity", "final"]


def test_three_hyperparameters_have_parallel_coordinates(tmp_path):
    for number in range(8):
        a, b, c = number & 1, number >> 1 & 1, number >> 2
        make_run(tmp_path, f"g{number}", returns=returns(number, 0), config={"a": a, "b": b, "c": c})
    assert "coordinates" in names(report(tmp_path))


def test_several_tasks_have_pictures_each_and_a_profile(tmp_path):
    for env in ("Hopper", "Walker"):
        for lr in (1, 2):
            for seed in range(2):
                config = {"env_name": env, "lr": lr}
                make_run(tmp_path, f"g_{env}_{lr}", seed, returns=returns(lr, seed), config=config)
    made = report(tmp_path)
    assert {"curves", "sensitivity_task_1", "sensitivity_task_2", "profile"} <= set(names(made))
    assert "over_tasks" in made.tables


@pytest.mark.parametrize("error", [PlotError("no axis"), ZeroDivisionError("odd")])
def test_a_picture_that_fails_costs_itself_alone(grid, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(pictures, "plot_heat_map", fail)
    made = report(grid)
    assert names(made) == ["curves", "final"]
    (finding,) = [finding for finding in made.findings if "lr and clip" in finding]
    assert str(error) in finding


def test_what_still_runs_is_said_and_not_counted(grid):
    run = make_run(grid, "g_lr3", 0, "running", (1e6,), {"lr": 3, "clip": 0.1})
    with held(run):
        made = report(grid)
    assert not made.is_final
    assert "1 run still to end: this is what is known so far" in made.summary
    row = made.tables["results"].filter(exp_name="g_lr3").row(0, named=True)
    assert (row["num_used"], row["num_runs"]) == (0, 1)


def test_runs_on_record_that_have_not_begun_are_still_to_come(grid):
    record = {
        "grid_name": "g",
        "command_line": "python g.py",
        "working_directory": "/",
        "host": "box",
        "started_at": "2026-01-01T10:00:00.000Z",
        "ended_at": None,
        "pid": 1,
        "process_start": None,
        "width": 2,
        "runs": [
            ["g_lr1_clip0-1", 0, "g_lr1_clip0-1/g_lr1_clip0-1_s0", True],
            ["g_lr9", 0, "g_lr9/g_lr9_s0", True],
        ],
    }
    (grid / ".launches").mkdir()
    (grid / ".launches" / "g@1.json").write_text(json.dumps(record))
    made = report(grid)
    assert "1 run still to end" in made.summary
    assert facts(made)["grids"] == "`g`"


def test_no_run_is_an_error(grid):
    with pytest.raises(RecordError, match="no run to report"):
        spinup.make_report(spinup.load(grid).filter(lambda run: False))


def test_a_run_without_steps_is_drawn_along_its_epochs(grid):
    assert "curves" in names(report(grid))


def test_facts_say_seeds_values_machine_and_time(grid):
    for run in spinup.load(grid):
        provenance(run.directory)
    found = facts(report(grid))
    assert found["seeds"] == "0, 1"
    assert found["lr (varies)"] == "1, 2"
    assert found["machine"] == "box, a fast one (8 cores), Python 3.11.7"
    assert found["what was called"] == "`train:train`"
    assert found["time in all runs"] == "13 min, 2 min each on average"
    assert found["failures"] == "0 failed, 0 interrupted"


def test_a_command_on_record_cannot_make_a_shell_do_something_else(tmp_path):
    provenance(make_run(tmp_path), command_line="python x.py; touch `id` $(id)", working_directory="/a;b")
    listings = [block for block in report(tmp_path).blocks if isinstance(block, Listing)]
    lines = [line for block in listings for line in block.lines]
    assert "cd '/a;b'" in lines
    assert "python 'x.py;' touch '`id`' '$(id)'" in lines


def test_a_commit_that_is_none_is_no_argument_of_git(tmp_path):
    provenance(make_run(tmp_path), git={"commit": "--upload-pack=x", "is_dirty": True, "diff": "d"})
    assert origin_of(spinup.load(tmp_path)).code == ()


def test_changes_that_were_not_committed_can_be_brought_back(tmp_path):
    git = {
        "commit": "b" * 40,
        "is_dirty": True,
        "diff": "changed",
        "diff_is_cut": False,
        "untracked_files": ["x"],
    }
    run = make_run(tmp_path)
    provenance(run, git=git)
    lines = [
        line for block in report(tmp_path).blocks if isinstance(block, Listing) for line in block.lines
    ]
    (apply,) = [line for line in lines if line.endswith("| git apply")]
    read = apply.removesuffix("| git apply").replace("python", shlex.quote(sys.executable), 1)
    done = subprocess.run(["bash", "-c", read], capture_output=True, text=True)
    assert done.stdout == "changed"


@pytest.mark.parametrize("content", ["[]", "{", '{"git": [], "machine": 3, "packages": {"a": 1}}'])
def test_a_damaged_provenance_costs_no_report(tmp_path, content):
    (make_run(tmp_path) / "provenance.json").write_text(content)
    report(tmp_path).to_html()


def test_versions_that_differ_are_told(tmp_path):
    provenance(make_run(tmp_path, seed=0))
    provenance(make_run(tmp_path, seed=1), packages={"numpy": "2.1.0", "torch": "2.4.0"})
    assert "numpy (2.0.0, 2.1.0)" in report(tmp_path).to_html()


def test_seeds_that_are_one_give_no_statistics_and_that_comes_first(tmp_path):
    for number in range(2):
        for seed in range(5):
            mark = {"is_baseline": not number, "changed": ["k"] if number else []}
            config = {"_ablation": mark, "k": number}
            make_run(tmp_path, f"g{number}", seed, returns=[1, 2, 4, 8, 9 + number], config=config)
    made = report(tmp_path)
    assert made.verdicts[0].startswith("Seeds that are one: 5 seeds of `g0`, 5 seeds of `")
    assert "p = " not in " ".join(made.verdicts)
    assert "matters" not in " ".join(made.verdicts)
    assert made.tables["results"]["verdict"].to_list() == [None, "too few seeds"]
    assert len(made.tables["runs"]) == 10


def test_a_counter_that_counts_does_not_make_seeds_one(grid):
    runs = spinup.load(grid, columns={"Epoch": "return"})
    assert not spinup.make_report(runs).verdicts[0].startswith("Seeds that are one")


def test_axes_name_the_column_that_counts(ablation):
    runs = spinup.load(ablation, columns={"Epoch": "return"})
    made = spinup.make_report(runs)
    drawn = {block.name: block for block in made.blocks if isinstance(block, Picture)}
    assert drawn["curves"].title == "Epoch during training"
    assert drawn["curves"].figure.axes[0].get_ylabel() == "epoch"
    label = drawn["ablation"].figure.axes[0].get_xlabel()
    assert "Epoch at the end of training" in label
    assert "return" not in label


def test_a_heat_map_is_not_planned_where_names_differ_too(tmp_path):
    for name in ("ppo", "sac"):
        for a in (1, 2):
            for b in (1, 2):
                make_run(tmp_path, f"{name}_a{a}_b{b}", returns=returns(a + b, 0), config={"a": a, "b": b})
    made = report(tmp_path)
    assert "heat_map" not in names(made)
    assert not any("left out" in finding for finding in made.findings)
