from __future__ import annotations

import os

import pytest
from matplotlib.image import imread

from spinup.errors import PlotError
from spinup.plots.figure import axes_or_new, new_figure, save


@pytest.fixture
def figure():
    figure = new_figure(4, 3)
    figure.subplots().plot([1, 2])
    return figure


def test_a_png_has_150_dots_an_inch_on_white(tmp_path, figure):
    pixels = imread(save(figure, tmp_path / "a.png"))
    assert pixels.shape[:2] == (450, 600)
    assert (pixels[0, 0, :3] == 1).all()


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.pdf", b"%PDF"), ("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("A.PNG", b"\x89PNG")],
)
def test_the_ending_says_the_format_and_an_earlier_picture_is_replaced(tmp_path, figure, name, start):
    for _ in range(2):
        assert save(figure, tmp_path / name).read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "what"),
    [("a.gif", "the ending '.gif'"), ("a", "no ending"), ("a.png.txt", "the ending '.txt'")],
)
def test_other_endings_are_an_error_that_names_those_known(tmp_path, figure, name, what):
    with pytest.raises(PlotError, match=rf"{what}.*\.png, \.svg, \.pdf"):
        save(figure, tmp_path / name)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"my notes", b"%PDF-1.4"])
def test_what_is_no_such_picture_is_not_overwritten(tmp_path, figure, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(PlotError, match="no PNG picture"):
        save(figure, path)
    assert path.read_bytes() == content


def test_a_link_a_directory_and_a_pipe_are_not_overwritten(tmp_path, figure):
    picture = save(figure, tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to(picture)
    (tmp_path / "directory.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("link.png", "directory.png", "pipe.png"):
        with pytest.raises(PlotError, match="no PNG picture"):
            save(figure, tmp_path / name)


def test_an_empty_file_gives_way(tmp_path, figure):
    path = tmp_path / "a.png"
    path.touch()
    assert save(figure, path).stat().st_size


def test_directories_are_made_for_the_picture(tmp_path, figure):
    path = tmp_path / "deep" / "er" / "a.png"
    assert save(figure, path) == path
    assert path.is_file()


def test_where_nothing_can_be_written_is_an_error_of_ours(tmp_path, figure):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlotError, match=r"cannot be written to .*file/a\.png"):
        save(figure, tmp_path / "file" / "a.png")


def test_the_title_is_shown_as_it_is(tmp_path, figure):
    path = save(figure, tmp_path / "a.svg", title=r"costs $\frac$")
    assert r"<!-- costs $\frac$ -->" in path.read_text()


def test_a_part_of_a_figure_is_saved_with_the_whole(tmp_path):
    left, right = new_figure(4, 3).subfigures(1, 2)
    left.subplots()
    assert imread(save(right, tmp_path / "a.png")).shape[:2] == (450, 600)


def test_axes_are_made_only_where_none_are_given(figure):
    (given,) = figure.axes
    assert axes_or_new(given, 1, 1) is given
    assert axes_or_new(None, 5, 2).figure.get_size_inches().tolist() == [5, 2]
