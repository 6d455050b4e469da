from __future__ import annotations

import pytest
from click.testing import CliRunner
from plots.runs import write_runs

from spinup.cli.main import main
from spinup.cli.plot import command


@pytest.fixture
def data(tmp_path):
    return write_runs(tmp_path, {"ppo": [0, 10], "sac": [0]})


def test_help_teaches_by_examples():
    text = CliRunner().invoke(command, ["--help"]).output
    assert "spinup plot data/ppo data/sac --legend PPO SAC" in text
    assert "Only runs with all of these in their path." in text


def test_a_picture_is_saved_beside_the_data_and_its_place_is_printed(data, capsys):
    assert main(["plot", str(data)]) == 0
    picture = data / "learning_curves.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--value", "Performance", "Loss/V", "--legend", "A", "B"],
        ["-y", "Performance", "-y", "Loss/V", "-l", "A", "-l", "B"],
        ["--value=Performance", "--value=Loss/V", "--legend=A", "B"],
    ],
)
def test_options_take_several_words(data, tmp_path, words):
    out = tmp_path / "pictures" / "a.svg"
    assert main(["plot", str(data), *words, "--out", str(out)]) == 0
    for value in ("Performance", "Loss-V"):
        text = out.with_name(f"a_{value}.svg").read_text()
        assert "<!-- A (2 seeds) -->" in text
        assert "<!-- B (1 seed) -->" in text


def test_spinning_ups_options_all_work(data, tmp_path):
    out = tmp_path / "a.svg"
    options = ["--count", "-s", "2", "--select", "data", "ppo", "--exclude", "s10", "sac", "-x", "Epoch"]
    assert main(["plot", "--est", "max", *options, "-o", str(out), "--", str(data)]) == 0
    text = out.read_text()
    assert "<!-- ppo, seed 0 (1 seed) -->" in text
    assert "seed 10" not in text
    assert "<!-- epoch -->" in text


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        ([], 2, "Name a directory"),
        (["nowhere"], 1, "no directory nowhere"),
        (["DATA", "--est", "mode"], 2, "'mode' is not one of"),
        (["DATA", "--smooth", "0"], 2, "0 is not in the range"),
        (["DATA", "--legend"], 2, "requires an argument"),
        (["DATA", "--value", "Loss"], 1, "No run has 'Loss'"),
        (["DATA", "--value", "Note"], 1, "'Note' holds text"),
        (["DATA", "--out", "a.gif"], 1, "Known: .png, .svg, .pdf"),
        (["DATA", "--nope"], 2, "No such option"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_message(data, capsys, words, code, problem):
    assert main(["plot", *(str(data) if word == "DATA" else word for word in words)]) == code
    err = capsys.readouterr().err
    assert err.startswith("spinup: ")
    assert problem in err
    assert "Traceback" not in err
    assert not list(data.glob("*.png"))


def test_of_many_lines_the_best_ten_are_drawn_unless_all_are_asked_for(tmp_path, capsys):
    data = write_runs(tmp_path, {f"g_{number:02}": [number] for number in range(12)})
    out = tmp_path / "a.svg"
    assert main(["plot", str(data), "--out", str(out)]) == 0
    assert "The best 10 of 12 lines" in capsys.readouterr().out
    text = out.read_text()
    assert "<!-- g_11 (1 seed) -->" in text
    assert "<!-- g_01 (1 seed) -->" not in text
    assert main(["plot", str(data), "--all", "--out", str(out)]) == 0
    assert "The best 10" not in capsys.readouterr().out
    assert "<!-- g_01 (1 seed) -->" in out.read_text()
