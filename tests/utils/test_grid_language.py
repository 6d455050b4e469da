import json
import linecache
import re
import subprocess
import sys
from pathlib import Path

import pytest
from grid.rules import has_ppo, ppo, vpg
from utils import thunks

import spinup.user_config
from spinup import ExperimentGrid
from spinup.errors import (
    GridError,
    GridFailed,
    GridFileError,
    GridIndexError,
    GridTooLarge,
    NotPicklable,
    ThunkError,
    UnknownEnvironment,
    UnsafePath,
)
from spinup.grid import Choice, IntUniform, LogUniform
from spinup.jobs.make import Place
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import locked
from spinup.utils.grid_marks import marked
from spinup.utils.grid_plan import plan_grid
from spinup.utils.seeds import spawn_seeds


@pytest.fixture
def eg():
    return ExperimentGrid(name="g")


def where(tmp_path):
    return sorted(str(path.parent.relative_to(tmp_path)) for path in tmp_path.glob("*/*/status.json"))


def config_of(tmp_path, name, seed=0):
    return json.loads((tmp_path / name / f"{name}_s{seed}" / "config.json").read_text())


def returns(**kwargs):
    return sorted(kwargs)


# -- Runs


def test_a_variant_runs_with_what_it_has(eg, tmp_path):
    eg.add_paired(["env", "epochs"], [("A", 20), ("B", 50)])
    eg.add("clip", [1, 2], when=lambda v: v["env"] == "A")
    eg.derive("batch", lambda v: v["epochs"] // 5)
    eg.exclude(lambda v: v.get("clip") == 2)
    records = eg.run(
        lambda **kwargs: {k: v for k, v in kwargs.items() if k != "logger_kwargs"}, data_dir=tmp_path
    )
    assert {record.name: record.result for record in records} == {
        "g_enva_cli1": {"env": "A", "epochs": 20, "clip": 1, "batch": 4, "seed": 0},
        "g_envb": {"env": "B", "epochs": 50, "batch": 10, "seed": 0},
    }


def test_the_thunk_can_be_a_parameter_that_others_depend_on(eg, tmp_path):
    eg.add("algo", [thunks.add, thunks.tell])
    eg.add("a", 5, when=lambda v: v["algo"] is thunks.add)
    assert [record.result for record in eg.run("algo", data_dir=tmp_path)] == [6, ["logger_kwargs", "seed"]]


def test_every_set_of_arguments_is_checked_before_anything_is_written(eg, tmp_path):
    eg.add("a", [1, 2])
    eg.add("nope", 1, when=lambda v: v["a"] == 2)
    with pytest.raises(ThunkError, match="nope"):
        eg.run(thunks.add, data_dir=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "thunk", "key", "function"),
    [
        (UnknownEnvironment, thunks.make_env, "env_name", lambda v: "CartPol-v1"),
        (NotPicklable, thunks.tell, "x", lambda v: (i for i in "ab")),
        (UnsafePath, thunks.tell, "seed", lambda v: "one"),
        (GridError, thunks.tell, "x", lambda v: v["nope"]),
    ],
)
def test_derived_values_are_checked_too(eg, tmp_path, error, thunk, key, function):
    eg.derive(key, function)
    with pytest.raises(error):
        eg.run(thunk, data_dir=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_a_thunk_that_some_variants_lack_is_an_error(eg, tmp_path):
    eg.add("a", [1, 2])
    eg.add("algo", [thunks.add], when=lambda v: v["a"] == 1)
    with pytest.raises(GridError, match="cannot run 'g_a2', which has no 'algo'"):
        eg.run("algo", data_dir=tmp_path)


def test_a_grid_runs_again_to_be_kept(eg, tmp_path, capfd):
    eg.add("lr", LogUniform(1e-5, 1e-2))
    eg.add("act", Choice(["relu", "tanh"]))
    eg.seeds(2)
    eg.sample(2)
    eg.run(thunks.tell, data_dir=tmp_path)
    larger = ExperimentGrid(name="g")
    larger.add("lr", LogUniform(1e-5, 1e-2))
    larger.add("act", Choice(["relu", "tanh"]))
    larger.seeds(2)
    larger.sample(3)
    capfd.readouterr()
    larger.run(thunks.tell, data_dir=tmp_path)
    assert "Plan: 4 done, kept · 2 new." in capfd.readouterr().out
    assert len(where(tmp_path)) == 6


def test_the_same_run_of_a_part_of_a_union_is_kept(eg, tmp_path, capfd):
    eg.add("lr", [1, 3, 4])
    eg.run(thunks.tell, data_dir=tmp_path)
    more = ExperimentGrid(name="other")
    more.add("lr", [4, 5])
    capfd.readouterr()
    (eg[1:] | more | eg).run(thunks.tell, data_dir=tmp_path)
    assert "Plan: 3 done, kept · 1 new." in capfd.readouterr().out
    assert where(tmp_path) == [
        "g_lr1/g_lr1_s0",
        "g_lr3/g_lr3_s0",
        "g_lr4/g_lr4_s0",
        "other_lr5/other_lr5_s0",
    ]
    assert not (tmp_path / ".archive").exists()


def test_a_grid_that_fails_in_part_tells_so(eg, tmp_path):
    eg.add_paired(["lr", "name"], [(1, "a"), (2, "b")])
    with pytest.raises(GridFailed, match="'g_lr2'"):
        eg.run(lambda lr, name: thunks.fail_sometimes(lr=lr), data_dir=tmp_path)


# -- Ablations


def ablation(name="g"):
    eg = ExperimentGrid(name=name)
    eg.ablate({"a": 0, "b": 0}, {"a": 1})
    return eg


def test_the_config_says_what_is_the_baseline_and_what_was_changed(tmp_path):
    (first, second) = ablation().run(returns, data_dir=tmp_path)
    assert config_of(tmp_path, "g_baseline")["_ablation"] == {"is_baseline": True, "changed": []}
    assert config_of(tmp_path, "g_a1")["_ablation"] == {"is_baseline": False, "changed": ["a"]}
    assert first.result == second.result == ["a", "b", "logger_kwargs", "seed"]


def test_a_thunk_that_saves_its_settings_keeps_the_mark(tmp_path):
    eg = ExperimentGrid(name="g")
    eg.ablate({"lr": 1}, {"lr": 2})
    eg.run(thunks.log, data_dir=tmp_path)
    assert config_of(tmp_path, "g_lr2")["_ablation"] == {"is_baseline": False, "changed": ["lr"]}


def test_a_run_is_not_another_for_its_mark(tmp_path, capfd):
    plain = ExperimentGrid(name="g_baseline")
    plain.add("a", 0)
    plain.add("b", 0)
    plain.run(returns, data_dir=tmp_path)
    assert "_ablation" not in config_of(tmp_path, "g_baseline")
    capfd.readouterr()
    ablation().run(returns, data_dir=tmp_path)
    assert "Plan: 1 done, kept · 1 new." in capfd.readouterr().out
    assert not (tmp_path / ".archive").exists()


def mark_of(tmp_path, name):
    return config_of(tmp_path, name).get("_ablation")


def plain_grid():
    eg = ExperimentGrid(name="g")
    eg.add("lr", [1, 2])
    eg.add("bs", [1, 2], "bs")
    return eg


def crossed():
    eg = ExperimentGrid(name="g")
    eg.ablate({"lr": 1, "bs": 1}, {"lr": 2, "bs": 2}, order=2)
    return eg


def test_a_kept_run_gets_the_mark(tmp_path, capfd):
    plain_grid().run(returns, data_dir=tmp_path)
    file = tmp_path / "g_lr2_bs2" / "g_lr2_bs2_s0" / "config.json"
    before = file.read_text()
    crossed().run(returns, data_dir=tmp_path, dry_run=True)
    assert file.read_text() == before
    capfd.readouterr()
    crossed().run(returns, data_dir=tmp_path)
    assert "Plan: 1 done, kept · 3 new." in capfd.readouterr().out
    config = json.loads(file.read_text())
    assert config.pop("_ablation") == {"is_baseline": False, "changed": ["lr", "bs"]}
    assert config == json.loads(before)
    fresh = (tmp_path / "fresh") / "g_lr2_bs2" / "g_lr2_bs2_s0" / "config.json"
    crossed().run(returns, data_dir=tmp_path / "fresh", only="g_lr2_bs2")
    assert file.read_text() == fresh.read_text()
    plain_grid().run(returns, data_dir=tmp_path)
    assert mark_of(tmp_path, "g_lr2_bs2") is not None


def test_a_mark_of_another_baseline_is_replaced(tmp_path):
    plain = ExperimentGrid(name="x")
    plain.add("lr", [1, 2])
    baseline = ExperimentGrid(name="x_lr1")
    baseline.ablate({"lr": 1}, {"lr": 2}, shorthand={"lr": "lr"})
    names = {"x_lr1": plain, "x_lr2": plain}
    (plain | baseline).run(returns, data_dir=tmp_path)
    assert [mark_of(tmp_path, name)["is_baseline"] for name in names] == [True, False]
    swapped = ExperimentGrid(name="y")
    swapped.ablate({"lr": 2}, {"lr": 1})
    (plain | swapped).run(returns, data_dir=tmp_path)
    assert [mark_of(tmp_path, name)["is_baseline"] for name in names] == [False, True]
    other = ExperimentGrid(name="z")
    other.ablate({"bs": 2}, {"bs": 1})
    (plain | other).run(returns, data_dir=tmp_path)
    assert [mark_of(tmp_path, name) for name in names] == [None, None]


def test_a_run_that_goes_on_gets_the_mark(tmp_path):
    plain_grid().run(returns, data_dir=tmp_path)
    directory = tmp_path / "g_lr2_bs2" / "g_lr2_bs2_s0"
    status = json.loads((directory / "status.json").read_text())
    (directory / "status.json").write_text(json.dumps({**status, "state": "running"}))
    crossed().run(returns, data_dir=tmp_path)
    assert mark_of(tmp_path, "g_lr2_bs2") == {"is_baseline": False, "changed": ["lr", "bs"]}


def test_a_run_that_is_live_or_another_keeps_its_mark(tmp_path):
    plain_grid().run(returns, data_dir=tmp_path)
    place = Place(str(tmp_path))
    plan = plan_grid(crossed(), returns, num_cpu=1, place=place, rerun="failed")
    (kept,) = [run for run in plan if run.name == "g_lr2_bs2"]
    with locked(RunDir(Path(kept.directory))), marked(plan):
        pass
    assert mark_of(tmp_path, "g_lr2_bs2") is None
    file = Path(kept.directory) / "status.json"
    status = json.loads(file.read_text())
    file.write_text(json.dumps({**status, "identity": "another"}))
    with marked(plan):
        pass
    assert mark_of(tmp_path, "g_lr2_bs2") is None


def test_what_another_launcher_has_done_meanwhile_gets_the_mark(tmp_path):
    place = Place(str(tmp_path))
    plan = plan_grid(crossed(), returns, num_cpu=1, place=place, rerun="failed")
    with marked(plan):
        plain_grid().run(returns, data_dir=tmp_path)
    assert mark_of(tmp_path, "g_lr2_bs2") == {"is_baseline": False, "changed": ["lr", "bs"]}


def test_a_config_that_cannot_be_marked_is_told(tmp_path, capfd):
    plain_grid().run(returns, data_dir=tmp_path)
    (tmp_path / "g_lr2_bs2" / "g_lr2_bs2_s0" / "config.json").write_text("{")
    capfd.readouterr()
    assert len(crossed().run(returns, data_dir=tmp_path)) == 4
    assert "mark of the ablation could not be brought up to date" in capfd.readouterr().out


# -- What was there before


def test_a_type_that_has_changed_is_the_difference(eg, tmp_path, capfd):
    eg.add("lr", 0)
    eg.run(returns, data_dir=tmp_path)
    other = ExperimentGrid(name="g")
    other.add("lr", 0.0)
    capfd.readouterr()
    other.run(returns, data_dir=tmp_path)
    out = capfd.readouterr().out
    assert "Plan: 1 with another config (lr: 0 before, 0.0 now), archived first." in out
    assert "held a run with another config (lr: 0 before, 0.0 now); that was moved" in out


def test_a_difference_that_json_cannot_tell_is_admitted(eg, tmp_path, capfd):
    eg.add("hid", [(1, 2)])
    eg.run(returns, data_dir=tmp_path)
    other = ExperimentGrid(name="g")
    other.add("hid", [[1, 2]])
    capfd.readouterr()
    other.run(returns, data_dir=tmp_path)
    assert capfd.readouterr().out.count("config (something that JSON cannot tell differs: ") == 2


def test_a_damaged_record_is_called_that(eg, tmp_path, capfd):
    eg.add("lr", 1)
    eg.run(returns, data_dir=tmp_path)
    (tmp_path / "g" / "g_s0" / "status.json").write_text("{")
    capfd.readouterr()
    eg.run(returns, data_dir=tmp_path, dry_run=True)
    assert "Plan: 1 with a damaged record, archived first." in capfd.readouterr().out
    eg.run(returns, data_dir=tmp_path)
    assert (
        "g_s0 held a run with a damaged record (its status.json cannot be read)" in capfd.readouterr().out
    )


# -- Parts


def test_more_runs_than_can_be_planned_are_refused(eg, tmp_path):
    for number in range(10):
        eg.add(f"p{number}x", range(10))
    with pytest.raises(GridTooLarge, match=r"10,000,000,000 variants, each a run with a directory"):
        eg.run(returns, data_dir=tmp_path / "data")
    eg.run(returns, data_dir=tmp_path / "data", dry_run=True, shard="1/10000000000")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("keywords", "names"),
    [
        ({"only": 1}, ["g_lr3"]),
        ({"only": slice(1, None)}, ["g_lr3", "g_lr4"]),
        ({"only": [2, 0]}, ["g_lr4", "g_lr1"]),
        ({"only": "g_lr4"}, ["g_lr4"]),
        ({"only": lambda v: v["lr"] > 3}, ["g_lr4"]),
        ({"shard": "2/2"}, ["g_lr3"]),
        ({"only": slice(1, None), "shard": "1/2"}, ["g_lr3"]),
        ({"shard": "9/9"}, []),
    ],
    ids=str,
)
def test_a_part_of_the_grid_runs(eg, tmp_path, keywords, names):
    eg.add("lr", [1, 3, 4])
    assert [record.name for record in eg.run(thunks.fail_sometimes, data_dir=tmp_path, **keywords)] == names
    assert len(where(tmp_path)) == len(names)


