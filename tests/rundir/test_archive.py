import json
import os

import pytest

from spinup.errors import RunDirError
from spinup.rundir.archive import archive, describe_difference
from spinup.rundir.layout import RunDir


def make_run(path, call=None, config=None):
    path.mkdir(parents=True)
    if call is not None:
        (path / "provenance.json").write_text(json.dumps({"call": call}))
    if config is not None:
        (path / "config.json").write_text(json.dumps(config))
    return RunDir(path)


def call_of(**parameters):
    return {"thunk": "m:f", "parameters": parameters, "seed": 0, "num_cpu": 1}


def test_the_archive_holds_all_that_was_there(tmp_path):
    run_dir = make_run(tmp_path / "x" / "x_s0", config={"a": 1})
    target = archive(run_dir, tmp_path)
    assert target.parent == tmp_path / ".archive"
    assert target.name.startswith("x_s0@")
    assert json.loads((target / "config.json").read_text()) == {"a": 1}
    assert not run_dir.path.exists()


def test_runs_archived_in_one_second_do_not_meet(tmp_path):
    targets = set()
    for number in range(4):
        run_dir = make_run(tmp_path / "x" / "x_s0", config={"number": number})
        targets.add(archive(run_dir, tmp_path))
    assert len(targets) == 4
    numbers = [json.loads((target / "config.json").read_text())["number"] for target in targets]
    assert sorted(numbers) == [0, 1, 2, 3]


def test_a_link_is_moved_and_what_it_points_to_stays(tmp_path):
    real = make_run(tmp_path / "real", config={"a": 1})
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "x_s0").symlink_to(real.path)
    target = archive(RunDir(tmp_path / "x" / "x_s0"), tmp_path)
    assert target.is_symlink()
    assert (real.path / "config.json").exists()


def test_a_directory_that_cannot_be_moved_is_an_error_and_stays(tmp_path):
    run_dir = make_run(tmp_path / "x" / "x_s0", config={"a": 1})
    (tmp_path / ".archive").write_text("a file is in the way")
    with pytest.raises(RunDirError, match="Nothing was overwritten"):
        archive(run_dir, tmp_path)
    assert run_dir.config.exists()


def test_a_long_name_can_be_archived(tmp_path):
    run_dir = make_run(tmp_path / ("a" * 255), config={})
    target = archive(run_dir, tmp_path)
    assert len(os.fsencode(target.name)) <= 255


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        (call_of(lr=0.1), call_of(lr=0.2), "lr: 0.1 before, 0.2 now"),
        (call_of(), call_of(lr=0.2), "lr: (not given) before, 0.2 now"),
        (call_of(lr=1), call_of(), "lr: 1 before, (not given) now"),
        (call_of(a={"b": 1}), call_of(a={"b": 2}), "a:b: 1 before, 2 now"),
        (call_of(lr=1), {**call_of(lr=1), "thunk": "m:g"}, 'thunk: "m:f" before, "m:g" now'),
        (call_of(lr=1), call_of(lr=1), ""),
        (call_of(lr=0), call_of(lr=0.0), "lr: 0 before, 0.0 now"),
        (call_of(a=[1, 2]), call_of(a=[True, 2]), "a: [1, 2] before, [true, 2] now"),
        (call_of(a=1, b=1, c=1, d=1, e=1), call_of(a=2, b=2, c=2, d=2, e=2), "and 2 more"),
        (call_of(x="a" * 99), call_of(x="b"), "..."),
    ],
)
def test_one_line_says_what_differs(tmp_path, before, now, line):
    text = describe_difference(make_run(tmp_path / "r", call=before), now)
    assert (line in text) if line else text == ""
    assert "\n" not in text


def test_spinning_ups_own_config_is_compared_in_what_is_asked(tmp_path):
    config = {"exp_name": "x", "seed": 0, "lr": 0.1, "logger": "something", "gamma": 0.9}
    run_dir = make_run(tmp_path / "r", config=config)
    assert describe_difference(run_dir, call_of(lr=0.2)) == "lr: 0.1 before, 0.2 now"
    assert describe_difference(run_dir, call_of(lr=0.1)) == ""


def test_a_damaged_config_is_said_to_be_unreadable(tmp_path):
    run_dir = make_run(tmp_path / "r")
    run_dir.config.write_text("{")
    assert describe_difference(run_dir, call_of(lr=1)) == "its config cannot be read"
