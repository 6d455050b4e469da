from __future__ import annotations

import functools
import inspect
import itertools
import json
import os
import pickle
import signal
from collections import Counter

import gymnasium as gym
import numpy as np
import pytest
from algos.small_envs import Follow, Noise, Turn
from gymnasium import spaces
from loggers.crashing import in_a_fork

from spinup.algos.ars import ars
from spinup.algos.linear_policy import LinearPolicy
from spinup.errors import RecordError
from spinup.loggers import EpochLogger
from spinup.rundir.progress import read_rows

cartpole = functools.partial(gym.make, "CartPole-v1")
pendulum = functools.partial(gym.make, "Pendulum-v1")

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")

SHORT = {"N": 2, "epochs": 3, "eval_episodes": 2}


def run(output_dir, env_fn=Noise, **kwargs):
    """What a run returned, and its table: column to list of numbers, without Time."""
    result = ars(env_fn, logger_kwargs={"output_dir": str(output_dir)}, **kwargs)
    header, rows = read_rows(output_dir / "progress.txt")
    columns = {name: [float(row[i]) for row in rows] for i, name in enumerate(header)}
    del columns["Time"]
    return result, columns


def saved(output_dir):
    return pickle.loads((output_dir / "vars.pkl").read_bytes())


def bits(output_dir):
    """The saved state but for the time, to the bit."""
    state = saved(output_dir)
    return {name: pickle.dumps(np.array(value)) for name, value in state.items() if name != "time_s"}


class Bounded(gym.Wrapper):
    """Counts actions that are in the action space, and those that are not."""

    def __init__(self, env):
        super().__init__(env)
        self.inside = Counter()

    def step(self, action):
        self.inside[self.action_space.contains(action)] += 1
        return super().step(action)


def test_one_seed_repeats_to_the_bit(tmp_path):
    for name in ("a", "b"):
        run(tmp_path / name, cartpole, seed=3, **SHORT)
    rows = [read_rows(tmp_path / name / "progress.txt") for name in ("a", "b")]
    time = rows[0][0].index("Time")
    first, second = ([row[:time] + row[time + 1 :] for row in table] for _, table in rows)
    assert first == second
    assert bits(tmp_path / "a") == bits(tmp_path / "b")


def test_two_seeds_differ(tmp_path):
    tables = [run(tmp_path / str(seed), seed=seed, **SHORT)[1] for seed in (0, 1)]
    assert tables[0]["TotalEnvInteracts"] != tables[1]["TotalEnvInteracts"]
    assert saved(tmp_path / "0")["M"].tolist() != saved(tmp_path / "1")["M"].tolist()


@pytest.mark.parametrize("version", [{"version": "V1"}, {"version": "V2-t", "b": 4}])
def test_cartpole_is_solved(tmp_path, version):
    result, _ = run(tmp_path, cartpole, **version, epochs=12, eval_episodes=5)
    assert result["return"] >= 475


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_continuous_actions_are_learned(tmp_path, version):
    # The zero policy is at -20/3 on average, and the best at 0.
    result, _ = run(tmp_path, Turn, version=version, alpha=0.1, nu=0.1, epochs=40)
    assert result["return"] > -0.5


def test_pendulum_is_pushed_within_its_bounds(tmp_path):
    env = Bounded(pendulum())
    _, table = run(tmp_path, lambda: env, alpha=1.0, **SHORT)
    assert set(env.inside) == {True}
    assert table["EpLen"] == [200, 200, 200]


def test_actions_may_start_anywhere(tmp_path):
    result, _ = run(tmp_path, Follow, version="V1", N=4, epochs=5)
    assert result["return"] > 9


def test_the_columns_are_those_of_spinning_up_and_two_more(tmp_path):
    _, table = run(tmp_path, **SHORT)
    expected = "Epoch AverageEpRet StdEpRet MaxEpRet MinEpRet EpLen TrainEpRet SigmaR TotalEnvInteracts"
    assert list(table) == expected.split()
    assert table["Epoch"] == [0, 1, 2]


def test_the_table_counts_steps_of_training_and_shows_evaluation(tmp_path):
    env = Noise()
    result, table = run(tmp_path, lambda: env, **SHORT)
    evaluation = sum(2 * length for length in table["EpLen"])
    assert table["TotalEnvInteracts"][-1] + evaluation == len(env.actions)
    assert result == {
        "return": table["AverageEpRet"][-1],
        "interactions": table["TotalEnvInteracts"][-1],
    }


def test_the_result_is_json(tmp_path):
    result, _ = run(tmp_path, **SHORT)
    assert json.loads(json.dumps(result)) == result


def test_the_saved_state_holds_the_policy_and_how_far_it_is(tmp_path):
    result, _ = run(tmp_path, cartpole, version="V2-t", b=1, **SHORT)
    state = saved(tmp_path)
    assert state["version"] == "V2-t"
    assert state["iteration"] == 3
    assert state["interactions"] == state["obs_count"] == result["interactions"]
    assert b"spinup" not in (tmp_path / "vars.pkl").read_bytes()


def test_the_saved_policy_acts_as_the_trained_one(tmp_path):
    run(tmp_path, cartpole, N=4, epochs=8)
    policy = LinearPolicy.from_state(saved(tmp_path))
    with cartpole() as env:
        observation, _ = env.reset(seed=12345)
        for steps in range(1, 501):  # noqa: B007 - how many were done is what is asked
            observation, _, terminated, truncated, _ = env.step(policy.act(observation))
            if terminated or truncated:
                break
    assert steps == 500


