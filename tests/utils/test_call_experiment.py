import functools
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from utils import thunks

import spinup.user_config
from spinup import ExperimentFailed, call_experiment, setup_logger_kwargs
from spinup.errors import (
    NotPicklable,
    RunDirError,
    RunIsLive,
    ThunkError,
    UnknownEnvironment,
    UnsafePath,
    UnsupportedNumCpu,
)
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import locked


@pytest.fixture
def call(tmp_path):
    return functools.partial(call_experiment, "x", data_dir=tmp_path)


def read(path):
    return json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"bare {name}"))


# -- What the thunk gets ---------------------------------------------------------------------


def test_the_record_says_name_seed_directory_state_and_result(call, tmp_path):
    record = call(thunks.add, seed=5, a=2)
    assert (record.name, record.seed, record.state, record.result) == ("x", 5, "done", 3)
    assert str(record.directory) == setup_logger_kwargs("x", 5, tmp_path)["output_dir"]
    assert (record.reason, record.message) == (None, None)


def test_a_thunk_that_takes_anything_gets_seed_logger_kwargs_and_env_fn(call):
    assert call(thunks.tell, lr=1, env_name="CartPole-v1").result == [
        "env_fn",
        "logger_kwargs",
        "lr",
        "seed",
    ]


def test_env_fn_makes_the_environment(call):
    assert call(thunks.make_env, env_name="CartPole-v1").result == "CartPole-v1"


def test_lambdas_partials_methods_objects_and_closures_are_thunks(call):
    k = 10
    assert call(lambda x: x * k, x=2).result == 20
    assert call(functools.partial(thunks.add, 1), b=5).result == 6
    assert call(thunks.Trainer(3).train, x=2).result == 6
    assert call(thunks.Trainer(4), x=2).result == 8


def test_the_child_has_the_parents_path_and_directory_and_a_session_of_its_own(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    child = call(thunks.surroundings).result
    assert child["cwd"] == str(tmp_path)
    assert child["sys_path"] == [os.path.join(tmp_path, path) for path in sys.path]
    assert child["session"] == child["pid"] != os.getsid(0)


def test_what_is_passed_cannot_be_seen_in_the_process_list(call):
    argv = call(lambda word: thunks.surroundings()["argv"], word="xyzzy-secret").result
    assert "xyzzy" not in argv
    assert len(argv) < 2000


def test_a_closure_of_200_megabytes_crosses(call):
    data = np.arange(25_000_000, dtype=np.float64)
    record = call(lambda: float(data.sum()))
    assert record.result == float(data.sum())
    assert not (record.directory / "payload.pkl").exists()


def test_nothing_that_was_passed_is_changed(call):
    nested = {"hidden": [64, 64]}

    def thunk(ac_kwargs):
        ac_kwargs["hidden"].append(0)
        ac_kwargs["new"] = 1

    call(thunk, ac_kwargs=nested)
    assert nested == {"hidden": [64, 64]}


# -- What is written -------------------------------------------------------------------------


def test_config_is_json_whatever_the_arguments_hold(call):
    cycle = []
    cycle.append(cycle)
    record = call(
        lambda **kw: None,
        array=np.array([1.0, np.nan]),
        cls=thunks.Trainer,
        cycle=cycle,
        mixed={1: "a", "1": "b", None: 2},
        pair=(1, 2),
        bad=float("inf"),
        number=np.float32(0.5),
        nothing=None,
        set={3, 1, 2},
    )
    config = read(record.directory / "config.json")
    assert config["array"] == [1.0, "NaN"]
    assert config["cls"] == "Trainer"
    assert config["cycle"] == ["<cycle>"]
    assert config["pair"] == [1, 2]
    assert config["bad"] == "Infinity"
    assert config["number"] == 0.5
    assert config["set"] == [1, 2, 3]
    assert sorted(config["mixed"].values(), key=str) == [2, "a", "b"]
    assert (config["exp_name"], config["seed"]) == ("x", 0)


def test_save_config_in_the_thunk_adds_to_the_config(call):
    record = call(thunks.log, lr=3, seed=1)
    config = read(record.directory / "config.json")
    assert (config["lr"], config["seed"], config["exp_name"]) == (3, 1, "x")
    assert config["logger_kwargs"]["exp_name"] == "x"
    assert (record.directory / "progress.txt").read_text().startswith("Epoch\tAverageEpRet\tStdEpRet\n0\t")


def test_status_and_provenance_tell_of_the_run(call):
    record = call(thunks.add, a=1, seed=2)
    status = read(record.directory / "status.json")
    assert (status["state"], status["exp_name"], status["seed"]) == ("done", "x", 2)
    assert status["queued_at"] <= status["started_at"] <= status["ended_at"]
    assert len(status["identity"]) == 64
    provenance = read(record.directory / "provenance.json")
    assert provenance["call"] == {
        "thunk": "utils.thunks:add",
        "parameters": {"a": 1},
        "seed": 2,
        "num_cpu": 1,
    }


def test_the_identity_does_not_depend_on_the_place(tmp_path):
    records = [
        call_experiment(name, thunks.add, data_dir=tmp_path / name, a=a)
        for name, a in [("x", 1), ("y", 1), ("z", 2)]
    ]
    identities = [read(record.directory / "status.json")["identity"] for record in records]
    assert identities[0] == identities[1] != identities[2]


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        ({"a": [1, (2, None)]}, {"a": [1, [2, None]]}),
        (np.float32(0.5), 0.5),
        (np.arange(3), [0, 1, 2]),
        (float("nan"), "NaN"),
        (0, 0),
    ],
    ids=repr,
)
def test_the_result_is_kept_when_json_can_say_it(call, result, kept):
    record = call(lambda: result)
    assert record.result == kept
    assert read(record.directory / "result.json") == kept


