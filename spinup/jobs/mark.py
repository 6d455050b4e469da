"""What config.json says of a run's part in an ablation: no part of what the run is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spinup.rundir.atomic import write_text
from spinup.rundir.config import dumps, join_texts, read_json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spinup.rundir.layout import RunDir

#: The key that the mark has in config.json.
MARK = "_ablation"


def read_mark(run_dir: RunDir) -> Any:
    """The mark in config.json; None without one.

    Raises:
        RecordError: config.json is damaged.
        OSError: It is not there, or cannot be read.
    """
    return read_json_object(run_dir.config).get(MARK)


def write_mark(run_dir: RunDir, mark: Mapping[str, Any] | None) -> None:
    """Have config.json say ``mark``, or nothing where it is None; the run's lock is held.

    Raises:
        RecordError: config.json is damaged.
        OSError: It is not there, or cannot be written.
    """
    config = read_json_object(run_dir.config)
    if config.get(MARK) == mark:
        return
    config.pop(MARK, None)
    if mark is not None:
        config[MARK] = dict(mark)
    write_text(run_dir.config, join_texts({key: dumps(value) for key, value in config.items()}))