def test_the_survival_bonus_can_be_shifted_away(tmp_path):
    # Every return of CartPole is the sum of 1s: with shift=1 there is nothing left to learn from.
    run(tmp_path, cartpole, shift=1.0, **SHORT)
    assert not saved(tmp_path)["M"].any()


def test_episodes_are_cut_off_at_max_ep_len(tmp_path):
    _, table = run(tmp_path, Follow, max_ep_len=4, **SHORT)
    assert table["EpLen"] == [4, 4, 4]
    assert table["TotalEnvInteracts"] == [16, 32, 48]


def test_one_environment_is_made_and_closed(tmp_path):
    made = []
    run(tmp_path, lambda: made.append(Noise()) or made[-1], **SHORT)
    assert [env.closed for env in made] == [1]


def test_the_environment_is_closed_after_an_error(tmp_path):
    env = Noise(action_space=spaces.MultiDiscrete([2, 2]))
    with pytest.raises(ValueError, match="MultiDiscrete"):
        run(tmp_path, lambda: env)
    assert env.closed == 1


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"epochs": 0}, "epochs must be an integer, 1 or more, not 0"),
        ({"eval_episodes": 0}, "eval_episodes must be"),
        ({"save_freq": 0}, "save_freq must be"),
        ({"version": "V9"}, "No version 'V9'"),
        ({"version": "V2-t", "N": 4, "b": 5}, "Choose b <= N"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_before_the_environment_is_made(tmp_path, kwargs, says):
    made = []
    with pytest.raises(ValueError, match=says):
        run(tmp_path, lambda: made.append(1), **kwargs)
    assert made == []


def test_only_the_environment_is_required():
    parameters = list(inspect.signature(ars).parameters.values())
    assert [each.name for each in parameters if each.default is each.empty] == ["env_fn"]


LONGER = {"N": 2, "epochs": 6, "eval_episodes": 2, "save_freq": 3}


def killed(output_dir, num_steps, **kwargs):
    """The wait status of a run that kills itself after so many steps of its environment."""
    env = Noise()
    step, left = env.step, itertools.count(num_steps, -1)

    def step_or_die(action):
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(action)

    env.step = step_or_die
    return in_a_fork(output_dir, lambda path: run(path, lambda: env, **LONGER, **kwargs))


@needs_fork
@pytest.mark.parametrize("version", [{"version": "V1"}, {"version": "V2"}, {"version": "V2-t", "b": 1}])
@pytest.mark.parametrize("num_steps", [1, 40, 80, 120, 160])
def test_a_run_killed_anywhere_ends_as_if_it_was_not(tmp_path, num_steps, version):
    whole = run(tmp_path / "whole", **LONGER, **version)
    assert os.WIFSIGNALED(killed(tmp_path / "killed", num_steps, **version))
    assert run(tmp_path / "killed", **LONGER, **version) == whole
    assert bits(tmp_path / "killed") == bits(tmp_path / "whole")


@needs_fork
def test_a_run_killed_around_each_file_it_writes_ends_as_if_it_was_not(tmp_path):
    whole = run(tmp_path / "whole", **LONGER)
    for number in itertools.count():
        directory = tmp_path / str(number)
        if in_a_fork(directory, lambda path: run(path, **LONGER), number) == 0:
            break
        assert run(directory, **LONGER) == whole, number
        assert bits(directory) == bits(tmp_path / "whole"), number
    assert number > 10


def test_it_goes_on_where_it_was_saved_and_not_before(tmp_path):
    first = Noise()
    whole = run(tmp_path, lambda: first, **LONGER | {"epochs": 4})
    second = Noise()
    assert run(tmp_path, lambda: second, **LONGER)[1]["Epoch"] == [0, 1, 2, 3, 4, 5]
    assert whole == run(tmp_path / "other", **LONGER | {"epochs": 4})
    assert not set(first.reset_seeds) & set(second.reset_seeds)


def test_a_run_that_was_through_returns_its_result_again_and_trains_no_more(tmp_path):
    whole = run(tmp_path, **LONGER)
    before = (tmp_path / "progress.txt").read_bytes()
    env = Noise()
    assert run(tmp_path, lambda: env, **LONGER) == whole
    assert len(env.reset_seeds) == LONGER["eval_episodes"]
    assert (tmp_path / "progress.txt").read_bytes() == before


def test_time_goes_on_from_the_time_spent(tmp_path):
    run(tmp_path, **LONGER | {"epochs": 4})
    with EpochLogger(tmp_path, console=False) as logger:
        logger.save_state(logger.restore() | {"time_s": 1000.0})
    run(tmp_path, **LONGER)
    header, rows = read_rows(tmp_path / "progress.txt")
    times = [float(row[header.index("Time")]) for row in rows]
    assert times == sorted(times)
    assert times[3] < 1000 < times[4] < times[5]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"version": "V1"}, "a search with version='V2'"),
        ({"alpha": 0.5, "seed": 9}, "a search with seed=0, alpha=0.02"),
        ({"env_fn": cartpole}, r"weights of shape \(2, 3\), not \(2, 4\)"),
    ],
)
def test_the_state_of_another_search_is_refused_and_stays(tmp_path, other, says):
    run(tmp_path, **SHORT)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RecordError, match=says):
        run(tmp_path, **SHORT | other)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_state_of_another_algorithm_is_refused(tmp_path):
    with EpochLogger(tmp_path, console=False) as logger:
        logger.save_state({"env": None})
    with pytest.raises(RecordError, match="The saved state is none of ars: KeyError"):
        run(tmp_path, **SHORT)
