import subprocess
import sys
from pathlib import Path

import pytest

from spinup.cli.complete_run import complete
from spinup.cli.main import main


@pytest.fixture(autouse=True)
def in_a_directory_with_a_thunk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("own_train.py").write_text(
        "open('pwned', 'w')\n"
        "def train(env_fn, lr=1, timeout=2, *, steps=3, logger_kwargs=None): pass\n"
        "def test(): pass\n"
    )


def values(words, incomplete):
    return [item.value for item in complete(words, incomplete)]


def test_what_to_run_is_completed():
    assert values([], "a") == ["ars"]
    assert values([], "own_train.py:t") == ["own_train.py:train", "own_train.py:test"]
    assert values(["own_train.py", ":"], "tr") == ["train"]


@pytest.mark.parametrize(
    "target", [["own_train.py:train"], ["own_train.py", ":", "train"], ["own_train:train"]]
)
def test_the_flags_of_a_thunk_are_completed_and_its_module_is_not_run(target):
    found = values(target, "--")
    assert found[:5] == ["--env_name", "--lr", "--+timeout", "--steps", "--env"]
    assert "--timeout" in found
    assert values(target, "--st") == ["--steps"]
    assert not Path("pwned").exists()


def test_the_choices_of_an_option_are_completed():
    assert values(["ars", "--rerun"], "s") == ["stale"]
    assert values(["ars", "--nu"], "") == []


def test_behind_two_dashes_files_are_completed():
    assert [item.type for item in complete(["--lr", "1", "--"], "tr")] == ["file"]
    assert [item.type for item in complete([], "own")] == ["file"]


def test_what_is_not_there_completes_to_options_alone():
    assert values(["no_such.py:f"], "--dry") == ["--dry-run"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(capsys, shell):
    assert main(["completion", shell]) == 0
    assert "_SPINUP_COMPLETE" in capsys.readouterr().out


def test_the_script_is_that_of_the_users_shell(capsys, monkeypatch):
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert main(["completion"]) == 0
    assert "fish_complete" in capsys.readouterr().out
    monkeypatch.setenv("SHELL", "/bin/csh")
    assert main(["completion"]) == 2
    assert "Which shell?" in capsys.readouterr().err


def test_bash_takes_the_script(tmp_path, capsys):
    main(["completion", "bash"])
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    assert subprocess.run(["bash", "-n", script]).returncode == 0
