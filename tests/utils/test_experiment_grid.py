import json
import os
import pickle
import sys
import threading

import pytest
from utils import thunks

import spinup.user_config
from spinup import ExperimentGrid, GridFailed
from spinup.errors import (
    GridError,
    NotPicklable,
    RunDirError,
    SettingError,
    ThunkError,
    UnknownEnvironment,
    UnsafePath,
)
from spinup.launchers.gpus import Gpu
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import locked
from spinup.scheduler import run as scheduling
from spinup.utils import announce, run_options
from spinup.utils.run_options import parse_bytes

LONG_AGO = "2020-01-01T00:00:00.000Z"


@pytest.fixture
def eg():
    return ExperimentGrid(name="g")


def run_names(records):
    return [(record.name, record.seed) for record in records]


def test_each_variant_runs_under_its_name(eg, tmp_path):
    eg.add("lr", [1, 3])
    eg.add("seed", [0, 10])
    records = eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    assert run_names(records) == [("g_lr1", 0), ("g_lr1", 10), ("g_lr3", 0), ("g_lr3", 10)]
    assert [record.result for record in records] == [1, 1, 3, 3]
    assert {record.state for record in records} == {"done"}
    assert records[3].directory == tmp_path / "g_lr3" / "g_lr3_s10"


def test_the_thunk_can_be_a_parameter(eg, tmp_path):
    eg.add("algo", [thunks.add, thunks.tell])
    eg.add("a", 5)
    records = eg.run("algo", data_dir=tmp_path)
    assert [record.result for record in records] == [6, ["a", "logger_kwargs", "seed"]]
    assert json.loads((records[0].directory / "config.json").read_text())["algo"] == "add"


@pytest.mark.parametrize("thunk", ["a", "nope"])
def test_a_parameter_that_is_no_thunk_is_an_error(eg, tmp_path, thunk):
    eg.add("algo", [thunks.add])
    eg.add("a", [1])
    with pytest.raises(GridError, match="those of 'algo' are"):
        eg.run(thunk, data_dir=tmp_path)


def test_a_failure_does_not_stop_the_others(eg, tmp_path, capfd):
    eg.add("lr", [1, 2, 3])
    with pytest.raises(GridFailed, match="1 of 3 runs failed, the first of them 'g_lr2'") as caught:
        eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    assert [record.state for record in caught.value.records] == ["done", "failed", "done"]
    out = capfd.readouterr().out
    assert "ValueError: two is too much" in out
    assert out.index("2 of 3 runs are done") < out.index(
        str(tmp_path / "g_lr2" / "g_lr2_s0" / "output.log")
    )


