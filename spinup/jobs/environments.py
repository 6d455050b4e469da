"""Gymnasium environments by name: checked before a run starts, made inside it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from spinup.errors import UnknownEnvironment


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
        UnknownEnvironment: Gymnasium does not know the name, or the module cannot be imported.
    """
    import gymnasium  # noqa: PLC0415 - heavy, and only needed where there are environments

    if isinstance(env_name, gymnasium.envs.registration.EnvSpec):
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
        return registry[env_id]
    if any(known.startswith(f"{env_id}-v") for known in registry):
        return None  # gymnasium.make takes the newest version
    import difflib  # noqa: PLC0415 - mistakes alone need it

    near = difflib.get_close_matches(env_id, registry, n=3, cutoff=0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else "No known name is near."
    raise UnknownEnvironment(
        f"Gymnasium has no environment {env_name!r}. {hint} "
        "An environment of another package needs 'module:EnvId', or an import of it in your script."
    )
