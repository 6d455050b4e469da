"""What is imported for the runs beforehand is not seen in what they do."""

import importlib
import sys

import pytest
from chaos.grids import run_grid

from spinup.algos.ars import ars

MODULE = """
import os
import random

import numpy as np

np.random.seed(7)
GENERATOR = np.random.default_rng()
VARIABLE = os.environ.get("SPINUP_TEST_LATE")


def draw():
    return [float(GENERATOR.random()), float(np.random.random()), random.random(), VARIABLE]
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "state_x.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("state_x")
    del sys.modules["state_x"]


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_each_run_has_its_own_state_of_the_project_s_modules(tmp_path, module, isolation):
    keywords = {"parallel": 1, "isolation": isolation}
    results = [
        record.result for record in run_grid(module.draw, tmp_path / "data", keywords, seed=[0, 1, 2])
    ]
    drawn, seeded, unseeded, _ = zip(*results, strict=True)
    assert len({*drawn, *unseeded}) == 6
    assert len({*seeded}) == 1  # a seed that the project sets is kept


def exiting():
    if len(sys.argv) > 100:
        import exits_x

        return exits_x
    return "well"


def test_an_import_that_ends_its_process_harms_nobody_who_does_not_come_to_it(tmp_path, monkeypatch):
    place = tmp_path / "site-packages"
    place.mkdir()
    (place / "exits_x.py").write_text("import os; os._exit(7)")
    monkeypatch.syspath_prepend(str(place))
    records = run_grid(exiting, tmp_path / "data", {"parallel": 2}, seed=[0, 1, 2])
    assert [record.result for record in records] == ["well"] * 3


def draw_by_library():
    import library_x

    return library_x.DRAWN


def test_what_a_library_imports_of_the_project_has_its_own_state_in_each_run(tmp_path, monkeypatch):
    place = tmp_path / "site-packages"
    place.mkdir()
    (tmp_path / "project_x.py").write_text("import random\nDRAWN = random.random()\n")
    (place / "library_x.py").write_text("from project_x import DRAWN\n")
    for path in (tmp_path, place):
        monkeypatch.syspath_prepend(str(path))
    records = run_grid(draw_by_library, tmp_path / "data", {"isolation": "warm"}, seed=[0, 1, 2])
    assert len({record.result for record in records}) == 3


def set_and_read():
    import os

    os.environ["SPINUP_TEST_LATE"] = "set"
    import reading_x

    return reading_x.FOUND


def test_a_library_reads_what_a_thunk_sets_before_importing_it(tmp_path, monkeypatch, capsys):
    place = tmp_path / "site-packages"
    place.mkdir()
    (place / "reading_x.py").write_text("import os\nFOUND = os.environ.get('SPINUP_TEST_LATE')\n")
    monkeypatch.syspath_prepend(str(place))
    (record,) = run_grid(set_and_read, tmp_path / "data", {}, seed=[0])
    assert record.result == "set"
    assert "fresh interpreter: the thunk sets environment variables" in capsys.readouterr().out


def note_in(capsys):
    return "fresh interpreter" in capsys.readouterr().out


def test_the_built_in_algorithm_is_forked(tmp_path, capsys):
    keywords = {"isolation": "auto", "parallel": 1}
    short = {"env_name": "CartPole-v1", "epochs": 1, "N": 1, "eval_episodes": 1, "max_ep_len": 5}
    records = run_grid(ars, tmp_path / "data", keywords, seed=[0, 1], **{k: [v] for k, v in short.items()})
    assert len(records) == 2
    assert not note_in(capsys)


def test_libraries_that_import_the_project_cost_no_run_its_fork(tmp_path, monkeypatch, capsys):
    place = tmp_path / "site-packages"
    place.mkdir()
    (tmp_path / "project_x.py").write_text("import random\nDRAWN = random.random()\n")
    for name in ("library_x", "library_y", "library_z"):
        (place / f"{name}.py").write_text("from project_x import DRAWN\n")
    for path in (tmp_path, place):
        monkeypatch.syspath_prepend(str(path))
    records = run_grid(draw_by_libraries, tmp_path / "data", {"isolation": "auto"}, seed=[0, 1, 2])
    assert len({record.result for record in records}) == 3
    assert not note_in(capsys)


def draw_by_libraries():
    import library_x
    import library_y
    import library_z

    assert library_x.DRAWN == library_y.DRAWN == library_z.DRAWN
    return library_x.DRAWN
