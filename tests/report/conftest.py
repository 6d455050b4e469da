import json

import pytest
from cli.made_runs import make_run

import spinup

LEVELS = {"base": 100.0, "gae-off": 60.0, "norm-off": 99.0}
NOISE = (0.0, 1.5, -1.0, 2.5, -2.0)


def returns(level, seed, num=6):
    return [level * (row + 1) / num + NOISE[seed] * (1 + 0.1 * row) for row in range(num)]


@pytest.fixture
def ablation(tmp_path):
    """A baseline and two changes, five seeds each."""
    changed = {"base": [], "gae-off": ["use_gae"], "norm-off": ["norm_obs"]}
    for name, level in LEVELS.items():
        for seed in range(5):
            # Not the same shift in each variant, so that pairs differ too.
            shift = NOISE[(2 * seed + len(name)) % 5]
            make_run(
                tmp_path,
                f"ppo_{name}",
                seed,
                returns=[value + shift for value in returns(level, seed)],
                config={
                    "use_gae": name != "gae-off",
                    "norm_obs": name != "norm-off",
                    "_ablation": {"is_baseline": name == "base", "changed": changed[name]},
                },
            )
    return tmp_path


@pytest.fixture
def grid(tmp_path):
    """Two hyperparameters, two values each, two seeds, no baseline."""
    for lr in (1, 2):
        for clip in (0.1, 0.2):
            for seed in (0, 1):
                make_run(
                    tmp_path,
                    f"g_lr{lr}_clip{clip}".replace(".", "-"),
                    seed,
                    returns=returns(50 * lr + 10 * clip * seed, seed),
                    config={"lr": lr, "clip": clip},
                )
    return tmp_path


def provenance(run, **fields):
    document = {
        "command_line": "/usr/bin/python train.py --lr 1",
        "working_directory": "/home/me/my project",
        "call": {"thunk": "train:train"},
        "git": {
            "commit": "a" * 40,
            "is_dirty": False,
            "diff": "",
            "diff_is_cut": False,
            "untracked_files": [],
        },
        "machine": {"host": "box", "cpu": "a fast one", "cpu_count": 8, "gpus": [], "python": "3.11.7"},
        "packages": {"numpy": "2.0.0", "torch": "2.4.0"},
        **fields,
    }
    (run / "provenance.json").write_text(json.dumps(document))


def report(path, **how):
    return spinup.make_report(spinup.load(path), **how)
