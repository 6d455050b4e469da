"""What has to run, and why: one decision for each run directory, from what its status says."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal

from spinup.rundir.status import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

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
    DAMAGED = "damaged"
    REDO = "redo"
    RESTART = "restart"
    ELSEWHERE = "elsewhere"
    KEEP = "keep"
    KEEP_STALE = "keep stale"
    KEEP_FAILED = "keep failed"
    KEEP_UNFINISHED = "keep unfinished"
    KEEP_OTHER = "keep other"

    @property
    def is_to_run(self) -> bool:
        """Whether the run is to be done, here or, where another launcher has it now, there."""
        return not self.startswith("keep")


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
        return Decision.KEEP_OTHER if rerun == "none" else Decision.REPLACE
    is_stale = status.code is not None and status.code != code
    if status.state == State.DONE:
        if rerun in {"all", "call"} or (is_stale and rerun == "stale"):
            return Decision.REDO
        return Decision.KEEP_STALE if is_stale else Decision.KEEP
    has_failed = status.state == State.FAILED
    if rerun == "none":
        is_over = has_failed and status.reason != "interrupted"
        return Decision.KEEP_FAILED if is_over else Decision.KEEP_UNFINISHED
    is_interrupted = not has_failed or status.reason in INTERRUPTIONS
    if rerun == "call" and not is_interrupted:
        return Decision.REDO
    # Rows and states of other code do not belong in one run.
    return Decision.RESTART if is_stale else Decision.AGAIN


def summary(runs: Iterable[tuple[Decision, Iterable[str]]], difference: str = "") -> str:
    """The plan in one line: how many runs are kept, done again, new.

    Args:
        runs: What is to be done about each, and the files of its code that have changed.
        difference: What is different in the first run that has another config.
    """
    counts: Counter[Decision] = Counter()
    files: defaultdict[Decision, set[str]] = defaultdict(set)
    for decision, changed in runs:
        counts[decision] += 1
        files[decision].update(changed)
    why = {decision: _changed(files[decision]) for decision in Decision}
    other = f" ({difference})" if difference else ""
    parts = {
        Decision.KEEP: "done, kept",
        Decision.ELSEWHERE: "running elsewhere, waited for",
        Decision.AGAIN: "failed or interrupted, again",
        Decision.RESTART: f"failed or interrupted, again from the start{why[Decision.RESTART]}",
        Decision.REPLACE: f"with another config{other}, archived first",
        Decision.DAMAGED: "with a damaged record, archived first",
        Decision.REDO: f"done, again from the start{why[Decision.REDO]}",
        Decision.NEW: "new",
        Decision.KEEP_FAILED: "failed, kept: rerun='failed' runs them again",
        Decision.KEEP_UNFINISHED: "unfinished, kept",
        Decision.KEEP_OTHER: "with another config, kept as they are",
        Decision.KEEP_STALE: f"stale{why[Decision.KEEP_STALE]}, kept: rerun='stale' runs them again",
    }
    return " · ".join(f"{counts[key]} {text}" for key, text in parts.items() if counts[key])


def _changed(files: Collection[str]) -> str:
    names = sorted(files)
    return f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''} changed since)" if names else ""