def test_where_nothing_is_left_to_a_task_that_is_said(eg, tmp_path, capfd):
    eg.add("lr", [1, 3])
    assert eg.run(thunks.tell, data_dir=tmp_path / "data", shard="3/3") == []
    assert "Nothing to run: this part of the grid has no variants." in capfd.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_number_that_is_not_there_starts_nothing(eg, tmp_path):
    with pytest.raises(GridIndexError):
        eg.run(thunks.tell, data_dir=tmp_path, only=1)
    with pytest.raises(IndexError):
        eg[1]


# -- Files


def test_a_grid_is_the_same_from_its_file(eg, tmp_path, monkeypatch):
    eg.add("algo", [ppo, vpg])
    eg.add("hid", [(64, 64), None])
    eg.add("clip_ratio", [0.1, 0.2], when=has_ppo)
    eg.seeds(2)
    eg.save(tmp_path / "grid.toml")
    monkeypatch.setattr(spinup.user_config, "DEFAULT_SHORTHAND", False)
    loaded = ExperimentGrid.load(tmp_path / "grid.toml")
    assert list(loaded) == list(eg)
    assert isinstance(loaded, ExperimentGrid)
    assert list((loaded | eg)[3:5]) == list(eg)[3:5]


def test_a_file_that_a_grid_cannot_be_saved_to_is_left_alone(eg, tmp_path):
    file = tmp_path / "grid.toml"
    file.write_text("name = 'g'\n")
    eg.add("f", [lambda: 1])
    with pytest.raises(GridError, match="A value of 'f' cannot be saved"):
        eg.save(file)
    assert file.read_text() == "name = 'g'\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"name = ", "is no TOML file: "), (b"\xff", "is no TOML file: "), (b"nome = 'g'", "has no 'nome'")],
)
def test_a_file_that_is_no_grid_is_named(tmp_path, content, text):
    file = tmp_path / "grid.toml"
    file.write_bytes(content)
    with pytest.raises(GridError, match=rf"grid\.toml.*{text}"):
        ExperimentGrid.load(file)


