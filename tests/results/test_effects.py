from __future__ import annotations

import polars as pl
import pytest

from spinup.errors import RecordError
from spinup.results.effects import effect_shares

TIMES = "\N{MULTIPLICATION SIGN}"


def grid(**more):
    """Return depends on lr, and on net with gae together."""
    rows = [
        {
            "exp_name": f"{lr}{net}{gae}",
            "seed": seed,
            "directory": f"{lr}{net}{gae}_s{seed}",
            "state": "done",
            "last": 10 * lr + 5 * (net == "big") * gae + 0.1 * seed,
            "lr": lr,
            "vf_lr": 2 * lr,
            "net": net,
            "gae": gae,
            "fixed": 7,
        }
        | more
        for lr in (1.0, 2.0, 3.0)
        for net in ("small", "big")
        for gae in (True, False)
        for seed in range(3)
    ]
    return pl.DataFrame(rows)


def share(found, effect):
    return found.row(by_predicate=pl.col("effect") == effect, named=True)["share"]


def test_a_full_grid_is_taken_apart_exactly():
    found = effect_shares(grid())
    assert set(found["method"]) == {"anova"}
    assert found["share"].sum() == pytest.approx(1.0)
    assert found["effect"][0] == "lr = vf_lr"
    assert found["effect"].to_list()[-2:] == ["higher interactions", "seeds"]
    assert share(found, f"net {TIMES} gae") == pytest.approx(share(found, "net"))
    assert share(found, f"lr = vf_lr {TIMES} net") == pytest.approx(0.0, abs=1e-12)
    assert set(found["runs"]) == {"36 of 36 runs"}


def test_a_grid_with_a_gap_is_left_to_the_forest_and_says_so():
    found = effect_shares(grid().with_columns(last=pl.when(pl.int_range(36) > 0).then("last")))
    assert set(found["method"]) == {"fanova"}
    assert found["effect"][0] == "lr = vf_lr"
    assert found["low"].null_count() == len(found) == 3
    assert set(found["runs"]) == {"35 of 36 runs"}


def test_as_many_results_in_each_variant_are_balanced_again():
    found = effect_shares(
        grid().with_columns(state=pl.when(pl.col("seed") > 0).then("state").otherwise(pl.lit("failed")))
    )
    assert set(found["method"]) == {"anova"}
    assert set(found["runs"]) == {"24 of 36 runs"}


def test_analysis_of_variance_of_a_grid_with_gaps_is_refused():
    with pytest.raises(RecordError, match="fanova"):
        effect_shares(grid().head(30), method="anova")


def test_each_task_has_its_shares():
    both = pl.concat([grid(env_name="Ant"), grid(env_name="Hopper").with_columns(pl.col("last") * 100)])
    found = effect_shares(both)
    assert found["task"].unique(maintain_order=True).to_list() == ["Ant", "Hopper"]
    ant, hopper = found.partition_by("task")
    assert ant["share"].to_list() == pytest.approx(hopper["share"].to_list())


def test_one_variant_has_no_effects():
    with pytest.raises(RecordError, match="two values"):
        effect_shares(grid().head(3))


def test_too_few_runs_are_an_error():
    with pytest.raises(RecordError, match="too few"):
        effect_shares(grid().gather([0, 7, 20]))


def test_an_unknown_method_is_an_error():
    with pytest.raises(ValueError, match="'shap'"):
        effect_shares(grid(), method="shap")


def algorithms(*, names="{algo}_lr{lr}"):
    rows = [
        {
            "exp_name": names.format(algo=algo, lr=lr),
            "seed": seed,
            "directory": f"{algo}{lr}_s{seed}",
            "state": "done",
            "last": value + 10 * lr + 0.1 * seed,
            "lr": lr,
        }
        for algo, value in (("ppo", 100.0), ("sac", 200.0))
        for lr in (0.1, 0.2, 0.3)
        for seed in range(3)
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("names", ["{algo}_lr{lr}", "lr{lr}-{algo}", "{algo}", "bench_{algo}_lr{lr}_x"])
def test_two_algorithms_are_a_factor_and_never_averaged(names):
    found = effect_shares(algorithms(names=names))
    assert set(found["method"]) == {"anova"}
    assert share(found, "exp_name") > 0.99
    assert found["share"].sum() == pytest.approx(1.0)
    assert 0 < share(found, "lr") < 0.01


def test_two_algorithms_of_an_unfinished_grid_are_a_factor_of_the_forest():
    found = effect_shares(algorithms().head(15))
    assert set(found["method"]) == {"fanova"}
    assert found["effect"][0] == "exp_name"
    assert share(found, "exp_name") > 0.8


def test_names_that_follow_from_the_settings_are_no_factor():
    found = effect_shares(algorithms().filter(pl.col("exp_name").str.starts_with("ppo")))
    assert found["effect"].to_list() == ["lr", "seeds"]
