import os
import subprocess
import sys

import pytest

from spinup.cli import commands as cli
from spinup.cli import demo
from spinup.cli.main import main


def test_help_teaches(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "spinup demo" in out
    assert "spinup run train.py:train --lr 1e-3 1e-4" in out
    assert "ExperimentGrid" in out


def test_no_command_prints_the_help(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert out == capsys.readouterr().out


def test_an_unknown_command_is_an_error(capsys):
    assert main(["dmeo"]) == 2
    assert "dmeo" in capsys.readouterr().err


def test_an_unknown_option_is_an_error_that_says_where_to_look(capsys):
    assert main(["demo", "--data_dri", "x"]) == 2
    err = capsys.readouterr().err
    assert "--data_dri" in err
    assert "spinup demo --help" in err


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_each_command_is_there_and_has_help(name, capsys):
    assert main([name, "--help"]) == 0
    assert f"spinup {name}" in capsys.readouterr().out


def test_an_error_of_ours_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["run", "json:dumps", "--obj", "1", "--data_dir", str(tmp_path / "file")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("spinup: Results cannot be written")
    assert "Traceback" not in err


def test_help_imports_no_command_and_nothing_heavy():
    code = "import sys; from spinup.cli.main import main; main(['--help']); print('LOADED', *sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.rpartition("LOADED")[2].split())
    assert "spinup.cli.main" in loaded
    assert not loaded & {
        "numpy",
        "polars",
        "rich",
        "gymnasium",
        "matplotlib",
        "spinup.cli.run",
        "spinup.utils",
    }


@pytest.mark.parametrize("words", [["-m", "spinup"], ["-m", "spinup.run"]])
def test_python_m_works(words):
    run = subprocess.run([sys.executable, *words, "--help"], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stdout.startswith("Usage: spinup")


def test_python_m_spinup_run_is_spinning_ups(tmp_path):
    words = [
        "ars",
        "--env",
        "CartPole-v1",
        "--nu[n]",
        "0.1",
        "0.2",
        "--dt",
        "False",
        "--cpu",
        "1",
        "--dry-run",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "spinup.run", *words], capture_output=True, text=True, cwd=tmp_path
    )
    assert run.returncode == 0
    assert "cmd_ars_n0-1/cmd_ars_n0-1_s0" in run.stdout


def test_the_version_is_said():
    run = subprocess.run([sys.executable, "-m", "spinup", "--version"], capture_output=True, text=True)
    assert run.stdout.startswith("spinup ")


def test_who_stops_reading_gets_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [sys.executable, "-m", "spinup", "--help"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert run.returncode == 1
    assert run.stderr == ""


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (BrokenPipeError, 1)])
def test_an_end_from_outside_has_its_exit_status(error, code, monkeypatch, capfd):
    def stop():
        raise error

    monkeypatch.setattr(demo, "make_grid", stop)
    assert main(["demo"]) == code
    assert "Traceback" not in capfd.readouterr().err


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


def test_ctrl_c_while_the_commands_are_imported_has_its_exit_status(tmp_path):
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    run = subprocess.run(
        [sys.executable, "-m", "spinup", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (130, "spinup: Interrupted. What had finished is kept.\n")
