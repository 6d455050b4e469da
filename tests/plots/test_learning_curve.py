from __future__ import annotations

import math
import subprocess
import sys
import threading

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread
from polars.testing import assert_frame_equal

from spinup.errors import RecordError
from spinup.plots.learning_curve import learning_curve_data, plot_learning_curve, save_learning_curve
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


# The data


def test_mean_and_range_are_over_the_seeds_of_each_experiment():
    expected = pl.DataFrame(
        {
            "exp_name": ["ppo", "ppo", "vpg", "vpg"],
            "num_seeds": [2, 2, 1, 1],
            "x": [10.0, 20.0, 10.0, 20.0],
            "mean": [2.0, 4.0, 0.0, 1.0],
            "low": [1.0, 2.0, 0.0, 1.0],
            "high": [3.0, 6.0, 0.0, 1.0],
        }
    )
    assert_frame_equal(learning_curve_data(two_experiments()), expected)


def test_seeds_are_interpolated_where_they_overlap_and_nowhere_else():
    # At 20: seed 0 is halfway from 0 to 40; at 30, seed 1 is halfway from 10 to 20.
    curves = pl.concat(
        [
            run("ppo", 0, [(10, 0.0), (30, 40.0), (50, 1e9)]),
            run("ppo", 1, [(0, -1e9), (20, 10.0), (40, 20.0)]),
        ]
    )
    data = learning_curve_data(curves)
    assert data["x"].to_list() == [10.0, 20.0, 30.0, 40.0]
    assert data["mean"].to_list()[1:3] == [(20 + 10) / 2, (40 + 15) / 2]


def test_a_run_cut_short_shortens_its_own_experiment_only():
    curves = pl.concat([two_experiments(), run("ppo", 2, [(10, 2.0)])])
    data = learning_curve_data(curves)
    assert data.filter(exp_name="ppo")["x"].to_list() == [10.0]
    assert data.filter(exp_name="vpg")["x"].to_list() == [10.0, 20.0]


def test_seeds_that_share_no_x_are_an_error_that_names_the_experiment():
    curves = pl.concat([run("ppo", 0, [(10, 1.0)]), run("ppo", 1, [(20, 1.0), (30, 1.0)])])
    with pytest.raises(RecordError, match=r"'ppo'.*begins at 20.*ends at 10"):
        learning_curve_data(curves)


def test_of_rows_with_the_same_x_the_last_counts():
    curves = run("ppo", 0, [(10, 1.0), (20, 2.0), (10, 5.0)])
    assert learning_curve_data(curves).select("x", "mean").rows() == [(10.0, 5.0), (20.0, 2.0)]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_return_that_is_not_finite_leaves_a_gap(bad):
    curves = pl.concat(
        [run("a", 0, [(1, 1.0), (2, bad), (3, 5.0)]), run("a", 1, [(1, 3.0), (2, 1.0), (3, 7.0)])]
    )
    means = learning_curve_data(curves)["mean"].to_list()
    assert means[0] == 2.0
    assert math.isnan(means[1])
    assert means[2] == 6.0


@pytest.mark.parametrize("row", [(None, 9.0), (math.nan, 9.0), (math.inf, 9.0), (2, None)])
def test_a_row_without_x_or_y_does_not_count(row):
    curves = run("a", 0, [(1, 1.0), row, (3, 5.0)])
    assert learning_curve_data(curves)["x"].to_list() == [1.0, 3.0]


def test_very_long_runs_are_thinned_to_even_steps_that_keep_both_ends():
    xs = np.arange(5_001.0)
    data = learning_curve_data(run("a", 0, list(zip(xs, 2 * xs, strict=True))))
    assert len(data) == 1_000
    assert (data["x"][0], data["x"][-1]) == (0.0, 5_000.0)
    np.testing.assert_allclose(data["mean"], 2 * data["x"])


def test_other_columns_can_be_followed():
    curves = two_experiments().rename({X: "Epoch", Y: "LossV"})
    assert_frame_equal(
        learning_curve_data(curves, "Epoch", "LossV"), learning_curve_data(two_experiments())
    )


@pytest.mark.parametrize("missing", [X, Y])
def test_a_column_that_is_missing_is_named_in_the_error(missing):
    with pytest.raises(RecordError, match=missing):
        learning_curve_data(two_experiments().drop(missing))


def test_a_seed_that_was_run_twice_is_an_error():
    curves = pl.concat([two_experiments(), run("vpg", 0, [(10, 0.0)], directory="again")])
    with pytest.raises(RecordError, match="Seed 0 of 'vpg'"):
        learning_curve_data(curves)


def test_runs_without_a_single_point_are_an_error():
    with pytest.raises(RecordError, match="no curve to draw"):
        learning_curve_data(run("a", 0, [(1, None), (None, 1.0)]))


