import json

import pytest
from cli.made_runs import make_run

import spinup
from spinup.cli.main import main


@pytest.fixture
def data(tmp_path):
    for lr in (1, 2, 3):
        for seed in range(3):
            values = [10 * lr + seed + 0.1 * row for row in range(6)]
            end = f"2026-01-01T10:0{lr}:00.000Z"
            config = {"lr": lr, "net": {"sizes": [lr, lr]}}
            make_run(tmp_path, f"g_lr{lr}", seed, returns=values, config=config, ended_at=end)
    return tmp_path


def best(capsys, *words):
    assert main(["best", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_best_come_first_with_their_seeds_and_hyperparameters(data, capsys):
    found = best(capsys, data, "--by", "return", "--n", 2)
    assert [one["exp_name"] for one in found["variants"]] == ["g_lr3", "g_lr2"]
    assert found["variants"][0]["hyperparameters"] == {"lr": 3, "net:sizes": [3, 3]}
    assert (found["variants"][0]["num_used"], found["num_variants"]) == (3, 3)


def test_where_gets_at_the_runs(data, capsys):
    one = best(capsys, data)["variants"][0]
    runs = spinup.load(data).where(one["where"])
    assert [run.path for run in runs] == one["directories"]


def test_where_has_the_name_if_hyperparameters_are_the_same(tmp_path, capsys):
    for name in ("old", "new"):
        make_run(tmp_path, name)
    one = best(capsys, tmp_path)["variants"][0]
    assert len(spinup.load(tmp_path).where(one["where"])) == 1


def test_the_lowest_can_be_the_best(data, capsys):
    first = best(capsys, data, "--by", "duration_s", "--lowest")["variants"][0]
    assert (first["exp_name"], first["mean"]) == ("g_lr1", 60.0)


def test_any_logged_column_will_do(data, capsys):
    found = best(capsys, data, "--by", "Epoch")["variants"]
    assert {one["mean"] for one in found} == {3.0}


def test_few_seeds_and_missing_results_are_said(data, capsys):
    make_run(data, "g_lr1", 7, "failed", (), {"lr": 1, "net": {"sizes": [1, 1]}})
    warnings = " ".join(best(capsys, data)["warnings"])
    assert "3 seeds with a result: their order may be chance" in warnings
    assert "Runs of 1 variant failed" in warnings


def test_people_get_a_table_and_how_to_go_on(data, capsys):
    assert main(["best", str(data)]) == 0
    out = capsys.readouterr().out
    assert " 1. g_lr3" in out
    assert "3 of 3" in out
    assert f"spinup.load('{data}').where({{'lr': 3, 'net:sizes': [3, 3]}})" in out


@pytest.mark.parametrize("words", [["--n", "0"], ["--by"]])
def test_a_command_line_that_cannot_be_is_exit_2(data, capsys, words):
    assert main(["best", str(data), *words]) == 2


@pytest.mark.parametrize("column", ["seed", "exp_name", "directory", "lr", "state"])
def test_what_a_run_is_is_no_score(data, capsys, column):
    assert main(["best", str(data), "--by", column]) == 1
    err = capsys.readouterr().err
    assert f"{column!r} says what a run is" in err
    assert "Epoch" in err
    assert "Traceback" not in err


def test_the_best_is_complete_and_the_report_agrees(data, capsys):
    for seed in (7, 8):
        make_run(data, "g_lr3", seed, "failed", (), {"lr": 3, "net": {"sizes": [3, 3]}})
    found = best(capsys, data)
    assert [one["exp_name"] for one in found["variants"]] == ["g_lr2", "g_lr1", "g_lr3"]
    assert "passed over: `g_lr3` (3 of 5 seeds)" in " ".join(found["warnings"])
    assert spinup.make_report(spinup.load(data)).verdicts[0].startswith("`g_lr2` is best")


def test_two_algorithms_with_the_same_settings_have_their_own_runs(tmp_path, capsys):
    for name, level in (("ppo", 10), ("sac", 20)):
        for env in ("Hopper", "Walker"):
            for lr in (1, 2):
                config = {"env_name": env, "lr": lr}
                values = [level * lr + row for row in range(6)]
                make_run(tmp_path, f"{name}_{env}_lr{lr}", returns=values, config=config)
    for one in best(capsys, tmp_path)["variants"]:
        assert all(one["exp_name"] in directory for directory in one["directories"])
        assert one["where"]["lr"] == int(one["exp_name"][-1])
