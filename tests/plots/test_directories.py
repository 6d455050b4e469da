from __future__ import annotations

import pytest

from spinup.errors import PlotError, RecordError
from spinup.plots.directories import Wanted, draw, draw_and_save, find_directories, picture_path


@pytest.fixture
def data(write_runs):
    return write_runs({"ppo": [0, 10], "ppo2": [0, 10], "sac": [0]})


def names_of(figure):
    return [text.get_text().split(" (")[0] for text in figure.axes[0].get_legend().get_texts()]


def test_a_directory_means_itself_and_not_what_begins_like_it(data):
    assert find_directories([data / "ppo"]) == [str(data / "ppo")]


def test_what_is_no_directory_means_all_whose_names_begin_so(data):
    assert find_directories([data / "pp", data / "ppo"]) == [str(data / "ppo"), str(data / "ppo2")]


def test_a_prefix_of_nothing_is_an_error(data):
    with pytest.raises(PlotError, match="nor one whose name begins so"):
        find_directories([data / "td3"])


def test_each_variant_is_a_line_over_its_seeds(data):
    (figure,) = draw([str(data)], Wanted())
    assert names_of(figure) == ["ppo", "ppo2", "sac"]


def test_count_gives_each_run_its_line(data):
    (figure,) = draw([str(data / "ppo")], Wanted(count=True))
    assert names_of(figure) == ["ppo, seed 0", "ppo, seed 10"]


def test_select_and_exclude_go_by_the_path(data):
    (figure,) = draw([str(data)], Wanted(select=["ppo"], exclude=["ppo2"]))
    assert names_of(figure) == ["ppo"]


def test_nothing_left_is_an_error_that_shows_a_path(data):
    with pytest.raises(PlotError, match=r"None of the 5 runs is left.*ppo_s0"):
        draw([str(data)], Wanted(select=["nope"]))


def test_a_legend_names_the_directories_in_their_order(data):
    directories = [str(data / "sac"), str(data / "ppo")]
    (figure,) = draw(directories, Wanted(legend=["Soft", "Proximal"]))
    assert sorted(names_of(figure)) == ["Proximal", "Soft"]
    (figure,) = draw([str(data)], Wanted(legend=["a", "b", "c"]))
    assert names_of(figure) == ["a", "b", "c"]


def test_a_name_for_several_variants_is_refused(data):
    with pytest.raises(PlotError, match=r"1 names\. There are 3 lines, in this order: ppo, ppo2, sac"):
        draw([str(data)], Wanted(legend=["all"]))


def test_the_same_variant_in_two_places_is_two_lines_if_the_legend_says_so(write_runs):
    old, new = write_runs({"ppo": [0]}, "old"), write_runs({"ppo": [0]}, "new")
    directories = [str(old), str(new)]
    with pytest.raises(RecordError, match="twice"):
        draw(directories, Wanted())
    (figure,) = draw(directories, Wanted(legend=["old code", "new code"]))
    assert names_of(figure) == ["old code", "new code"]


def test_each_task_is_a_panel(write_runs):
    data = write_runs({"a": [0], "b": [0]}, env_names={"a": "Ant-v4", "b": "Hopper-v4"})
    (figure,) = draw([str(data)], Wanted())
    assert [ax.get_title() for ax in figure.axes] == ["Ant-v4", "Hopper-v4"]


def test_several_values_are_several_pictures_beside_the_data(data):
    said = []
    places = draw_and_save([data / "pp"], Wanted(values=["Performance", "Loss/V"]), say=said.append)
    assert [path.name for path in places] == ["learning_curves.png", "learning_curves_Loss-V.png"]
    assert {path.parent for path in places} == {data}
    assert said[0].endswith(f"taken as the beginning of: {data / 'ppo'}, {data / 'ppo2'}")
    assert said[1:] == [f"Performance: {places[0]}", f"Loss/V: {places[1]}"]
    assert all(path.stat().st_size for path in places)


def test_a_picture_of_one_run_goes_beside_its_directory(data):
    run = data / "ppo" / "ppo_s0"
    assert picture_path(None, [str(run)], "Performance", is_only=True).parent == data / "ppo"


def test_the_value_is_added_to_a_name_that_several_pictures_would_share(tmp_path):
    one, other = (picture_path("a.svg", ["."], value, is_only=False) for value in ("Performance", "../V"))
    assert (one.name, other.name) == ("a_Performance.svg", "a_..-V.svg")
    assert other.parent == one.parent


def test_a_bad_place_is_known_before_anything_is_read(tmp_path):
    with pytest.raises(PlotError, match=r"'\.gif'"):
        draw_and_save([tmp_path], Wanted(), "a.gif", say=print)
