import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.made_runs import make_run

from spinup import user_config
from spinup.cli.main import main
from spinup.cli.thunks import load_command

HERE = Path(__file__).parent
TRAIN = "cli.thunks_for_cli:train"
PRINT_ARGUMENTS = "import sys; print(sys.argv[1:])"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(user_config, "WAIT_BEFORE_LAUNCH", 0)
    monkeypatch.setattr(user_config, "DEFAULT_DATA_DIR", "data")


def with_flag(flag, words):
    """``words`` and a flag, before the command if there is one."""
    end = words.index("--") if "--" in words else len(words)
    return ["run", *words[:end], flag, *words[end:]]


def run(capfd, *words):
    """The exit code, and the records by name and seed."""
    code = main(with_flag("--json", words))
    out, err = capfd.readouterr()
    rows = json.loads(out)["runs"] if out else []
    return code, {(row["exp_name"], row["seed"]): row for row in rows}, err


def planned(capfd, *words):
    """What a dry run says it would do: the configuration of each parameter, and all that is printed."""
    code = main(with_flag("--dry-run", words))
    out, err = capfd.readouterr()
    assert code == 0, err
    return out


def refused(capfd, *words):
    """The error of a command line with which nothing can be started."""
    assert main(["run", *words]) == 2
    _, err = capfd.readouterr()
    assert list(Path("data").glob("*")) == []
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 3
    return err


def test_a_grid_of_flags_is_run(capfd):
    code, runs, _ = run(
        capfd,
        TRAIN,
        "--lr",
        "1e-2",
        "1e-3",
        "--seed",
        "0:2",
        "--hid[h]",
        "[32,32]",
        "--use_gae",
        "--name=--x",
    )
    assert code == 0
    assert sorted(runs) == [
        ("cmd_train_lr0-001", 0),
        ("cmd_train_lr0-001", 1),
        ("cmd_train_lr0-01", 0),
        ("cmd_train_lr0-01", 1),
    ]
    row = runs["cmd_train_lr0-001", 1]
    assert row["state"] == "done"
    assert row["result"] == {
        "lr": 0.001,
        "name": "--x",
        "use_gae": True,
        "act": None,
        "ac_kwargs": {"hidden_sizes": [32, 32]},
        "timeout": None,
    }
    assert Path(row["directory"]) == Path("data/cmd_train_lr0-001/cmd_train_lr0-001_s1").absolute()


def test_values_can_be_functions_by_their_dotted_names(capfd):
    names = ["math.sqrt", "Net.build", "json.dumps", "no.such", "math"]
    code, runs, _ = run(capfd, TRAIN, "--act", *names)
    assert code == 0
    found = {row["result"]["act"] for row in runs.values()}
    assert found == {"sqrt", "Net.build", "dumps", "no.such", "math"}


def test_what_is_done_is_kept_when_the_same_is_run_again(capfd):
    assert run(capfd, TRAIN, "--steps", "1", "2")[0] == 0
    assert "Plan: 2 done, kept" in planned(capfd, TRAIN, "--steps", "1", "2")


def test_a_failed_run_is_exit_status_1(capfd):
    code, runs, err = run(capfd, "cli.thunks_for_cli:fail", "--a", "1")
    assert code == 1
    assert runs["cmd_fail", 0]["reason"] == "exception"
    assert "1 of 1 runs failed" in err


def test_the_option_goes_before_an_argument_of_the_same_name(capfd):
    code, runs, err = run(capfd, TRAIN, "--timeout", "1m", "--+timeout", "7")
    assert code == 0
    assert runs["cmd_train", 0]["result"]["timeout"] == 7
    assert "the argument of train is --+timeout" in err


def test_names_and_places_are_options(capfd):
    code, runs, _ = run(capfd, TRAIN, "--exp_name", "123", "--data_dir", "out")
    assert code == 0
    assert runs["123", 0]["directory"] == os.path.abspath("out/123/123_s0")