finite = st.floats(-1e6, 1e6)
points = st.lists(st.tuples(finite, finite), min_size=1, max_size=12)


@settings(deadline=None, max_examples=100)
@given(seeds=st.lists(points.map(lambda ps: [(0.0, 0.0), *ps]), min_size=1, max_size=4))
def test_no_point_lies_outside_what_every_seed_covers(seeds):
    data = learning_curve_data(pl.concat([run("a", seed, ps) for seed, ps in enumerate(seeds)]))
    assert data["x"].is_sorted()
    assert data["x"].is_unique().all()
    assert data["x"][0] == max(min(x for x, _ in ps) for ps in seeds)
    assert data["x"][-1] == min(max(x for x, _ in ps) for ps in seeds)
    assert set(data["num_seeds"]) == {len(seeds)}
    slack = 1e-6
    assert (data["low"] <= data["mean"] + slack).all()
    assert (data["mean"] <= data["high"] + slack).all()


@pytest.mark.parametrize("far", [1e308, -1e308, 2e300])
def test_an_x_that_no_axis_reaches_is_an_error_that_names_the_run(far):
    curves = pl.concat([run("a", 0, [(0, 1.0)]), run("a", 1, [(far, 1.0), (0, 1.0)])])
    with pytest.raises(RecordError, match=r"'TotalEnvInteracts' is -?[12]e\+30[08] in a_s1"):
        learning_curve_data(curves)


# The picture


@pytest.mark.parametrize("far", [1e16, 1e300])
def test_what_is_far_away_can_be_drawn(tmp_path, far):
    save_learning_curve(run("a", 0, [(-far, far), (far, -far)]), tmp_path / "a.png")


def test_a_return_too_large_to_draw_leaves_a_gap(tmp_path):
    curves = run("a", 0, [(1, 1e308), (2, -1e308), (3, 1.0), (4, 2.0)])
    assert learning_curve_data(curves)["mean"].is_nan().to_list() == [True, True, False, False]
    save_learning_curve(curves, tmp_path / "a.png")


def test_each_experiment_is_a_line_along_its_mean():
    ax = plot_learning_curve(two_experiments())
    assert [line.get_xydata().tolist() for line in ax.get_lines()] == [
        [[10.0, 2.0], [20.0, 4.0]],
        [[10.0, 0.0], [20.0, 1.0]],
    ]


def test_a_band_spans_the_seeds_and_one_seed_has_none():
    (band,) = plot_learning_curve(two_experiments()).collections
    corners = {tuple(point) for point in band.get_paths()[0].vertices.tolist()}
    assert corners == {(10.0, 1.0), (20.0, 2.0), (20.0, 6.0), (10.0, 3.0)}


def test_the_legend_names_experiments_and_seeds_and_says_what_the_band_is():
    ax = plot_learning_curve(two_experiments())
    assert legend_texts(ax) == ["ppo (2 seeds)", "vpg (1 seed)"]
    title = ax.get_legend().get_title().get_text()
    assert title == "line: mean over seeds; band: lowest to highest seed"


def test_a_legend_of_single_seeds_promises_no_band():
    ax = plot_learning_curve(run("a", 0, [(1, 1.0), (2, 2.0)]))
    assert ax.get_legend().get_title().get_text() == "one seed each"


def test_the_legend_covers_no_curve():
    ax = plot_learning_curve(two_experiments())
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0


def test_axes_are_labelled_in_words():
    ax = plot_learning_curve(two_experiments())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("environment interactions", "mean return per episode")


def test_a_column_that_has_no_words_is_labelled_by_its_name():
    ax = plot_learning_curve(two_experiments().rename({Y: r"$\frac$"}), y=r"$\frac$")
    ax.figure.draw_without_rendering()
    assert ax.get_ylabel() == r"$\frac$"


def test_interactions_are_counted_in_whole_numbers_with_separators():
    ax = plot_learning_curve(run("a", 0, [(0, 1.0), (3_000_000, 2.0)]))
    ax.figure.draw_without_rendering()
    assert "1,000,000" in [label.get_text() for label in ax.get_xticklabels()]


def test_a_target_is_a_dashed_line_that_the_legend_names():
    ax = plot_learning_curve(two_experiments(), target=475)
    target = ax.get_lines()[-1]
    assert set(target.get_ydata()) == {475}
    assert target.is_dashed()
    assert legend_texts(ax)[-1] == "target: 475"


def test_no_target_is_drawn_unless_asked_for():
    assert len(plot_learning_curve(two_experiments()).get_lines()) == 2


def test_a_single_point_is_visible():
    (line,) = plot_learning_curve(run("a", 0, [(1, 1.0)])).get_lines()
    assert line.get_marker() == "o"


