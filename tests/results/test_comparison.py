from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from spinup.errors import RecordError
from spinup.results.comparison import compare_with_baseline, summarise
from spinup.results.tasks import summarise_over_tasks

NOISE = [3.0, -4.0, 1.0, 5.0, -5.0]


def run(exp_name, seed, last, **more):
    row = {
        "exp_name": exp_name,
        "seed": seed,
        "directory": f"{exp_name}_s{seed}",
        "state": "done",
        "is_baseline": False,
        "changed": None,
        "last": last,
    }
    return row | more


def ablation(**more):
    """A baseline at 500, and two changes: one that matters, one that does not."""
    rows = []
    for seed, noise in enumerate(NOISE):
        settings = {"norm_obs": True, "use_gae": True} | more
        rows += [
            run("abl", seed, 500 + noise, **settings, is_baseline=True) | {"changed": []},
            run("abl_nor", seed, 290 - noise, **settings | {"norm_obs": False}) | {"changed": ["norm_obs"]},
            run("abl_use", seed, 501 - noise, **settings | {"use_gae": False}) | {"changed": ["use_gae"]},
        ]
    return pl.DataFrame(rows, schema_overrides={"changed": pl.List(pl.String)})


def of(frame, variant):
    return frame.row(by_predicate=pl.col("variant") == variant, named=True)


def test_an_ablation_ends_in_a_verdict_on_each_change():
    found = compare_with_baseline(ablation())
    assert found["variant"].to_list() == ["abl", "norm_obs=false", "use_gae=false"]
    assert found["verdict"].to_list() == [None, "worse", "within seed noise"]
    assert of(found, "norm_obs=false")["sentence"].startswith("`norm_obs=false` matters: ")
    assert "`use_gae=false` is within seed noise: 1 [" in of(found, "use_gae=false")["sentence"]
    assert of(found, "norm_obs=false")["difference"] == pytest.approx(-210)


@pytest.mark.parametrize("state", ["failed", "running", "queued", "interrupted"])
def test_runs_that_are_not_finished_are_counted_and_not_averaged(state):
    is_it = (pl.col("exp_name") == "abl_nor") & (pl.col("seed") == 4)
    table = ablation().with_columns(state=pl.when(is_it).then(pl.lit(state)).otherwise("state"))
    row = of(summarise(table), "norm_obs=false")
    assert (row["seeds"], row["num_used"], row["num_runs"]) == ("4 of 5 seeds", 4, 5)
    assert row["mean"] == pytest.approx(290 - np.mean(NOISE[:4]))
    assert (
        "4 pairs of seeds (4 of 5 seeds; " in of(compare_with_baseline(table), "norm_obs=false")["sentence"]
    )


@pytest.mark.parametrize("last", [None, float("nan"), float("inf"), 1e200])
def test_runs_without_a_return_are_counted_and_not_averaged(last):
    table = pl.DataFrame([run("a", 0, 1.0), run("a", 1, last), run("a", 2, 2.0)])
    row = of(summarise(table), "a")
    assert (row["seeds"], row["mean"]) == ("2 of 3 seeds", 1.5)


def test_runs_of_which_nothing_is_known_count_as_finished():
    table = pl.DataFrame([run("a", 0, 1.0, state="unknown"), run("a", 1, 2.0, state="unknown")])
    assert of(summarise(table), "a")["seeds"] == "2 of 2 seeds"


def test_a_run_that_failed_before_it_noted_its_defaults_is_a_seed_of_its_variant():
    rows = [run("a", seed, 1.0, lr=0.1, epochs=10) for seed in range(2)]
    table = pl.DataFrame([*rows, run("a", 2, None, lr=0.1, epochs=None, state="failed")])
    assert summarise(table)["seeds"].to_list() == ["2 of 3 seeds"]


def test_one_seed_has_a_mean_without_an_interval():
    row = of(summarise(pl.DataFrame([run("a", 0, 1.0)])), "a")
    assert (row["mean"], row["mean_low"], row["iqm_low"], row["median_low"]) == (1.0, None, None, None)


def test_variants_of_one_name_are_told_apart_by_what_differs():
    table = pl.DataFrame([run("a", 0, 1.0, lr=0.1, x=1), run("a", 1, 2.0, lr=0.2, x=1)])
    assert set(summarise(table)["variant"]) == {"a (lr=0.1)", "a (lr=0.2)"}


def test_two_values_of_one_change_are_told_apart():
    rows = [run("b", s, s, is_baseline=True, clip=0.2) for s in range(2)]
    rows += [run(f"c{v}", s, s, clip=v) | {"changed": ["clip"]} for v in (0.1, 0.3) for s in range(2)]
    found = compare_with_baseline(pl.DataFrame(rows, infer_schema_length=None))
    assert set(found["variant"]) == {"b", "clip=0.1", "clip=0.3"}


