import subprocess
import sys

import pytest

from spinup.cli import demo
from spinup.cli.main import main


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert "spinup demo" in out
    assert "ExperimentGrid" in out


def test_no_command_prints_the_help(capsys):
    assert main([]) == 2
    assert "commands" in capsys.readouterr().out


def test_an_unknown_command_is_an_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["dmeo"])
    assert stop.value.code == 2
    assert "dmeo" in capsys.readouterr().err


def test_an_error_of_ours_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["demo", "--data_dir", str(tmp_path / "file")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("spinup: Results cannot be written")
    assert "Traceback" not in err


@pytest.mark.parametrize("module", ["spinup", "spinup.run"])
def test_python_m_works(module):
    run = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True)
    assert run.stdout.startswith("spinup ")


def test_the_demos_grid_has_two_hyperparameters_and_three_seeds():
    eg = demo.make_grid()
    varied = {p.key: len(p.values) for p in eg.parameters if len(p.values) > 1}
    assert varied.pop("seed") == 3
    assert len(varied) == 2


def test_the_demo_learns_and_draws(tmp_path, capfd):
    assert main(["demo", "--data_dir", str(tmp_path)]) == 0
    out = capfd.readouterr().out
    assert "12 of 12 runs are done" in out
    assert "500: demo_verv1_nu0-1, demo_verv2_nu0-1." in out
    picture = tmp_path / "learning_curves.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in out
