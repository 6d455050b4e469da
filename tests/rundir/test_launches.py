import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.rundir.launches import (
    LaunchedRun,
    forget,
    is_at_work,
    process_start,
    read_launches,
    recorded,
    tidy,
)

LAUNCH = """
import subprocess, sys
from pathlib import Path
from spinup.rundir.launches import recorded
with recorded(Path(sys.argv[1]), sys.argv[2], 2, []):
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def launch(tmp_path):
    processes = []

    def start(name="other"):
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, tmp_path, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def runs_in(data_dir, *names):
    return [LaunchedRun(name, 0, f"{data_dir}/{name}/{name}_s0", is_to_run=True) for name in names]


def test_a_launch_is_on_record_while_it_lives(tmp_path):
    runs = [*runs_in(tmp_path, "a", "b"), LaunchedRun("c", -3, f"{tmp_path}/c/c_s-3", is_to_run=False)]
    with recorded(tmp_path, "g", 4, runs) as path:
        (launch,) = read_launches(tmp_path)
        assert is_at_work(path)
    assert launch.is_live
    assert (launch.path, launch.grid_name, launch.width, launch.pid) == (path, "g", 4, os.getpid())
    assert launch.runs == tuple(runs)
    assert launch.process_start == process_start(os.getpid())
    assert launch.ended_at is None


def test_a_launch_that_has_ended_says_when(tmp_path):
    with pytest.raises(KeyboardInterrupt), recorded(tmp_path, "g", 1, runs_in(tmp_path, "a")) as path:
        raise KeyboardInterrupt
    (launch,) = read_launches(tmp_path)
    assert not launch.is_live
    assert not is_at_work(path)
    assert launch.ended_at >= launch.started_at
    assert launch.runs == tuple(runs_in(tmp_path, "a"))
    assert list(path.parent.iterdir()) == [path]


def test_a_killed_launcher_is_not_live_even_while_a_child_of_it_is(tmp_path, launch):
    process = launch()
    assert read_launches(tmp_path)[0].is_live
    process.kill()
    process.wait()
    (found,) = read_launches(tmp_path)
    assert (found.is_live, found.ended_at) == (False, None)


def test_the_next_launch_removes_what_dead_ones_of_its_grid_have_left(tmp_path, launch):
    for name in ("g", "g2"):
        process = launch(name)
        process.kill()
        process.wait()
    launch("g")
    shelf = tmp_path / ".launches"
    (shelf / ".g@x.json.0123abcd.tmp").write_text("torn")
    with recorded(tmp_path, "g", 1, []):
        found = [(each.grid_name, each.is_live) for each in read_launches(tmp_path)]
    assert sorted(found) == [("g", True), ("g", True), ("g2", False)]
    assert list(shelf.glob(".*")) == []


@given(names=st.lists(st.text(max_size=300), min_size=2, max_size=2, unique=True))
def test_whatever_grids_are_called_they_do_not_meet(tmp_path_factory, names):
    data_dir = tmp_path_factory.mktemp("data")
    for name in names:
        with recorded(data_dir, name, 1, []):
            pass
    assert sorted(launch.grid_name for launch in read_launches(data_dir)) == sorted(names)
    assert {path.parent for path in data_dir.rglob("*.json")} == {data_dir / ".launches"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"runs": 1}', b"[" * 100_000])
def test_a_damaged_record_is_passed_over(tmp_path, content):
    with recorded(tmp_path, "g", 1, []) as path:
        pass
    (path.parent / "damaged.json").write_bytes(content)
    assert [launch.path for launch in read_launches(tmp_path)] == [path]


@pytest.mark.parametrize(
    ("field", "value"),
    [("pid", "1"), ("pid", True), ("runs", [[1, 2, 3, 4]]), ("runs", [[]]), ("host", None)],
)
def test_a_record_with_a_strange_field_is_passed_over(tmp_path, field, value):
    with recorded(tmp_path, "g", 1, []) as path:
        pass
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    assert read_launches(tmp_path) == []


@pytest.mark.parametrize("directory", ["/etc", "../x", "a/../../x", "a\0b"])
def test_a_record_leads_nowhere_outside(tmp_path, directory):
    with recorded(tmp_path, "g", 1, []) as path:
        pass
    path.write_text(json.dumps({**json.loads(path.read_text()), "runs": [["a", 0, directory, True]]}))
    assert read_launches(tmp_path)[0].runs == ()


def test_links_are_not_followed(tmp_path, capsys):
    with recorded(tmp_path / "real", "g", 1, []) as path:
        pass
    (tmp_path / "one" / ".launches").mkdir(parents=True)
    (tmp_path / "one" / ".launches" / "x.json").symlink_to(path)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / ".launches").symlink_to(path.parent)
    assert read_launches(tmp_path / "one") == read_launches(tmp_path / "two") == []
    before = list(path.parent.iterdir())
    with recorded(tmp_path / "two", "g", 1, []) as nothing:
        assert nothing is None
    assert list(path.parent.iterdir()) == before
    assert "is a symbolic link" in capsys.readouterr().out


def test_runs_can_be_taken_off_the_record_of_a_launch_that_is_over(tmp_path):
    a, b = runs_in(tmp_path, "a", "b")
    with recorded(tmp_path, "g", 1, [a, b]):
        forget(tmp_path, {a.directory})
        assert read_launches(tmp_path)[0].runs == (a, b)
    before = read_launches(tmp_path)[0]
    forget(tmp_path, {a.directory})
    (after,) = read_launches(tmp_path)
    assert after.runs == (b,)
    assert (after.ended_at, after.command_line) == (before.ended_at, before.command_line)
    forget(tmp_path, {b.directory})
    assert read_launches(tmp_path) == []


def test_a_process_that_is_not_there_has_no_start():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert process_start(process.pid) is None


def test_two_processes_have_different_starts():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        assert process_start(process.pid) not in {None, process_start(os.getpid())}


def test_a_launch_that_cannot_be_put_on_record_goes_on_and_says_so(tmp_path, capsys):
    (tmp_path / ".launches").write_text("")
    with recorded(tmp_path, "g", 1, []) as nothing:
        assert nothing is None
    assert "cannot be put on record" in capsys.readouterr().out


def test_what_a_killed_launcher_was_writing_is_removed(tmp_path):
    with recorded(tmp_path, "g", 1, []) as path:
        held = list(path.parent.iterdir())
        (path.parent / f".{path.name}.0123abcd.tmp").write_text("{")
        tidy(tmp_path)
        assert list(path.parent.iterdir()) == held