def test_without_a_mark_the_baseline_can_be_named():
    table = ablation().drop("is_baseline", "changed")
    found = compare_with_baseline(table, baseline="abl_use")
    assert of(found, "abl_use")["difference"] is None
    assert of(found, "abl_nor")["difference"] == pytest.approx(-211)
    assert of(found, "abl")["verdict"] == "within seed noise"


def test_a_table_without_a_baseline_is_an_error_that_lists_the_names():
    with pytest.raises(RecordError, match=r"marked.*abl, abl_nor, abl_use"):
        compare_with_baseline(ablation().drop("is_baseline"))
    with pytest.raises(RecordError, match="'nonsense'"):
        compare_with_baseline(ablation(), baseline="nonsense")


def test_two_baselines_are_an_error():
    with pytest.raises(RecordError, match="both a baseline"):
        compare_with_baseline(ablation().with_columns(is_baseline=pl.lit(True)))


def test_a_seed_that_was_run_twice_is_an_error():
    table = pl.DataFrame([run("a", 0, 1.0), run("a", 0, 2.0, directory="again")])
    with pytest.raises(RecordError, match=r"Seed 0 of 'a' is there twice: a_s0, again"):
        summarise(table)


def test_runs_without_a_seed_are_seeds_of_their_own_and_no_pairs():
    rows = [
        run(name, None, i + 10 * (name == "b"), directory=f"{name}{i}") for name in "ab" for i in range(3)
    ]
    row = of(compare_with_baseline(pl.DataFrame(rows), baseline="a"), "b")
    assert (row["test"], row["num_runs"]) == ("Welch t", 3)


@pytest.mark.parametrize("column", ["TestEpRet", "directory"])
def test_a_column_that_is_missing_or_text_is_an_error(column):
    with pytest.raises(RecordError, match=column):
        summarise(ablation(), column=column)


def test_an_empty_table_is_an_error():
    with pytest.raises(RecordError, match="no run"):
        summarise(ablation().clear())


def two_tasks():
    tables = []
    for task, scale in (("Ant", 1.0), ("Hopper", 10.0)):
        table = ablation(env_name=task).with_columns(pl.col("last") * scale)
        names = (pl.concat_str(pl.col(name), pl.lit(f"_{task}")) for name in ("exp_name", "directory"))
        tables.append(table.with_columns(*names))
    return pl.concat(tables)


def test_each_task_has_a_baseline_of_its_own():
    found = compare_with_baseline(two_tasks())
    assert found["task"].to_list() == ["Ant"] * 3 + ["Hopper"] * 3
    assert found["variant"].to_list() == ["baseline", "norm_obs=false", "use_gae=false"] * 2
    assert found["difference"][4] == pytest.approx(-2100)
    assert found["sentence"][4].startswith("`norm_obs=false` on Hopper matters")


def test_a_baseline_that_is_named_in_one_task_is_found_in_the_others():
    table = two_tasks().drop("is_baseline", "changed")
    found = compare_with_baseline(table, baseline="abl_Ant")
    assert found.filter(pl.col("is_baseline"))["exp_name"].to_list() == ["abl_Ant", "abl_Hopper"]


def test_over_tasks_scores_are_normalised_by_task():
    references = {"Ant": (290.0, 500.0), "Hopper": (2900.0, 5000.0)}
    found = summarise_over_tasks(two_tasks(), references=references)
    row = of(found, "norm_obs=false")
    assert (row["num_tasks"], row["runs"], row["mean"]) == (2, "10 of 10 runs", pytest.approx(0.0))
    assert of(found, "baseline")["iqm"] == pytest.approx(1.0, abs=0.02)
    assert row["iqm_low"] < row["iqm"] < row["iqm_high"]


def test_a_task_without_a_reference_is_an_error_that_names_it():
    with pytest.raises(RecordError, match="Hopper"):
        summarise_over_tasks(two_tasks(), references={"Ant": (0.0, 1.0)})


def test_the_same_seed_gives_the_same_table():
    assert summarise_over_tasks(two_tasks()).equals(summarise_over_tasks(two_tasks()))


def test_seeds_needed_are_told_for_a_wanted_difference():
    table = ablation()
    assert compare_with_baseline(table)["seeds_needed"].null_count() == 3
    few, many = (
        of(compare_with_baseline(table, wanted=w), "use_gae=false")["seeds_needed"] for w in (50.0, 1.0)
    )
    assert 2 <= few <= 5 < 100 < many
