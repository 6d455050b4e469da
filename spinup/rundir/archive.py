"""Room for a new run: what was in its directory is moved away, never overwritten."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError, RunDirError
from spinup.fingerprint import shorten
from spinup.rundir.config import read_json_object
from spinup.rundir.layout import ARCHIVE, RunDir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MOST_DIFFERENCES = 3
_LONGEST_VALUE = 40


def archive(run_dir: RunDir, data_dir: Path) -> Path:
    """Move ``run_dir`` to ``data_dir/.archive/``; give the directory it is in now.

    Raises:
        RunDirError: It cannot be moved.
    """
    shelf = data_dir / ARCHIVE
    try:
        names = _numbered(_make(shelf) / _name(run_dir))
        target = next(path for path in names if not os.path.lexists(path))
        # Should another process take this name just now, rename fails: it replaces no full directory.
        return run_dir.path.rename(target)
    except OSError as error:
        raise RunDirError(
            f"{run_dir.path} holds an earlier run, which could not be moved to {shelf}: {error}. "
            "Nothing was overwritten. Move it yourself, or choose another data_dir."
        ) from error


def new_archive(run_dir: RunDir, data_dir: Path) -> Path:
    """A new directory in ``data_dir/.archive/``, for files of ``run_dir``.

    Raises:
        RunDirError: It cannot be made.
    """
    shelf = data_dir / ARCHIVE
    try:
        for target in _numbered(_make(shelf) / _name(run_dir)):
            with suppress(FileExistsError):
                target.mkdir()
                return target
    except OSError as error:
        raise RunDirError(f"Cannot make room in {shelf} for {run_dir.path}: {error}.") from error
    raise AssertionError("itertools.count ends")


def _make(shelf: Path) -> Path:
    shelf.mkdir(parents=True, exist_ok=True)
    if shelf.is_symlink():
        raise OSError(f"{shelf} is a symbolic link")
    return shelf


def _name(run_dir: RunDir) -> str:
    return f"{shorten(run_dir.path.name, 220)}@{datetime.now(UTC):%Y-%m-%d_%H-%M-%S}"


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in count(2):
        yield path.with_name(f"{path.name}-{number}")


def describe_difference(run_dir: RunDir, call: Mapping[str, Any]) -> str:
    """In one line, how the run in ``run_dir`` differs from ``call``; empty when it does not.

    Args:
        run_dir: An earlier run, of this package or of Spinning Up.
        call: What is asked now, as in provenance.json: thunk, parameters, seed, num_cpu.
    """
    before = _earlier_call(run_dir, call)
    if before is None:
        return "its config cannot be read"
    old, new = flatten(before), flatten(call)
    pairs = {key: (old.get(key, _MISSING), new.get(key, _MISSING)) for key in [*new, *old]}
    parts = [
        f"{key.removeprefix('parameters:')}: {_short(was)} before, {_short(now)} now"
        for key, (was, now) in pairs.items()
        if _text(was) != _text(now)
    ]
    more = len(parts) - _MOST_DIFFERENCES
    return ", ".join(parts[:_MOST_DIFFERENCES]) + (f", and {more} more" if more > 0 else "")


#: Why two runs are not the same when `describe_difference` finds nothing.
UNTOLD = "something that JSON cannot tell differs: a function, an object, or a list that was a tuple"

_MISSING = "(not given)"


def _earlier_call(run_dir: RunDir, call: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        return dict(read_json_object(run_dir.provenance)["call"])
    except (OSError, RecordError, KeyError, TypeError, ValueError):
        pass
    try:
        config = read_json_object(run_dir.config)
    except (OSError, RecordError):
        return None
    # Spinning Up's config holds all locals of the thunk; only what is asked now can be compared.
    asked = call["parameters"]
    return {**call, "parameters": {key: config[key] for key in asked if key in config}}


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``value`` without nested dicts: their keys are joined by colons, as in a grid."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict) and item:
            flat.update(flatten(item, f"{prefix}{key}:"))
        else:
            flat[f"{prefix}{key}"] = item
    return flat


def _text(value: Any) -> str:
    # As a text, 0 is not 0.0, nor true 1.
    return value if value is _MISSING else json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."
