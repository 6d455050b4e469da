"""What the pictures of run tables show: their data, and the marks that stand for it."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from plots.tables import ablation, as_table, rate_matters, run, table, without

from spinup.errors import PlotError, RecordError
from spinup.plots.ablation import ablation_data, plot_ablation
from spinup.plots.final_performance import final_performance_data, plot_final_performance
from spinup.plots.heat_map import heat_map_data, plot_heat_map
from spinup.plots.parallel_coordinates import parallel_coordinates_data, plot_parallel_coordinates
from spinup.plots.performance_profile import performance_profile_data, plot_performance_profile
from spinup.plots.sensitivity import plot_sensitivity, sensitivity_data
from spinup.plots.style import BETTER, UNDECIDED, WORSE
from spinup.plots.variants import with_variants
from spinup.results.stats.comparison import Verdict

RATES = {"lr": [1e-4, 1e-3, 1e-2]}


def rates() -> pl.DataFrame:
    return table(RATES, rate_matters)


def two_tasks() -> pl.DataFrame:
    return table({"env_name": ["Hopper-v4", "Ant-v4"], **RATES}, rate_matters)


PLOTS = {
    "final": plot_final_performance,
    "profile": plot_performance_profile,
    "sensitivity": lambda runs, ax=None: plot_sensitivity(runs, "lr", ax),
    "heat map": lambda runs, ax=None: plot_heat_map(runs, "lr", "lr", ax),
    "parallel": lambda runs, ax=None: plot_parallel_coordinates(runs, None, ax),
    "ablation": lambda runs, ax=None: plot_ablation(runs, ax, baseline="ppo (lr=0.0001)"),
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_given_axes_are_drawn_on(plot):
    ax = Figure().subplots()
    assert plot(rates(), ax) is ax
    assert ax.has_data()


@pytest.mark.parametrize("plot", [plot for name, plot in PLOTS.items() if name != "profile"])
def test_scores_of_several_tasks_are_not_put_on_one_axis(plot):
    with pytest.raises(PlotError, match=r"2 tasks \(Hopper-v4, Ant-v4\).*env_name"):
        plot(two_tasks())


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_seed_that_was_run_twice_is_an_error(plot):
    runs = pl.concat([rates(), rates().head(1).with_columns(directory=pl.lit("again"))])
    with pytest.raises(RecordError, match="twice"):
        plot(runs)


# Final performance


def test_variants_are_ordered_by_their_return_and_count_their_seeds():
    runs = without(without(rates(), pl.col("lr") == 1e-4), pl.col("lr") == 1e-2, pl.col("seed") == 0)
    best, second, none = final_performance_data(runs)
    assert best.label == "ppo (lr=0.001)"
    assert second.label == "ppo (lr=0.01) (4 of 5 seeds)"
    assert none.label == "ppo (lr=0.0001) (0 of 5 seeds)"
    assert best.low < best.center < best.high
    assert math.isnan(none.center)


def test_a_run_that_goes_on_has_no_final_performance_yet():
    runs = rates().with_columns(
        state=pl.when(pl.col("seed") == 0).then(pl.lit("running")).otherwise("state")
    )
    assert {len(one.scores) for one in final_performance_data(runs)} == {4}


def test_what_has_no_result_is_said_to_have_none():
    ax = plot_final_performance(without(rates(), pl.col("lr") == 1e-2))
    assert [text.get_text() for text in ax.texts] == ["no result"]


def test_names_with_dollars_are_shown_as_they_are():
    ax = plot_final_performance(as_table([run(r"$\frac$", 0, 1.0)]))
    ax.figure.draw_without_rendering()
    assert [label.get_text() for label in ax.get_yticklabels()] == [r"$\frac$"]


# Performance profiles


def test_a_profile_falls_from_all_runs_to_none():
    for one in performance_profile_data(rates()):
        assert (one.share[0], one.share[-1]) == (1.0, 0.0)
        assert (np.diff(one.share) <= 0).all()


def test_scores_of_several_tasks_are_normalised_and_tasks_count_the_same():
    runs = as_table(
        [
            *(run("a", seed, 1000.0 + seed, env_name="Big-v0", lr=1.0) for seed in range(3)),
            *(run("b", seed, 1010.0 + seed, env_name="Big-v0", lr=2.0) for seed in range(3)),
            *(run("a", seed, seed / 100, env_name="Small-v0", lr=1.0) for seed in range(3)),
            *(run("b", seed, 1 + seed / 100, env_name="Small-v0", lr=2.0) for seed in range(3)),
        ]
    )
    worse, better = performance_profile_data(runs)
    assert (worse.name, worse.num_runs, worse.num_tasks) == ("lr=1", 6, 2)
    middle = np.searchsorted(worse.thresholds, 0.5)
    assert (worse.share[middle], better.share[middle]) == (0.0, 1.0)
    assert "normalised on each of 2 tasks" in plot_performance_profile(runs).get_xlabel()


def test_a_variant_without_a_score_is_in_the_legend_of_the_profiles():
    ax = plot_performance_profile(without(rates(), pl.col("lr") == 1e-2))
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[2] == "ppo (lr=0.01) (0 of 5 runs)"
    assert np.isnan(ax.get_lines()[2].get_ydata()).all()


def test_a_profile_without_any_score_is_an_error():
    with pytest.raises(PlotError, match="no profile to draw"):
        plot_performance_profile(without(rates(), pl.lit(value=True)))


# Sensitivity


def test_values_are_in_order_and_each_setting_of_the_others_is_a_line():
    runs = table({"use_gae": [True, False], "lr": [1e-2, 1e-4, 1e-3]}, rate_matters)
    with_gae, without_gae = sensitivity_data(runs, "lr")
    assert (with_gae.name, without_gae.name) == ("use_gae=true", "use_gae=false")
    assert with_gae.values == (1e-4, 1e-3, 1e-2)
    assert with_gae.center.argmax() == 1


@pytest.mark.parametrize(
    ("values", "scale"), [([1e-4, 1e-2], "log"), ([0.9, 0.99], "linear"), (["tanh", "relu"], "linear")]
)
def test_values_that_span_decades_are_on_a_logarithmic_axis(values, scale):
    ax = plot_sensitivity(table({"p": values}, lambda p: 1.0), "p")
    assert ax.get_xscale() == scale


def test_values_that_are_no_numbers_are_named_and_not_joined():
    ax = plot_sensitivity(table({"act": ["tanh", "relu"]}, lambda act: float(len(act))), "act")
    ax.figure.draw_without_rendering()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["relu", "tanh"]
    assert ax.get_lines()[-1].get_linestyle() == "None"


def test_missing_results_are_noted_at_their_value():
    runs = without(without(rates(), pl.col("lr") == 1e-4), pl.col("lr") == 1e-2, pl.col("seed") == 0)
    ax = plot_sensitivity(runs, "lr")
    assert [text.get_text() for text in ax.texts] == ["no\nresult", "4 of 5"]


def test_the_last_part_of_a_parameters_key_will_do():
    runs = table({"ac_kwargs:size": [1, 2]}, lambda **_: 1.0)
    assert sensitivity_data(runs, "size")[0].values == (1, 2)


def test_an_unknown_parameter_is_named_with_one_that_is_near():
    with pytest.raises(RecordError, match=r"'lrr'.*'lr'"):
        plot_sensitivity(rates(), "lrr")


# Heat map


def test_each_cell_is_over_the_seeds_of_a_pair_of_values():
    runs = table({"lr": [2.0, 1.0], "k": [10, 30, 20]}, lambda lr, k: lr * k, noise=0)
    data = heat_map_data(runs, "lr", "k")
    assert (data.columns, data.rows) == ((1.0, 2.0), (10, 20, 30))
    assert data.center.tolist() == [[10, 20], [20, 40], [30, 60]]
    assert (data.num_runs == 5).all()


def test_nothing_but_seeds_is_averaged_over():
    runs = table({"lr": [1, 2], "k": [1, 2], "gamma": [0.9, 0.99]}, lambda **_: 1.0)
    with pytest.raises(PlotError, match=r"'gamma' varies too.*filter\(pl.col\('gamma'\)"):
        plot_heat_map(runs, "lr", "k")


def two_names() -> pl.DataFrame:
    """Two algorithms, no parameter of which says which it is."""
    return as_table(
        [
            run(f"{name}_lr{lr}", seed, level + lr + seed, lr=lr, gae=gae)
            for name, level in (("ppo", 100.0), ("sac", 200.0))
            for lr in (1, 2, 3)
            for gae in (True, False)
            for seed in range(3)
        ]
    )


def test_experiments_that_differ_in_name_alone_are_no_cell():
    with pytest.raises(PlotError, match=r"differ in name \(ppo, sac\).*contains\('ppo', literal=True\)"):
        heat_map_data(two_names(), "lr", "gae")
    one = two_names().filter(pl.col("exp_name").str.contains("ppo", literal=True))
    assert (heat_map_data(one, "lr", "gae").num_runs == 3).all()


def test_experiments_that_differ_in_name_alone_have_a_line_each():
    lines = sensitivity_data(two_names(), "lr")
    assert [line.name for line in lines] == [
        "ppo, gae=true",
        "sac, gae=true",
        "ppo, gae=false",
        "sac, gae=false",
    ]
    for line in lines:
        level = 100 if line.name.startswith("ppo") else 200
        assert line.center.tolist() == [level + 1 + lr for lr in (1, 2, 3)]


def test_names_without_parts_in_common_are_told_whole():
    runs = as_table([run(name, 0, 1.0, lr=lr) for name, lr in (("ppo", 1), ("my_sac", 1), ("other", 2))])
    assert [line.name for line in sensitivity_data(runs, "lr")] == ["ppo", "my_sac", "other"]


def test_two_algorithms_are_two_lines_on_each_task():
    runs = as_table(
        [
            run(f"{name}_{env}", seed, 1.0, env_name=env, lr=1)
            for name in ("ppo", "sac")
            for env in ("Hopper-v4", "Ant-v4")
            for seed in range(2)
        ]
    )
    named = with_variants(runs.select("exp_name", "directory", steps=pl.lit(1.0)), runs)
    of_line = named.group_by("task", "variant").agg(pl.col("exp_name").n_unique())
    assert of_line["exp_name"].to_list() == [1, 1, 1, 1]


def test_cells_say_their_value_and_how_many_seeds_have_one():
    runs = table({"lr": [1, 2], "k": [1, 2]}, lambda lr, k: 100.0 * lr + k, noise=0)
    ax = plot_heat_map(without(runs, pl.col("lr") == 2, pl.col("k") == 1, pl.col("seed") == 0), "lr", "k")
    assert {text.get_text() for text in ax.texts} == {"101", "102", "201\n4 of 5", "202"}


def test_values_are_left_out_where_there_is_no_room():
    runs = table({"lr": list(range(40)), "k": [1, 2]}, lambda lr, k: 1234.5, num_seeds=1)
    assert not plot_heat_map(runs, "lr", "k").texts


def test_a_cell_without_runs_is_hatched_and_one_without_results_is_crossed():
    runs = table({"lr": [1, 2], "k": [1, 2]}, lambda **_: 1.0)
    runs = without(runs.filter((pl.col("lr") == 1) | (pl.col("k") == 1)), pl.col("k") == 2)
    ax = plot_heat_map(runs, "lr", "k")
    assert [patch.get_hatch() for patch in ax.patches] == ["///"]
    assert [line.get_marker() for line in ax.get_lines()] == ["x"]


# Ablation


def test_changes_are_ordered_by_size_and_coloured_by_verdict():
    runs = ablation({"clip_ratio": (0.5, 0.0), "use_gae": (False, -150.0), "entropy": (0.0, 80.0)})
    data = ablation_data(runs)
    assert [change.label for change in data.changes] == ["use_gae=false", "entropy=0", "clip_ratio=0.5"]
    assert [change.verdict for change in data.changes] == [
        Verdict.WORSE,
        Verdict.BETTER,
        Verdict.WITHIN_NOISE,
    ]
    bars = plot_ablation(runs).patches
    assert [to_hex(bar.get_facecolor()).upper() for bar in bars] == [WORSE, BETTER, UNDECIDED]


def test_zero_and_the_baseline_are_shown():
    ax = plot_ablation(ablation({"use_gae": (False, -150.0)}))
    low, high = ax.get_xlim()
    assert low < -150 < 0 < high
    assert "baseline: 3" in ax.get_xlabel()
    assert "5 of 5 seeds" in ax.get_xlabel()


def test_what_cannot_be_judged_is_said():
    ax = plot_ablation(ablation({"use_gae": (False, None), "entropy": (0.0, 9.0)}, num_seeds=1))
    assert [text.get_text() for text in ax.texts] == ["no result"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["too few seeds to judge"]


def test_an_ablation_of_nothing_is_an_error():
    with pytest.raises(PlotError, match="nothing but the baseline, ppo"):
        plot_ablation(ablation({}))


# Parallel coordinates


def test_each_variant_crosses_each_axis_at_its_value():
    runs = table({"lr": [1e-5, 1e-3, 1e-1], "act": ["relu", "tanh"]}, rate_matters, num_seeds=2)
    data = parallel_coordinates_data(runs)
    rate, activation, score = data.axes
    assert (rate.name, activation.name, score.name) == ("lr", "act", "return at the end of training")
    assert (np.diff(data.scores) >= 0).all()
    assert (score.heights[0], score.heights[-1]) == (0.0, 1.0)
    # On a logarithmic axis, the middle value is in the middle.
    assert [text for _, text in rate.ticks] == ["1e-05", "0.001", "0.1"]
    assert rate.ticks[1][0] == pytest.approx(0.5)
    assert [text for _, text in activation.ticks] == ["relu", "tanh"]
    for axis in data.axes:
        assert ((axis.heights >= 0) & (axis.heights <= 1)).all()


def test_variants_without_a_score_are_counted_and_not_drawn():
    runs = without(table({"lr": list(range(1, 31))}, lambda lr: lr), pl.col("lr") == 3)
    data = parallel_coordinates_data(runs)
    assert (data.scores.size, data.num_without) == (29, 1)
    assert len(data.axes[0].ticks) < 10
    assert "1 without any score" in plot_parallel_coordinates(runs).get_xlabel()


@pytest.mark.parametrize(
    ("runs", "problem"),
    [(table({}, lambda: 1.0), "No parameter varies"), (without(rates(), pl.lit(value=True)), "No run has")],
)
def test_what_has_no_coordinates_is_an_error(runs, problem):
    with pytest.raises(PlotError, match=problem):
        plot_parallel_coordinates(runs)


# Names


def test_curves_get_the_variant_and_the_task_of_their_run():
    runs = two_tasks().with_columns(state=pl.lit("running"))
    curves = runs.select("directory", steps=pl.lit(1.0))
    named = with_variants(curves.tail(-1), runs)
    # The first run has no row yet; it gets one, of nulls.
    assert named["directory"].to_list() == [*runs["directory"][1:], runs["directory"][0]]
    assert named["steps"].null_count() == 1
    assert set(named["variant"]) == {"lr=0.0001", "lr=0.001", "lr=0.01"}
    assert named.filter(pl.col("directory").str.contains("Ant"))["task"].unique().to_list() == ["Ant-v4"]
