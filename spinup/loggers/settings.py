"""config.json, which the launcher begins and the thunk adds to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spinup.console import say
from spinup.errors import LoggerError, RecordError
from spinup.loggers.earlier import move_aside
from spinup.rundir.atomic import write_text
from spinup.rundir.config import dumps, read_json_object, to_json
from spinup.rundir.layout import RunDir

if TYPE_CHECKING:
    from pathlib import Path


class ConfigFile:
    """The config.json of one directory, as one logger adds to it."""

    def __init__(self, output_dir: Path) -> None:
        self._run_dir = RunDir(output_dir)
        self._own: set[str] = set()

    def add(self, config: dict[str, Any]) -> str:
        """Write what is there already and ``config`` beside it; the whole, as JSON text.

        What somebody else has written wins: the launcher knows what it was asked for.
        """
        present = self._read()
        foreign = {key: value for key, value in present.items() if key not in self._own}
        self._own |= config.keys() - foreign.keys()
        text = dumps(present | config | foreign)
        write_text(self._run_dir.config, text)
        return text

    def _read(self) -> dict[str, Any]:
        try:
            return read_json_object(self._run_dir.config)
        except FileNotFoundError:
            return {}
        except RecordError as error:
            archive = move_aside(self._run_dir.path, [self._run_dir.config])
            say(f"{error} It was moved to {archive}.", color="yellow")
            return {}


def as_settings(config: object, exp_name: str | None) -> dict[str, Any]:
    """``config`` in terms of JSON, with ``exp_name`` in it when there is one.

    Args:
        config: A mapping, or an object with attributes such as ``argparse.Namespace``.
        exp_name: Name of the experiment.

    Raises:
        LoggerError: ``config`` has no names for its values.
    """
    if not isinstance(config, Mapping):
        if not hasattr(config, "__dict__"):
            raise LoggerError(f"save_config takes a dict, such as locals(), not {type(config).__name__}.")
        config = vars(config)
    settings: dict[str, Any] = to_json(dict(config))
    return settings if exp_name is None else {**settings, "exp_name": exp_name}
