"""What has to run, and why: one decision for each run directory, from what its status says."""

from __future__ import annotations

import enum
from collections import Counter
from typing import TYPE_CHECKING, Literal

from spinup.rundir.status import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spinup.rundir.status import Glance, Status

#: Which runs are done again: those that failed, those whose code has changed too, all, or none. ``call``
#: is what call_experiment does: all, going on from where a run was interrupted.
Rerun = Literal["failed", "stale", "all", "none", "call"]

#: Reasons of failure that lie outside the thunk, so that going on where it was makes sense.
INTERRUPTIONS = ("interrupted", "timeout", "out of memory", "lost", "signal SIGTERM", "signal SIGKILL")


class Decision(enum.StrEnum):
    """What to do about a run."""

    NEW = "new"
    AGAIN = "again"
    REPLACE = "replace"
    REDO = "redo"
    KEEP = "keep"
    KEEP_STALE = "keep stale"
    KEEP_FAILED = "keep failed"

    @property
    def is_to_run(self) -> bool:
        """Whether the run is to be done."""
        return self not in {Decision.KEEP, Decision.KEEP_STALE, Decision.KEEP_FAILED}


def decide(
    status: Status | Glance | None, identity: str, code: Mapping[str, str], rerun: Rerun
) -> Decision:
    """What to do about a run.

    Args:
        status: What its directory says; None for nothing, or nothing that can be read.
        identity: What is asked now.
        code: Hashes of the code that would run now.
        rerun: What is done again.
    """
    if status is None:
        return Decision.NEW
    if status.identity != identity:
        return Decision.REPLACE
    is_stale = status.code is not None and status.code != code
    if status.state == State.DONE:
        if rerun in {"all", "call"} or (is_stale and rerun == "stale"):
            return Decision.REDO
        return Decision.KEEP_STALE if is_stale else Decision.KEEP
    if status.state == State.FAILED and rerun == "none":
        return Decision.KEEP_FAILED
    is_interrupted = status.state != State.FAILED or status.reason in INTERRUPTIONS
    # Rows and states of other code do not belong in one run.
    if is_stale or (rerun == "call" and not is_interrupted):
        return Decision.REDO
    return Decision.AGAIN


def summary(decisions: Iterable[Decision], changed_files: Iterable[str]) -> str:
    """The plan in one line: how many runs are kept, done again, new."""
    counts = Counter(decisions)
    files = sorted(set(changed_files))
    named = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
    parts = {
        Decision.KEEP: "done, kept",
        Decision.AGAIN: "failed or interrupted, again",
        Decision.REPLACE: "with another config, archived first",
        Decision.REDO: "to be done again, archived first",
        Decision.NEW: "new",
        Decision.KEEP_FAILED: "failed, kept: rerun='failed' runs them again",
        Decision.KEEP_STALE: f"stale ({named} changed since), kept: rerun='stale' runs them again",
    }
    return " · ".join(f"{counts[key]} {text}" for key, text in parts.items() if counts[key])