def test_the_long_way_and_dashes_are_the_same_options(capfd):
    out = planned(
        capfd, TRAIN, "--exp-name", "n", "--on-failure", "stop", "--memory_per_run", "4GB", "--cpu", "1"
    )
    assert "data/n/n_s0" in out


def test_a_thunk_can_be_in_a_file(capfd):
    Path("my-dir").mkdir()
    Path("my-dir/own_train.py").write_text("from own_helper import f\ndef go(a=1):\n    return f(a)\n")
    Path("my-dir/own_helper.py").write_text("def f(a):\n    return a + 1\n")
    code, runs, _ = run(capfd, "my-dir/own_train.py:go", "--a", "1", "2")
    assert code == 0
    assert [row["result"] for row in runs.values()] == [2, 3]


def test_an_environment_that_is_not_known_is_refused(capfd):
    assert "Did you mean CartPole-v1" in refused(capfd, "ars", "--env", "CartPol-v1")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seed", "0"], "Nothing to run is named"),
        (["ppo"], "'ppo' is not built in; ars is"),
        (["arss"], "Did you mean 'ars'?"),
        ([TRAIN, "--lrr", "1"], "train does not take --lrr. Did you mean --lr?"),
        ([TRAIN, "--use-gae"], "Did you mean --use_gae?"),
        ([TRAIN, "--paralel", "1"], "Did you mean --parallel?"),
        (["cli.thunks_for_cli:needs", "--gain", "1", "--act", "x"], "--act, which stands for --ac_kwargs"),
        (["cli.thunks_for_cli:needs", "--gain", "1"], "needs needs --env_name"),
        (["cli.thunks_for_cli:needs", "--env", "CartPole-v1"], "needs needs --gain"),
        ([TRAIN, "--lr", "abc"], "--lr takes float, not 'abc'"),
        ([TRAIN, "--timeout", "1", "2"], "--timeout takes one value, not 2"),
        ([TRAIN, "--timeout", "soon"], "timeout must be a time above 0"),
        ([TRAIN, "--memory", "much"], "memory_per_run must be bytes"),
        ([TRAIN, "--parallel", "x"], "--parallel takes an integer or auto"),
        ([TRAIN, "--rerun", "no"], "--rerun takes one of failed, stale, all, none"),
        ([TRAIN, "--dt", "perhaps"], "--dt takes True or False"),
        ([TRAIN, "--gpus", "x"], "--gpus takes auto, none"),
        ([TRAIN, "--exp_name", "../x"], "would leave data_dir"),
        ([TRAIN, "--env_name", "x"], "train does not take --env_name"),
        ([TRAIN, "--name", "a", "--+name", "b"], "--+name is --name, which is given too"),
        ([TRAIN, "--dry-run", "--json"], "a dry run has none"),
        ([TRAIN, "--", "echo"], "not both"),
        (["nowhere.py:f"], "There is no file 'nowhere.py'"),
        (["no_such_module:f"], "There is no module 'no_such_module'"),
        (["cli.thunks_for_cli:trian"], "Did you mean 'train'?"),
        (["cli.thunks_for_cli:not_a_function"], "is no function, but int 3"),
        ([TRAIN, "--only", "no_such"], "No variant has the name 'no_such'"),
        ([TRAIN, "--shard", "3/2"], "3/2"),
        (["no.toml"], "no.toml cannot be read"),
        (["--lr", "1", "--", "echo", "{lx}"], "--lr would change nothing"),
        (["--", "echo", "{lr}"], "echo needs --lr"),
        (["--lr", "1", "--", "echo", "{lr"], "'{' in '{lr' is no placeholder"),
        (["--lr", "1", "--", "no-such-program", "{lr}"], "There is no program 'no-such-program'"),
        (["--", "echo hi"], "leave out the quotes around the command"),
        (["--"], "There is no command behind --"),
        (["--lr", "1", "--", "echo", "{lr:x}"], "{lr:x} has no value: lr is 1, with no 'x' in it"),
        (["--ac", "{'x': 1}", "{}", "--", "echo", "{ac:x}"], "{ac:x} has no value: ac is {}"),
        (["--output_dir", "x", "--", "echo", "{output_dir}"], "--data_dir says where those are made"),
        (["--+exp_name", "x", "--", "echo", "{exp_name}"], "--exp_name says how those begin"),
        (
            ["cli.thunks_for_cli:needs", "--gain", "1", "--hid", "3"],
            "hidden_sizes. It takes: env_name, gain",
        ),
        (["ars", "--env", "Walker2d-v2"], "The newest version is 'Walker2d-v5'"),
        (["test_policy", "data"], "There is no test_policy here"),
        ([":f"], "':f' names no module before the colon"),
        (["..:f"], "'..:f' names no module before the colon"),
        (["--cpu", "2", "--", "echo"], "would start the whole command in each process"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(capfd, words, says):
    assert says in refused(capfd, *words)


def test_a_module_that_cannot_be_imported_is_named_with_the_place_of_the_error(capfd):
    Path("broken_one.py").write_text("x = 1\n1 / 0\n")
    Path("broken_two.py").write_text("def f(:\n")
    Path("broken_three.py").write_text("import no_such_thing\n")
    Path("broken_four.py").write_text("raise SystemExit(2)\n")
    assert "ZeroDivisionError" in (err := refused(capfd, "broken_one.py:f"))
    assert "broken_one.py, line 2" in err
    assert "broken_two.py, line 1" in refused(capfd, "broken_two.py:f")
    assert "no_such_thing" in refused(capfd, "broken_three.py:f")
    assert "ends when it is imported" in refused(capfd, "broken_four.py:f")


HOSTILE = "__import__('os').system('touch pwned')"
FLAGS = [
    "--lr",
    "--steps",
    "--name",
    "--use_gae",
    "--act",
    "--hid",
    "--ac_kwargs",
    "--seed",
    "--+timeout",
    "--env",
]
OPTIONS = [
    "--exp_name",
    "--data_dir",
    "--dt",
    "--parallel",
    "--cpu",
    "--gpus",
    "--gpus_per_run",
    "--memory",
]
MORE = [
    "--timeout",
    "--retries",
    "--on_failure",
    "--isolation",
    "--launcher",
    "--rerun",
    "--only",
    "--shard",
]
REST = ["--sample", "--sample-seed", "--grid", "--dry-run", "--json"]


@pytest.mark.parametrize("flag", [*FLAGS, *OPTIONS, *MORE, *REST])
@pytest.mark.parametrize("form", ["{}", "[{}]", "({},)", "log({},1,2)", "(lambda: {})()"])
def test_no_value_of_any_flag_is_evaluated(capfd, flag, form):
    main(["run", TRAIN, f"{flag}={form.format(HOSTILE)}", "--dry-run=True"])
    assert os.listdir() == []


@pytest.mark.parametrize(
    "word", [HOSTILE, f"--{HOSTILE}=1", f"--lr[{HOSTILE}]=1", f"{HOSTILE}:f", f"os:{HOSTILE}"]
)
def test_no_thunk_key_or_shorthand_is_evaluated(capfd, word):
    main(["run", *([word] if not word.startswith("--") else [TRAIN, word]), "--dry-run"])
    assert os.listdir() == []


def test_a_text_that_is_a_file_imports_nothing(capfd):
    Path("own_side_effect.py").write_text("open('pwned', 'w')\npy = 1\n")
    out = planned(capfd, TRAIN, "--act", "own_side_effect.py", "own_side_effect.no_such_name")
    assert not Path("pwned").exists()
    assert "own_side_effect.py" in out


def test_stdout_is_json_whatever_is_printed_on_import(capfd):
    Path("own_loud.py").write_text("print('hello')\ndef f(a=0):\n    pass\n")
    code, runs, err = run(capfd, "own_loud.py:f", "--a", "1")
    assert code == 0
    assert list(runs) == [("cmd_f", 0)]
    assert "hello" in err


def test_a_dotted_name_of_no_module_is_taken_as_text_with_a_word(capfd):
    assert main(["run", TRAIN, "--act", "no_such_module.nn.Tanh", "--dry-run"]) == 0
    assert "'no_such_module.nn.Tanh' is taken as text" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["python", "-c", "import sys; print(sys.argv)"], "cmd_python"),
        (["python", "-u", "sub/train.py", "-c", "x.y"], "cmd_train"),
        (["bash", "-c", "a.b"], "cmd_bash"),
    ],
)
def test_a_program_has_its_scripts_name_or_its_own(words, name):
    assert f"cmd_{load_command(words).name}" == name


