import functools
import importlib.machinery
import os
import pickle
import sys

import cloudpickle
import pytest

from spinup.jobs.call import Call
from spinup.jobs.environments import MakeEnvironment
from spinup.jobs.modules import ALWAYS, modules_of, sets_environment


def imports_inside():
    def inner():
        import colorsys

        return colorsys

    import wave

    return inner, wave


class Caller:
    def __call__(self):
        import sched

        return sched


def names(thunk, **kwargs):
    return modules_of(cloudpickle.dumps(Call(thunk, kwargs)), thunk)


def test_what_every_child_needs_is_there():
    assert set(ALWAYS) <= set(names(len))


def test_what_a_thunk_imports_when_it_runs_is_found():
    assert {"wave", "colorsys"} <= set(names(imports_inside))
    assert "wave" in names(functools.partial(imports_inside))
    assert "sched" in names(Caller())


def test_the_module_of_a_value_is_found():
    assert "decimal" in names(len, x=pytest.importorskip("decimal").Decimal(1))


def test_an_environment_brings_gymnasium_and_its_own_module():
    found = names(lambda env_fn: 0, env_fn=MakeEnvironment.of("CartPole-v1"))
    assert {"gymnasium", "gymnasium.envs.classic_control.cartpole"} <= set(found)


def test_a_value_that_looks_like_a_module_but_is_none_is_not_imported():
    assert "no_such_module" not in names(len, x="no_such_module", y="no_such:Thing")


def test_a_pickle_that_is_cut_off_is_read_as_far_as_it_goes():
    pickled = pickle.dumps(["decimal", "x" * 100])
    assert "decimal" in modules_of(pickled[:-50], len)


# -- The project's own modules


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Two modules of a project, one of which imports the other; neither is imported to find out."""
    (tmp_path / "mine_x.py").write_text("import wave\n\ndef f():\n    import mine_y\n")
    (tmp_path / "mine_y.py").write_text("from colorsys import rgb_to_hsv\nraise SystemExit\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_modules_of_the_project_are_left_to_the_run_and_what_they_import_is_found(project):
    def thunk():
        import mine_x

        return mine_x

    found = names(thunk)
    assert {"wave", "colorsys"} <= set(found)
    assert not {"mine_x", "mine_y", "colorsys.rgb_to_hsv"} & set(found)
    assert "mine_x" not in sys.modules


def test_a_compiled_module_of_the_project_is_left_to_the_run(tmp_path, monkeypatch):
    (tmp_path / f"mine_z{importlib.machinery.EXTENSION_SUFFIXES[-1]}").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "mine_z" not in names(len, x="mine_z:Thing")


def test_only_names_of_modules_are_taken_for_names_of_modules():
    texts = ["sys.x y:z", "os.path-1:x", "json..:x", "json.no such:x", "json." + "x" * 10_000 + ":x"]
    assert names(len, x=texts) == names(len)


def test_there_are_never_more_names_than_a_message_holds():
    texts = [f"spinup.x{number}:y" for number in range(19_000)]
    assert len(names(len, x=[*texts, *sys.modules])) <= 256


def sets_a_variable():
    os.environ["A"] = "1"
    import wave

    return wave


def sets_a_default():
    import wave

    os.environ.setdefault("A", "1")
    return wave


def reads_a_variable():
    import wave

    own = {}
    own["a"] = os.environ["A"]
    return wave


def sets_and_imports_nothing():
    os.environ["A"] = "1"


@pytest.mark.parametrize(
    ("thunk", "expected"),
    [
        (sets_a_variable, True),
        (sets_a_default, True),
        (functools.partial(sets_a_variable), True),
        (lambda: sets_a_default, False),
        (reads_a_variable, False),
        (sets_and_imports_nothing, False),
        (print, False),
    ],
)
def test_what_changes_the_environment_that_its_imports_may_read(thunk, expected):
    assert sets_environment(thunk) is expected