def test_a_result_that_json_cannot_say_is_not_kept_and_said_so(call):
    record = call(lambda: {"env": object()})
    assert record.result is None
    assert not (record.directory / "result.json").exists()
    assert "not kept" in (record.directory / "output.log").read_text()


def test_a_result_that_nobody_would_read_is_not_kept_and_said_so(call):
    def thunk():
        from spinup.rundir import config

        config.LARGEST_FILE_BYTES = 1000
        return "x" * 1000

    record = call(thunk)
    assert (record.state, record.result) == ("done", None)
    assert not (record.directory / "result.json").exists()
    assert "not kept: its 1003 bytes" in (record.directory / "output.log").read_text()


def test_output_goes_to_the_log_and_the_terminal(call, capfdbinary):
    record = call(
        lambda: (print("grüße", flush=True), os.write(1, b"\xff\xfe raw\n"), os.system("echo sub"))
    )
    log = (record.directory / "output.log").read_bytes()
    assert log == "grüße\n".encode() + b"\xff\xfe raw\nsub\n"
    assert log in capfdbinary.readouterr().out


def test_stderr_and_stdout_are_one_log(call, capfd):
    record = call(thunks.speak)
    assert (record.directory / "output.log").read_text() == "hello\nto stderr\n"
    assert "hello\nto stderr\n" in capfd.readouterr().out


def test_only_the_runs_files_are_left(call):
    record = call(thunks.add, a=1)
    names = {path.name for path in record.directory.iterdir()}
    assert names == {"config.json", "output.log", "provenance.json", "result.json", "status.json"}
    assert [path.name for path in record.directory.parent.iterdir()] == ["x_s0"]


# -- Failures --------------------------------------------------------------------------------


def test_a_thunk_that_raises_is_a_failed_run(call, capfd):
    with pytest.raises(
        ExperimentFailed, match=r"'x' \(seed 0\) failed: exception: ValueError: boom"
    ) as caught:
        call(thunks.fail)
    record = caught.value.record
    assert (record.state, record.reason, record.message) == ("failed", "exception", "ValueError: boom")
    trace = (record.directory / "error.txt").read_text()
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: boom\n")
    assert "spinup/jobs" not in trace
    assert trace in capfd.readouterr().out
    assert str(record.directory / "output.log") in str(caught.value)


