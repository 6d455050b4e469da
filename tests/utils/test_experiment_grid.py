import json
import pickle
import sys
import threading

import pytest
from utils import thunks

import spinup.user_config
from spinup import ExperimentGrid, GridFailed
from spinup.errors import GridError, NotPicklable, RunDirError, SettingError, ThunkError, UnknownEnvironment
from spinup.utils.run_options import parse_bytes


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
    assert "1 variants are equal to another one" in capfd.readouterr().out
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


def test_a_dry_run_starts_nothing_and_tells_the_directories(eg, tmp_path, capfd):
    eg.add("lr", [1, 3])
    assert eg.run(thunks.fail_sometimes, data_dir=tmp_path, dry_run=True) == []
    out = capfd.readouterr().out
    assert "Plan: 2 new." in out
    assert str(tmp_path / "g_lr3" / "g_lr3_s0") in out
    assert list(tmp_path.iterdir()) == []


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
        {"timeout": "1"},
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