@pytest.mark.parametrize(
    ("error", "thunk", "key", "values"),
    [
        (ThunkError, thunks.add, "A", [1]),
        (UnknownEnvironment, thunks.make_env, "env_name", ["CartPole-v1", "CartPol-v1"]),
        (NotPicklable, thunks.tell, "x", [1, threading.Lock()]),
    ],
)
def test_all_is_checked_before_anything_starts(eg, tmp_path, error, thunk, key, values):
    eg.add(key, values)
    with pytest.raises(error):
        eg.run(thunk, data_dir=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_the_error_names_the_value_that_cannot_be_pickled(eg, tmp_path):
    eg.add("x", [1, {"lock": threading.Lock()}])
    with pytest.raises(NotPicklable, match=r"Value 1 of the parameter 'x'\['lock'\]"):
        eg.run(thunks.tell, data_dir=tmp_path)


def test_a_data_dir_that_cannot_be_written_is_found_first(eg, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirError, match="Nothing was started"):
        eg.run(thunks.tell, data_dir=tmp_path / "file" / "data")


def test_equal_variants_run_once_and_that_is_said(eg, tmp_path, capfd):
    eg.add("a", [1, 1, 2])
    assert [record.result for record in eg.run(thunks.add, data_dir=tmp_path)] == [2, 3]
    assert "1 variant is equal to another one" in capfd.readouterr().out
    assert not (tmp_path / ".archive").exists()


def test_variants_that_would_share_a_directory_are_an_error(eg, tmp_path):
    eg.add("a", [1, 2])
    eg.add("logger_kwargs", {"output_dir": str(tmp_path / "same")})
    with pytest.raises(GridError, match="would write to one directory"):
        eg.run(thunks.tell, data_dir=tmp_path)


def test_clashing_shorthands_keep_their_results_apart(eg, tmp_path):
    eg.add("use_gae", [True, False])
    eg.add("use_norm", [True, False])
    records = eg.run(lambda use_gae, use_norm: [use_gae, use_norm], data_dir=tmp_path)
    assert len({record.directory for record in records}) == 4
    assert [record.result for record in records] == [
        [True, True],
        [True, False],
        [False, True],
        [False, False],
    ]


def test_a_grid_without_name_or_parameters_runs(tmp_path):
    (record,) = ExperimentGrid().run(thunks.tell, data_dir=tmp_path)
    assert (record.name, record.state) == ("", "done")


def test_a_nested_value_reaches_the_thunk(eg, tmp_path):
    eg.add("ac_kwargs:hidden_sizes", [(8, 8)])
    (record,) = eg.run(lambda ac_kwargs: ac_kwargs, data_dir=tmp_path)
    assert record.result == {"hidden_sizes": [8, 8]}
    assert json.loads((record.directory / "config.json").read_text())["ac_kwargs"] == {
        "hidden_sizes": [8, 8]
    }


def test_the_report_tells_name_parameters_and_counts(eg, capfd):
    eg.add("ac_kwargs:hidden_sizes", [(64, 64), (32,)], "hid")
    eg.add("seed", range(30))
    eg.print()
    out = capfd.readouterr().out
    assert "ExperimentGrid [g] runs over parameters" in out
    assert "ac_kwargs:hidden_sizes" in out
    assert "[hid]" in out
    assert "\t[64, 64]\n\t[32]\n" in out
    assert "... and 10 more" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["Variants,", "counting", "seeds:", "60"] in lines
    assert ["Variants,", "not", "counting", "seeds:", "2"] in lines
    assert "\x1b[" not in out


def test_there_is_no_countdown_without_a_terminal(eg, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(spinup.user_config, "WAIT_BEFORE_LAUNCH", 10_000)
    eg.run(thunks.tell, data_dir=tmp_path)
    assert "Launch delayed" not in capfd.readouterr().out


def test_a_date_stamp_is_the_same_for_the_whole_grid(eg, tmp_path):
    eg.add("lr", [1, 3])
    records = eg.run(thunks.fail_sometimes, data_dir=tmp_path, datestamp=True)
    stamps = {record.directory.name[:19] for record in records}
    assert len(stamps) == 1
    assert records[0].directory.name.endswith("_g_lr1_s0")
    assert records[0].directory.parent.name == f"{stamps.pop()[:10]}_g_lr1"


def test_whatever_is_in_the_way_of_one_run_does_not_stop_the_others(eg, tmp_path):
    (tmp_path / "g_lr1").write_text("a file where a directory should be")
    eg.add("lr", [1, 3])
    with pytest.raises(GridFailed) as caught:
        eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    assert [record.state for record in caught.value.records] == ["failed", "done"]
    assert pickle.loads(pickle.dumps(caught.value)).records == caught.value.records


@pytest.mark.parametrize("value", ["5", None])
def test_a_wait_that_is_no_number_is_named(eg, tmp_path, monkeypatch, value):
    monkeypatch.setattr(spinup.user_config, "WAIT_BEFORE_LAUNCH", value)
    with pytest.raises(SettingError, match="WAIT_BEFORE_LAUNCH"):
        eg.run(thunks.tell, data_dir=tmp_path)


def test_a_date_stamp_that_is_text_is_named(eg, tmp_path, monkeypatch):
    monkeypatch.setattr(spinup.user_config, "FORCE_DATESTAMP", "false")
    with pytest.raises(SettingError, match="FORCE_DATESTAMP"):
        eg.run(thunks.tell, data_dir=tmp_path)


def has_cartpole(env_fn):
    return "gymnasium.envs.classic_control.cartpole" in sys.modules


@pytest.mark.skipif(sys.platform != "linux", reason="warm starts need Linux")
@pytest.mark.parametrize(("isolation", "is_there"), [("warm", True), ("fresh", False)])
def test_a_warm_run_finds_imported_what_it_needs(eg, tmp_path, isolation, is_there):
    eg.add("env_name", "CartPole-v1")
    (record,) = eg.run(has_cartpole, data_dir=tmp_path, isolation=isolation)
    assert record.result is is_there


def test_a_dry_run_writes_nothing_and_tells_the_directories(eg, tmp_path, capfd):
    eg.add("lr", [1, 3])
    data_dir = tmp_path / "data"
    assert eg.run(thunks.fail_sometimes, data_dir=data_dir, dry_run=True) == []
    out = capfd.readouterr().out
    assert "Plan: 2 new." in out
    assert f"  new             {data_dir / 'g_lr3' / 'g_lr3_s0'}\n" in out
    assert "Preparing to run" not in out
    assert list(tmp_path.iterdir()) == []


def test_where_all_is_done_nothing_is_announced_but_that(eg, tmp_path, capfd):
    eg.add("lr", [1, 3])
    eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    capfd.readouterr()
    eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    out = capfd.readouterr().out
    assert "Preparing to run" not in out
    assert "Plan: 2 done, kept.\n====" in out
    assert "2 of 2 runs are done.\nResults are in" in out


def test_what_is_about_to_run_is_announced(eg, tmp_path, capfd):
    eg.add("lr", [1, 3])
    eg.add("seed", [0, 1])
    eg.run(thunks.fail_sometimes, data_dir=tmp_path, parallel=2)
    out = capfd.readouterr().out
    assert f"g_lr1\ng_lr3\n\n4 runs of 2 experiments, below {tmp_path}\n" in out


@pytest.mark.parametrize("value", ["False", None, 1, []])
@pytest.mark.parametrize("name", ["dry_run", "datestamp"])
def test_a_flag_that_is_no_bool_is_named(eg, tmp_path, name, value):
    with pytest.raises(
        SettingError, match=f"{name} must be True or False, not {value!r}".replace("[", r"\[")
    ):
        eg.run(thunks.tell, data_dir=tmp_path / "data", **{name: value})
    assert list(tmp_path.iterdir()) == []


def status_of(record, **changes):
    """Make the run's status another."""
    file = record.directory / "status.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_rerun_none_does_new_runs_alone(eg, tmp_path, capfd):
    eg.add("lr", [1, 3, 4, 5])
    first = eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    status_of(first[0], state="running")
    status_of(first[1], state="failed", reason="interrupted")
    status_of(first[2], identity="another")
    before = {file: file.read_bytes() for file in tmp_path.glob("g_*/**/*") if file.is_file()}
    eg = ExperimentGrid(name="g")
    eg.add("lr", [1, 3, 4, 5, 6])
    capfd.readouterr()
    with pytest.raises(GridFailed, match="Of 5 runs, 1 was interrupted, 1 was left unfinished, 1 was left"):
        eg.run(thunks.fail_sometimes, data_dir=tmp_path, rerun="none")
    out = capfd.readouterr().out
    assert (
        "Plan: 1 done, kept · 1 new · 2 unfinished, kept · 1 with another config, kept as they are." in out
    )
    assert (
        "2 of 5 runs are done.\n"
        "1 was interrupted, 1 was left unfinished, 1 was left with another config.\n" in out
    )
    assert {file: file.read_bytes() for file in before} == before
    assert (tmp_path / "g_lr6" / "g_lr6_s0" / "result.json").exists()
    assert not (tmp_path / ".archive").exists()


def test_rerun_none_leaves_what_is_no_run_of_ours(eg, tmp_path, capfd):
    old = tmp_path / "g" / "g_s0"
    old.mkdir(parents=True)
    (old / "progress.txt").write_text("Epoch\n1\n")
    assert eg.run(thunks.tell, data_dir=tmp_path, rerun="none") == []
    assert "Plan: 1 with another config, kept as they are." in capfd.readouterr().out
    assert [file.name for file in old.iterdir()] == ["progress.txt"]


def test_of_a_grid_that_stopped_early_runs_of_another_config_are_no_results(eg, tmp_path):
    eg.add("lr", [2, 3])
    eg.run(thunks.tell, data_dir=tmp_path)
    with pytest.raises(GridFailed, match=r"1 of 2 runs failed.*; 1 was not begun") as caught:
        eg.run(thunks.fail_sometimes, data_dir=tmp_path, parallel=1, on_failure="stop")
    assert run_names(caught.value.records) == [("g_lr2", 0)]


def test_the_plan_says_which_code_a_failed_run_begins_anew_for(eg, tmp_path, capfd):
    with pytest.raises(GridFailed) as caught:
        eg.run(thunks.fail, data_dir=tmp_path)
    status_of(caught.value.records[0], code={"utils/thunks.py": "0" * 16})
    capfd.readouterr()
    eg.run(thunks.fail, data_dir=tmp_path, dry_run=True)
    assert "Plan: 1 failed or interrupted, again from the start (utils/thunks.py changed since)." in (
        capfd.readouterr().out
    )


def test_the_plan_says_what_is_different_such_as_the_thunks_name(eg, tmp_path, capfd):
    eg.add("lr", [1])
    eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    eg.run(thunks.tell, data_dir=tmp_path, dry_run=True)
    assert (
        'Plan: 1 with another config (thunk: "utils.thunks:fail_sometimes" before, '
        '"utils.thunks:tell" now), archived first.'
    ) in capfd.readouterr().out


def test_a_run_that_another_launcher_is_doing_is_not_called_interrupted(eg, tmp_path, capfd):
    eg.add("lr", [1, 3])
    records = eg.run(thunks.fail_sometimes, data_dir=tmp_path)
    for record in records:
        status_of(record, state="running")
    capfd.readouterr()
    with locked(RunDir(records[0].directory)):
        eg.run(thunks.fail_sometimes, data_dir=tmp_path, dry_run=True)
    out = capfd.readouterr().out
    assert "Plan: 1 running elsewhere, waited for · 1 failed or interrupted, again." in out


def test_what_another_launcher_did_meanwhile_is_told(eg, tmp_path, capfd, monkeypatch):
    eg.add("lr", [1, 3])
    other = ExperimentGrid(name="g")
    other.add("lr", 1, in_name=True)
    launch_delay = announce.launch_delay

    def meanwhile(seconds):  # after the plan was made, and before the first run begins
        monkeypatch.setattr(announce, "launch_delay", launch_delay)
        monkeypatch.setattr(scheduling, "utc_now", lambda: LONG_AGO)
        other.run(thunks.fail_sometimes, data_dir=tmp_path)
        capfd.readouterr()

    monkeypatch.setattr(announce, "launch_delay", meanwhile)
    assert [record.result for record in eg.run(thunks.fail_sometimes, data_dir=tmp_path)] == [1, 3]
    out = capfd.readouterr().out
    assert "[1/2] runs have ended\n" in out
    assert "[2/2] g_lr3 seed 0 is done" in out
    assert "2 of 2 runs are done.\n1 was run by another launcher.\n" in out


def test_the_failure_that_stopped_a_grid_comes_before_what_it_stopped(eg, tmp_path, capfd):
    os.mkfifo(tmp_path / "fifo")
    eg.add("i", [1, 2, 3, 4])
    eg.add("fifo", str(tmp_path / "fifo"))
    with pytest.raises(GridFailed) as caught:
        eg.run(thunks.fail_while_another_runs, data_dir=tmp_path, parallel=2, on_failure="stop")
    text = str(caught.value)
    assert text.startswith(
        "1 of 4 runs failed, the first of them 'g_i2' (seed 0): exception: ValueError: 2 ("
    )
    assert text.endswith("); 1 was interrupted, 2 were not begun")
    out = capfd.readouterr().out
    assert (
        "0 of 4 runs are done.\n1 was interrupted, 2 were not begun. To go on, run the same again." in out
    )


def test_seeds_are_outermost(eg, tmp_path, capfd):
    eg.add("lr", [1, 3])
    eg.add("seed", [10, 0])
    eg.run(thunks.fail_sometimes, data_dir=tmp_path, parallel=1)
    begun = [line.split(" begins")[0] for line in capfd.readouterr().out.splitlines() if " begins" in line]
    assert begun == ["g_lr1 seed 10", "g_lr3 seed 10", "g_lr1 seed 0", "g_lr3 seed 0"]


def test_what_is_left_of_the_first_seed_comes_first(eg, tmp_path, capfd):
    eg.add("seed", [0, 10])
    eg.add("lr", [1, 3])
    records = eg.run(thunks.fail_sometimes, data_dir=tmp_path, parallel=1)
    (records[0].directory / "status.json").unlink()
    (records[1].directory / "status.json").write_text("{")
    (records[2].directory / "status.json").unlink()
    capfd.readouterr()
    eg.run(thunks.fail_sometimes, data_dir=tmp_path, parallel=1)
    begun = [line.split(" begins")[0] for line in capfd.readouterr().out.splitlines() if " begins" in line]
    assert begun == ["g_lr1 seed 0", "g_lr3 seed 0", "g_lr1 seed 10"]


@pytest.mark.parametrize(
    "keywords",
    [
        {"parallel": 0},
        {"parallel": "many"},
        {"retries": -1},
        {"timeout": 0},
        {"timeout": "soon"},
        {"isolation": "cold"},
        {"on_failure": "panic"},
        {"rerun": "some"},
        {"launcher": "slurm"},
        {"gpus_per_run": 1.5},
        {"gpus": "all"},
        {"gpus": [17]},
        {"memory_per_run": "much"},
    ],
    ids=str,
)
def test_a_keyword_that_cannot_be_used_is_named(eg, tmp_path, keywords):
    with pytest.raises(SettingError, match=next(iter(keywords))):
        eg.run(thunks.tell, data_dir=tmp_path / "data", **keywords)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "size"), [("4GB", 4 * 10**9), ("512MiB", 512 * 2**20), (1000, 1000), ("1.5k", 1500), ("7", 7)]
)
def test_memory_is_bytes_or_text(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"parallel": "Auto"}, "parallel must be 'auto' or an integer, 1 or more, not 'Auto'."),
        (
            {"gpus": "all"},
            "gpus must be 'auto', a number of GPUs, a list of their numbers, or None, not 'all'.",
        ),
        ({"launcher": "slurm"}, "launcher must be 'local', not 'slurm': this version has 'local' alone."),
        ({"retries": "1"}, "retries must be an integer, 0 or more, not '1'."),
    ],
    ids=str,
)
def test_the_error_says_what_a_keyword_takes(eg, tmp_path, keywords, text):
    with pytest.raises(SettingError) as caught:
        eg.run(thunks.tell, data_dir=tmp_path, **keywords)
    assert str(caught.value) == text