def test_the_error_carries_no_payload(call):
    with pytest.raises(ExperimentFailed) as caught:
        call(thunks.fail, message="m", lr="z" * 100_000)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("thunk", "reason"),
    [
        (lambda: thunks.leave(3), "exit code 3"),
        (lambda: thunks.leave(0), "exit code 0 before the thunk returned"),
        (lambda: thunks.exit_with(4), "exit code 4"),
        (lambda: thunks.exit_with("no way"), "exit code 1"),
        (thunks.die, "signal SIGKILL"),
        (lambda: thunks.die(11), "signal SIGSEGV"),
    ],
    ids=["_exit", "_exit0", "sys.exit", "sys.exit text", "SIGKILL", "SIGSEGV"],
)
def test_ends_are_told_apart(call, thunk, reason):
    with pytest.raises(ExperimentFailed) as caught:
        call(thunk)
    assert caught.value.record.reason == reason
    assert read(caught.value.record.directory / "status.json")["state"] == "failed"


@pytest.mark.parametrize("code", [0, None])
def test_a_thunk_that_exits_well_is_done(call, code):
    assert call(thunks.exit_with, code=code).state == "done"


def test_a_thunk_that_closes_its_output_still_ends_well(call):
    assert call(lambda: (sys.stdout.close(), os.close(1), 5)[-1]).result == 5


def test_an_exception_whose_text_is_no_unicode_is_recorded(call):
    with pytest.raises(ExperimentFailed) as caught:
        call(thunks.fail, message="\udcff\x00")
    assert "ValueError" in caught.value.record.message


def test_a_thunk_that_deletes_its_directory_is_a_failed_or_done_run(call, tmp_path):
    with pytest.raises(ExperimentFailed) as caught:
        call(lambda: shutil.rmtree(tmp_path / "x" / "x_s0"))
    assert caught.value.record.state == "failed"


# -- Checks before anything starts -----------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (ThunkError, {"thunk": thunks.add, "A": 1}),
        (ThunkError, {"thunk": thunks.add}),
        (ThunkError, {"thunk": "add"}),
        (UnknownEnvironment, {"thunk": thunks.make_env, "env_name": "Nope-v0"}),
        (NotPicklable, {"thunk": thunks.add, "a": (i for i in ())}),
        (UnsafePath, {"thunk": thunks.add, "a": 1, "seed": "../../x"}),
        (UnsafePath, {"thunk": thunks.add, "a": 1, "exp_name": "../x"}),
        (UnsupportedNumCpu, {"thunk": thunks.add, "a": 1, "num_cpu": 0}),
        (UnsupportedNumCpu, {"thunk": thunks.add, "a": 1, "num_cpu": "many"}),
        (UnsupportedNumCpu, {"thunk": thunks.add, "a": 1, "num_cpu": True}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_work_is_said_before_anything_is_written(tmp_path, error, arguments):
    with pytest.raises(error):
        call_experiment(**{"exp_name": "x", "data_dir": tmp_path / "data", **arguments})
    assert list(tmp_path.iterdir()) == []


def test_a_data_dir_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(RunDirError, match="choose another data_dir"):
        call_experiment("x", thunks.add, data_dir=tmp_path / "data", a=1)


def test_a_run_that_is_live_is_left_alone(call, tmp_path):
    with locked(RunDir(tmp_path / "x" / "x_s0")), pytest.raises(RunIsLive):
        call(thunks.add, a=1)
    assert not (tmp_path / "x" / "x_s0").exists()


# -- Nothing is overwritten ------------------------------------------------------------------


def test_a_run_with_another_config_is_archived_with_a_line_that_says_so(call, tmp_path, capfd):
    call(thunks.add, a=1)
    capfd.readouterr()
    assert call(thunks.add, a=2).result == 3
    assert "a: 1 before, 2 now" in capfd.readouterr().out
    (archived,) = (tmp_path / ".archive").iterdir()
    assert read(archived / "result.json") == 2


def test_running_again_archives_the_run_before(call, tmp_path, capfd):
    for _ in range(3):
        call(thunks.add, a=1)
    assert "an earlier run of the same config (done)" in capfd.readouterr().out
    assert len(list((tmp_path / ".archive").iterdir())) == 2


def test_spinning_ups_own_directory_is_archived(call, tmp_path):
    old = tmp_path / "x" / "x_s0"
    old.mkdir(parents=True)
    (old / "progress.txt").write_text("Epoch\n0\n")
    call(thunks.log)
    (archived,) = (tmp_path / ".archive").iterdir()
    assert (archived / "progress.txt").read_text() == "Epoch\n0\n"


def test_files_that_are_no_run_are_left_alone(call, tmp_path):
    directory = tmp_path / "x" / "x_s0"
    directory.mkdir(parents=True)
    (directory / "thesis.tex").write_text("x")
    with pytest.raises(RunDirError, match=r"no run \(thesis\.tex\)"):
        call(thunks.add, a=1)
    assert (directory / "thesis.tex").exists()


def test_the_callers_own_output_dir_is_the_runs_directory(call, tmp_path):
    own = setup_logger_kwargs("mine", 3, tmp_path / "elsewhere")
    record = call(thunks.log, logger_kwargs=own, seed=3)
    assert str(record.directory) == own["output_dir"]
    assert {"progress.txt", "status.json"} <= {path.name for path in record.directory.iterdir()}
    assert "logger_kwargs" in read(record.directory / "config.json")


# -- Settings --------------------------------------------------------------------------------


def test_the_default_data_dir_is_read_when_it_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(spinup.user_config, "DEFAULT_DATA_DIR", str(tmp_path / "there"))
    assert call_experiment("x", thunks.add, a=1).directory == tmp_path / "there" / "x" / "x_s0"


def test_a_date_stamp_has_one_clock_reading(monkeypatch):
    directory = setup_logger_kwargs("x", 3, "d", datestamp=True)["output_dir"]
    _, experiment, run = directory.split("/")
    day, time, name = run.split("_", 2)
    assert (experiment, name) == (f"{day}_x", "x_s3")
    assert len(day) == 10
    assert [len(part) for part in time.split("-")] == [2, 2, 2]
    monkeypatch.setattr(spinup.user_config, "FORCE_DATESTAMP", True)
    assert setup_logger_kwargs("x", None, "d")["output_dir"] == f"d/{day}_x"


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )


