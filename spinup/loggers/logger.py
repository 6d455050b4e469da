"""The logger of Spinning Up, which loses nothing: no column, no earlier run, no half-written file."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup import mpi
from spinup.console import say
from spinup.errors import LoggerError
from spinup.loggers.base import NOTHING
from spinup.loggers.place import check_place, enter
from spinup.loggers.saver import check_torch
from spinup.loggers.screen import ScreenSink
from spinup.loggers.settings import ConfigFile, as_settings
from spinup.loggers.statefile import load_state, newest_state
from spinup.loggers.values import plain, settled

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from spinup.loggers.base import Sink
    from spinup.loggers.claim import Claim
    from spinup.loggers.table import TableSink


class Logger:
    """Writes a run's table, settings, state and model; in an MPI run, only on rank 0.

    Args:
        output_dir: Directory for the files, made when it is not there. None for a new directory
            below ``experiments`` in the system's directory for temporary files.
        output_fname: Name of the table. Where an earlier process has left a table, of whatever name,
            ``restore`` goes on with its run; without ``restore``, the first row or saved state moves
            its files to ``.archive`` in the ``data_dir``, or beside ``output_dir``.
        exp_name: Name of the experiment, which ``save_config`` adds to the settings.
        console: Print the table and messages; without, only warnings are printed.

    Attributes:
        output_dir: Absolute path of the directory; None on other ranks than 0.
        exp_name: As given.

    Raises:
        UnsafePath: ``output_dir`` is no path, or ``output_fname`` no name for a table.
        RunIsLive: Another process writes this table.
        RunDirError: The directory or the table cannot be written.
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str] | None = None,
        output_fname: str = "progress.txt",
        exp_name: str | None = None,
        *,
        console: bool = True,
    ) -> None:
        check_place(output_dir, output_fname)
        self.exp_name = exp_name
        self.output_dir: str | None = None
        self._directory: Path | None = None
        self._fname = output_fname
        self._columns: list[str] = []
        self._row: dict[str, object] = {}
        self._model: tuple[Any] | None = None  # in a tuple, because a model may be any object
        self._is_writer = mpi.rank() == 0
        self._is_talking = console and self._is_writer
        self._table: TableSink | None = None
        self._sinks: list[Sink] = [ScreenSink()] if self._is_talking else []
        self._config: ConfigFile | None = None
        claim: Claim | None = None
        if self._is_writer:
            self._directory, self._attempt, claim = enter(output_dir, output_fname)
            self.output_dir = str(self._directory)
            self._config = ConfigFile(self._attempt, self._directory)
            self._say(f"Logging data to {self._directory / output_fname}", "green")
        elif output_dir is not None:
            self._directory = Path(output_dir).absolute()
        # Runs once: in close(), when the logger is garbage, or when the interpreter exits.
        self._finish = weakref.finalize(self, _finish, self._sinks, self._row, self._config, claim)
        if claim is not None:
            claim.on_loss = self._finish

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.output_dir!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the table; a second call does nothing, and logging is an error from now on."""
        self._finish()

    def log(self, msg: object, color: str = "green") -> None:
        """Print a message, in ``color`` where a terminal shows it."""
        self._say(str(msg), color)

    def log_tabular(self, key: str, val: object) -> None:
        """Set the value of column ``key`` in the row that is being filled.

        Args:
            key: Name of the column; a new one may come at any time.
            val: Anything; what goes into the table is its text.

        Raises:
            LoggerError: The row has a value for ``key`` already, ``key`` is no string, or the logger is
                closed.
        """
        self._check_open()
        check_key(key)
        if key in self._row:
            raise LoggerError(
                f"{key!r} is set already in this row of the table. "
                "Maybe dump_tabular was forgotten, or failed?"
            )
        self._row[key] = plain(val)

    def dump_tabular(self) -> None:
        """Write the row; without any value since the last one, do nothing.

        After an error with a value or with a new column the row is kept, and this can be called again.

        Raises:
            LoggerError: A value has no text, or the logger is closed.
            RunDirError: The directory is gone, or another file is in the place of the table.
            OSError: The row cannot be written.
        """
        self._check_open()
        if not self._row:
            return
        row = settled(self._row)
        if self._table is None:
            self._open_table()
        if added := [key for key in row if key not in self._columns]:
            columns = [*self._columns, *added]
            for sink in self._sinks:
                sink.set_columns(columns)
            # Only now: when a sink fails, for want of disk space, the next row tries again.
            self._columns = columns
        # And now, not later: a row that a full disk holds back goes out with the next one.
        self._row.clear()
        values = [row.get(key, NOTHING) for key in self._columns]
        for sink in self._sinks:
            sink.write(values)

    def save_config(self, config: object) -> None:
        """Add settings to config.json, and print the whole.

        Args:
            config: A mapping of any objects, such as ``locals()``. A key that the launcher has
                written keeps the launcher's value.

        Raises:
            LoggerError: ``config`` is no mapping, or the logger is closed.
        """
        self._check_open()
        if self._config is not None:
            text = self._config.add(as_settings(config, self.exp_name))
            self._say("Saving config:\n", "cyan")
            self._say(text)

    def save_state(self, state_dict: Mapping[str, Any], itr: int | None = None) -> None:
        """Replace the saved state, and the model if ``setup_pytorch_saver`` was called.

        How far the tables have come is saved with it, for ``restore``. So call it after the
        ``dump_tabular`` of the epoch that the state is the end of.

        Args:
            state_dict: What is needed to go on; goes to ``vars.pkl``.
            itr: Number for the files' names, to keep one state beside another.

        Raises:
            StateNotSaved: Something cannot be pickled or written; what was saved last is kept, and
                is what ``restore`` goes on from. The model alone is saved even if the state cannot be.
            LoggerError: The logger is closed.
        """
        self._check_open()
        if not self._is_writer:
            return
        if self._table is None:
            self._open_table()
        self._attempt.save(state_dict, itr, self._model)

    def restore(self) -> dict[str, Any] | None:
        """The state that was saved last in this directory, from which the run goes on; None for none.

        Call it before the first row. The tables of all loggers in the directory then end where they
        ended when the state was saved, and the next row follows: rows that were logged later are
        cut off, since the run logs them again, and a copy of such a table is kept in ``.archive``.
        The model that was saved with the state is in its place. Values that were stored and not
        dumped are gone. With None the run begins anew, and what an earlier one has logged is moved
        to ``.archive``.

        In an MPI run each rank gets the same state, if all were given the same ``output_dir`` and
        all call this before rank 0 saves again; the model is in its place once rank 0 is through.

        Raises:
            LoggerError: A row was logged or a state saved already, or the logger is closed.
            RecordError: The state, its model or a table is damaged, not the one that was saved, or
                could have been written by somebody else; the message says what to do.
        """
        self._check_open()
        if self._row:
            raise LoggerError(f"restore() comes before anything is logged, and {', '.join(self._row)} was.")
        if not self._is_writer:
            return self._read_state()
        state: dict[str, Any] | None = self._attempt.restore()
        self._open_table()
        if state is not None and self._table is not None:
            self._say(f"Going on after row {self._table.extent.num_rows} of {self._fname}", "green")
        return state

    def setup_pytorch_saver(self, what_to_save: object) -> None:
        """Have ``save_state`` save this too, to ``pyt_save/model.pt``.

        Args:
            what_to_save: A PyTorch model, or anything that ``torch.save`` takes.

        Raises:
            MissingExtra: PyTorch is not installed.
        """
        check_torch()
        self._model = (what_to_save,)

    def _open_table(self) -> None:
        """Begin the table, or go on with it; on other ranks than 0 do nothing."""
        if not self._is_writer:
            return
        if self._table is not None:
            self._table.close()
            self._sinks.remove(self._table)
        self._table = self._attempt.open_table(self._fname)
        self._columns = self._table.extent.columns
        if self._columns:
            for sink in self._sinks:
                sink.set_columns(self._columns)
        self._sinks.insert(0, self._table)

    def _read_state(self) -> dict[str, Any] | None:
        if self._columns:
            raise LoggerError("restore() comes before the first row: call it earlier.")
        saved = None if self._directory is None else newest_state(self._directory)
        state: dict[str, Any] | None = None if saved is None else load_state(saved.path)
        return state

    def _say(self, text: str, color: str | None = None) -> None:
        if self._is_talking:
            say(text, color, bold=color is not None)

    def _check_open(self) -> None:
        if not self._finish.alive:
            raise LoggerError(
                f"{self!r} is closed: by close(), or because another logger has taken over its table. "
                "Make a new Logger to log more."
            )


def check_key(key: object) -> None:
    """Raise LoggerError unless ``key`` can be the name of a column."""
    if not isinstance(key, str):
        raise LoggerError(f"The name of a column must be a string, not {key!r}.")


def _finish(
    sinks: Sequence[Sink], row: Mapping[str, object], config: ConfigFile | None, claim: Claim | None
) -> None:
    for sink in sinks:
        sink.close()
    if claim is not None:
        claim.release()
    if config is None:
        return
    if row:
        say(f"Not in the table, for want of dump_tabular: {', '.join(row)}.", color="yellow")
    if config.held:
        say(
            "config.json is still that of the run before, which is left as it was, since no row was logged "
            f"and no state saved. Not written: {', '.join(config.held)}.",
            color="yellow",
        )
