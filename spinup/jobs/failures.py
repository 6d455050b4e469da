"""Which of a run's processes has failed first: the one whose failure is the run's."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from spinup.errors import RecordError
from spinup.rundir.status import State, read_status

if TYPE_CHECKING:
    from spinup.rundir.layout import RunDir

#: Named as `spinup.rundir.atomic` names what is not finished, so that it goes with that.
_MARK = ".status.json.claimed_.tmp"

_PATIENCE_S = 5.0
_INTERVAL_S = 0.01


def claim_failure(run_dir: RunDir) -> bool:
    """Whether this process is the first of the run to fail, and so the one to write that down."""
    with suppress(FileExistsError):
        os.close(os.open(run_dir.path / _MARK, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return True
    return False


def wait_for_failure(run_dir: RunDir) -> None:
    """Wait until the process that was first has written down how it failed, a few seconds at most."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_s:
        with suppress(RecordError, OSError):
            status = read_status(run_dir)
            if status is not None and status.state is State.FAILED:
                return
        time.sleep(_INTERVAL_S)