def test_a_part_of_a_value_can_be_put_in(capfd):
    assert "/cmd_echo" in planned(capfd, "--ac:x", "1", "2", "--", "echo", "{ac:x}")


def test_any_program_can_be_run(capfd):
    code, runs, _ = run(
        capfd, "--exp_name", "bench", "--lr", "1e-3", "1e-4", "--seed", "0", "1", "--",
        sys.executable, "-c", PRINT_ARGUMENTS,
        "--lr={lr}", "{seed}", "{output_dir}", "$HOME; {{{exp_name}}}",
    )  # fmt: skip
    assert code == 0
    assert len(runs) == 4
    row = runs["bench_lr0-0001", 1]
    printed = Path(row["directory"], "output.log").read_text()
    assert printed == f"{['--lr=0.0001', '1', row['directory'], '$HOME; {bench_lr0-0001}']}\n"
    assert json.loads(Path(row["directory"], "config.json").read_text())["lr"] == 0.0001


def test_a_programs_exit_code_and_signal_are_the_runs(capfd):
    script = "import os, sys; n = int(sys.argv[1]); sys.exit(n) if n >= 0 else os.kill(os.getpid(), -n)"
    code, runs, _ = run(
        capfd,
        "--exp_name",
        "p",
        "--code",
        "0",
        "3",
        "-9",
        "-11",
        "--",
        sys.executable,
        "-c",
        script,
        "{code}",
    )
    assert code == 1
    reasons = [row["reason"] for row in runs.values()]
    assert reasons == [None, "exit code 3", "signal SIGKILL", "signal SIGSEGV"]


