from __future__ import annotations

import polars as pl
import pytest

from spinup.errors import RecordError
from spinup.results.diagnostics import diagnose


def table_and_curves(*, uses_knob=True, uses_seed=True, num_seeds=5, code="c"):
    rows, points = [], []
    for lr in (1.0, 2.0, 3.0, 4.0):
        for knob in (True, False):
            for seed in range(num_seeds):
                directory = f"{lr}{knob}_s{seed}"
                # The best lr, 2, is inside of those tried.
                level = -1 - (lr - 2) ** 2 + 0.5 * (uses_knob and knob) + 0.01 * (seed if uses_seed else 0)
                curve = [level * epoch / 3 for epoch in range(1, 4)]
                rows.append(
                    {
                        "exp_name": f"g_{lr}_{knob}",
                        "seed": seed,
                        "directory": directory,
                        "state": "done",
                        "last": curve[-1],
                        "code": code,
                        "commit": "abc",
                        "is_dirty": False,
                        "lr": lr,
                        "knob": knob,
                        "net": "[64, 64]",
                    }
                )
                points += [
                    {"directory": directory, "steps": float(epoch), "return": value}
                    for epoch, value in enumerate(curve)
                ]
    return pl.DataFrame(rows), pl.DataFrame(points)


def kinds(*frames):
    return [finding.kind for finding in diagnose(*frames)]


def test_a_sound_grid_has_no_findings():
    assert kinds(*table_and_curves()) == []


def test_a_knob_that_is_not_connected_is_named():
    found = diagnose(*table_and_curves(uses_knob=False))
    assert [(finding.kind, finding.subject) for finding in found] == [("unconnected", "knob")]


def test_an_ignored_seed_is_named_for_each_variant():
    assert kinds(*table_and_curves(uses_seed=False)) == ["same_seeds"] * 8


def test_warnings_come_before_notes():
    table, curves = table_and_curves(num_seeds=3)
    table = table.with_columns(
        state=pl.when(pl.int_range(len(table)) == 3).then(pl.lit("failed")).otherwise("state"),
        code=pl.when(pl.int_range(len(table)) == 3).then(pl.lit("d")).otherwise("code"),
    )
    assert kinds(table, curves) == ["mixed_code", "incomplete", "few_seeds"]


def test_a_best_value_at_the_edge_is_named():
    table, curves = table_and_curves()
    inside = table.filter(pl.col("lr") > 1.0)
    assert kinds(inside, curves) == ["edge"]


def test_runs_without_curves_can_be_diagnosed_too():
    table, curves = table_and_curves(uses_knob=False)
    assert kinds(table, curves.clear()) == []
    assert kinds(table, pl.DataFrame()) == []


def test_curves_without_a_return_are_an_error():
    table, curves = table_and_curves()
    with pytest.raises(RecordError, match="return"):
        diagnose(table, curves.drop("return"))


def test_runs_of_different_lengths_are_named():
    table, curves = table_and_curves()
    is_short = (pl.col("lr") == 1.0) & pl.col("knob")
    length = pl.when(is_short | (pl.int_range(len(table)) == 12)).then(3).otherwise(20)
    table = table.with_columns(num_rows=length).with_columns(steps=pl.col("num_rows") * 100.0)
    assert kinds(table, curves) == ["unequal_seeds", "unequal_variants"]
    unfinished = table.with_columns(
        state=pl.when(pl.col("num_rows") == 3).then(pl.lit("failed")).otherwise("state")
    )
    assert not {"unequal_seeds", "unequal_variants"} & {*kinds(unfinished, curves)}


def test_other_settings_under_one_name_are_no_other_seeds():
    table, curves = table_and_curves(uses_knob=False)
    table = table.with_columns(exp_name=pl.lit("same"))
    assert kinds(table, curves) == ["unconnected"]


def test_one_name_on_two_tasks_makes_no_other_seeds():
    table, curves = table_and_curves()
    both = pl.concat(
        [
            table.with_columns(env_name=pl.lit(task), directory=pl.col("directory") + task)
            for task in ("Ant", "Hop")
        ]
    )
    twice = pl.concat([curves.with_columns(pl.col("directory") + task) for task in ("Ant", "Hop")])
    assert "same_seeds" not in kinds(both, twice)
