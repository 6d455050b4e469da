import pytest
from cli.made_runs import make_run
from report.conftest import report, returns

import spinup
from spinup.errors import RecordError
from spinup.report.verdicts import judge


def verdict(path, **how):
    return judge(spinup.load(path).table, **how).sentences


def test_what_matters_comes_before_what_is_within_seed_noise(ablation):
    first, second, baseline = verdict(ablation)
    assert first.startswith("`use_gae=false` matters: \N{MINUS SIGN}")
    assert "(Holm), 5 of 5 seeds" in first
    assert second.startswith("`norm_obs=false` is within seed noise: ")
    assert "was detectable" in second
    assert baseline.startswith("The baseline `ppo_base` came to ")


def test_without_a_baseline_the_best_is_named_with_its_lead_and_a_warning(grid):
    first, *more = verdict(grid)
    assert first.startswith("`g_lr2_clip0-2` is best: ")
    assert "`g_lr2_clip0-1` is next, " in first
    assert " lower, which is " in first
    assert any("flatters" in sentence for sentence in more)
    assert any("`lr` makes the most of the variance" in sentence for sentence in more)


def test_any_variant_can_be_made_the_baseline(grid):
    answer = judge(spinup.load(grid).table, baseline="g_lr1_clip0-1")
    assert answer.reference == "baseline"
    assert answer.results.row(0, named=True)["exp_name"] == "g_lr1_clip0-1"


def test_an_unknown_baseline_is_an_error(grid):
    with pytest.raises(RecordError, match="No variant 'nope'"):
        verdict(grid, baseline="nope")


def test_one_seed_gives_no_statistics_and_says_so(tmp_path):
    for lr in (1, 2, 3):
        make_run(tmp_path, f"g_lr{lr}", returns=returns(lr, 0), config={"lr": lr})
    sentences = verdict(tmp_path)
    assert "`g_lr3` is best" in sentences[0]
    assert "too few seeds" in sentences[0]
    assert "One seed each" in sentences[1]
    assert len(sentences) == 2
    assert "p = " not in " ".join(sentences)


def test_one_seed_of_each_change_is_one_sentence(tmp_path):
    for number in range(4):
        mark = {"is_baseline": number == 0, "changed": [f"k{number}"] if number else []}
        make_run(tmp_path, f"g_{number}", returns=(1, 2, number), config={"_ablation": mark, "k": number})
    assert [sentence for sentence in verdict(tmp_path) if "One seed each" in sentence] == [
        "One seed each: no difference can be told from chance. Run more seeds, five at least."
    ]


def test_a_lucky_single_seed_is_not_the_best(tmp_path):
    for seed in range(3):
        make_run(tmp_path, "solid", seed, returns=returns(50, seed), config={"lr": 1})
        state = "done" if seed == 0 else "failed"
        make_run(tmp_path, "lucky", seed, state=state, returns=returns(90, seed), config={"lr": 2})
    assert verdict(tmp_path)[0].startswith("`solid` is best")


def test_no_result_is_said(tmp_path):
    make_run(tmp_path, "g", state="failed", returns=())
    assert verdict(tmp_path) == ("No run has a result yet.",)


def test_one_variant_has_nothing_to_be_compared_with(tmp_path):
    for seed in range(3):
        make_run(tmp_path, "g", seed, returns=returns(50, seed))
    assert "nothing to compare it with" in verdict(tmp_path)[0]


def test_each_task_has_its_own_best(tmp_path):
    for env, better in (("Hopper", 1), ("Walker", 2)):
        for lr in (1, 2):
            for seed in range(2):
                level = 80 if lr == better else 20
                config = {"env_name": env, "lr": lr}
                make_run(tmp_path, f"g_{env}_lr{lr}", seed, returns=returns(level, seed), config=config)
    first, second, *_ = verdict(tmp_path)
    assert first.startswith("`lr=1` on Hopper is best")
    assert second.startswith("`lr=2` on Walker is best")


def test_two_ablations_in_one_directory_are_ranked_and_it_is_said(ablation):
    for seed in range(5):
        make_run(
            ablation, "other", seed, returns=returns(70, seed), config={"_ablation": {"is_baseline": True}}
        )
    answer = judge(spinup.load(ablation).table)
    assert answer.reference == "best"
    assert any("both a baseline" in finding for finding in answer.findings)


