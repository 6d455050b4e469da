import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from cli.made_runs import held, make_run
from utils import thunks

from spinup import ExperimentGrid
from spinup.cli.main import main
from spinup.cli.status import Scout, drawn
from spinup.rundir.launches import LaunchedRun, read_launches, recorded


@pytest.fixture
def data(tmp_path):
    for seed in (0, 10):
        make_run(tmp_path, "g_lr1", seed)
    make_run(tmp_path, "g_lr2", 0, state="failed", reason="exception", message="ValueError: boom")
    make_run(tmp_path, "g_lr2", 10, state="running", returns=("nan",))
    return tmp_path


def planned(data, *names):
    return [
        LaunchedRun(name, seed, f"{data}/{name}/{name}_s{seed}", True) for name in names for seed in (0, 10)
    ]


def text_of(survey, width=None):
    return ["".join(piece for piece, _ in line) for line in drawn(survey, width)]


def test_the_table_by_variant(data, capsys):
    assert main(["status", str(data)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(data),
        "variant  done  failed  interrupted  elapsed  return",
        "g_lr1     2/2                          1:40     1.5",
        "g_lr2     0/2       1            1     1:40     nan",
        "4 runs: 2 done, 1 failed, 1 interrupted",
    ]


def test_a_launch_that_lives_tells_how_many_are_to_come(data, capsys):
    with held(data / "g_lr2" / "g_lr2_s10"), recorded(data, "g", 2, planned(data, "g_lr2", "g_lr3")):
        assert main(["status", str(data)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"g_lr2 +0/2 +1 +1 ", out)  # one runs; the one that failed earlier waits
    assert re.search(r"g_lr3 +0/2 +2 ", out)
    assert f"g: 2 at a time, launched by process {os.getpid()} on " in out
    assert "done in about" not in out  # none of its runs is done yet


def test_a_grid_puts_itself_on_record(tmp_path):
    for values in ([1], [1, 2]):
        eg = ExperimentGrid(name="g")
        eg.add("a", values, in_name=True)
        eg.run(thunks.add, data_dir=tmp_path, parallel=1, gpus=None)
    (launch,) = read_launches(tmp_path)
    assert (launch.grid_name, launch.width, launch.is_live) == ("g", 1, False)
    assert [(run.name, run.is_to_run) for run in launch.runs] == [("g_a1", False), ("g_a2", True)]


def test_a_killed_launcher_is_told(data, capsys):
    with recorded(data, "g", 2, planned(data, "g_lr3")) as path:
        facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "ended_at": None}))
    assert main(["status", str(data)]) == 0
    out = capsys.readouterr().out
    assert "2 not begun" in out
    assert re.search(r"g: the launcher of \d{4}-\d\d-\d\d \d\d:\d\d was killed. Launch it again", out)


def test_a_part_of_the_results_can_be_looked_at(data, capsys):
    with recorded(data, "g", 2, planned(data, "g_lr2", "g_lr3")):
        assert main(["status", str(data / "g_lr2")]) == 0
    out = capsys.readouterr().out
    assert "g_lr1" not in out
    assert "g_lr3" not in out
    assert "2 runs: " in out


def test_several_directories_have_a_table_each(data, tmp_path_factory, capsys):
    other = tmp_path_factory.mktemp("other")
    assert main(["status", str(data), str(other)]) == 0
    assert capsys.readouterr().out.endswith(f"\n\n{other}\nNo runs here.\n")


def test_the_default_is_where_results_go(data, monkeypatch, capsys):
    monkeypatch.setattr("spinup.user_config.DEFAULT_DATA_DIR", str(data))
    assert main(["status"]) == 0
    assert capsys.readouterr().out.startswith(str(data))


