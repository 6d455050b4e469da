"""The logger that turns what an epoch stored into one row."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any

from spinup.errors import LoggerError
from spinup.loggers.base import NOTHING
from spinup.loggers.logger import Logger, check_key
from spinup.loggers.summary import summarize, to_numbers

if TYPE_CHECKING:
    import os

    from spinup.loggers.summary import FloatArray


class EpochLogger(Logger):
    """A Logger that also collects values, and logs their statistics.

    Attributes:
        epoch_dict: What was stored under each key since it was last logged.
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str] | None = None,
        output_fname: str = "progress.txt",
        exp_name: str | None = None,
        *,
        console: bool = True,
    ) -> None:
        super().__init__(output_dir, output_fname, exp_name, console=console)
        self.epoch_dict: dict[str, list[float | FloatArray]] = {}

    def store(self, /, **values: Any) -> None:
        """Collect values for this epoch's statistics.

        Args:
            **values: Numbers, or arrays, tensors and lists of any shape, whose every element counts
                as one value. Later changes to them do not matter.

        Raises:
            LoggerError: A value is not made of numbers, or the logger is closed.
        """
        self._check_open()
        for key, value in values.items():
            numbers = value if type(value) is float else _checked_numbers(key, value)
            self.epoch_dict.setdefault(key, []).append(numbers)

    def log_tabular(
        self,
        key: str,
        val: object = None,
        with_min_and_max: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
        average_only: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> None:
        """Set column ``key`` to ``val``, or columns to the statistics of what was stored as ``key``.

        What was stored is forgotten then. Where nothing was stored, the cells stay empty.

        Args:
            key: Name of the column, or of the stored values.
            val: A value for the row as it is; None for the statistics.
            with_min_and_max: Columns ``MaxX`` and ``MinX`` too, after ``AverageX`` and ``StdX``.
            average_only: One column ``X`` with the mean instead of ``AverageX`` and ``StdX``.

        Raises:
            LoggerError: The row has one of the columns already, or the logger is closed.
        """
        if val is not None:
            super().log_tabular(key, val)
            return
        check_key(key)
        summary = summarize(self.epoch_dict.get(key, ()))
        columns = {key if average_only else f"Average{key}": summary.mean}
        if not average_only:
            columns[f"Std{key}"] = summary.std
        if with_min_and_max:
            columns |= {f"Max{key}": summary.max, f"Min{key}": summary.min}
        for column, statistic in columns.items():
            super().log_tabular(column, statistic if summary.count else NOTHING)
        self.epoch_dict.pop(key, None)

    def get_stats(self, key: str) -> tuple[float, float]:
        """(mean, population standard deviation) of what is stored as ``key``; NaN for nothing."""
        summary = summarize(self.epoch_dict.get(key, ()))
        return summary.mean, summary.std


def _checked_numbers(key: str, value: Any) -> float | FloatArray:
    try:
        return to_numbers(value)
    # RecursionError: a list that holds itself. Its text, too, is endless but for reprlib.
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LoggerError(
            f"Cannot store {key}={reprlib.repr(value)}: it is not made of numbers ({error})."
        ) from error
