"""A table as it was when a state was saved: what came later is cut off, and kept elsewhere."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from spinup.console import say
from spinup.errors import RecordError
from spinup.loggers.claim import open_plain
from spinup.loggers.earlier import new_archive
from spinup.rundir.progress import first_rows

if TYPE_CHECKING:
    from pathlib import Path

    from spinup.loggers.claim import Claim
    from spinup.loggers.table import Extent


def as_it_was(table: Path, extent: Extent) -> tuple[bytes, bytes]:
    """What is in ``table``, and what was in it when it had come this far.

    Raises:
        RecordError: It never was so.
        RunDirError: It is no plain file.
    """
    try:
        with os.fdopen(open_plain(table, os.O_RDONLY), "rb") as file:
            now = file.read()
    except FileNotFoundError:
        now = b""
    try:
        return now, first_rows(now, extent.columns, extent.num_rows)
    except ValueError as error:
        raise RecordError(
            f"{table} is not the table that the saved state goes on from: {error}. Put that table back, "
            "or move the state away to begin again."
        ) from error


def cut_back(table: Path, extent: Extent, claim: Claim | None) -> None:
    """Cut off what was logged after a state was saved; it is going to be logged again.

    If that takes whole rows, the table is copied to ``.archive`` first: a thunk that does not repeat
    itself to the bit will log others.

    Args:
        table: The file.
        extent: How far it had come.
        claim: The right to write it; None where there is no such file.
    """
    now, then = as_it_was(table, extent)
    if now == then or claim is None:
        return
    num_cut = max(now.count(b"\n") - 1, 0) - extent.num_rows
    if num_cut:
        archive = new_archive(table.parent)
        shutil.copy2(table, archive / table.name)
        say(
            f"{table}: rows after the saved state are cut off ({num_cut}), and kept in {archive}.", "yellow"
        )
    with claim.replacing() as file:
        file.write(then)
