import json

import pytest
from cli.made_runs import make_run

from spinup.cli.main import main


def fill(data, gain=0.0, names=("g_lr1", "g_lr2"), **config):
    for number, name in enumerate(names, start=1):
        for seed in range(4):
            values = [10 * number + gain + 0.3 * seed * (number + 0.1 * gain) for _ in range(5)]
            make_run(data, name, seed, returns=values, config={"lr": number, **config})
    return str(data)


def compare(capsys, *words):
    assert main(["compare", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_same_grid_twice_is_compared_variant_by_variant(tmp_path, capsys):
    found = compare(capsys, fill(tmp_path / "a"), fill(tmp_path / "b", gain=5.0, clip=0.2))
    assert [one["variant"] for one in found["variants"]] == ["g_lr1", "g_lr2"]
    assert {one["verdict"] for one in found["variants"]} == {"better"}
    assert found["hyperparameters"] == [{"name": "clip", "a": None, "b": "0.2"}]
    assert found["sentence"] == "Of 2 variants that both have, B is better in 2."


def test_names_do_not_matter_where_hyperparameters_are_the_same(tmp_path, capsys):
    a, b = fill(tmp_path / "a"), fill(tmp_path / "b", names=("new_1", "new_2"))
    found = compare(capsys, a, b)
    assert [(one["variant_before"], one["variant"]) for one in found["variants"]] == [
        ("g_lr1", "new_1"),
        ("g_lr2", "new_2"),
    ]
    assert {one["verdict"] for one in found["variants"]} == {"no effect at all"}


def test_two_variants_are_compared_by_name(tmp_path, capsys):
    fill(tmp_path)
    assert main(["compare", "g_lr1", "g_lr2", "--data-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "lr: 1 -> 2" in out
    assert "B is 10.45 [9.83, 11.07] higher, which is more than seed noise" in out


def test_what_one_alone_has_is_named(tmp_path, capsys):
    a, b = fill(tmp_path / "a"), fill(tmp_path / "b", names=("g_lr1",))
    make_run(tmp_path / "b", "g_lr7", config={"lr": 7})
    found = compare(capsys, a, b)
    assert (found["only_in_a"], found["only_in_b"]) == (["g_lr2"], ["g_lr7"])


def test_code_and_packages_that_differ_are_named(tmp_path, capsys):
    for side, digest, version in (("a", "1" * 64, "2.0"), ("b", "2" * 64, "2.1")):
        run = make_run(tmp_path / side, code={"train.py": digest, "same.py": "0"})
        git = {"commit": digest[0] * 40, "is_dirty": False}
        (run / "provenance.json").write_text(json.dumps({"git": git, "packages": {"numpy": version}}))
    found = compare(capsys, str(tmp_path / "a"), str(tmp_path / "b"))
    assert [one["name"] for one in found["code"]] == ["commit", "train.py"]
    assert found["packages"] == [{"name": "numpy", "a": "2.0", "b": "2.1"}]


def test_runs_without_a_result_are_counted(tmp_path, capsys):
    a, b = fill(tmp_path / "a"), fill(tmp_path / "b")
    make_run(tmp_path / "b", "g_lr1", 9, "failed", (), {"lr": 1})
    one = compare(capsys, a, b)["variants"][0]
    assert (one["num_used"], one["num_runs"], one["num_runs_before"]) == (4, 5, 4)


@pytest.mark.parametrize("words", [["a", "nope"], ["nope", "a"]])
def test_what_is_not_there_is_an_error(tmp_path, capsys, monkeypatch, words):
    fill(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *words]) == 1
    assert "nope" in capsys.readouterr().err
