"""How a run is, or how it ended: the states, the legal ways between them, and their file."""

from __future__ import annotations

import enum
import json
import os
import signal
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from spinup.errors import RecordError
from spinup.rundir.atomic import CAREFULLY, write_text
from spinup.rundir.config import read_json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spinup.rundir.layout import RunDir


class State(enum.StrEnum):
    """The states of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_NEXT = {
    State.QUEUED: {State.RUNNING, State.FAILED},
    # Running again: the process has begun itself anew, as `mpi_fork` does.
    State.RUNNING: {State.RUNNING, State.DONE, State.FAILED},
    State.DONE: set[State](),
    State.FAILED: set[State](),
}


@dataclass(frozen=True)
class Status:
    """What status.json says.

    Attributes:
        state: Where the run is in its life.
        exp_name: Name of the experiment.
        seed: Seed of the run.
        identity: Hash of what was asked: thunk, arguments, seed, number of processes.
        code: Hash of each project file that the run used, by path; None where that is not known.
        attempt: 1 for the first time that this run is tried.
        num_cpu: Processes of the run.
        reason: Why it failed, in a few words: ``exception``, ``exit code 3``, ``signal SIGKILL``.
        message: The error in one line, when there is one.
        has_result: Whether result.json holds what the thunk returned.
        has_returned: Whether the thunk returned: a run may also be done by ``sys.exit()``.
        has_error: Whether error.txt holds the traceback, and is no file of the thunk's own.
        exit_code: Exit code of the process, once it has exited.
        signal: Name of the signal that ended it.
        rank: Which of its processes failed, where it has several.
        queued_at: UTC, ISO 8601, as are the next two.
        started_at: When the child began.
        ended_at: When the run was done, or had failed.
        host: Name of the machine.
        pid: Process id of the child on ``host``.
    """

    state: State
    exp_name: str
    seed: int
    identity: str
    code: Mapping[str, str] | None = None
    attempt: int = 1
    num_cpu: int = 1
    reason: str | None = None
    message: str | None = None
    has_result: bool = False
    has_returned: bool = False
    has_error: bool = False
    exit_code: int | None = None
    signal: str | None = None
    rank: int | None = None
    queued_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    host: str | None = None
    pid: int | None = None

    @property
    def key(self) -> tuple[str, int, str | None]:
        """What tells this attempt from any other, also from one that another launcher has begun."""
        return self.identity, self.attempt, self.queued_at

    def running(self) -> Status:
        """This run, now running in this process."""
        return self._to(State.RUNNING, started_at=utc_now(), host=host_name(), pid=os.getpid())

    def done(self, *, has_result: bool = False, has_returned: bool = True) -> Status:
        """This run, now done."""
        return self._to(
            State.DONE,
            ended_at=utc_now(),
            exit_code=0,
            has_result=has_result,
            has_returned=has_returned,
        )

    def failed(
        self,
        reason: str,
        *,
        message: str | None = None,
        exit_code: int | None = None,
        signal: str | None = None,
        rank: int | None = None,
        has_error: bool = False,
    ) -> Status:
        """This run, now failed."""
        return self._to(
            State.FAILED,
            ended_at=utc_now(),
            reason=reason,
            message=message,
            exit_code=exit_code,
            signal=signal,
            rank=rank,
            has_error=has_error,
        )

    def overruled(self, reason: str, message: str | None = None) -> Status:
        """This run, failed for ``reason``, whatever it says of itself: it was made to end.

        Args:
            reason: Why it was.
            message: More about that, for a run that has no message of its own.
        """
        return replace(
            self,
            state=State.FAILED,
            reason=reason,
            message=self.message or message,
            ended_at=self.ended_at or utc_now(),
            has_result=False,
        )

    def _to(self, state: State, **changes: Any) -> Status:
        if state not in _NEXT[self.state]:
            raise RecordError(f"A run that is {self.state} cannot become {state}.")
        return replace(self, state=state, **changes)


def exit_reason(code: int) -> tuple[str, str | None]:
    """Why a run failed that could not say so itself, and the name of the signal, if it was one.

    Args:
        code: Its exit code, or minus the number of the signal that ended it.
    """
    if code < 0:
        name = _signal_name(-code)
        return f"signal {name}", name
    if code == 0:
        return "exit code 0 before the thunk returned", None
    return f"exit code {code}", None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def host_name() -> str:
    """Name of this machine."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket  # noqa: PLC0415 - a child begins sooner without it

    return socket.gethostname()


