"""Stable-Baselines3's monitor.csv: a row per episode, from one file for each environment."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from spinup.results.columns import SECONDS, STEPS
from spinup.results.files import read_table
from spinup.results.sources.base import Block
from spinup.results.sources.delimited import PROGRESS_CSV, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from spinup.results.columns import Selection

_ENDING = "monitor.csv"
_START = "_start"


class Monitor:
    """Episodes in the order in which they ended; ``steps`` are those of all of them so far.

    The format: one line of JSON after a ``#``, with ``t_start`` in seconds since 1970; then the columns
    ``r`` (return), ``l`` (length in steps), ``t`` (seconds since the start), and what else was asked for
    (stable_baselines3.common.monitor).
    """

    def claims(self, names: Collection[str]) -> bool:
        """Whether there is a ``monitor.csv``, or one with a prefix, as in ``0.monitor.csv``."""
        return any(map(_is_monitor, names))

    def read(self, directories: Sequence[str], selection: Selection) -> Iterator[Block]:
        """The episodes of the runs in ``directories``."""
        for directory in directories:
            yield _run(directory, selection)


def _is_monitor(name: str) -> bool:
    return name == _ENDING or name.endswith("." + _ENDING)


def _run(directory: str, selection: Selection) -> Block:
    every = replace(selection, columns=None, texts=frozenset())
    names = sorted(entry.name for entry in os.scandir(directory) if _is_monitor(entry.name))
    files = [_file(directory, name, every) for name in names]
    starts = [file.start_s for file in files if file.start_s is not None]
    episodes = pl.concat([file.episodes for file in files], how="diagonal_relaxed")
    episodes = _in_order(episodes, min(starts, default=0.0))
    wanted = [name for name in episodes.columns if selection.wants(name)]
    notes = [(directory, note) for file in files for note in file.notes]
    return Block(episodes.select(wanted), [episodes.height], notes, min(starts, default=None))


@dataclass(frozen=True)
class _File:
    episodes: pl.DataFrame
    start_s: float | None
    notes: list[str]


def _file(directory: str, name: str, selection: Selection) -> _File:
    data = read_table(os.path.join(directory, name))
    first, _, rest = data.partition(b"\n") if data.startswith(b"#") else (b"", b"", data)
    start_s = _start_s(first)
    block = PROGRESS_CSV.careful(Table.of(directory, rest), selection)
    notes = [f"{name}: {note.removeprefix(PROGRESS_CSV.file_name + ' ')}" for _, note in block.notes]
    if start_s is None:
        notes.append(f"{name} does not say when it was begun")
    return _File(block.frame.with_columns(pl.lit(start_s).cast(pl.Float64).alias(_START)), start_s, notes)


def _in_order(episodes: pl.DataFrame, first_s: float) -> pl.DataFrame:
    """The episodes as they ended, with the steps and seconds until then, where they are known."""
    known = {name for name, dtype in episodes.schema.items() if dtype == pl.Float64}
    computed = []
    if "t" in known:
        ended_s = pl.col("t") + pl.col(_START).fill_null(first_s) - first_s
        episodes = episodes.sort(ended_s, maintain_order=True, nulls_last=True)
        computed.append(ended_s.alias(SECONDS))
    if "l" in known:
        computed.append(pl.col("l").cum_sum().alias(STEPS))
    episodes = episodes.with_columns(computed).drop(_START)
    return episodes.select(
        pl.col(name) for name in sorted(episodes.columns, key=lambda name: name != STEPS)
    )


def _start_s(line: bytes) -> float | None:
    try:
        value = json.loads(line[1:].decode()).get("t_start")
    except (ValueError, AttributeError, RecursionError):
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e12 else None
