import functools

import pytest

from spinup.errors import ThunkError, UnknownEnvironment
from spinup.jobs.call import make_call
from spinup.jobs.environments import MakeEnvironment


def call(thunk, **kwargs):
    return make_call(thunk, kwargs, seed=7, logger_kwargs={"output_dir": "d"}).kwargs


def test_seed_and_logger_kwargs_go_to_a_thunk_that_accepts_them():
    assert call(lambda seed, logger_kwargs: 0) == {"seed": 7, "logger_kwargs": {"output_dir": "d"}}
    assert call(lambda seed: 0) == {"seed": 7}
    assert call(lambda: 0) == {}
    assert set(call(lambda **kw: 0)) == {"seed", "logger_kwargs"}


def test_the_callers_own_logger_kwargs_win():
    own = call(lambda logger_kwargs: 0, logger_kwargs={"a": 1, "exp_name": "mine"})
    assert own == {"logger_kwargs": {"output_dir": "d", "a": 1, "exp_name": "mine"}}
    assert call(lambda: 0, logger_kwargs={"a": 1}) == {}


def test_env_name_becomes_env_fn():
    env_fn = MakeEnvironment.of("CartPole-v1")
    assert call(lambda env_fn: 0, env_name="CartPole-v1") == {"env_fn": env_fn}
    assert call(lambda env_fn, **kw: 0, env_name="CartPole-v1")["env_fn"] == env_fn
    everything = call(lambda **kw: 0, env_name="CartPole-v1")
    assert "env_name" not in everything
    assert everything["env_fn"] == env_fn


def test_a_thunk_that_takes_env_name_gets_env_name():
    assert call(lambda env_name: 0, env_name="CartPole-v1") == {"env_name": "CartPole-v1"}
    assert "env_fn" not in call(lambda env_name, **kw: 0, env_name="CartPole-v1")
    assert set(call(lambda env_name, env_fn: 0, env_name="CartPole-v1")) == {"env_name", "env_fn"}


def test_the_callers_own_env_fn_wins():
    assert call(lambda env_fn: 0, env_name="CartPole-v1", env_fn=len) == {"env_fn": len}


def test_nothing_that_was_passed_is_changed():
    kwargs = {"env_name": "CartPole-v1", "logger_kwargs": {}}
    make_call(lambda env_fn: 0, kwargs, seed=0, logger_kwargs={})
    assert kwargs == {"env_name": "CartPole-v1", "logger_kwargs": {}}


def test_an_argument_that_is_not_accepted_is_an_error_with_the_nearest_name():
    with pytest.raises(ThunkError, match=r"'learning_rat'.*Did you mean 'learning_rate'"):
        call(lambda learning_rate=1, x=2: 0, learning_rat=1)
    with pytest.raises(ThunkError, match="It accepts: x"):
        call(lambda x=2: 0, qqqqqqq=1)
    with pytest.raises(ThunkError, match="does not accept the argument 'env_name'"):
        call(lambda x=2: 0, env_name="CartPole-v1")


def test_an_argument_that_is_missing_is_an_error():
    with pytest.raises(ThunkError, match="needs the argument 'steps'"):
        call(lambda steps, lr=1: 0, lr=2)
    with pytest.raises(ThunkError, match="needs the arguments 'a', 'b'"):
        call(lambda a, b: 0)
    with pytest.raises(ThunkError, match="by position only"):
        call(lambda a, /: 0, a=1)


def test_partials_methods_classes_and_objects_are_thunks():
    class Trainer:
        def __init__(self, lr=1):
            self.lr = lr

        def train(self, steps, seed):
            return steps

        def __call__(self, steps):
            return steps

    assert call(Trainer().train, steps=1) == {"steps": 1, "seed": 7}
    assert call(Trainer(), steps=1) == {"steps": 1}
    assert call(Trainer, lr=1) == {"lr": 1}
    assert call(functools.partial(Trainer().train, steps=3)) == {"seed": 7}
    with pytest.raises(ThunkError, match="does not accept the argument"):
        call(functools.partial(Trainer().train, 3), step=1)


def test_what_tells_no_signature_gets_everything():
    assert call(dict, a=1)["a"] == 1


@pytest.mark.parametrize("thunk", [3, None, "ppo"])
def test_what_cannot_be_called_is_an_error(thunk):
    with pytest.raises(ThunkError, match="must be callable"):
        call(thunk)


def test_a_generator_or_async_function_is_an_error():
    def generator():
        yield 1

    async def coroutine():
        pass

    for thunk in (generator, coroutine, functools.partial(generator)):
        with pytest.raises(ThunkError, match="would run nothing"):
            call(thunk)


def test_an_unknown_environment_is_an_error_with_the_nearest_names():
    with pytest.raises(UnknownEnvironment, match="CartPole-v1"):
        call(lambda env_fn: 0, env_name="CartPol-v1")
    with pytest.raises(UnknownEnvironment, match="no environment 'CartPole-v99'"):
        call(lambda env_fn: 0, env_name="CartPole-v99")
    with pytest.raises(UnknownEnvironment, match="cannot be imported"):
        call(lambda env_fn: 0, env_name="no_such_module:X-v0")
    with pytest.raises(UnknownEnvironment, match="must be the name"):
        call(lambda env_fn: 0, env_name=3)