def test_the_files_of_a_program_are_its_code(capfd):
    Path("own_program.py").write_text("import own_part\n")
    Path("own_part.py").write_text("x = 1\n")
    Path("settings.txt").write_text("a\n")
    words = ["--exp_name", "p", "--", sys.executable, "own_program.py", "settings.txt"]
    assert run(capfd, *words)[0] == 0
    assert "1 done, kept" in planned(capfd, *words)
    Path("own_part.py").write_text("x = 2\n")
    Path("settings.txt").write_text("b\n")
    assert "1 stale (own_part.py, settings.txt changed since)" in planned(capfd, *words)


def test_a_program_may_know_environments_that_gymnasium_does_not(capfd):
    out = planned(capfd, "--env", "Mine-v0", "--env_name", "Yours-v0", "--", "echo", "{env}", "{env_name}")
    assert "Mine-v0" in out
    assert "Yours-v0" in out


def test_several_seeds_of_a_program_without_one_are_noted(capfd):
    assert main(["run", "--seed", "0", "1", "--dry-run", "--", "echo"]) == 0
    assert "No {seed} is in the command" in capfd.readouterr().err


GRID = """
name = "filed"
thunk = "cli.thunks_for_cli:train"

[run]
parallel = 1
timeout = "1h"

[[parameter]]
key = "lr"
values = [0.1, 0.2]
shorthand = "rate"

[[parameter]]
key = "steps"
values = [1]
"""


