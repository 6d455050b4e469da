from __future__ import annotations

import math
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from plots.tables import curves, incomplete

from spinup import plots
from spinup.errors import PlotError, RecordError
from spinup.plots.curve_data import learning_curve_data
from spinup.plots.learning_curve import (
    plot_learning_curve,
    plot_learning_curves,
    save_learning_curve,
)
from spinup.results.table import load_curves

X, Y = "TotalEnvInteracts", "AverageEpRet"


def run(
    name: str, seed: int, points: list[tuple[float | None, float | None]], **texts: str
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "exp_name": [name] * len(points),
            "seed": [seed] * len(points),
            "directory": [texts.get("directory", f"{name}_s{seed}")] * len(points),
            X: [x for x, _ in points],
            Y: [y for _, y in points],
        },
        schema={
            "exp_name": pl.String,
            "seed": pl.Int64,
            "directory": pl.String,
            X: pl.Float64,
            Y: pl.Float64,
        },
    )


def two_experiments() -> pl.DataFrame:
    return pl.concat(
        [
            run("ppo", 0, [(10, 1.0), (20, 2.0)]),
            run("ppo", 1, [(10, 3.0), (20, 6.0)]),
            run("vpg", 0, [(10, 0.0), (20, 1.0)]),
        ]
    )


