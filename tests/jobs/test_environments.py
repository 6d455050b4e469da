import importlib.machinery
import sys
import types

import pytest

from spinup.errors import UnknownEnvironment
from spinup.jobs.environments import find_spec


@pytest.fixture
def packages(monkeypatch):
    """Says which packages there are of those that environments need."""

    def set_up(*names):
        for name in ("mujoco", "Box2D", "ale_py"):
            # None in its place makes a module one that cannot be imported.
            spec = importlib.machinery.ModuleSpec(name, None)
            module = types.ModuleType(name)
            module.__spec__ = spec
            monkeypatch.setitem(sys.modules, name, module if name in names else None)

    return set_up


@pytest.mark.parametrize(
    ("env_name", "says"),
    [
        ("Walker2d-v5", "needs the package mujoco, which is not installed: pip install 'spinup[mujoco]'"),
        ("Walker2d", "'Walker2d-v5' needs the package mujoco"),
        ("LunarLander-v3", r"Box2D.*pip install swig 'gymnasium\[box2d\]'"),
        ("ALE/Pong-v5", r"ale_py.*'gymnasium\[atari\]'"),
    ],
)
def test_a_missing_package_is_named_before_anything_starts(packages, env_name, says):
    packages()
    with pytest.raises(UnknownEnvironment, match=says.replace("[mujoco]", r"\[mujoco\]")):
        find_spec(env_name)


@pytest.mark.parametrize("name", ["Walker2d-v5", "LunarLander-v3", "CartPole-v1"])
def test_with_its_package_an_environment_passes(packages, name):
    packages("mujoco", "Box2D")
    assert find_spec(name).id == name


@pytest.mark.parametrize("name", ["CartPole", "Walker2d"])
def test_the_newest_version_needs_no_number(packages, name):
    packages("mujoco")
    assert find_spec(name) is None


def test_an_environment_that_gymnasium_has_dropped_is_told_its_successor(packages):
    packages("mujoco")
    with pytest.raises(UnknownEnvironment, match=r"newest version is 'Walker2d-v5'\.$"):
        find_spec("Walker2d-v2")
    packages()
    with pytest.raises(UnknownEnvironment, match=r"It needs a package: pip install 'spinup\[mujoco\]'"):
        find_spec("Walker2d-v2")
