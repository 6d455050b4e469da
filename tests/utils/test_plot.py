from __future__ import annotations

import inspect
import subprocess
import sys

import polars as pl
import pytest
from plots.runs import write_runs

from spinup.errors import PlotError
from spinup.utils.plot import get_all_datasets, get_datasets, make_plots, plot_data


@pytest.fixture
def data(tmp_path):
    return write_runs(tmp_path, {"ppo": [0, 10], "sac": [0]})


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_make_plots_takes_what_spinning_ups_does():
    parameters = [
        p.name
        for p in inspect.signature(make_plots).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    assert parameters == [
        *("all_logdirs", "legend", "xaxis", "values", "count"),
        *("font_scale", "smooth", "select", "exclude", "estimator"),
    ]


def test_make_plots_saves_a_picture_of_each_value_and_says_where(data, capsys):
    places = make_plots([str(data)], values=["Performance", "Loss/V"], estimator="max")
    assert [path.name for path in places] == ["learning_curves.png", "learning_curves_Loss-V.png"]
    assert all(str(path) in capsys.readouterr().out for path in places[:1])


def test_one_text_is_a_list_of_one(data, tmp_path):
    (place,) = make_plots(str(data), select="sac", values="Loss/V", out=tmp_path / "a.svg")
    assert "<!-- sac (1 seed) -->" in place.read_text()


def test_datasets_have_spinning_ups_columns(data):
    ppo, ppo10, sac = get_datasets(data)
    assert ppo.columns[:4] == ["Unit", "Condition1", "Condition2", "Performance"]
    assert {"Epoch", "AverageEpRet", "TotalEnvInteracts", "Loss/V"} <= set(ppo.columns)
    assert ppo["Performance"].equals(ppo["AverageEpRet"], check_names=False)
    assert [frame["Condition1"][0] for frame in (ppo, ppo10, sac)] == ["ppo", "ppo", "sac"]
    assert len({frame["Unit"][0] for frame in (ppo, ppo10, sac)}) == 3
    assert ppo["Condition2"][0] == f"ppo-{ppo['Unit'][0]}"


def test_a_condition_can_be_named(data):
    frames = get_all_datasets([str(data / "ppo"), str(data / "sac")], legend=["A", "B"])
    assert [frame["Condition1"][0] for frame in frames] == ["A", "A", "B"]


def test_names_and_directories_must_be_as_many(data):
    with pytest.raises(PlotError, match="1 names for 2 directories"):
        get_all_datasets([str(data / "ppo"), str(data / "sac")], legend=["A"])


@pytest.mark.parametrize("kind", ["polars", "pandas", "one frame"])
def test_plot_data_draws_a_line_for_each_condition(data, kind):
    frames = get_datasets(data)
    if kind == "pandas":
        frames = [frame.to_pandas() for frame in frames]
    elif kind == "one frame":
        frames = pl.concat(frames)
    ax = plot_data(frames, xaxis="TotalEnvInteracts", value="Performance", smooth=3)
    assert legend_texts(ax) == ["ppo (2 seeds)", "sac (1 seed)"]
    assert ax.get_lines()[0].get_xdata().tolist() == [0, 100, 200, 300]


def test_a_column_that_is_missing_is_named(data):
    with pytest.raises(PlotError, match="no column 'Nope'"):
        plot_data(get_datasets(data), value="Nope")


def test_the_module_is_light_until_it_is_used():
    code = "import sys, spinup.utils.plot; print({'matplotlib', 'polars', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