def legend_texts(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def strong_lines(ax):
    """The lines at full strength: one for each variant."""
    return [line for line in ax.get_lines() if line.get_linewidth() == 1.8]


# The data


def test_the_mean_is_over_the_seeds_of_each_variant():
    ppo, vpg = learning_curve_data(two_experiments())
    assert (ppo.name, ppo.x.tolist(), ppo.center.tolist()) == ("ppo", [10, 20], [2, 4])
    assert (vpg.name, vpg.x.tolist(), vpg.center.tolist()) == ("vpg", [10, 20], [0, 1])
    assert ppo.num_seeds.tolist() == [2, 2]
    assert ppo.seeds.tolist() == [[1, 2], [3, 6]]


def test_the_band_is_students_interval_and_one_seed_has_none():
    ppo, vpg = learning_curve_data(two_experiments())
    # Half the range of two values is their standard error; t(0.975, 1) = 12.706.
    np.testing.assert_allclose(ppo.high - ppo.center, [12.706 * 1, 12.706 * 2], rtol=1e-4)
    assert np.isnan(vpg.low).all()


@pytest.mark.parametrize(
    ("estimate", "centers"), [("median", [2.0]), ("iqm", [2.5]), ("max", [100.0]), ("min", [1.0])]
)
def test_other_estimates_than_the_mean(estimate, centers):
    values = {"median": [1, 2, 100], "iqm": [1, 2, 3, 100], "max": [1, 2, 100], "min": [1, 2, 100]}[
        estimate
    ]
    runs = pl.concat([run("a", seed, [(1, float(value))]) for seed, value in enumerate(values)])
    (data,) = learning_curve_data(runs, estimate=estimate)
    assert data.center.tolist() == centers


def test_an_unknown_estimate_is_named_with_those_known():
    with pytest.raises(PlotError, match=r"'mode'.*mean, median, iqm, max, min"):
        learning_curve_data(two_experiments(), estimate="mode")


def test_seeds_are_interpolated_at_common_steps_and_never_beyond_their_rows():
    runs = pl.concat(
        [
            run("ppo", 0, [(10, 0.0), (30, 40.0), (50, 80.0)]),
            run("ppo", 1, [(0, 0.0), (20, 10.0), (40, 20.0)]),
        ]
    )
    (data,) = learning_curve_data(runs)
    assert data.x.tolist() == [0, 10, 20, 30, 40, 50]
    assert data.num_seeds.tolist() == [1, 2, 2, 2, 2, 1]
    assert data.center.tolist() == [0, 2.5, 15, 27.5, 40, 80]


def test_a_run_without_a_value_counts_as_a_seed():
    runs = pl.concat([two_experiments(), run("vpg", 1, [(None, None)])])
    _, vpg = learning_curve_data(runs)
    assert vpg.legend == "vpg (1 of 2 seeds at the end)"


def test_a_variant_without_any_value_stays_in_the_legend():
    runs = pl.concat([two_experiments(), *(run("td3", seed, [(None, None)]) for seed in range(3))])
    ax = plot_learning_curve(runs)
    assert legend_texts(ax)[2] == "td3 (0 of 3 seeds at the end)"
    assert ax.get_xlim()[1] < 25


def test_of_rows_with_the_same_x_the_last_counts():
    (data,) = learning_curve_data(run("ppo", 0, [(10, 1.0), (20, 2.0), (10, 5.0)]))
    assert data.center.tolist() == [5.0, 2.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
def test_a_seed_without_a_finite_value_does_not_count_there(bad):
    runs = pl.concat(
        [run("a", 0, [(1, 1.0), (2, bad), (3, 5.0)]), run("a", 1, [(1, 3.0), (2, 1.0), (3, 7.0)])]
    )
    (data,) = learning_curve_data(runs)
    assert data.num_seeds.tolist() == [2, 1, 2]
    assert data.center.tolist() == [2.0, 1.0, 6.0]


def test_smoothing_averages_each_run_over_its_rows():
    (data,) = learning_curve_data(run("a", 0, [(1, 0.0), (2, 3.0), (3, 9.0)]), smooth=3)
    assert data.center.tolist() == [0.0, 4.0, 9.0]


def test_long_runs_are_drawn_at_a_thousand_points():
    xs = np.arange(5_001.0)
    (data,) = learning_curve_data(run("a", 0, list(zip(xs, 2 * xs, strict=True))))
    assert data.x.size == 1_000
    np.testing.assert_allclose(data.center, 2 * data.x)


def test_steps_and_return_are_followed_where_there_are_such_columns():
    (data,) = learning_curve_data(
        two_experiments().filter(exp_name="vpg").rename({X: "steps", Y: "return"})
    )
    assert data.center.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("missing", [X, Y])
def test_a_column_that_is_missing_is_named_in_the_error(missing):
    with pytest.raises(RecordError, match=missing):
        learning_curve_data(two_experiments().drop(missing))


def test_a_seed_that_was_run_twice_is_an_error():
    runs = pl.concat([two_experiments(), run("vpg", 0, [(10, 0.0)], directory="again")])
    with pytest.raises(RecordError, match="Seed 0 of 'vpg'"):
        learning_curve_data(runs)


def test_runs_without_a_single_point_are_an_error():
    with pytest.raises(PlotError, match="no curve to draw"):
        learning_curve_data(run("a", 0, [(1, None), (None, 1.0)]))


@pytest.mark.parametrize("far", [1e308, -1e308, 2e300])
def test_an_x_that_no_axis_reaches_is_an_error_that_names_the_run(far):
    runs = pl.concat([run("a", 0, [(0, 1.0)]), run("a", 1, [(far, 1.0), (0, 1.0)])])
    with pytest.raises(PlotError, match=r"'TotalEnvInteracts' is -?[12]e\+30[08] in a_s1"):
        learning_curve_data(runs)


finite = st.floats(-1e6, 1e6)
points = st.lists(st.tuples(finite, finite), min_size=1, max_size=12)


@settings(deadline=None, max_examples=50)
@given(seeds=st.lists(points, min_size=1, max_size=4))
def test_no_estimate_lies_outside_what_its_seeds_span(seeds):
    (data,) = learning_curve_data(pl.concat([run("a", seed, ps) for seed, ps in enumerate(seeds)]))
    assert (np.diff(data.x) > 0).all()
    assert (data.num_seeds == np.isfinite(data.seeds).sum(axis=0)).all()
    there = data.num_seeds > 0
    slack = 1e-6
    assert (np.nanmin(data.seeds[:, there], axis=0) <= data.center[there] + slack).all()
    assert (np.nanmax(data.seeds[:, there], axis=0) >= data.center[there] - slack).all()


# The picture


@pytest.mark.parametrize("far", [1e16, 1e140])
def test_what_is_far_away_can_be_drawn(tmp_path, far):
    save_learning_curve(run("a", 0, [(-far, far), (far, -far)]), tmp_path / "a.png")


def test_each_variant_is_a_line_along_its_mean():
    ax = plot_learning_curve(two_experiments())
    assert [line.get_xydata().tolist() for line in strong_lines(ax)] == [
        [[10.0, 2.0], [20.0, 4.0]],
        [[10.0, 0.0], [20.0, 1.0]],
    ]


def test_where_a_seed_is_missing_the_line_is_faint_and_the_legend_says_how_many_there_are():
    ax = plot_learning_curve(incomplete())
    whole, unfinished, diverged, begun = strong_lines(ax)
    assert np.isfinite(whole.get_ydata()).sum() == 40
    assert np.isfinite(unfinished.get_ydata()).sum() == 20
    assert np.isfinite(diverged.get_ydata()).sum() == 25
    faint = [line for line in ax.get_lines() if line.get_alpha() == 0.5]
    assert len(faint) == 2
    assert legend_texts(ax)[1:3] == [
        "unfinished (2 of 3 seeds at the end)",
        "diverged (2 of 3 seeds at the end)",
    ]
    assert begun.get_marker() == "o"
    assert "faint: not all seeds" in ax.get_legend().get_title().get_text()


def test_the_picture_shows_all_seeds_and_cuts_a_band_that_is_wider():
    ax = plot_learning_curve(two_experiments())
    low, high = ax.get_ylim()
    assert low <= 0 < 6 <= high < 12


def close_seeds():
    return pl.concat([run("a", 0, [(1, 0.0), (2, 10.0)]), run("a", 1, [(1, 0.1), (2, 10.1)])])


def test_the_legend_says_what_line_and_band_are():
    ax = plot_learning_curve(close_seeds())
    assert legend_texts(ax) == ["a (2 seeds)"]
    title = ax.get_legend().get_title().get_text()
    assert title == "line: mean over seeds; band: its 95 % interval"
    assert len(ax.get_lines()) == 1


def test_where_a_band_would_cover_half_of_the_picture_its_seeds_are_drawn():
    ax = plot_learning_curve(two_experiments())
    title = ax.get_legend().get_title().get_text()
    assert title.endswith("; thin: the seeds, where the band would cover half of the picture")
    assert len(ax.get_lines()) == 2 + 2
    (band,) = ax.collections
    assert band.get_paths() == []


def test_a_legend_of_single_seeds_promises_no_band():
    ax = plot_learning_curve(run("a", 0, [(1, 1.0), (2, 2.0)]))
    assert ax.get_legend().get_title().get_text() == "one seed each"


def test_the_highest_seed_has_no_band():
    ax = plot_learning_curve(two_experiments(), estimate="max")
    assert not ax.collections
    assert ax.get_legend().get_title().get_text() == "line: highest of the seeds"


def test_single_seeds_are_drawn_on_request():
    without, with_seeds = (plot_learning_curve(close_seeds(), show_seeds=show) for show in (False, True))
    assert len(with_seeds.get_lines()) == len(without.get_lines()) + 2


def test_the_legend_covers_no_curve():
    ax = plot_learning_curve(two_experiments())
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0


@pytest.mark.parametrize("num", [1, 3, 14])
def test_nothing_is_clipped(num):
    names = [f"walker_with_a_name_that_is_rather_long_and_then_longer_lr0-{index}" for index in range(num)]
    ax = plot_learning_curve(curves(names, num_seeds=2, rows=3))
    ax.figure.draw_without_rendering()
    box = ax.figure.get_tightbbox().padded(-0.01)
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= ax.figure.get_figwidth()
    assert box.y1 <= ax.figure.get_figheight()


def test_axes_are_labelled_in_words():
    ax = plot_learning_curve(two_experiments())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("environment interactions", "mean return per episode")


def test_a_column_that_has_no_words_is_labelled_by_its_name():
    ax = plot_learning_curve(two_experiments().rename({Y: r"$\frac$"}), y=r"$\frac$")
    ax.figure.draw_without_rendering()
    assert ax.get_ylabel() == r"$\frac$"


@pytest.mark.parametrize(
    ("last", "label", "tick"),
    [
        (900, "environment interactions", "600"),
        (9_000, "environment interactions", "6,000"),
        (300_000, "environment interactions (10³)", "200"),
        (3_000_000, "environment interactions (10⁶)", "2"),
        (2e10, "environment interactions (10⁹)", "10"),
    ],
)
def test_interactions_are_counted_in_powers_of_ten_that_the_label_names(last, label, tick):
    ax = plot_learning_curve(run("a", 0, [(0, 1.0), (last, 2.0)]))
    ax.figure.draw_without_rendering()
    assert ax.get_xlabel() == label
    assert tick in [text.get_text() for text in ax.get_xticklabels()]


def test_a_target_is_a_dashed_line_that_the_legend_names():
    ax = plot_learning_curve(two_experiments(), target=475)
    target = ax.get_lines()[-1]
    assert set(target.get_ydata()) == {475}
    assert target.is_dashed()
    assert legend_texts(ax)[-1] == "target: 475"
    assert ax.get_ylim()[1] > 475


def test_a_single_point_is_visible():
    (line,) = plot_learning_curve(run("a", 0, [(1, 1.0)])).get_lines()
    assert line.get_marker() == "o"


def test_a_point_between_gaps_is_visible_and_others_have_no_marker():
    runs = run("a", 0, [(1, 1.0), (2, math.nan), (3, 1.0), (4, math.nan), (5, 1.0), (6, 2.0)])
    (line,) = strong_lines(plot_learning_curve(runs))
    assert line.get_markevery() == [True, False, True, False, False, False]


def test_a_line_of_several_points_has_no_markers():
    assert {line.get_marker() for line in plot_learning_curve(close_seeds()).get_lines()} == {""}


def test_more_variants_than_colours_can_still_be_told_apart():
    ax = plot_learning_curve(pl.concat([run(f"e{i:02}", 0, [(1, i), (2, i)]) for i in range(28)]))
    looks = {(to_hex(line.get_color()), str(line._dash_pattern)) for line in strong_lines(ax)}
    assert len(looks) == 28
    assert {line.get_linestyle() for line in strong_lines(ax)[:7]} == {"-"}


@pytest.mark.parametrize("name", ["_private", "a$b", r"$\frac$", "lr$0$1"])
def test_a_name_is_shown_as_it_is(name):
    ax = plot_learning_curve(run(name, 0, [(1, 1.0), (2, 2.0)]))
    ax.figure.draw_without_rendering()
    assert legend_texts(ax) == [f"{name} (1 seed)"]
    assert not ax.get_legend().get_texts()[0].get_parse_math()


def test_a_long_name_is_broken_and_not_cut():
    ax = plot_learning_curve(run("x" * 200, 0, [(1, 1.0), (2, 2.0)]))
    (text,) = legend_texts(ax)
    assert text.count("x") == 200
    assert max(map(len, text.split("\n"))) <= 90


def test_an_endless_name_is_cut_in_its_middle(tmp_path):
    name = "a" * 1_000_000 + "z"
    runs = run(name, 0, [(1, 1.0), (2, 2.0)]).rename({X: name, Y: name + "y"})
    ax = plot_learning_curve(runs, x=name, y=name + "y")
    for text in (*legend_texts(ax), ax.get_xlabel(), ax.get_ylabel()):
        assert len(text) < 500
        assert " ... " in text
    save_learning_curve(runs, tmp_path / "a.png", x=name, y=name + "y")


def test_given_axes_are_drawn_on():
    ax = Figure().subplots()
    assert plot_learning_curve(two_experiments(), ax) is ax
    assert len(strong_lines(ax)) == 2


def test_pyplot_with_its_global_state_stays_out():
    modules = [path.stem for path in Path(plots.__file__).parent.glob("[a-z]*.py")]
    assert "learning_curve" in modules
    imports = ", ".join(f"spinup.plots.{module}" for module in modules)
    code = f"import sys, {imports}; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_picture_can_be_drawn_in_a_thread():
    axes = []
    thread = threading.Thread(target=lambda: axes.append(plot_learning_curve(two_experiments())))
    thread.start()
    thread.join()
    assert legend_texts(axes[0]) == ["ppo (2 seeds)", "vpg (1 seed)"]


# Several tasks


def test_each_task_is_a_panel_and_a_variant_looks_the_same_in_all():
    runs = pl.concat(
        [curves(["b", "c"], task="Ant-v4", rows=3), curves(["a", "b"], task="Hopper-v4", rows=3)]
    )
    ant, hopper = plot_learning_curves(runs)
    assert (ant.get_title(), hopper.get_title()) == ("Ant-v4", "Hopper-v4")
    looks = [line.get_color() for ax in (ant, hopper) for line in strong_lines(ax)]
    assert looks[0] == looks[3]
    assert len(set(looks)) == 3
    (legend,) = ant.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["b", "c", "a"]


def test_the_legend_of_several_tasks_covers_no_panel():
    runs = pl.concat([curves([f"v{i}" for i in range(9)], task=task, rows=3) for task in "abcd"])
    axes = plot_learning_curves(runs)
    axes[0].figure.draw_without_rendering()
    (legend,) = axes[0].figure.legends
    assert legend.get_window_extent().y1 < min(ax.get_tightbbox().y0 for ax in axes)


def test_a_task_that_nobody_has_begun_is_a_panel_that_says_so():
    ant, hopper = (curves(["a"], task=task, rows=3) for task in ("Ant-v4", "Hopper-v4"))
    hopper = hopper.with_columns(pl.lit(None, pl.Float64).alias("return"))
    axes = plot_learning_curves(pl.concat([ant, hopper]))
    assert [[text.get_text() for text in ax.texts] for ax in axes] == [[], ["no run has a value yet"]]


def test_one_task_without_a_name_is_one_panel():
    (ax,) = plot_learning_curves(curves(["a"], rows=3).with_columns(task=pl.lit(None, pl.String)))
    assert ax.get_title() == ""
    assert len(strong_lines(ax)) == 1


def test_as_many_axes_are_needed_as_tasks():
    with pytest.raises(PlotError, match="1 tasks, and 2 axes"):
        plot_learning_curves(curves(["a"], rows=2), list(Figure().subplots(2)))


# The file


def test_run_directories_become_a_picture(tmp_path):
    for seed in (0, 1):
        directory = tmp_path / "data" / "ppo" / f"ppo_s{seed}"
        directory.mkdir(parents=True)
        rows = [f"{epoch}\t{100 * seed + epoch}\t{4000 * (epoch + 1)}\n" for epoch in range(3)]
        (directory / "progress.txt").write_text(f"Epoch\t{Y}\t{X}\n{''.join(rows)}", encoding="utf-8")
    path = save_learning_curve(load_curves(tmp_path / "data"), tmp_path / "a.svg", r"costs $\frac$")
    assert "<!-- ppo (2 seeds) -->" in path.read_text()
    assert r"<!-- costs $\frac$ -->" in path.read_text()