def test_a_run_that_ended_before_it_noted_its_settings_counts_as_a_seed_of_its_variant(tmp_path):
    for seed in range(3):
        is_early = seed == 2
        make_run(
            tmp_path,
            "g",
            seed,
            state="failed" if is_early else "done",
            returns=() if is_early else returns(50, seed),
            config={} if is_early else {"gamma": 0.99},
        )
    rows = report(tmp_path).tables["results"]
    assert rows.select("num_used", "num_runs").rows() == [(2, 3)]


def same_settings_in_two_algorithms(root):
    for algorithm, level in (("ppo", 50), ("sac", 100)):
        for env in ("Hopper", "Walker"):
            for lr in (1, 2):
                for seed in range(3):
                    make_run(
                        root,
                        f"{algorithm}_{env}_lr{lr}",
                        seed,
                        returns=returns(level + lr, seed),
                        config={"env_name": env, "lr": lr},
                    )


def test_two_algorithms_with_the_same_settings_are_never_one(tmp_path):
    same_settings_in_two_algorithms(tmp_path)
    answer = judge(spinup.load(tmp_path).table)
    rows = answer.results.select("task", "variant", "exp_name", "mean", "difference").to_dicts()
    assert len({(row["task"], row["variant"]) for row in rows}) == 8
    best = {row["task"]: row["mean"] for row in rows if row["difference"] is None}
    for row in rows:
        if row["difference"] is not None:
            assert row["difference"] == pytest.approx(row["mean"] - best[row["task"]])
            assert (row["difference"] < -30) == row["exp_name"].startswith("ppo")


def test_what_lacks_results_is_passed_over_and_it_is_said(tmp_path):
    for lr, level in ((1, 20), (2, 30), (3, 60)):
        for seed in range(3):
            is_lost = lr == 3 and seed
            make_run(
                tmp_path,
                f"boom_lr{lr}",
                seed,
                state="failed" if is_lost else "done",
                returns=() if is_lost else returns(level, seed),
                config={"lr": lr},
            )
    sentence = verdict(tmp_path)[0]
    assert sentence.startswith("`boom_lr2` is best: ")
    assert "`boom_lr1` is next, " in sentence
    assert "Higher, but passed over: `boom_lr3` (" in sentence
    assert "1 of 3 seeds" in sentence
    order = judge(spinup.load(tmp_path).table).results["exp_name"].to_list()
    assert order == ["boom_lr2", "boom_lr1", "boom_lr3"]


def test_seeds_without_any_spread_are_told_as_such_and_not_as_too_few(tmp_path):
    for number, level in enumerate((100.0, 110.0)):
        for seed in range(3):
            mark = {"is_baseline": not number, "changed": ["k"] if number else []}
            config = {"_ablation": mark, "k": number}
            make_run(tmp_path, f"g{number}", seed, returns=[level] * 6, config=config)
    first = verdict(tmp_path)[0]
    assert "changed every seed by exactly 10, but with so few of them p cannot fall below 0.1" in first
    for sentence in verdict(tmp_path):
        assert "Too few seeds have a result" not in sentence


def test_without_a_baseline_no_spread_is_told_too(tmp_path):
    for level in (100.0, 110.0):
        for seed in range(3):
            make_run(tmp_path, f"g{level:.0f}", seed, returns=[level] * 6, config={"k": level})
    assert (
        "exactly 10 lower, without any spread, but with so few seeds p cannot fall below 0.1"
        in verdict(tmp_path)[0]
    )


def test_an_exact_tie_is_a_tie(tmp_path):
    for lr, level in ((1, 500.0), (2, 500.0), (3, 100.0)):
        for seed in range(5):
            config = {"lr": lr}
            make_run(tmp_path, f"g_lr{lr}", seed, returns=[level - (lr == 3) * seed] * 6, config=config)
    sentence = verdict(tmp_path)[0]
    assert sentence.startswith("A tie: `g_lr1`, `g_lr2` came to 500 ")
    assert "the same for every seed. `g_lr3` is next, 402.0 " in sentence
    assert "is best" not in sentence


def test_changes_that_all_changed_nothing_are_one_sentence(tmp_path):
    for number in range(8):
        for seed in range(3):
            mark = {"is_baseline": not number, "changed": [f"k{number}"] if number else []}
            config = {"_ablation": mark, "k": number}
            make_run(tmp_path, f"g{number}", seed, returns=[500.0] * 6, config=config)
    first, second = verdict(tmp_path)
    assert first.startswith("7 changes changed nothing: every seed came to 500, 3 of 3 seeds: `")
    assert second.startswith("The baseline ")