def test_a_grid_can_be_in_a_file_and_flags_go_before_it(capfd):
    Path("grid.toml").write_text(GRID)
    code, runs, _ = run(
        capfd, "grid.toml", "--lr", "0.5", "0.6", "--seed", "3", "--name", "x", "--exp_name", "other"
    )
    assert code == 0
    assert sorted(runs) == [("other_rate0-5", 3), ("other_rate0-6", 3)]
    out = planned(capfd, "grid.toml")
    assert "filed_rate0-1" in out
    assert "1 at a time" in out


def test_a_file_can_say_which_program_to_run_and_a_flag_which_file(capfd):
    Path("grid.toml").write_text(
        GRID.replace('thunk = "cli.thunks_for_cli:train"', 'command = ["echo", "{lr}", "{steps}"]')
    )
    assert run(capfd, "grid.toml", "--only", "0")[0] == 0
    Path("plain.toml").write_text(
        GRID.partition("[run]")[0].partition("thunk")[0] + GRID.partition('"1h"')[2]
    )
    assert "does not say what to run" in refused_later(capfd, "plain.toml")
    assert "filed_rate0-1" in planned(capfd, TRAIN, "--grid", "plain.toml")


def refused_later(capfd, *words):
    assert main(["run", *words]) == 2
    return capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "cannot be read"),
        ("thunk = 3", "thunk is a text"),
        ("command = 'echo'", "command is a list of texts"),
        ("thunk = 'ars'\ncommand = ['echo']", "stands without a command"),
        ("thunk = 'ars'\nrun = 3", "[run] is a table"),
        ("thunk = 'ars'\n[run]\nparalel = 3", "[run] has no 'paralel'"),
        ("thunk = 'ars'\nnope = 3", "A grid has no 'nope'"),
        ("thunk = 'ars'\nparameter = 3", "[[parameter]]"),
    ],
)
def test_a_file_that_is_wrong_is_refused(capfd, text, says):
    Path("grid.toml").write_text(text)
    assert says in refused(capfd, "grid.toml")


def test_the_help_of_a_thunk_shows_its_parameters(capfd):
    assert main(["run", TRAIN, "--help"]) == 0
    out = " ".join(capfd.readouterr().out.split())
    assert "Trains nothing." in out
    assert "--lr float Step size of the optimizer. [default: 0.001]" in out
    assert "--opt adam|sgd" in out
    assert "--+timeout" in out
    assert "--parallel N|auto" in out


def test_the_help_of_run_begins_with_examples(capfd):
    assert main(["run", "--help"]) == 0
    out = capfd.readouterr().out
    assert out.index("Examples:") < out.index("Options:")
    assert "spinup run ars --env CartPole-v1" in out
    assert main(["run"]) == 0
    assert capfd.readouterr().out == out


def test_each_keyword_of_run_has_a_flag():
    import inspect

    from spinup import ExperimentGrid
    from spinup.cli.options import ALL, KEYWORDS

    keywords = {*inspect.signature(ExperimentGrid.run).parameters} - {"self", "thunk"}
    assert keywords - {KEYWORDS.get(option.keyword, option.keyword) for option in ALL} == set()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_has_its_own_exit_status(tmp_path, number, code):
    os.mkfifo("ready")
    Path("waiting.py").write_text(
        "import signal\ndef f(a):\n    if a:\n        open('ready', 'w').close()\n        signal.pause()\n"
    )
    make_run(tmp_path / "data", "cmd_f_a2", config={"of": "an earlier run that was to be replaced"})
    words = ["run", "waiting.py:f", "--a", "0", "1", "2", "--parallel", "1", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "spinup", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with open("ready"):
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    found = {row["exp_name"]: (row["state"], row["reason"]) for row in json.loads(out)["runs"]}
    assert found == {"cmd_f_a0": ("done", None), "cmd_f_a1": ("failed", "interrupted")}
