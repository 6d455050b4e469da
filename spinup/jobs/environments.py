"""Gymnasium environments by name: checked before a run starts, made inside it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import UnknownEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Packages that environments cannot be made without, by where their classes are; and how to get them.
_NEEDS = {
    "gymnasium.envs.mujoco": ("mujoco", "pip install 'spinup[mujoco]'"),
    "gymnasium.envs.box2d": ("Box2D", "pip install swig 'gymnasium[box2d]'"),
    "ale_py": ("ale_py", "pip install 'gymnasium[atari]'"),
}
_GONE = "_raise_mujoco_py_error"  # what Gymnasium has in place of environments that it has dropped


@dataclass(frozen=True, repr=False)
class MakeEnvironment:
    """``env_fn``: makes the environment that ``env_name`` names.

    Attributes:
        env_name: As `gymnasium.make` takes it.
        spec: What is registered under that name, or None. A name that the launch script registered
            itself is not known in the child process, which never runs that script.
    """

    env_name: Any
    spec: Any = None

    @classmethod
    def of(cls, env_name: Any) -> MakeEnvironment:
        """The ``env_fn`` for ``env_name``.

        Raises:
            UnknownEnvironment: Gymnasium has no such environment.
        """
        return cls(env_name, find_spec(env_name))

    def __repr__(self) -> str:
        return f"env_fn({self.env_name!r})"

    def __call__(self, **kwargs: Any) -> Any:
        """A new environment; ``kwargs`` as `gymnasium.make` takes them."""
        import gymnasium  # noqa: PLC0415 - heavy, and only the run itself needs it

        if self.spec is not None:
            gymnasium.registry.setdefault(self.spec.id, self.spec)
        return gymnasium.make(self.env_name, **kwargs)


def find_spec(env_name: Any) -> Any:
    """The registered specification of an environment; None for a name without a version.

    ``module:EnvId`` imports the module first.

    Raises:
        UnknownEnvironment: Gymnasium does not know the name, the module cannot be imported, or a package
            without which the environment cannot be made is not installed.
    """
    import gymnasium  # noqa: PLC0415 - heavy, and only needed where there are environments

    if isinstance(env_name, gymnasium.envs.registration.EnvSpec):
        _check_can_be_made(env_name, gymnasium.registry)
        return env_name
    if not isinstance(env_name, str):
        raise UnknownEnvironment(f"env_name must be the name of an environment, not {env_name!r}.")
    module, colon, env_id = env_name.rpartition(":")
    if colon:
        try:
            importlib.import_module(module)
        except Exception as error:
            raise UnknownEnvironment(
                f"The environment {env_name!r} needs the module {module!r}, which cannot be imported: "
                f"{error!r}."
            ) from error
    registry = gymnasium.registry
    if env_id in registry:
        _check_can_be_made(registry[env_id], registry)
        return registry[env_id]
    newest = _newest(env_id, registry)
    if newest is not None:
        _check_can_be_made(newest, registry)
        return None  # gymnasium.make takes the newest version
    if env_id.startswith("ALE/"):
        _check_package(env_name, "ale_py")
    import difflib  # noqa: PLC0415 - mistakes alone need it

    near = difflib.get_close_matches(env_id, registry, n=3, cutoff=0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else "No known name is near."
    raise UnknownEnvironment(
        f"Gymnasium has no environment {env_name!r}. {hint} "
        "An environment of another package needs 'module:EnvId', or an import of it in your script."
    )


def _newest(name: str, registry: Mapping[str, Any]) -> Any:
    """The specification of the newest version of an environment; None if there is none."""
    versions = [spec for key, spec in registry.items() if key.rpartition("-v")[0] == name]
    return max(versions, key=lambda spec: spec.version or 0, default=None)


def _check_can_be_made(spec: Any, registry: Mapping[str, Any]) -> None:
    """Raise UnknownEnvironment where it is certain that the environment cannot be made here."""
    where = spec.entry_point
    if getattr(where, "__name__", "") == _GONE:
        newest = _newest(spec.id.rpartition("-v")[0], registry)
        needs = "" if _is_here("mujoco") else f" It needs a package: {_NEEDS['gymnasium.envs.mujoco'][1]}"
        raise UnknownEnvironment(
            f"Gymnasium cannot make {spec.id!r} any more: it needs mujoco-py, which is not kept up. "
            f"The newest version is {newest.id!r}.{needs}"
        )
    for place in _NEEDS:
        if isinstance(where, str) and where.startswith((f"{place}.", f"{place}:")):
            _check_package(spec.id, place)


def _check_package(env_name: str, place: str) -> None:
    package, install = _NEEDS[place]
    if not _is_here(package):
        raise UnknownEnvironment(
            f"The environment {env_name!r} needs the package {package}, which is not installed: {install}"
        )


def _is_here(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None
    return importlib.util.find_spec(package) is not None