def utc_now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Glance(NamedTuple):
    """What a plan needs of a status file, as it stands there.

    Attributes:
        state: Where the run is in its life.
        identity: Hash of what was asked.
        code: Hash of each project file, by path.
        reason: Why it failed.
    """

    state: str
    identity: str | None
    code: Mapping[str, str] | None
    reason: str | None


def glance(directory: str) -> Glance | None:
    """What the status file in ``directory`` says, read fast; None for nothing that can be read."""
    try:
        fields = json.loads(_read_small_file(f"{directory}/status.json"))
        _check_types(fields)
        return Glance(fields["state"], fields.get("identity"), fields.get("code"), fields.get("reason"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read_small_file(path: str) -> bytes:
    """What is in a plain file: two system calls fewer than `open` needs, for the same guards."""
    file = os.open(path, os.O_RDONLY | CAREFULLY)
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST_BYTES:
            raise ValueError(f"{path} is no status file")
        return os.read(file, facts.st_size)
    finally:
        os.close(file)


_LARGEST_BYTES = 1 << 20


def write_status(run_dir: RunDir, status: Status) -> None:
    """Make ``status`` the run's status, whole or not at all."""
    text = json.dumps(asdict(status), indent=4, allow_nan=False) + "\n"
    # After a power cut, a run that had not ended is done again whatever its status says.
    write_text(run_dir.status, text, is_durable=status.state in {State.DONE, State.FAILED})


def read_status(run_dir: RunDir) -> Status | None:
    """What the run's status file says, or None where there is none.

    Raises:
        RecordError: The file is damaged, or of another make.
    """
    try:
        fields = read_json_object(run_dir.status)
    except (FileNotFoundError, NotADirectoryError):
        return None
    known = {name: fields[name] for name in Status.__dataclass_fields__ if name in fields}
    try:
        _check_types(known)
        json.dumps(known, allow_nan=False)  # who notes the run's end writes all of it again
        return Status(**{**known, "state": State(fields["state"])})
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(
            f"{run_dir.status} is not a run's status: {error!r}. Delete it to have the run done again."
        ) from error


def is_taken(run_dir: RunDir, status: Status) -> bool:
    """Whether the directory is no longer that of this attempt: another one's status is in it.

    So it is when somebody has removed the directory, and another launcher has begun the run anew. A status
    that is gone or damaged is nobody's.
    """
    with suppress(RecordError, OSError):
        found = read_status(run_dir)
        return found is not None and found.key != status.key
    return False


# Of what is reckoned with: what is only shown may be anything that can be written again.
_MOST_ATTEMPTS = 1_000_000_000  # far from where Python refuses to write a number
_OPTIONAL_TEXT = (str, type(None))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "identity": str,
    "attempt": int,
    "queued_at": _OPTIONAL_TEXT,
    "code": (dict, type(None)),
    "reason": _OPTIONAL_TEXT,
    "ended_at": _OPTIONAL_TEXT,
}


def _check_types(fields: Mapping[str, Any]) -> None:
    for name, types in _TYPES.items():
        if name in fields and not isinstance(fields[name], types):
            raise TypeError(f"{name} is {fields[name]!r}")
    if not 0 < fields.get("attempt", 1) <= _MOST_ATTEMPTS:
        raise ValueError("attempt is beyond all bounds")
