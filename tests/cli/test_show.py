import json

import pytest
from cli.made_runs import make_run

from spinup.cli.main import main
from spinup.cli.show import baseline_of, difference

PROVENANCE = {
    "call": {"thunk": "train:train", "parameters": {}, "seed": 0, "num_cpu": 1},
    "command_line": "python train.py",
    "working_directory": "/home/me",
    "written_at": "2026-01-01T10:00:00.000Z",
    "git": {
        "commit": "0123abcd",
        "is_dirty": True,
        "diff": "x" * 2_500,
        "diff_is_cut": False,
        "untracked_files": ["a"],
    },
    "machine": {"host": "gpu07", "gpus": []},
    "packages": {"numpy": "2.0", "polars": "1.0"},
}


@pytest.fixture
def run(tmp_path):
    directory = make_run(tmp_path, config={"lr": 2, "ac_kwargs": {"hidden_sizes": [64, 64]}})
    (directory / "provenance.json").write_text(json.dumps(PROVENANCE))
    return directory


def test_all_that_is_known_is_shown(run, capsys):
    assert main(["show", str(run)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{run}\ndone, in 1:40, last return 1.5\n\nConfig\n")
    assert "  ac_kwargs:hidden_sizes  [64, 64]\n" in out
    assert "  commit             0123abcd\n  uncommitted        a diff of 2.5 kB; 1 untracked file\n" in out
    assert "  packages           2; --versions lists them\n" in out
    assert "numpy" not in out
    assert "  progress.txt     " in out
    assert "Against" not in out


def test_versions_are_listed_on_request(run, capsys):
    assert main(["show", str(run), "--versions"]) == 0
    assert "  numpy   2.0\n" in capsys.readouterr().out


def test_the_difference_from_another_run(run, tmp_path, capsys):
    make_run(tmp_path, "other", 7, config={"lr": 1, "gamma": 0.9})
    assert main(["show", str(run), "--against", "other_s7", "--data-dir", str(tmp_path)]) == 0
    part = capsys.readouterr().out.partition("Against other_s7\n")[2].partition("\n\n")[0]
    assert part.splitlines() == [
        "  ac_kwargs:hidden_sizes  [64, 64]   (there: (not given))",
        "  gamma                   (not given)   (there: 0.9)",
        "  lr                      2   (there: 1)",
    ]


def marked(is_baseline):
    return {"_ablation": {"is_baseline": is_baseline, "changed": []}}


def test_a_run_of_an_ablation_is_compared_with_the_baseline_of_its_seed(tmp_path, capsys):
    run = make_run(tmp_path, "a", 10, config={**marked(False), "lr": 3})
    for seed in (0, 10):
        make_run(tmp_path, "base", seed, config=marked(True))
    make_run(tmp_path, "another", 10, config=marked(False))
    assert baseline_of(run).name == "base_s10"
    assert main(["show", str(run)]) == 0
    assert "Against base_s10\n  lr  3   (there: 1)\n" in capsys.readouterr().out


def test_a_baseline_is_compared_with_nothing(tmp_path):
    run = make_run(tmp_path, "base", 0, config=marked(True))
    assert baseline_of(run) is None


def test_values_of_another_type_differ():
    assert difference({"a": 1, "b": True, "c": {}}, {"a": 1.0, "b": True, "c": {}}) == {
        "a": {"value": 1, "other": 1.0}
    }


def test_the_json_is_what_the_documents_say(run, capsys):
    assert main(["show", str(run), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {
        *("format", "exp_name", "seed", "directory", "state", "reason", "message", "attempt", "host"),
        *("started_at", "ended_at", "duration_s", "last_return", "changed_files", "config", "against"),
        *("difference", "provenance", "files"),
    }
    assert (document["format"], document["duration_s"], document["difference"]) == (1, 100.0, None)
    assert document["provenance"] == PROVENANCE
    assert {"path": "config.json", "bytes": (run / "config.json").stat().st_size} in document["files"]


def test_a_directory_with_hardly_anything_in_it_is_shown_too(tmp_path, capsys):
    run = make_run(tmp_path, state=None)
    (run / "config.json").write_text("torn {")
    assert main(["show", str(run)]) == 0
    out = capsys.readouterr().out
    assert "unknown: no status.json" in out
    assert "There is no config.json that can be read." in out
    assert "There is no provenance.json." in out


@pytest.mark.parametrize(
    "provenance", [[], {"git": 1, "machine": [], "call": "x", "packages": 3}, {"git": {"commit": 1}}]
)
def test_a_strange_provenance_breaks_nothing(tmp_path, provenance):
    run = make_run(tmp_path)
    (run / "provenance.json").write_text(json.dumps(provenance))
    assert main(["show", str(run), "--versions"]) == 0


def test_hostile_values_change_no_terminal(tmp_path, capsys):
    run = make_run(tmp_path, config={"\x1b[2J": "\x1b]0;x\x07\n"})
    assert main(["show", str(run)]) == 0
    assert "\x1b" not in capsys.readouterr().out
