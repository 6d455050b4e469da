"""Every picture against one that was looked at, in tests/plots/baseline.

When a picture is meant to change, draw the new ones and look at each before they are committed::

    pytest tests/plots/test_pictures.py -o filterwarnings= --mpl-generate-path=tests/plots/baseline

The baselines are Matplotlib 3.11's, which the extra ``test`` pins. Others bring another FreeType, so that
text has another width and everything moves: a picture of 3.8 or 3.10 is 29 to 58 grey levels (root mean
square) away from the same one of 3.11; one that lacks a line 8, a wrong digit in a legend 1.6. No tolerance
lets the first pass and catches the others. Of one version, pictures are equal: the tolerance of 1 is for
processors that round otherwise.
"""

from __future__ import annotations

import os

import matplotlib as mpl
import polars as pl
import pytest
from plots.tables import ablation, curves, incomplete, rate_matters, table, without

from spinup.plots.ablation import plot_ablation
from spinup.plots.final_performance import plot_final_performance
from spinup.plots.heat_map import plot_heat_map
from spinup.plots.learning_curve import plot_learning_curve, plot_learning_curves
from spinup.plots.parallel_coordinates import plot_parallel_coordinates
from spinup.plots.performance_profile import plot_performance_profile
from spinup.plots.sensitivity import plot_sensitivity

pytestmark = pytest.mark.skipif(
    not mpl.__version__.startswith("3.11.") and not os.environ.get("CI"),
    reason="the baselines are of Matplotlib 3.11, which spinup[test] has; others lay text out otherwise",
)

RATES = [1e-5, 1e-4, 3e-4, 1e-3, 1e-2]
GRID = {
    "lr": RATES,
    "gamma": [0.9, 0.99, 0.999],
    "activation": ["tanh", "relu"],
    "use_gae": [True, False],
}


def some_without_result() -> pl.DataFrame:
    runs = table({"lr": RATES}, rate_matters)
    runs = without(runs, pl.col("lr") == 1e-2)
    return without(runs, pl.col("lr") == 1e-4, pl.col("seed") > 2)


@pytest.mark.mpl_image_compare
def test_learning_curve():
    return plot_learning_curve(curves(["ppo", "sac", "td3"]), show_seeds=True, target=380).figure


@pytest.mark.mpl_image_compare
def test_learning_curve_of_what_is_incomplete():
    return plot_learning_curve(incomplete()).figure


@pytest.mark.mpl_image_compare
def test_learning_curve_of_many_variants_with_long_names():
    names = [f"walker_with_a_name_that_is_rather_long_and_longer_lr0-{index}" for index in range(12)]
    return plot_learning_curve(curves(names, num_seeds=3), estimate="iqm").figure


@pytest.mark.mpl_image_compare
def test_learning_curves_of_four_tasks():
    tasks = ["Hopper-v4", "Ant-v4", "Walker2d-v4", "Humanoid-v4"]
    runs = pl.concat([curves(["ppo", "sac"], num_seeds=3, task=task) for task in tasks])
    runs = runs.filter((pl.col("directory") != "Ant-v4/sac_s1") | (pl.col("steps") < 90_000))
    return plot_learning_curves(runs)[0].figure


@pytest.mark.mpl_image_compare
def test_final_performance():
    return plot_final_performance(some_without_result()).figure


@pytest.mark.mpl_image_compare
def test_performance_profile():
    return plot_performance_profile(some_without_result()).figure


@pytest.mark.mpl_image_compare
def test_sensitivity():
    return plot_sensitivity(some_without_result(), "lr").figure


@pytest.mark.mpl_image_compare
def test_sensitivity_with_a_line_for_each_setting_of_the_others():
    runs = table({"lr": [1e-4, 1e-3, 1e-2], "use_gae": [True, False]}, rate_matters)
    return plot_sensitivity(runs, "lr").figure


@pytest.mark.mpl_image_compare
def test_heat_map():
    runs = table({"lr": RATES, "clip_ratio": [0.1, 0.2, 0.3]}, rate_matters)
    runs = runs.filter((pl.col("lr") != 1e-2) | (pl.col("clip_ratio") != 0.3))
    runs = without(runs, pl.col("lr") == 1e-5, pl.col("clip_ratio") == 0.1)
    return plot_heat_map(
        without(runs, pl.col("lr") == 1e-4, pl.col("seed") == 0), "lr", "clip_ratio"
    ).figure


@pytest.mark.mpl_image_compare
def test_ablation():
    effects = {
        "use_gae": (False, -150.0),
        "norm_adv": (False, None),
        "clip_ratio": (0.5, 4.0),
        "entropy": (0.0, 60.0),
        "lr_decay": ("none", -70.0),
    }
    return plot_ablation(ablation(effects)).figure


@pytest.mark.mpl_image_compare
def test_parallel_coordinates():
    runs = table(GRID, lambda lr, use_gae, **_: rate_matters(lr) + 40 * use_gae, num_seeds=2)
    return plot_parallel_coordinates(runs).figure
