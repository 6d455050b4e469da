from __future__ import annotations

import json
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinup
from spinup.errors import RecordError
from spinup.results.groups import variants_of
from spinup.results.run_table import FIXED

HEADER = "TotalEnvInteracts\tAverageEpRet\tTime\n"
TABLE = HEADER + "100\t1.0\t0.5\n200\t3.0\t1.5\n"


@pytest.fixture
def runs(write_run, tmp_path):
    """Two learning rates, two seeds; one algorithm more, which has another hyperparameter."""
    for lr in (1e-3, 3e-4):
        for seed in (0, 10):
            config = {
                "exp_name": f"ppo_lr{lr}",
                "seed": seed,
                "lr": lr,
                "ac_kwargs": {"hidden_sizes": [64, 64]},
            }
            write_run(f"ppo_lr{lr}/ppo_lr{lr}_s{seed}", TABLE, config)
    write_run("sac/sac_s0", TABLE, {"exp_name": "sac", "seed": 0, "lr": 1e-3, "alpha": "auto"})
    return spinup.load(tmp_path)


def names(runs) -> list[tuple[str, int | None]]:
    return [(run.exp_name, run.seed) for run in runs]


def test_the_table_has_a_row_for_each_run_and_a_column_for_each_hyperparameter(runs):
    assert list(runs.table.columns) == [*FIXED, "lr", "ac_kwargs:hidden_sizes", "alpha"]
    first = runs.table.row(0, named=True)
    assert (first["exp_name"], first["seed"], first["state"]) == ("ppo_lr0.0003", 0, "unknown")
    assert (first["num_rows"], first["steps"], first["last"], first["best"]) == (2, 200.0, 2.0, 3.0)
    assert (first["duration_s"], first["lr"], first["ac_kwargs:hidden_sizes"]) == (1.5, 3e-4, "[64, 64]")
    assert runs.table["alpha"].to_list() == [None] * 4 + ["auto"]


def test_the_cheap_part_of_the_table_is_the_same(runs):
    states = runs.states
    assert len(states) == len(runs) == 5
    assert states.drop("started_at", "duration_s").equals(
        runs.table.select(states.columns).drop("started_at", "duration_s")
    )


def test_curves_have_all_columns_and_two_can_be_read_alone(runs):
    assert runs.curves.columns[:5] == ["exp_name", "seed", "directory", "steps", "return"]
    assert runs.curves.height == 10
    assert runs.read(["return", "Time"]).equals(
        runs.curves.select("exp_name", "seed", "directory", "return", "Time")
    )
    with pytest.raises(RecordError, match="AverageEpRet"):
        runs.read(["AverageEpRett"])


def test_where_takes_values_as_the_config_has_them(runs):
    assert names(runs.where(lr=3e-4)) == [("ppo_lr0.0003", 0), ("ppo_lr0.0003", 10)]
    assert len(runs.where({"ac_kwargs:hidden_sizes": (64, 64)})) == 4
    assert len(runs.where(hidden_sizes=[64, 64], seed=10)) == 2
    assert names(runs.where(exp_name="sac")) == [("sac", 0)]
    assert len(runs.where(lr="0.0003")) == 0
    assert len(runs.where(alpha=None)) == 4
    with pytest.raises(RecordError, match="Did you mean 'alpha'"):
        runs.where(alpah="auto")


def test_an_empty_selection_is_a_run_set_too(runs):
    none = runs.where(lr=5)
    assert repr(none) == "<RunSet: no runs>"
    assert none.table.height == none.curves.height == none.states.height == 0
    assert none.table.columns == list(FIXED)
    assert (list(none.by_variant()), none.notes, none.hyperparameters) == ([], [], {})
    assert "no runs" in none._repr_html_()
    assert len(none.where(lr=3)) == 0


def test_runs_are_grouped_by_value_lowest_first(runs):
    assert [(value, len(group)) for value, group in runs.group_by("lr")] == [(3e-4, 2), (1e-3, 3)]
    assert [(value, len(group)) for value, group in runs.group_by("hidden_sizes")] == [
        ([64, 64], 4),
        (None, 1),
    ]


def test_a_variant_is_what_differs_in_more_than_the_seed(runs):
    assert [(name, len(group)) for name, group in runs.by_variant()] == [
        ("ppo_lr0.0003", 2),
        ("ppo_lr0.001", 2),
        ("sac", 1),
    ]
    assert runs.variants[0].seeds == [0, 10]


def test_variants_of_one_name_are_told_apart(write_run, tmp_path):
    for lr in (0.1, 0.2):
        write_run(f"{lr}/a_s0", TABLE, {"exp_name": "a", "seed": 0, "lr": lr, "gamma": 0.9})
    assert [name for name, _ in spinup.load(tmp_path).by_variant()] == ["a (lr=0.1)", "a (lr=0.2)"]


