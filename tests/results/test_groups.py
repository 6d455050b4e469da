from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from spinup.results.comparison import summarise
from spinup.results.groups import baselines_of, task_column, variants_of
from spinup.results.tasks import summarise_over_tasks


def run(exp_name, seed=0, **more):
    facts = {"exp_name": exp_name, "seed": seed, "directory": f"{exp_name}_s{seed}_{more}", "state": "done"}
    return facts | {"last": float(seed), "changed": None, "is_baseline": False} | more


def table(rows):
    keys = dict.fromkeys(key for row in rows for key in row)
    columns = {key: [row.get(key) for row in rows] for key in keys}
    return pl.DataFrame(columns, schema_overrides={"changed": pl.List(pl.String)}, strict=False)


def labels(rows):
    return {(variant.task, variant.exp_name): variant.label for variant in variants_of(table(rows))}


def test_two_algorithms_of_one_grid_keep_their_names_on_every_task():
    rows = [
        run(f"{algo}_{task.lower()}_lr{lr}", env_name=task, lr=lr, last=value + lr)
        for algo, value in (("ppo", 1.0), ("sac", 2.0))
        for task in ("Hopper-v4", "Walker2d-v4")
        for lr in (0.1, 0.2)
    ]
    found = labels(rows)
    assert set(found.values()) == {"ppo_lr0.1", "ppo_lr0.2", "sac_lr0.1", "sac_lr0.2"}
    over_tasks = summarise_over_tasks(table(rows))
    assert over_tasks.select("variant", "num_tasks").row(0) == ("sac_lr0.2", 2)
    assert over_tasks["num_runs"].sum() == len(rows)


def test_the_name_of_the_task_is_no_part_of_a_variant():
    for names in ("{0}__ppo", "ppo_{0}", "ppo_env{0}", "ppo-{0}-x"):
        tasks = ("Hopper-v4", "Walker2d-v4")
        rows = [run(names.format(task.lower()), env_name=task) for task in tasks]
        assert len(set(labels(rows).values())) == 1
        assert summarise_over_tasks(table(rows), references=dict.fromkeys(tasks, (-1.0, 1.0)))[
            "num_tasks"
        ].to_list() == [2]


def test_a_part_of_the_task_in_a_name_is_known_too():
    rows = [
        run(f"{algo}-{task[:3].lower()}", env_name=task) for algo in "ab" for task in ("Hopper", "Walker")
    ]
    assert set(labels(rows).values()) == {"a", "b"}


def test_different_experiments_that_share_no_task_are_not_taken_as_one():
    rows = [run("ppo", env_name="A", lr=lr) for lr in (1, 2)]
    rows += [run("sac", env_name="B", lr=lr) for lr in (1, 2)]
    assert len({variant.label for variant in variants_of(table(rows))}) == 4


def test_two_ablations_in_one_directory_have_labels_of_their_own():
    rows = [
        run(f"{grid}_{name}", changed=[name], **{"lr": 1, "gae": True} | {name: value})
        for grid in "ab"
        for name, value in (("lr", 2), ("gae", False))
    ]
    assert labels(rows)[None, "a_gae"] == "a_gae (gae=false)"
    assert len(set(labels(rows).values())) == 4


def test_an_ablation_is_one_on_all_tasks_whatever_its_grids_are_called():
    rows = [
        run(
            f"{name}_{key}",
            env_name=task,
            changed=[key] if key else [],
            is_baseline=not key,
            lr=1 + bool(key),
        )
        for name, task in (("first", "A"), ("second", "B"))
        for key in ("", "lr")
    ]
    assert set(labels(rows).values()) == {"baseline", "lr=2"}


def test_a_changed_mapping_is_named_by_what_differs_in_it():
    rows = [run("b", is_baseline=True, **{"net:sizes": "[64]", "net:act": "relu"})]
    rows += [run("c", changed=["net"], **{"net:sizes": "[32]", "net:act": "relu"})]
    assert labels(rows)[None, "c"] == "net:sizes=[32]"


def test_settings_of_a_label_leave_out_what_is_not_set_or_constant_on_the_task():
    rows = [run("a", env_name=task, lr=lr, act_limit=limit)
            for task, limit in (("A", 1.0), ("B", 0.4)) for lr in (0.1, None)]  # fmt: skip
    assert set(labels(rows).values()) <= {"lr=0.1", "a"}
    assert {variant.label for variant in variants_of(table(rows))} == {"lr=0.1", "a"}


def test_a_missing_task_is_no_task():
    rows = [run("a", env_name="A", lr=0.1), run("a", 1, state="failed", last=None)]
    assert task_column(table(rows)) is None
    assert summarise(table(rows))["seeds"].to_list() == ["1 of 2 seeds"]


def test_a_run_that_failed_before_it_noted_its_task_is_a_seed_of_its_variant():
    rows = [run("a", env_name="A", lr=1), run("a", 1, state="failed"), run("b", env_name="B", lr=1)]
    found = {variant.title: variant.counts for variant in variants_of(table(rows))}
    assert sorted(found.values()) == [(1, 1), (1, 2)]


def test_finished_runs_of_fewer_settings_are_not_averaged_with_others():
    rows = [run("a", seed, lr=1, boost=boost) for seed, boost in ((0, None), (1, None), (2, 9), (3, 9))]
    found = summarise(table(rows))
    assert dict(found.select("variant", "seeds").iter_rows()) == {
        "a": "2 of 2 seeds",
        "a (boost=9)": "2 of 2 seeds",
    }


_RUNS = st.builds(
    lambda name, task, lr, flag, changed, is_baseline: run(
        name, env_name=task, lr=lr, flag=flag, changed=changed, is_baseline=is_baseline
    ),
    st.sampled_from(["a", "a_hop", "hop_a", "Hop__a", "hop", "a (lr=0.1)", "lr=0.1", "baseline"]),
    st.sampled_from(["Hop", "Walk"]),
    st.sampled_from([None, 0.1, 0.2]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, [], ["lr"], ["lr", "flag"]]),
    st.booleans(),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(_RUNS, min_size=1, max_size=8, unique_by=lambda row: row["directory"]))
def test_labels_differ_within_a_task(rows):
    rows = [row | {"seed": seed} for seed, row in enumerate(rows)]
    found = variants_of(table(rows))
    assert max(Counter((variant.task, variant.label) for variant in found).values()) == 1
    assert sum(len(variant.scores) for variant in found) == len(rows)


def test_a_baseline_named_on_one_task_is_the_same_variant_on_the_others():
    rows = [
        run(f"{algo}_{task}", seed, env_name=task, act_limit=limit, lr=lr)
        for algo, lr in (("ppo", 1), ("sac", 1))
        for task, limit in (("hop", 1.0), ("walk", 0.4))
        for seed in range(2)
    ]
    found = baselines_of(variants_of(table(rows)), "ppo_hop")
    assert {variant.exp_name for variant in found.values()} == {"ppo_hop", "ppo_walk"}
