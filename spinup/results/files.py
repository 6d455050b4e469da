"""Files of run directories, which may be damaged or made to do harm: plain files of a bounded size only."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from spinup.errors import RecordError
from spinup.rundir.atomic import CAREFULLY

_LARGEST_TABLE_BYTES = 1 << 32
_decode = json.JSONDecoder().decode  # what json.loads comes to, at last
_LARGEST_JSON_BYTES = 1 << 24  # far more than settings are; a hostile one would fill the memory


def read_table(path: str) -> bytes:
    """What is in the file now.

    Raises:
        RecordError: It cannot be read, or is a link, no plain file, or larger than 4 GiB.
    """
    return _read(path, _LARGEST_TABLE_BYTES)


def read_object(path: str) -> dict[str, Any]:
    """The JSON object in the file.

    Raises:
        RecordError: It cannot be read, is no plain file of at most 16 MiB, or holds something else.
    """
    data = _read(path, _LARGEST_JSON_BYTES)
    try:
        # From text: from bytes, json would guess the encoding first.
        value = _decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} does not hold valid JSON: {error}.") from error
    if type(value) is not dict:
        raise RecordError(f"{path} holds a {type(value).__name__}, not a JSON object.")
    return value


def _read(path: str, most_bytes: int) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | CAREFULLY)
    except OSError as error:
        raise RecordError(f"Cannot read {path}: {error.strerror}.") from error
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most_bytes:
            raise RecordError(f"{path} is no plain file of at most {most_bytes:,} bytes.")
        return _read_all(file, facts.st_size)
    except OSError as error:
        raise RecordError(f"Cannot read {path}: {error.strerror}.") from error
    finally:
        os.close(file)


def _read_all(file: int, num_bytes: int) -> bytes:
    # One call mostly; the system reads at most 2 GiB at a time, and another process may cut the file.
    data = os.read(file, num_bytes)
    while len(data) < num_bytes and (more := os.read(file, num_bytes - len(data))):
        data += more
    return data