def test_settings_come_from_the_environment():
    names = "u.DEFAULT_DATA_DIR, u.FORCE_DATESTAMP, u.WAIT_BEFORE_LAUNCH"
    code = f"from spinup import user_config as u; print({names})"
    run = run_python(
        code, SPINUP_DEFAULT_DATA_DIR="/d", SPINUP_FORCE_DATESTAMP="1", SPINUP_WAIT_BEFORE_LAUNCH="0.5"
    )
    assert run.stdout == "/d True 0.5\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("FORCE_DATESTAMP", "maybe"), ("WAIT_BEFORE_LAUNCH", "-1"), ("WAIT_BEFORE_LAUNCH", "x")],
)
def test_a_setting_that_cannot_be_used_is_named(name, value):
    run = run_python("import spinup.user_config", **{f"SPINUP_{name}": value})
    assert run.returncode != 0
    assert f"SPINUP_{name} is {value!r}" in run.stderr


def test_files_have_the_mode_that_the_umask_asks_for(call):
    record = call(thunks.add, a=1)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((record.directory / "config.json").stat().st_mode) == 0o644 & ~umask


# -- What a thunk may do ---------------------------------------------------------------------------


def write_own(logger_kwargs, result=None, *, fails=False):
    for name in ("result.json", "error.txt"):
        Path(logger_kwargs["output_dir"], name).write_text('{"mine": 1}')
    if fails:
        raise ValueError("boom")
    return result


def test_a_thunks_own_files_are_kept_and_not_taken_for_the_record(call):
    assert call(write_own).result is None
    record = call(write_own, result=5)
    assert record.result == 5
    assert read(record.directory / "result.thunk.json") == {"mine": 1}
    with pytest.raises(ExperimentFailed) as caught:
        call(write_own, fails=True)
    directory = caught.value.record.directory
    assert (directory / "error.thunk.txt").read_text() == '{"mine": 1}'
    assert "boom" in (directory / "error.txt").read_text()


