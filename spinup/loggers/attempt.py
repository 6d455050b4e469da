"""One process's turn at a run's directory: it goes on from a saved state, or begins anew.

Which of the two is known only when the thunk calls ``restore``, or logs a row or saves a state without
having called it. Until then everything of an earlier attempt stays as it is.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from spinup.console import say
from spinup.errors import LoggerError, RecordError, RunDirError, StateNotSaved
from spinup.loggers.earlier import earlier_files, move_aside, new_archive
from spinup.loggers.pair import put_model_in_place, save_pair
from spinup.loggers.statefile import Note, last_number, load_state, newest_state
from spinup.loggers.table import Extent, TableSink
from spinup.rundir.atomic import replacing
from spinup.rundir.layout import RunDir
from spinup.rundir.progress import first_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# Directory → the latest attempt of this process in it.
_latest: dict[Path, Attempt] = {}


def join(directory: Path, table: str) -> Attempt:
    """The attempt that a new logger takes part in.

    A second logger beside the first (a table of evaluations, say) takes part in the first one's; the
    same table once more is a new attempt in an old directory.

    Args:
        directory: Absolute path of an existing directory.
        table: Name of the table that the logger is going to write.
    """
    attempt = _latest.get(directory)
    if attempt is None or attempt.has(table):
        attempt = _latest[directory] = Attempt(directory, table)
    attempt.add(table)
    return attempt


class Attempt:
    """What the loggers of one attempt share.

    Args:
        directory: Absolute path of the run's directory.
        table: Name of the first logger's table. Where there is no such file, no logger was here:
            config.json, if any, is the launcher's, and a state may be there to be read.
    """

    def __init__(self, directory: Path, table: str) -> None:
        self._directory = directory
        self._earlier = earlier_files(directory) if (directory / table).exists() else []
        self._names: set[str] = set()
        self._tables: dict[str, TableSink] = {}
        self._start = Note()
        self._number = 0
        self._saved_any = False
        self._is_settled = False
        self._goes_on = False
        self._held: list[Callable[[], object]] = []

    @property
    def holds_settings(self) -> bool:
        """Whether config.json is that of an earlier run, and it is not known yet what becomes of it."""
        return not self._is_settled and RunDir(self._directory).config in self._earlier

    @property
    def keeps_settings(self) -> bool:
        """Whether config.json is that of an earlier run which this one goes on with."""
        return self._goes_on and RunDir(self._directory).config in self._earlier

    def has(self, table: str) -> bool:
        """Whether a logger of ``table`` takes part."""
        return table in self._names

    def add(self, table: str) -> None:
        """Have a logger of ``table`` take part."""
        self._names.add(table)
        config = RunDir(self._directory).config
        is_anything_left = self._earlier_tables() or any(path != config for path in self._earlier)
        if not self._is_settled and not is_anything_left:
            self._begin_anew()

    def once_settled(self, action: Callable[[], object]) -> None:
        """Call ``action`` as soon as it is known whether the run goes on or begins anew."""
        self._held.append(action)

    def open_table(self, name: str) -> TableSink:
        """The table, which goes on from where the state was saved, or is empty.

        Raises:
            RecordError: The table never had the rows that it should go on from.
            RunDirError: What an earlier run has left cannot be moved.
            OSError: The table cannot be written.
        """
        if not self._is_settled:
            self._begin_anew()
        extent = self._start.tables.get(name, Extent())
        if self._goes_on:
            _cut_back(self._directory / name, extent)
        elif files := self._earlier_tables():  # of a logger that came after the beginning
            self._move(files)
        self._tables[name] = TableSink(self._directory / name, extent)
        return self._tables[name]

    def restore(self) -> Any | None:
        """The state that was saved last, after which every table ends where it ended then.

        None where no state was saved: the run begins anew.

        Raises:
            LoggerError: This attempt has logged a row or saved a state.
            RecordError: The state, its model or a table is not what was saved. Nothing was changed.
        """
        if self._is_touched():
            raise LoggerError(
                "restore() comes before the first row and before save_state: call it earlier."
            )
        saved = newest_state(self._directory)
        if saved is None:
            if not self._is_settled:
                self._begin_anew()
            return None
        state = load_state(saved.path)
        for name, extent in saved.note.tables.items():
            _as_it_was(self._directory / name, extent)
        put_model_in_place(self._directory, saved)
        for name, extent in saved.note.tables.items():
            _cut_back(self._directory / name, extent)
        self._start, self._number, self._goes_on = saved.note, saved.note.number, True
        self._settle()
        return state

    def save(self, state: Mapping[str, Any], itr: int | None, model: tuple[Any] | None) -> None:
        """Save a state, its model, and how far every table of the run has come.

        Raises:
            StateNotSaved: What was saved before is kept.
        """
        if not self._is_settled:
            self._begin_anew()
        extents = {name: table.extent for name, table in self._tables.items()}
        self._sync_tables()
        self._saved_any = True
        self._number += 1
        note = Note(self._number, self._start.tables | extents)
        save_pair(self._directory, state, itr, note, model)

    def _sync_tables(self) -> None:
        # Or a power cut could leave a state that is further than its table.
        for name, table in self._tables.items():
            try:
                table.sync()
            except OSError as error:
                raise StateNotSaved(
                    f"No state was saved, since {name} could not be written: {error}. The last one is kept."
                ) from error

    def _is_touched(self) -> bool:
        return self._saved_any or any(
            table.extent != self._start.tables.get(name, Extent()) for name, table in self._tables.items()
        )

    def _begin_anew(self) -> None:
        # The tables last: they show that there is something to move, should this be interrupted.
        if files := [path for path in self._earlier if path.exists()] + self._earlier_tables():
            self._move(files)
        # A state file that was there before any logger is not newer than what is going to be saved.
        self._number = last_number(self._directory)
        self._settle()

    def _settle(self) -> None:
        self._is_settled = True
        held, self._held = self._held, []
        for action in held:
            action()

    def _earlier_tables(self) -> list[Path]:
        paths = [self._directory / name for name in sorted(self._names - self._tables.keys())]
        return [path for path in paths if path.exists() and path.stat().st_size]

    def _move(self, files: list[Path]) -> None:
        try:
            archive = move_aside(self._directory, files)
        except OSError as error:
            raise RunDirError(
                f"{self._directory} holds an earlier run that could not be moved to its .archive: {error}. "
                "Nothing was overwritten. Move it yourself, or log to another directory."
            ) from error
        say(f"{self._directory} held an earlier run. Its files were moved to {archive}.", color="yellow")


def _as_it_was(table: Path, extent: Extent) -> tuple[bytes, bytes]:
    """What is in ``table``, and what was in it when it had come this far."""
    now = table.read_bytes() if table.exists() else b""
    try:
        return now, first_rows(now, extent.columns, extent.num_rows)
    except ValueError as error:
        raise RecordError(
            f"{table} is not the table that the saved state goes on from: {error}. Put that table back, "
            "or move the state away to begin again."
        ) from error


def _cut_back(table: Path, extent: Extent) -> None:
    """Cut off what was logged after a state was saved; it is going to be logged again.

    If that takes whole rows, the table is copied to ``.archive`` first: a thunk that does not repeat
    itself to the bit will log others.
    """
    now, then = _as_it_was(table, extent)
    if now == then:
        return
    num_cut = max(now.count(b"\n") - 1, 0) - extent.num_rows
    if num_cut:
        archive = new_archive(table.parent)
        shutil.copy2(table, archive / table.name)
        say(
            f"{table}: rows after the saved state are cut off ({num_cut}), and kept in {archive}.", "yellow"
        )
    with replacing(table, mode=0o666) as file:
        file.write(then)
