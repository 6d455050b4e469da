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

    from spinup.loggers.attempt import Attempt


class ConfigFile:
    """The config.json of one directory, as one logger adds to it.

    Args:
        attempt: The attempt that the logger takes part in.
        output_dir: The directory.
    """

    def __init__(self, attempt: Attempt, output_dir: Path) -> None:
        self._attempt = attempt
        self._run_dir = RunDir(output_dir)
        self._own: set[str] = set()
        self._held: dict[str, Any] = {}

    @property
    def held(self) -> list[str]:
        """Keys that are not written yet, since the file may belong to a run that is left as it is."""
        return list(self._held)

    def add(self, config: dict[str, Any]) -> str:
        """Write what is there already and ``config`` beside it; the whole, as JSON text.

        What somebody else has written wins: the launcher knows what it was asked for, and rows that
        are there already were made with the settings of an earlier attempt. While it is not known
        whether an earlier run's file is to be moved, nothing is written.
        """
        if not self._attempt.holds_settings:
            return self._write(config)
        if not self._held:
            self._attempt.once_settled(self._write_held)
        self._held |= config
        return dumps(self._held)

    def _write_held(self) -> None:
        config, self._held = self._held, {}
        self._write(config)

    def _write(self, config: dict[str, Any]) -> str:
        present = self._read()
        foreign = {key: value for key, value in present.items() if key not in self._own}
        if self._attempt.keeps_settings:
            _warn_of_changes(config, foreign)
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


def _warn_of_changes(config: dict[str, Any], kept: dict[str, Any]) -> None:
    changed = [key for key in config if key in kept and dumps(config[key]) != dumps(kept[key])]
    if changed:
        say(
            "The run goes on with other settings than it began with. config.json keeps the first ones: "
            f"{', '.join(sorted(changed))}.",
            color="yellow",
        )


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