def test_a_run_that_ended_before_it_had_noted_its_defaults_stays_with_its_variant(write_run, tmp_path):
    write_run("a_s0", TABLE, {"exp_name": "a", "seed": 0, "lr": 0.1, "gamma": 0.9})
    failed = write_run("a_s1", "", {"exp_name": "a", "seed": 1, "lr": 0.1})
    (failed / "status.json").write_text('{"state": "failed"}', encoding="utf-8")
    (variant,) = spinup.load(tmp_path).variants
    assert variant.seeds == [0, 1]
    assert variant.hyperparameters == {"lr": 0.1, "gamma": 0.9}


def test_finished_runs_of_fewer_settings_are_a_variant_of_their_own(write_run, tmp_path):
    for seed in (0, 1):
        write_run(f"a_s{seed}", TABLE, {"exp_name": "a", "seed": seed, "lr": 0.1})
        write_run(f"b_s{seed}", TABLE, {"exp_name": "a", "seed": seed + 2, "lr": 0.1, "boost": 100})
    found = spinup.load(tmp_path)
    assert {name: len(runs) for name, runs in found.by_variant()} == {"a": 2, "a (boost=100)": 2}
    assert sorted(variant.label for variant in variants_of(found.table)) == ["a", "a (boost=100)"]


def test_a_wrong_key_to_group_by_is_told_at_once(runs):
    with pytest.raises(RecordError, match="'nope'"):
        runs.group_by("nope")


def test_the_table_and_the_runs_agree_on_which_numbers_are_the_same(write_run, tmp_path):
    for seed, lr in enumerate((1, 1.0, True, "1")):
        write_run(f"a_s{seed}", TABLE, {"exp_name": "a", "seed": seed, "lr": lr})
    found = spinup.load(tmp_path)
    assert sorted(map(len, (runs for _, runs in found.by_variant()))) == [1, 1, 2]
    assert sorted(len(variant.scores) for variant in variants_of(found.table)) == [1, 1, 2]


def test_what_varies_and_what_does_not(runs):
    assert runs.hyperparameters == {"lr": [3e-4, 1e-3]}
    assert runs.constants == {"ac_kwargs:hidden_sizes": [64, 64], "alpha": "auto"}


def test_runs_can_be_chosen_by_a_function(runs):
    assert len(runs.filter(lambda run: run.hyperparameters["lr"] > 5e-4)) == 3


def test_other_columns_can_be_read_as_the_return(write_run, tmp_path):
    write_run("a_s0", "n\tscore\tAverageEpRet\n1\t7\t1\n")
    curves = spinup.load(tmp_path, columns={"score": "return", "n": "steps"}).curves
    assert curves.select("steps", "return").rows() == [(1.0, 7.0)]
    with pytest.raises(RecordError, match="'loss'"):
        spinup.load(tmp_path, columns={"score": "loss"})


def test_a_test_return_comes_before_that_of_training(write_run, tmp_path):
    write_run("a_s0", "AverageEpRet\tAverageTestEpRet\n1\t2\n")
    assert spinup.load(tmp_path).curves["return"].to_list() == [2.0]


def test_the_last_return_is_the_mean_of_the_last_five_rows_that_have_one(write_run, tmp_path):
    rows = "".join(f"{step}\t{value}\n" for step, value in enumerate([100, 9, 1, 2, 3, 4, 5, ""]))
    write_run("a_s0", "TotalEnvInteracts\tAverageEpRet\n" + rows)
    row = spinup.load(tmp_path).table.row(0, named=True)
    assert (row["last"], row["best"], row["steps"], row["num_rows"]) == (3.0, 100.0, 7.0, 8)


def test_a_run_that_diverged_says_so(write_run, tmp_path):
    path = write_run("a_s0", "TotalEnvInteracts\tAverageEpRet\n1\t5\n2\tnan\n3\tnan\n")
    runs = spinup.load(tmp_path)
    row = runs.table.row(0, named=True)
    assert math.isnan(row["last"])
    assert row["best"] == 5.0
    assert runs.notes == [f"{path}: the return is NaN in 2 of its rows, first at step 2"]


def test_damaged_files_hide_no_other_run_and_are_noted(write_run, tmp_path):
    write_run("a_s0", TABLE, {"exp_name": "a", "seed": 0})
    write_run("a_s1", "", {"exp_name": "a", "seed": 1})
    write_run("a_s2", TABLE + "300\t", "{")
    write_run("a_s3", "x\n1\n\n\n", None)
    write_run("a_s4", HEADER + "1\toops\t1\n2\t3\t1\n", None)
    runs = spinup.load(tmp_path)
    assert runs.table["num_rows"].to_list() == [2, 0, 2, 1, 2]
    assert [note.partition(": ")[0][-4:] for note in runs.notes] == ["a_s2", "a_s1", "a_s2", "a_s4"]
    assert runs.curves["return"].to_list() == [1.0, 3.0, 1.0, 3.0, None, None, 3.0]