def test_the_json_is_what_the_documents_say(data, capsys):
    with recorded(data, "g", 2, planned(data, "g_lr1")):
        pass
    assert main(["status", "--json", str(data)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"format", "at", "directories"}
    assert document["format"] == 1
    (found,) = document["directories"]
    assert set(found) == {"directory", "variants", "launches"}
    one, two = found["variants"]
    assert (one["exp_name"], one["num_runs"], one["done"], one["last_return"]) == ("g_lr1", 2, 2, 1.5)
    assert (two["failed"], two["interrupted"], two["last_return"]) == (1, 1, "NaN")
    assert set(one) == {
        *("exp_name", "directory", "num_runs", "done", "running", "queued", "failed", "interrupted"),
        *("not_begun", "unknown", "stale", "elapsed_s", "eta_s", "last_return", "runs"),
    }
    assert two["runs"][0] == {
        "seed": 0,
        "directory": str(data / "g_lr2" / "g_lr2_s0"),
        "state": "failed",
        "reason": "exception",
        "message": "ValueError: boom",
        "host": two["runs"][0]["host"],
        "started_at": "2026-01-01T10:00:00.000Z",
        "ended_at": "2026-01-01T10:01:40.000Z",
        "changed_files": [],
        "eta_s": None,
        "last_return": 1.5,
    }
    assert set(found["launches"][0]) == {
        *("grid_name", "is_live", "host", "pid", "width", "num_runs", "started_at", "ended_at"),
        *("command_line", "working_directory"),
    }


def test_changed_code_is_told(data):
    survey = Scout().survey(data)
    (variant, *_) = survey.variants
    entry = replace(variant.entries[0], changed=("train.py",))
    stale = replace(survey, variants=[replace(variant, entries=(entry, *variant.entries[1:]))])
    assert text_of(stale)[-3:] == [
        "g_lr1     2/2      1     1:40     1.5",
        "2 runs: 2 done, 1 stale",
        "Stale: train.py changed since.",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_fits_its_terminal(data, width):
    make_run(data, "g_lr3" + "_very_long" * 15, 0)
    assert max(map(len, text_of(Scout().survey(data), width)[1:])) <= width


def test_hostile_names_change_no_terminal(tmp_path, capsys):
    make_run(tmp_path, exp_name="\x1b[2Jg\nh", message="\x1b]0;x\x07")
    assert main(["status", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\\x1b[2Jg\\nh" in out


def test_a_run_of_another_state_is_looked_at_again(data):
    scout = Scout()
    scout.survey(data)
    status = data / "g_lr1" / "g_lr1_s0" / "status.json"
    status.write_text(status.read_text().replace('"done"', '"failed"'))
    assert scout.survey(data).variants[0].count("failed") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--watch", "--json"], 2, "choose one"),
        (["--watch"], 2, "needs a terminal"),
        (["/nonexistent/place"], 1, "There is no directory /nonexistent/place"),
        (["--unknown"], 2, "No such option"),
    ],
)
def test_what_cannot_be_done_is_said_in_two_lines_at_most(arguments, code, message, capsys):
    assert main(["status", *arguments]) == code
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) <= 2


def test_watching_draws_on_a_terminal_and_ends_well_by_ctrl_c(data):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "spinup", "status", "--watch", str(data)]
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environment, "TERM": "xterm"},
        preexec_fn=_own,  # noqa: PLW1509 - a new session alone does not take the terminal
    )
    os.close(slave)
    output = b""
    while b"Ctrl-C ends this" not in output:
        output += os.read(master, 1 << 16)
    os.write(master, b"\x03")
    assert process.wait(60) == 0
    os.close(master)
    assert b"4 runs: 2 done, 1 failed, 1 interrupted" in output
    assert b"\x1b[?25" not in output


def _own():
    """Make the terminal the process's own, so that Ctrl-C on it is its signal."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_link_in_place_of_a_run_is_said_and_not_followed(tmp_path, capsys, tmp_path_factory):
    outside = make_run(tmp_path_factory.mktemp("outside"), "g_lr1", 0)
    with recorded(tmp_path, "g", 1, planned(tmp_path, "g_lr1", "g_lr2")):
        (tmp_path / "g_lr1").mkdir()
        (tmp_path / "g_lr1" / "g_lr1_s0").symlink_to(outside)
        (tmp_path / "g_lr2").symlink_to(outside.parent)
    main(["status", str(tmp_path), "--json"])
    (place,) = json.loads(capsys.readouterr().out)["directories"]
    found = [(run["state"], run["reason"]) for variant in place["variants"] for run in variant["runs"]]
    link = ("unknown", "a symbolic link, not followed")
    assert found == [link, ("not_begun", None), link, link]
    main(["status", str(tmp_path)])
    assert "3 in place of which there is a link" in capsys.readouterr().out


def test_a_linked_variant_that_is_there_anyway_is_listed_once(tmp_path):
    make_run(tmp_path / "old", "g_lr1", 0)
    (tmp_path / "g_lr1").symlink_to("old/g_lr1")
    with recorded(tmp_path, "g", 1, planned(tmp_path, "g_lr1")[:1]):
        pass
    (variant,) = Scout().survey(tmp_path).variants
    assert [entry.state for entry in variant.entries] == ["done"]
