"""Where a run comes from: what was called, by which code, on which machine; never the environment."""

from __future__ import annotations

import functools
import os
import platform
import shlex
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.rundir.atomic import write_text
from spinup.rundir.config import dumps, join_texts
from spinup.rundir.status import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from importlib.metadata import Distribution

    from spinup.rundir.layout import RunDir

#: A larger diff is cut off here; code of this size should have been committed.
LARGEST_DIFF_BYTES = 200_000

_MOST_UNTRACKED = 200
_LONGEST_CALL_S = 5.0
_BELIEVED_S = 5.0
_BELIEVED_TIMES_ITS_COST = 20  # at most a twentieth of the launcher's time goes into asking

# A repository's configuration may name programs; reading needs none of them.
_READ_ONLY = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def write_provenance(run_dir: RunDir, call: Mapping[str, Any], code_dir: Path | None) -> None:
    """Write provenance.json.

    Args:
        run_dir: The run.
        call: What is called: thunk, parameters, seed, num_cpu; JSON-safe.
        code_dir: A directory of the code that runs, whose git repository is noted; None for code that
            is in no file.
    """
    command_line = [sys.executable or "python", *getattr(sys, "argv", [])]
    # Most of it is the same for a whole grid, and long: its text is made once.
    texts = {
        "call": dumps(call),
        "command_line": dumps(shlex.join(map(str, command_line))),
        "working_directory": dumps(os.getcwd()),
        "git": "null" if code_dir is None else _latest_git(code_dir).text,
        "machine": _text_of_machine(),
        "packages": _latest("packages", _packages).text,
        "written_at": dumps(utc_now()),
    }
    write_text(run_dir.provenance, join_texts(texts) + "\n", is_durable=False)


def git_state(directory: Path) -> dict[str, Any] | None:
    """Commit, and what has changed since, of the repository around ``directory``; None without one.

    What was found is believed for some seconds, in which a grid may start hundreds of runs: while git is
    asked, no run can start.
    """
    state: dict[str, Any] | None = _latest_git(directory).found
    return state


@dataclass(frozen=True)
class _Answer:
    """What has been found out, as it is and as JSON, and until when that is believed."""

    found: Any
    text: str
    until_s: float


_answers: dict[Hashable, _Answer] = {}


def _latest(key: Hashable, ask: Callable[[], Any]) -> _Answer:
    """What ``ask`` says, or has said a short while ago, which is the longer the longer it took."""
    answer, began_s = _answers.get(key), time.monotonic()
    if answer is None or began_s >= answer.until_s:
        found = ask()
        now_s = time.monotonic()
        believed_s = max(_BELIEVED_S, _BELIEVED_TIMES_ITS_COST * (now_s - began_s))
        answer = _answers[key] = _Answer(found, dumps(found), now_s + believed_s)
    return answer


def _latest_git(directory: Path) -> _Answer:
    return _latest(directory, lambda: _ask_git(directory))


def _ask_git(directory: Path) -> dict[str, Any] | None:
    commit = _git(directory, "rev-parse", "HEAD")
    if commit is None:
        return None
    diff = _git(directory, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD")
    untracked = _git(directory, "ls-files", "--others", "--exclude-standard", "--full-name", ":/") or b""
    return {
        "commit": commit.decode().strip(),
        "is_dirty": None if diff is None else bool(diff),  # None where git was too slow to say
        "diff": (diff or b"")[:LARGEST_DIFF_BYTES].decode("utf-8", "replace"),
        "diff_is_cut": len(diff or b"") > LARGEST_DIFF_BYTES,
        "untracked_files": untracked.decode("utf-8", "replace").splitlines()[:_MOST_UNTRACKED],
    }


def _git(directory: Path, *arguments: str) -> bytes | None:
    try:
        return subprocess.run(
            ["git", *_READ_ONLY, "-C", directory, *arguments],  # noqa: S607 - the user's own git
            # Reading must not take the repository's lock from a git that works in it.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_LONGEST_CALL_S,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


@functools.cache
def _text_of_machine() -> str:
    return dumps(
        {
            "host": socket.gethostname(),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "cpu": _cpu_model(),
            "cpu_count": os.cpu_count(),
            "gpus": _gpu_models(),
        }
    )


def _packages() -> dict[str, str]:
    from importlib import metadata  # noqa: PLC0415 - only a launch needs it

    found = dict(map(_name_and_version, metadata.distributions()))
    return {name: version for name, version in found.items() if name}


def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    # Not by its attributes, which parse the whole file, an essay in many packages.
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    headers = [line.partition(":") for line in text.partition("\n\n")[0].splitlines()]
    fields = {name.lower(): value.strip() for name, _, value in reversed(headers)}
    return fields.get("name", ""), fields.get("version", "")


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _gpu_models() -> list[str]:
    """Names of the NVIDIA GPUs that the driver reports."""
    files = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
