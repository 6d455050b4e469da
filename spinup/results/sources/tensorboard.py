"""TensorBoard's event files, as CleanRL, Stable-Baselines3 and many others write them: scalars only."""

from __future__ import annotations

import math
import os
import re
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from spinup.errors import MissingExtra, RecordError
from spinup.results.columns import SECONDS, STEPS, free_names
from spinup.results.files import read_table
from spinup.results.sources.base import Block

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from spinup.results.columns import Selection

_MARK = "tfevents"
_LENGTH = struct.Struct("<Q")
_CHECKSUM_BYTES = 4
_MOST_HEAD_EVENTS = 100
_SETTING = re.compile(r"^\|(?P<key>[^|]+)\|(?P<value>.*)\|$")
_WORDS = {"True": True, "False": False, "None": None}


class TensorBoard:
    """A row for each step at which a scalar was logged, a column for each tag.

    Where a tag was logged several times at one step, as by several environments, each has its row.
    """

    def claims(self, names: Collection[str]) -> bool:
        """Whether there is an event file."""
        return any(_MARK in name for name in names)

    def read(self, directories: Sequence[str], selection: Selection) -> Iterator[Block]:
        """The scalars of the runs in ``directories``."""
        for directory in directories:
            yield _run(directory, selection)


def read_settings(directory: str) -> dict[str, Any]:
    """The hyperparameters that a run has logged as a table in Markdown, as CleanRL's do; {} for none.

    They are the first thing that such a run logs. Without the package tensorboard, there are none.
    """
    try:
        events, _ = _events(_files(directory)[0], most=_MOST_HEAD_EVENTS)
    except (MissingExtra, RecordError, IndexError, OSError):
        return {}
    for event in events:
        for value in event.summary.value:
            if value.tag.startswith("hyperparameters") and value.tensor.string_val:
                return _settings(value.tensor.string_val[0].decode("utf-8", "replace"))
    return {}


def _settings(table: str) -> dict[str, Any]:
    rows = [match for line in table.splitlines()[2:] if (match := _SETTING.match(line.strip()))]
    return {row["key"].strip(): _typed(row["value"].strip()) for row in rows}


def _typed(text: str) -> Any:
    """The value that Python writes as ``text``, if it is a number, a truth value or None."""
    if text in _WORDS:
        return _WORDS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


@dataclass
class _Scalars:
    """What was read so far: for each step and each time it came up, a row."""

    rows: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)
    walls_s: dict[tuple[int, int], float] = field(default_factory=dict)
    num_seen: defaultdict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    tags: dict[str, None] = field(default_factory=dict)

    def add(self, event: Any) -> None:
        for value in event.summary.value:
            number = _number(value)
            if number is None:
                continue
            key = (event.step, self.num_seen[event.step, value.tag])
            self.num_seen[event.step, value.tag] += 1
            self.tags[value.tag] = None
            self.rows.setdefault(key, {})[value.tag] = number
            self.walls_s[key] = event.wall_time


def _run(directory: str, selection: Selection) -> Block:
    scalars, notes, start_s = _Scalars(), [], None
    for path in _files(directory):
        events, note = _events(path)
        for event in events:
            start_s = event.wall_time if start_s is None else start_s
            scalars.add(event)
        notes += [(directory, f"{os.path.basename(path)}: {note}")] if note else []
    if not scalars.rows:
        notes.append((directory, "the event files hold no scalars"))
    return Block(_frame(scalars, start_s or 0.0, selection), [len(scalars.rows)], notes, start_s)


def _files(directory: str) -> list[str]:
    # Their names begin with the time at which they were made.
    with os.scandir(directory) as entries:
        names = [e.name for e in entries if _MARK in e.name and e.is_file(follow_symlinks=False)]
    return [os.path.join(directory, name) for name in sorted(names)]


def _frame(scalars: _Scalars, start_s: float, selection: Selection) -> pl.DataFrame:
    header = list(scalars.tags)
    keys = sorted(scalars.rows)
    columns = [
        pl.Series(name, [scalars.rows[key].get(tag) for key in keys], dtype=pl.Float64)
        for tag, name in zip(header, free_names(header), strict=True)
    ]
    by_name = {column.name: column for column in columns}
    roles = {role: by_name[name] for role, name in selection.roles(header).items()}
    roles[STEPS] = pl.Series([step for step, _ in keys], dtype=pl.Float64)
    roles[SECONDS] = pl.Series([scalars.walls_s[key] - start_s for key in keys], dtype=pl.Float64)
    named = [column.alias(role) for role, column in roles.items()]
    return pl.DataFrame([column for column in [*named, *columns] if selection.wants(column.name)])


def _events(path: str, most: int | None = None) -> tuple[list[Any], str | None]:
    """The events of a file, and what could not be read of it.

    A record is its length (8 bytes), a checksum (4), that many bytes, and a checksum (4): TensorFlow's
    format TFRecord. The checksums are not looked at: what is damaged is no event, or a strange number.
    """
    try:
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - an extra
        from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("tensorboard, which reads event files,", "tb") from error
    data, place = read_table(path), 0
    events: list[Any] = []
    while place < len(data) and (most is None or len(events) < most):
        begin = place + _LENGTH.size + _CHECKSUM_BYTES
        if begin > len(data):
            return events, "the last record is not whole, and was left out"
        end = begin + _LENGTH.unpack_from(data, place)[0]
        if end + _CHECKSUM_BYTES > len(data):
            return events, "the last record is not whole, and was left out"
        try:
            events.append(Event.FromString(data[begin:end]))
        except DecodeError:
            return events, f"what follows byte {place} is damaged, and was left out"
        place = end + _CHECKSUM_BYTES
    return events, None


def _number(value: Any) -> float | None:
    """The scalar that is logged, in either of the two ways; None for pictures, texts and the like."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor") or math.prod(dim.size for dim in value.tensor.tensor_shape.dim) != 1:
        return None
    tensor = value.tensor
    if tensor.float_val or tensor.double_val:
        return float([*tensor.float_val, *tensor.double_val][0])
    packed = {1: "<f", 2: "<d"}.get(tensor.dtype)  # DT_FLOAT, DT_DOUBLE
    if packed is None or len(tensor.tensor_content) != struct.calcsize(packed):
        return None
    return float(struct.unpack(packed, tensor.tensor_content)[0])
