"""One process's turn at a run's directory: it goes on from a saved state, or begins anew.

Which of the two is known only when the thunk calls ``restore``, or logs a row or saves a state without
having called it. Until then everything of an earlier attempt stays as it is.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from spinup.console import say
from spinup.errors import LoggerError, RunDirError, RunIsLive, StateNotSaved
from spinup.loggers.claim import Claim, is_written_here
from spinup.loggers.earlier import is_begun_elsewhere, left_by_an_earlier_run, move_aside
from spinup.loggers.pair import put_model_in_place, save_pair
from spinup.loggers.rewind import as_it_was, cut_back
from spinup.loggers.statefile import Note, last_number, load_state, newest_state
from spinup.loggers.table import Extent, TableSink
from spinup.rundir.layout import RunDir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_MOST_NAMES = 8

# Directory, links resolved → the latest attempt of this process in it.
_latest: dict[Path, Attempt] = {}


def join(directory: Path, claim: Claim) -> Attempt:
    """The attempt that a new logger takes part in.

    A second logger beside the first (a table of evaluations, say) takes part in the first one's; the
    same table once more is a new attempt in an old directory.

    Args:
        directory: Path of an existing directory, links resolved.
        claim: The right to the table that the logger is going to write.
    """
    attempt = _latest.get(directory)
    if attempt is None or attempt.has(claim.table.name):
        attempt = _latest[directory] = Attempt(directory, claim)
    attempt.add(claim)
    return attempt


class Attempt:
    """What the loggers of one attempt share.

    Where there is no table, no logger was here: config.json, if any, is the launcher's, and a state may
    be there to be read. Where another process writes a table, this attempt is beside that one, and
    moves nothing of it.

    Args:
        directory: Path of the run's directory, links resolved.
        claim: The right to the first logger's table.
    """

    def __init__(self, directory: Path, claim: Claim) -> None:
        self._directory = directory
        self._earlier, self._others = left_by_an_earlier_run(directory, claim)
        self._claims: dict[str, Claim] = {}
        self._tables: dict[str, TableSink] = {}
        self._start = Note()
        self._number = 0
        self._saved_any = False
        self._is_settled = False
        self._goes_on = False
        self._held: list[Callable[[], object]] = []

    @property
    def is_settled(self) -> bool:
        """Whether it is known that the run goes on, or begins anew."""
        return self._is_settled

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
        return table in self._claims

    def add(self, claim: Claim) -> None:
        """Have the logger take part that has this right to its table."""
        self._claims[claim.table.name] = claim
        config = RunDir(self._directory).config
        tables = self._earlier_tables() + self._others
        # Of an earlier run that has left no more than settings, there is nothing to go on from.
        if not self._is_settled and not tables and all(path == config for path in self._earlier):
            self._begin_anew()

    def once_settled(self, action: Callable[[], object]) -> None:
        """Call ``action`` as soon as it is known whether the run goes on or begins anew."""
        self._held.append(action)

    def open_table(self, name: str) -> TableSink:
        """The table, which goes on from where the state was saved, or is empty.

        Raises:
            RecordError: The table never had the rows that it should go on from.
            RunDirError: What an earlier run has left cannot be moved.
            RunIsLive: This is a forked child, and its parent writes the table.
            OSError: The table cannot be written.
        """
        claim = self._claims[name]
        claim.ensure()
        if not self._is_settled:
            self._begin_anew()
        extent = self._start.tables.get(name, Extent())
        if self._goes_on:
            cut_back(claim.table, extent, claim)
        elif files := self._earlier_tables():  # of a logger that came after the beginning
            self._move(files)
        self._tables[name] = TableSink(claim.table, extent, claim)
        return self._tables[name]

    def restore(self) -> Any | None:
        """The state that was saved last, after which every table ends where it ended then.

        None where no state was saved: the run begins anew.

        Raises:
            LoggerError: This attempt has logged a row or saved a state.
            RecordError: The state, its model or a table is not what was saved. Nothing was changed.
            RunIsLive: Another process writes a table of the run. Nothing was changed.
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
        with ExitStack() as until_cut:
            claims = {name: self._claim(name, until_cut) for name in saved.note.tables}
            for name, extent in saved.note.tables.items():
                as_it_was(self._directory / name, extent)
            put_model_in_place(self._directory, saved)
            for name, extent in saved.note.tables.items():
                cut_back(self._directory / name, extent, claims[name])
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

    def _claim(self, name: str, until_cut: ExitStack) -> Claim | None:
        """The right to a table that the state tells of; None where it is not there."""
        if name in self._claims and self._claims[name].is_held:
            return self._claims[name]
        path = self._directory / name
        if not os.path.lexists(path):
            return None
        claim = Claim(path)
        until_cut.callback(claim.release)
        return claim

    def _begin_anew(self) -> None:
        # The tables last: they show that there is something to move, should this be interrupted.
        if files := self._leftovers() + self._earlier_tables():
            self._move(files)
        # A state file that was there before any logger is not newer than what is going to be saved.
        self._number = last_number(self._directory)
        self._settle()

    def _leftovers(self) -> list[Path]:
        """All that an earlier run has left but for tables of this attempt's names."""
        if is_begun_elsewhere(self._directory):
            return []  # another process has begun since, and what is there may be its own
        tables = [path for path in self._others if path.name not in self._claims]
        files = self._earlier + [path for path in tables if not is_written_here(path)]
        return [path for path in files if path.exists()]

    def _settle(self) -> None:
        self._is_settled = True
        held, self._held = self._held, []
        for action in held:
            action()

    def _earlier_tables(self) -> list[Path]:
        paths = [self._directory / name for name in sorted(self._claims.keys() - self._tables.keys())]
        return [path for path in paths if path.exists() and path.stat().st_size]

    def _move(self, files: list[Path]) -> None:
        try:
            archive = move_aside(self._directory, files)
            for claim in [self._claims[path.name] for path in files if path.name in self._claims]:
                claim.renew()
        except RunIsLive:
            raise
        except OSError as error:
            raise RunDirError(
                f"{self._directory} holds an earlier run that could not be moved to an archive: {error}. "
                "Nothing was overwritten. Move it yourself, or log to another directory."
            ) from error
        names = [path.name for path in files[:_MOST_NAMES]]
        more = f" and {len(files) - _MOST_NAMES} more" if len(files) > _MOST_NAMES else ""
        say(
            f"{self._directory} held an earlier run. Moved to {archive}: {', '.join(names)}{more}.",
            color="yellow",
        )


def _forget_open_questions() -> None:
    # What becomes of an earlier run is the parent's to decide; its child would decide once more.
    for directory in [path for path, attempt in _latest.items() if not attempt.is_settled]:
        del _latest[directory]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_open_questions)