def test_a_directory_that_is_not_there_is_named(eg, tmp_path):
    with pytest.raises(GridFileError, match=r"saved to .*grid\.toml: there is no directory .*nope\.$"):
        eg.save(tmp_path / "nope" / "grid.toml")
    with pytest.raises(OSError, match="saved to"):
        eg.save(tmp_path)


def test_what_a_file_says_for_the_command_line_is_passed_over(tmp_path):
    file = tmp_path / "grid.toml"
    file.write_text('name = "g"\nthunk = "m:f"\ncommand = ["x"]\n[run]\nparallel = 2\n')
    assert ExperimentGrid.load(file).variants() == [{}]
    file.write_text('[[union]]\nname = "g"\nthunk = "m:f"\n')
    with pytest.raises(GridError, match=r"grid\.toml: A grid has no 'thunk'"):
        ExperimentGrid.load(file)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        ExperimentGrid.load(tmp_path / "nope.toml")


# -- Reports


def report(eg, capfd):
    eg.print()
    return capfd.readouterr().out


def counts(out):
    """Variants with and without seeds, and directories."""
    return [line.split()[-1] for line in out.splitlines() if line.startswith((" Variants", " Directories"))]


def test_the_report_tells_all_that_was_said(eg, capfd):
    eg.add_paired(["env", "epochs"], [("A", 20), ("B", 50)])
    eg.add("clip", [1, 2], when=lambda v: v["env"] == "A")
    eg.add("reward", {"dense": min, "sparse": max})
    eg.derive("batch", lambda v: v["epochs"] // 5, when=has_ppo)
    eg.exclude(has_ppo)
    eg.only(eval("lambda v: True"))
    eg.seeds(3)
    with pytest.raises(GridError, match="asks for 'algo'"):
        eg.print()
    out = capfd.readouterr().out
    for line in [
        " env, epochs                              [env, epo]\n",
        "\tA, 20\n\tB, 50\n",
        "\twhen: v['env'] == \"A\"\n".replace("'env'", '"env"'),
        "\tdense: min\n\tsparse: max\n",
        '\tderived: v["epochs"] // 5\n',
        "\twhen: has_ppo\n",
        " exclude: has_ppo\n",
        " only: a lambda in line 1 of <string>\n",
    ]:
        assert line in out


def test_the_report_counts_variants_and_directories(eg, capfd):
    eg.add("a", [1, 1, 2])
    eg.add("b", [1, 2], when=lambda v: v["a"] == 2)
    eg.seeds(2)
    assert counts(report(eg, capfd)) == ["8", "3", "6"]


def test_the_report_of_equal_values_counts_directories_once(eg, capfd):
    eg.add("a", [1, 1, 2])
    assert counts(report(eg, capfd)) == ["3", "3", "2"]


def test_the_report_of_an_ablation_tells_baseline_and_changes(eg, capfd):
    eg.ablate({"a": 0}, {"a": 1, "b": [2, None]}, 2)
    out = report(eg, capfd)
    assert "\tbaseline: a: 0\n\ta: 1\n\tb: 2\n\tb: null\n\ta: 1, b: 2\n\ta: 1, b: null\n" in out


def test_the_report_of_parts_and_unions_tells_what_they_are_made_of(eg, capfd):
    eg.add("lr", [1, 2, 3])
    out = report((eg | ablation("h"))[1:4], capfd)
    assert (
        out.index("Numbers 1 to 3 of this grid:")
        < out.index("2 grids as one:")
        < out.index("[g]")
        < (out.index("[h]"))
    )
    assert "Numbers 2, 0 of this grid:" in report(eg.part([2, 0]), capfd)


def test_the_report_of_distributions_says_how_to_draw(eg, capfd):
    eg.add("lr", LogUniform(1e-5, 1e-2))
    eg.add("n", IntUniform(1, 3))
    out = report(eg, capfd)
    assert "drawn from LogUniform(low=1e-05, high=0.01, digits=4)" in out
    assert "say how many with sample(n)" in out
    eg.sample(7, seed=3)
    assert " a sample of 7 of these, by seed 3\n" in report(eg, capfd)


def test_a_condition_that_never_holds_is_told(eg, capfd):
    eg.add("a", [1, 2])
    eg.add("b", 1, when=lambda v: v["a"] == 2)
    eg.add("c", 1, when=lambda v: v["a"] == 3)
    out = report(eg, capfd)
    assert " No variant has c: its condition holds for none of them.\n" in out
    assert "No variant has b" not in out


def test_the_report_of_a_huge_grid_is_short(eg, capfd):
    for number in range(12):
        eg.add(f"p{number}", range(10))
    assert counts(report(eg, capfd)) == [str(10**12)] * 3
    assert counts(report(eg[1:], capfd))[0] == str(10**12 - 1)
    for number in range(12, 20):
        eg.add(f"p{number}", range(10))
    assert counts(report(eg, capfd)) == [str(10**20)] * 3
    assert counts(report(eg[1:], capfd))[0] == str(10**20 - 1)


def test_what_a_report_shows_cannot_change_the_terminal(eg, capfd):
    eg.add_paired(["a\x1b[2J", "b"], [("\x1b[2J", 1), ("x", 2)])
    eg.add("c", [1, 2], labels=["\x1b[2J", "b"])
    assert "\x1b" not in report(eg, capfd)


# -- Seeds


def test_streams_of_a_seed_are_numpys_and_share_nothing():
    from numpy.random import SeedSequence

    assert spawn_seeds(3) == [int(s.generate_state(1)[0]) for s in SeedSequence(3).spawn(2)]
    assert spawn_seeds(3, 5)[:2] == spawn_seeds(3)
    assert len({stream for seed in range(100) for stream in spawn_seeds(seed, 3)}) == 300


def test_the_language_imports_nothing_heavy():
    code = """
from spinup import ExperimentGrid
from spinup.grid import LogUniform
eg = ExperimentGrid("g")
eg.add("lr", LogUniform(1e-5, 1))
eg.ablate({"a": 1}, {"a": 2})
eg.derive("b", lambda v: v["lr"])
eg.seeds(3)
eg.sample(2)
(eg | eg)[1:].print()
import sys
print("LOADED", *sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.rsplit("LOADED", 1)[1].split())
    assert loaded & {"numpy", "polars", "gymnasium", "matplotlib", "scipy", "tomli_w"} == set()


def test_the_page_shows_what_its_examples_print(tmp_path, monkeypatch, capfd):
    page = (Path(__file__).parents[2] / "docs" / "grid-language.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)\n```)?", page, flags=re.DOTALL)
    assert len(blocks) > 10
    for number, (code, expected) in enumerate(blocks):
        name = f"<example {number}>"
        # The report shows what lambdas compute, which is read from their file.
        monkeypatch.setitem(linecache.cache, name, (len(code), None, code.splitlines(keepends=True), name))
        exec(compile(code, name, "exec"), namespace)
        assert capfd.readouterr().out.rstrip() == expected
