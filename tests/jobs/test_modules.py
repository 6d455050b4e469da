import functools
import pickle

import cloudpickle
import pytest

from spinup.jobs.call import Call
from spinup.jobs.environments import MakeEnvironment
from spinup.jobs.modules import ALWAYS, modules_of


def imports_inside():
    def inner():
        import colorsys

        return colorsys

    import wave

    return inner, wave


class Caller:
    def __call__(self):
        import sndhdr

        return sndhdr


def names(thunk, **kwargs):
    return modules_of(cloudpickle.dumps(Call(thunk, kwargs)), thunk)


def test_what_every_child_needs_is_there():
    assert set(ALWAYS) <= set(names(len))


def test_what_a_thunk_imports_when_it_runs_is_found():
    assert {"wave", "colorsys"} <= set(names(imports_inside))
    assert "wave" in names(functools.partial(imports_inside))
    assert "sndhdr" in names(Caller())


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