def test_a_process_that_the_thunk_forks_is_not_the_run(call):
    def thunk():
        pid = os.fork()
        if pid == 0:
            return "the fork"
        os.waitpid(pid, 0)
        return "the run"

    assert call(thunk).result == "the run"


async def coroutine():
    return 1


def make_coroutine():
    return coroutine()


@pytest.mark.parametrize(
    "thunk", [make_coroutine, lambda: (i for i in range(3))], ids=["coroutine", "generator"]
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_a_result_of_which_nothing_has_run_is_a_failure(call, thunk):
    with pytest.raises(ExperimentFailed, match="nothing has run"):
        call(thunk)


def test_partial_logger_kwargs_are_completed(call):
    record = call(thunks.log, logger_kwargs={"output_fname": "train.txt"})
    assert (record.directory / "train.txt").exists()


def test_a_relative_output_dir_is_made_absolute(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = call(
        lambda logger_kwargs: logger_kwargs["output_dir"], logger_kwargs={"output_dir": "own/place"}
    )
    assert record.result == str(tmp_path / "own" / "place") == str(record.directory)


@pytest.mark.parametrize("code", [256, -256, 10**30])
def test_an_exit_code_that_wraps_to_zero_is_a_failure(call, code):
    with pytest.raises(ExperimentFailed):
        call(thunks.exit_with, code=code)


def test_the_message_is_type_and_first_line(call):
    with pytest.raises(ExperimentFailed) as caught:
        call(thunks.fail, message="first\nsecond\nthird")
    assert caught.value.record.message == "ValueError: first"


def test_the_text_of_an_exit_is_the_message(call):
    with pytest.raises(ExperimentFailed) as caught:
        call(thunks.exit_with, code="no data")
    assert (caught.value.record.reason, caught.value.record.message) == ("exit code 1", "no data")


def test_two_lambdas_are_two_configs(call, capfd):
    call(lambda f: f(1), f=lambda x: x)
    capfd.readouterr()
    record = call(lambda f: f(1), f=lambda x: -x)
    assert "another config (" in capfd.readouterr().out
    assert read(record.directory / "config.json")["f"].startswith("<lambda>@")


# -- What an earlier run may hold ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "status.json", "provenance.json"])
@pytest.mark.parametrize("kind", ["pipe", "link", "directory", "garbage"])
def test_whatever_an_earlier_run_holds_is_archived(call, tmp_path, name, kind):
    old = tmp_path / "x" / "x_s0"
    old.mkdir(parents=True)
    (old / "progress.txt").write_text("Epoch\n")
    if kind == "pipe":
        os.mkfifo(old / name)
    elif kind == "link":
        (old / name).symlink_to("/dev/zero")
    elif kind == "directory":
        (old / name).mkdir()
    else:
        (old / name).write_bytes(b"\xff[" * 1000)
    assert call(thunks.add, a=1).state == "done"
    assert len(list((tmp_path / ".archive").iterdir())) == 1


def test_an_archive_that_is_a_link_is_not_followed(call, tmp_path):
    (tmp_path / "outside").mkdir()
    call(thunks.add, a=1)
    (tmp_path / ".archive").symlink_to(tmp_path / "outside")
    with pytest.raises(RunDirError, match="symbolic link"):
        call(thunks.add, a=2)
    assert list((tmp_path / "outside").iterdir()) == []


# -- Bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("data_dir", [5, b"x", [1], "", "a\0b", "\ud800"])
def test_a_data_dir_that_is_no_path_is_named(data_dir):
    with pytest.raises(UnsafePath, match="data_dir must be the path"):
        call_experiment("x", thunks.add, data_dir=data_dir, a=1)


def test_numpys_integers_are_numbers_of_processes(call):
    assert call(thunks.add, a=1, num_cpu=np.int64(1)).result == 2


def test_errors_survive_pickling(call):
    with pytest.raises(ExperimentFailed) as caught:
        call(thunks.fail)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.record == caught.value.record
