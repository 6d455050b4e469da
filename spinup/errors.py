"""Every error of spinup. Each is a SpinupError, and the builtin that a caller would expect.

::

    SpinupError
    ├── SettingError (ValueError)            a setting in user_config or a SPINUP_ variable
    ├── GridError (ValueError)               a parameter that cannot be added, a grid that cannot be named
    │   ├── GridKeyError (TypeError)         a key that is no string
    │   ├── GridIndexError (IndexError)      a variant's number that the grid does not have
    │   ├── GridTooLarge (OverflowError)     more variants than can be counted, looked through or run
    │   └── GridFileError (OSError)          a grid's file that cannot be written
    ├── UnsafePath (ValueError)              a name or seed that would leave its directory
    ├── ThunkError (TypeError)               a thunk that cannot be called with these arguments
    ├── NotPicklable (TypeError)             a thunk or argument that cannot cross to the child process
    ├── UnknownEnvironment (LookupError)     an environment that Gymnasium does not know
    ├── UnsupportedNumCpu (ValueError)       num_cpu that cannot be had
    ├── MpiError (RuntimeError)              MPI cannot be used here, or not like this
    ├── RunDirError (OSError)                a run directory that cannot be made, moved or written
    │   └── RunIsLive                        another process is writing this run right now
    ├── RecordError (ValueError)             a file of the record that is not what it should be
    ├── PayloadError (ValueError)            a payload that is damaged, or readable by others
    ├── LoggerError (ValueError)             a logger that is used in the wrong order
    ├── StateNotSaved (RuntimeError)         save_state failed; the previous state is still there
    ├── HyperparameterError (ValueError)     a reference algorithm cannot use this value or space
    ├── PlotError (ValueError)               a picture that cannot be drawn, or saved like this
    ├── ReportError (ValueError)             a report that cannot be saved like this
    ├── MissingExtra (ImportError)           an optional dependency is not installed
    ├── ExperimentFailed (RuntimeError)      one run ended, and not well
    └── GridFailed (RuntimeError)            some runs of a grid ended, and not well
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class SpinupError(Exception):
    """Base of all errors that spinup raises on purpose."""


class SettingError(SpinupError, ValueError):
    """A setting has a value that cannot be used."""


class GridError(SpinupError, ValueError):
    """A parameter cannot be added to the grid, or the grid cannot run."""


class GridKeyError(GridError, TypeError):
    """A parameter's key is not a string."""


class GridIndexError(GridError, IndexError):
    """The grid has no variant of this number."""


class GridTooLarge(GridError, OverflowError):
    """The grid has more variants than can be counted by ``len``, looked through, or run."""


class GridFileError(GridError, OSError):
    """The file of a grid cannot be written."""


class UnsafePath(SpinupError, ValueError):
    """A name or a seed would lead out of its directory."""


class ThunkError(SpinupError, TypeError):
    """The thunk cannot be called with these arguments."""


class NotPicklable(SpinupError, TypeError):
    """The thunk, or one of its arguments, cannot be sent to the child process."""


class UnknownEnvironment(SpinupError, LookupError):
    """Gymnasium does not know this environment."""


class UnsupportedNumCpu(SpinupError, ValueError):
    """This number of processes cannot be had."""


class MpiError(SpinupError, RuntimeError):
    """MPI is not installed, or cannot be used like this."""


class RunDirError(SpinupError, OSError):
    """A run directory cannot be made, moved or written."""


class RunIsLive(RunDirError):
    """Another process is writing this run directory right now."""


class RecordError(SpinupError, ValueError):
    """A file of a run's record does not hold what it should."""


class PayloadError(SpinupError, ValueError):
    """A payload is damaged, or could have been written by somebody else."""


class LoggerError(SpinupError, ValueError):
    """The logger is used in a way that would lose data."""


class StateNotSaved(SpinupError, RuntimeError):
    """The state could not be written; the one saved before is still there."""


class HyperparameterError(SpinupError, ValueError):
    """A reference algorithm cannot use this value, or this environment's spaces."""


class PlotError(SpinupError, ValueError):
    """A picture cannot be drawn from this, or saved like this."""


class ReportError(SpinupError, ValueError):
    """A report cannot be saved like this."""


class MissingExtra(SpinupError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed. Install it with: pip install 'spinup[{extra}]'")
        self._arguments = (what, extra)

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), self._arguments


class ExperimentFailed(SpinupError, RuntimeError):
    """One run ended, and not well.

    Attributes:
        record: The `spinup.RunRecord` of the run.
    """

    def __init__(self, message: str, record: object) -> None:
        super().__init__(message)
        self.record = record

    # Errors cross processes too: a pool that cannot unpickle one hangs or breaks.
    def __reduce__(self) -> tuple[type[ExperimentFailed], tuple[str, object]]:
        return type(self), (str(self), self.record)


class GridFailed(SpinupError, RuntimeError):
    """Some runs of a grid ended, and not well; the others are finished.

    Attributes:
        records: The `spinup.RunRecord` of every run of the grid, finished ones included.
    """

    def __init__(self, message: str, records: Sequence[object]) -> None:
        super().__init__(message)
        self.records = list(records)

    def __reduce__(self) -> tuple[type[GridFailed], tuple[str, list[object]]]:
        return type(self), (str(self), self.records)