def test_a_line_of_several_points_has_no_markers():
    assert {line.get_marker() for line in plot_learning_curve(two_experiments()).get_lines()} == {""}


def test_more_experiments_than_colours_can_still_be_told_apart():
    ax = plot_learning_curve(pl.concat([run(f"e{i:02}", 0, [(1, i), (2, i)]) for i in range(28)]))
    looks = {(to_hex(line.get_color()), line.get_linestyle()) for line in ax.get_lines()}
    assert len(looks) == 28
    assert {line.get_linestyle() for line in ax.get_lines()[:7]} == {"-"}


@pytest.mark.parametrize("name", ["_private", "a$b", r"$\frac$", "lr$0$1"])
def test_a_name_is_shown_as_it_is(name):
    ax = plot_learning_curve(run(name, 0, [(1, 1.0), (2, 2.0)]))
    ax.figure.draw_without_rendering()
    assert legend_texts(ax) == [f"{name} (1 seed)"]
    assert not ax.get_legend().get_texts()[0].get_parse_math()


def test_a_long_name_is_broken_and_not_cut(tmp_path):
    ax = plot_learning_curve(run("x" * 200, 0, [(1, 1.0), (2, 2.0)]))
    (text,) = legend_texts(ax)
    assert text.count("x") == 200
    assert max(map(len, text.split("\n"))) <= 90


def test_an_endless_name_is_cut_in_its_middle(tmp_path):
    name = "a" * 1_000_000 + "z"
    curves = run(name, 0, [(1, 1.0), (2, 2.0)]).rename({X: name, Y: name + "y"})
    ax = plot_learning_curve(curves, x=name, y=name + "y")
    for text in (*legend_texts(ax), ax.get_xlabel(), ax.get_ylabel()):
        assert len(text) < 500
        assert " ... " in text
    save_learning_curve(curves, tmp_path / "a.png", x=name, y=name + "y")


def test_given_axes_are_drawn_on():
    ax = Figure().subplots()
    assert plot_learning_curve(two_experiments(), ax) is ax
    assert len(ax.get_lines()) == 2


def test_pyplot_with_its_global_state_stays_out():
    code = "import sys, spinup.plots.learning_curve; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_picture_can_be_drawn_in_a_thread():
    axes = []
    thread = threading.Thread(target=lambda: axes.append(plot_learning_curve(two_experiments())))
    thread.start()
    thread.join()
    assert legend_texts(axes[0]) == ["ppo (2 seeds)", "vpg (1 seed)"]


# The file


def test_a_png_is_saved_at_150_dots_an_inch_on_white(tmp_path):
    path = save_learning_curve(two_experiments(), tmp_path / "curve.png", "A title")
    pixels = imread(path)
    assert pixels.shape[1] == 8 * 150
    assert (pixels[0, 0, :3] == 1).all()
    assert not (pixels[..., :3] == 1).all()


@pytest.mark.parametrize(("name", "start"), [("a.pdf", b"%PDF"), ("a.svg", b"<?xml"), ("a", b"\x89PNG")])
def test_the_ending_says_the_format(tmp_path, name, start):
    assert save_learning_curve(two_experiments(), tmp_path / name).read_bytes().startswith(start)


def test_the_title_is_shown_as_it_is(tmp_path):
    path = save_learning_curve(two_experiments(), str(tmp_path / "a.svg"), r"costs $\frac$")
    assert r"<!-- costs $\frac$ -->" in path.read_text()


def test_directories_are_made_for_the_picture(tmp_path):
    path = tmp_path / "deep" / "er" / "a.png"
    assert save_learning_curve(two_experiments(), path) == path
    assert path.is_file()


def test_a_picture_that_cannot_be_drawn_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.nonsense"
    path.write_text("old")
    with pytest.raises(ValueError, match="nonsense"):
        save_learning_curve(two_experiments(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.nonsense"]
    assert path.read_text() == "old"


def test_run_directories_become_a_picture(tmp_path):
    for seed in (0, 1):
        directory = tmp_path / "data" / "ppo" / f"ppo_s{seed}"
        directory.mkdir(parents=True)
        rows = [f"{epoch}\t{100 * seed + epoch}\t{4000 * (epoch + 1)}\n" for epoch in range(3)]
        (directory / "progress.txt").write_text(f"Epoch\t{Y}\t{X}\n{''.join(rows)}", encoding="utf-8")
    ax = plot_learning_curve(load_curves(tmp_path / "data"))
    (line,) = ax.get_lines()
    assert line.get_xydata().tolist() == [[4000.0, 50.0], [8000.0, 51.0], [12000.0, 52.0]]
    assert legend_texts(ax) == ["ppo (2 seeds)"]