@pytest.mark.parametrize("hidden", [False, True])
def test_a_share_of_gpus_where_none_is_visible_is_an_error(eg, tmp_path, monkeypatch, hidden):
    monkeypatch.setattr(run_options, "discover_nvidia", lambda: [Gpu(0, "GPU-0")] if hidden else [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SettingError, match=r"gpus_per_run=0.5 needs a GPU.*pip install 'spinup\[gpu\]'"):
        eg.run(thunks.tell, data_dir=tmp_path, gpus_per_run=0.5)
    (record,) = eg.run(thunks.tell, data_dir=tmp_path, gpus_per_run=0.5, gpus=None)
    assert record.state == "done"


@pytest.mark.parametrize("values", [(i for i in range(3)), map(int, "12"), iter([1])], ids=repr)
def test_values_that_can_be_read_only_once_are_an_error(eg, values):
    with pytest.raises(GridError, match=r"The values of 'lr' are a .*list\(\.\.\.\)"):
        eg.add("lr", values)


@pytest.mark.parametrize(("seed", "has_advice"), [((0, 10), True), ({1}, True), ("1", False), (1.5, False)])
def test_a_wrong_seed_is_an_error_that_says_how_several_are_given(eg, tmp_path, seed, has_advice):
    eg.add("seed", seed)
    with pytest.raises(UnsafePath, match="must be an integer") as caught:
        eg.run(thunks.tell, data_dir=tmp_path)
    assert ("Several seeds are a list" in str(caught.value)) == has_advice


def test_what_a_run_says_cannot_change_the_terminal(eg, tmp_path, capfd):
    eg.add("message", "\x1b[2Jboom\rx")
    with pytest.raises(GridFailed) as caught:
        eg.run(thunks.fail, data_dir=tmp_path)
    status_of(caught.value.records[0], message="\x1b[2J\nboom")
    capfd.readouterr()
    with pytest.raises(GridFailed) as caught:
        eg.run(thunks.fail, data_dir=tmp_path, rerun="none")
    assert "exception: \\x1b[2J\\nboom (" in str(caught.value)
    out = capfd.readouterr().out
    assert "exception: \\x1b[2J\\nboom\n" in out
    assert "\x1b" not in out


def test_the_table_of_failures_is_no_wider_than_the_terminal(eg, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(spinup.console, "columns", lambda: 60)
    eg.add("message", "boom " * 30)
    eg.add("a_parameter_of_a_long_name", [1, 2], "a_parameter_of_a_long_name")
    with pytest.raises(GridFailed):
        eg.run(lambda message, a_parameter_of_a_long_name: thunks.fail(message), data_dir="data")
    table = (
        capfd.readouterr().out.partition("These failed:\n\n")[2].partition("Results are in")[0].splitlines()
    )
    assert table[0::2] == [f"  ...r_of_a_long_name{i}  seed 0      exception: ValueErro..." for i in (1, 2)]
    assert table[1] == "    data/g_a_parameter_of_a_long_name1/g_a_parameter_of_a_long_name1_s0/output.log"
