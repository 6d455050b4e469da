"""Scripts as users write them, run as users run them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ALGO = """
from spinup import EpochLogger

def train(env_fn, lr=0.1, epochs=2, seed=0, ac_kwargs=dict(), logger_kwargs=dict()):
    logger = EpochLogger(**logger_kwargs)
    logger.save_config(locals())
    env = env_fn()
    for epoch in range(epochs):
        observation, _ = env.reset(seed=seed + epoch)
        logger.store(EpRet=float(observation[0]) * lr)
        logger.log_tabular("Epoch", epoch)
        logger.log_tabular("EpRet", with_min_and_max=True)
        logger.dump_tabular()
"""
FIVE_LINES = """
from spinup.utils.run_utils import ExperimentGrid
from algo import train

eg = ExperimentGrid(name="bench")
eg.add("env_name", "CartPole-v1", "", True)
eg.add("seed", [10 * i for i in range(2)])
eg.add("lr", [0.1, 0.2])
eg.add("ac_kwargs:hidden_sizes", [(32,)], "hid")
eg.run(train, num_cpu=1)
"""


def python(*arguments, cwd, **options):
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, **options
    )


def states(data_dir):
    files = sorted(data_dir.glob("*/*/status.json"))
    return {file.parent.name: json.loads(file.read_text())["state"] for file in files}


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "my 'own' project"
    path.mkdir()
    (path / "algo.py").write_text(ALGO)
    return path


def test_the_five_lines_run_unchanged_without_a_main_guard(project):
    (project / "bench.py").write_text(FIVE_LINES)
    run = python("bench.py", cwd=project)
    assert run.returncode == 0, run.stderr
    assert states(project / "data") == {
        f"bench_cartpole-v1_lr0-{i}_s{seed}": "done" for i in (1, 2) for seed in (0, 10)
    }
    progress = (
        project / "data" / "bench_cartpole-v1_lr0-1" / "bench_cartpole-v1_lr0-1_s0" / "progress.txt"
    ).read_text()
    assert progress.splitlines()[0].split("\t") == [
        "Epoch",
        "AverageEpRet",
        "StdEpRet",
        "MaxEpRet",
        "MinEpRet",
    ]
    assert len(progress.splitlines()) == 3


def test_a_script_can_be_run_from_elsewhere(project, tmp_path):
    (project / "bench.py").write_text(FIVE_LINES)
    run = python(str(project / "bench.py"), cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert len(states(tmp_path / "data")) == 4


def test_a_module_run_with_m_works(project):
    package = project / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "algo.py").write_text(ALGO)
    (package / "bench.py").write_text(FIVE_LINES.replace("from algo", "from .algo"))
    run = python("-m", "pkg.bench", cwd=project)
    assert run.returncode == 0, run.stderr
    assert len(states(project / "data")) == 4


def test_functions_of_the_script_itself_and_its_globals_reach_the_child(project):
    (project / "own.py").write_text(
        "from spinup import call_experiment\n"
        "from algo import train\n"
        "SCALE = 3\n"
        "class Helper:\n    gain = SCALE\n"
        "def thunk(x):\n    return x * SCALE * Helper.gain\n"
        "print('RESULT', call_experiment('own', thunk, x=2).result)\n"
    )
    run = python("own.py", cwd=project)
    assert run.returncode == 0, run.stderr
    assert "RESULT 18" in run.stdout
    assert run.stdout.count("Running experiment") == 1


def test_a_cell_without_a_file_works(project):
    """What a notebook does: code of __main__ that is in no file."""
    code = (
        "from spinup import call_experiment\nk = 5\n"
        "print('RESULT', call_experiment('nb', lambda x: x * k, x=2).result)"
    )
    run = python("-", cwd=project, input=code)
    assert run.returncode == 0, run.stderr
    assert "RESULT 10" in run.stdout


def test_an_environment_that_the_script_registers_can_be_made_in_the_child(project):
    (project / "own.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "from spinup import call_experiment\n"
        "class Mine(CartPoleEnv):\n    pass\n"
        "gymnasium.register('Mine-v0', Mine, max_episode_steps=7)\n"
        "def thunk(env_fn):\n"
        "    env = env_fn()\n"
        "    return [type(env.unwrapped).__name__, env.spec.max_episode_steps]\n"
        "print('RESULT', call_experiment('own', thunk, env_name='Mine-v0').result)\n"
    )
    run = python("own.py", cwd=project)
    assert run.returncode == 0, run.stderr
    assert "RESULT ['Mine', 7]" in run.stdout


def test_a_module_that_registers_environments_can_be_named_with_them(project):
    (project / "my_envs.py").write_text(
        "import gymnasium\n"
        "entry = 'gymnasium.envs.classic_control:CartPoleEnv'\n"
        "gymnasium.register('Other-v0', entry, max_episode_steps=9)\n"
    )
    (project / "own.py").write_text(
        "from spinup import call_experiment\n"
        "print('RESULT', call_experiment('own', lambda env_fn: env_fn().spec.max_episode_steps,"
        " env_name='my_envs:Other-v0').result)\n"
    )
    run = python("own.py", cwd=project)
    assert run.returncode == 0, run.stderr
    assert "RESULT 9" in run.stdout


def test_a_failure_ends_the_script_with_a_short_traceback(project):
    (project / "own.py").write_text(
        "from spinup import call_experiment\n"
        "def thunk(x):\n    raise KeyError('not here')\n"
        "call_experiment('own', thunk, x='z' * 100_000)\n"
    )
    run = python("own.py", cwd=project)
    assert run.returncode == 1
    assert "KeyError: 'not here'" in run.stdout
    assert "ExperimentFailed" in run.stderr
    assert len(run.stderr) < 4_000


def test_a_thunk_in_spinning_ups_own_encoding_is_run(project):
    code = (
        "import base64, zlib, cloudpickle, sys\n"
        "print(base64.b64encode(zlib.compress(cloudpickle.dumps(lambda: print('DECODED')))).decode())"
    )
    encoded = python("-c", code, cwd=project).stdout.strip()
    entrypoint = Path(__file__).parents[2] / "spinup" / "utils" / "run_entrypoint.py"
    assert python(str(entrypoint), encoded, cwd=project).stdout == "DECODED\n"


def test_modules_of_the_user_hide_nothing_of_ours_and_ours_nothing_of_theirs(project):
    for name in ("logx", "plan", "console", "announce"):
        (project / f"{name}.py").write_text("OWNER = 'user'\n")
    (project / "own.py").write_text(
        "import announce, console, logx\n"
        "from spinup import call_experiment\n"
        "def thunk():\n    import announce, console, logx, plan\n"
        "    return [m.OWNER for m in (announce, console, logx, plan)]\n"
        "print('RESULT', call_experiment('own', thunk).result)\n"
    )
    run = python("own.py", cwd=project)
    assert run.returncode == 0, run.stderr
    assert "RESULT ['user', 'user', 'user', 'user']" in run.stdout


def test_ctrl_c_ends_the_run_and_is_recorded(project):
    (project / "own.py").write_text(
        "import signal\n"
        "from spinup import call_experiment\n"
        "def thunk():\n    print('READY', flush=True)\n    signal.pause()\n"
        "call_experiment('own', thunk)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-u", "own.py"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.stdout.readline().strip() != "READY":
            assert process.poll() is None
        process.send_signal(2)
        try:
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "KeyboardInterrupt" in stderr
    status = json.loads((project / "data" / "own" / "own_s0" / "status.json").read_text())
    assert (status["state"], status["reason"]) == ("failed", "interrupted")
    assert not Path(f"/proc/{status['pid']}").exists()


PAUSE_ONCE = """
import os, signal, subprocess
from spinup import call_experiment, ExperimentGrid
def thunk(lr=1):
    if not os.path.exists('again'):
        open('again', 'w').close()
        daemon = subprocess.Popen(['sleep', '1000'], start_new_session=True)
        print('READY', os.getpid(), daemon.pid, flush=True)
        signal.pause()
    return lr
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_ends_with_its_launcher_and_is_done_by_the_next(project, number):
    (project / "own.py").write_text(PAUSE_ONCE + "print('RESULT', call_experiment('own', thunk).result)\n")
    with subprocess.Popen(
        [sys.executable, "-u", "own.py"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not (line := process.stdout.readline()).startswith("READY"):
            assert process.poll() is None
        process.send_signal(number)
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()  # else a launcher that did not listen would be waited for, for ever
    pids = [int(pid) for pid in line.split()[1:]]
    psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=30)
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    run = python("own.py", cwd=project)
    assert "RESULT 1" in run.stdout, run.stderr
    status = json.loads((project / "data" / "own" / "own_s0" / "status.json").read_text())
    assert (status["state"], status["attempt"]) == ("done", 2)
    assert sorted(path.name for path in (project / "data" / "own").iterdir()) == ["own_s0"]


def test_the_same_script_run_again_goes_on_where_it_was_killed(project):
    grid = "eg = ExperimentGrid('g')\neg.add('lr', [1, 2, 3])\nrecords = eg.run(thunk)\n"
    grid += "print('RESULT', [record.result for record in records])\n"
    (project / "own.py").write_text(PAUSE_ONCE + grid)
    with subprocess.Popen([sys.executable, "own.py"], cwd=project, stdout=subprocess.PIPE) as process:
        status_files = [project / "data" / f"g_lr{lr}" / f"g_lr{lr}_s0" / "status.json" for lr in (2, 3)]
        while not all(file.exists() and '"done"' in file.read_text() for file in status_files):
            assert process.poll() is None
        process.kill()
    run = python("own.py", cwd=project)
    assert "RESULT [1, 2, 3]" in run.stdout, run.stderr
    assert "Plan: 2 done, kept · 1 failed or interrupted, again." in run.stdout
    third = python("own.py", cwd=project)
    assert "Plan: 3 done, kept." in third.stdout