def test_a_run_that_has_not_begun_to_log_is_a_row_without_values(tmp_path):
    (tmp_path / "a_s0").mkdir()
    (tmp_path / "a_s0" / "status.json").write_text(json.dumps({"state": "failed", "reason": "exception"}))
    row = spinup.load(tmp_path).table.row(0, named=True)
    assert (row["state"], row["reason"], row["num_rows"], row["last"]) == ("failed", "exception", 0, None)


def test_code_and_commit_are_in_the_table(write_run, tmp_path):
    for seed, code in enumerate([{"a.py": "1"}, {"a.py": "1"}, {"a.py": "2"}, None]):
        path = write_run(f"a_s{seed}", TABLE)
        (path / "status.json").write_text(json.dumps({"state": "done", "code": code}))
        git = {"commit": "abc", "is_dirty": True} if seed else None
        (path / "provenance.json").write_text(json.dumps({"git": git}))
    table = spinup.load(tmp_path).table
    same, also, other, unknown = table["code"]
    assert same == also != other
    assert unknown is None
    assert table["commit"].to_list() == [None, "abc", "abc", "abc"]
    assert table["is_dirty"].to_list() == [None, True, True, True]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], pl.Int64, [1, 2]),
        ([1, 0.5], pl.Float64, [1.0, 0.5]),
        ([True, None], pl.Boolean, [True, None]),
        (["a", "b"], pl.String, ["a", "b"]),
        (["auto", 0.2], pl.String, ['"auto"', "0.2"]),
        ([1, True], pl.String, ["1", "true"]),
        ([[1], [2]], pl.String, ["[1]", "[2]"]),
        ([2**70, 1], pl.String, [str(2**70), "1"]),
        ([None, None], pl.Boolean, [None, None]),
    ],
)
def test_a_hyperparameters_column_has_its_values_one_type(write_run, tmp_path, values, dtype, expected):
    for seed, value in enumerate(values):
        write_run(f"a_s{seed}", TABLE, {"exp_name": "a", "seed": seed, "x": value})
    column = spinup.load(tmp_path).table["x"]
    assert (column.dtype, column.to_list()) == (dtype, expected)


def test_a_hyperparameter_that_bears_the_name_of_a_column_is_kept_beside_it(write_run, tmp_path):
    write_run("a_s0", TABLE, {"exp_name": "a", "seed": 0, "steps": 5, "state": "x"})
    runs = spinup.load(tmp_path)
    assert runs.table.select("steps", "steps (config)", "state", "state (config)").row(0) == (
        200.0,
        5,
        "unknown",
        "x",
    )
    assert len(runs.where(steps=5)) == len(runs.where(state="x")) == 1


HOSTILE = "<script>alert(1)</script>"


def test_a_run_set_shows_itself_and_what_is_foreign_is_escaped(write_run, tmp_path):
    for lr in (1, HOSTILE):
        write_run(f"a/{str(lr)[:1]}_s0", TABLE, {"exp_name": HOSTILE, "seed": 0, HOSTILE: lr})
    runs = spinup.load(tmp_path)
    shown = runs._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "2 runs of 2 variants, 2 unknown" in shown
    assert "2 runs of 2 variants" in repr(runs)


def test_of_many_runs_some_are_shown(write_run, tmp_path):
    for seed in range(70):
        write_run(f"a_s{seed}", TABLE)
    shown = spinup.load(tmp_path)._repr_html_()
    assert shown.count("<tr>") == 61
    assert "and 10 more" in shown


def test_several_directories_may_come_in_a_list_or_one_by_one(write_run, tmp_path):
    a, b = write_run("a/a_s0", TABLE), write_run("b/b_s0", TABLE)
    assert names(spinup.load([a, b])) == names(spinup.load(a, str(b))) == [("a", 0), ("b", 0)]


@given(
    st.dictionaries(st.text(), st.none() | st.integers() | st.floats() | st.text() | st.lists(st.text()))
)
def test_any_config_makes_a_table(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("runs") / "a_s0"
    path.mkdir()
    (path / "progress.txt").write_text(TABLE)
    (path / "config.json").write_text(json.dumps(config))
    runs = spinup.load(path)
    assert runs.table.height == 1
    assert runs.where(dict.fromkeys([])).table.height == 1
    runs._repr_html_()
