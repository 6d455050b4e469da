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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinup.rundir.atomic import write_text
from spinup.rundir.config import dumps
from spinup.rundir.status import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
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
    content = {
        "call": call,
        "command_line": shlex.join(map(str, [sys.executable or "python", *getattr(sys, "argv", [])])),
        "working_directory": os.getcwd(),
        "git": None if code_dir is None else git_state(code_dir),
        "machine": _machine(),
        "packages": _packages(),
        "written_at": utc_now(),
    }
    write_text(run_dir.provenance, dumps(content) + "\n", is_durable=False)


def git_state(directory: Path) -> dict[str, Any] | None:
    """Commit, and what has changed since, of the repository around ``directory``; None without one.

    What was found is believed for some seconds, in which a grid may start hundreds of runs, and the longer
    the longer git took: meanwhile no run can start.
    """
    state, until_s = _answers.get(directory, (None, 0.0))
    began_s = time.monotonic()
    if began_s >= until_s:
        state = _ask_git(directory)
        now_s = time.monotonic()
        believed_s = max(_BELIEVED_S, _BELIEVED_TIMES_ITS_COST * (now_s - began_s))
        _answers[directory] = state, now_s + believed_s
    return state


#: What git has said of each directory, and until when that is believed.
_answers: dict[Path, tuple[dict[str, Any] | None, float]] = {}


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
def _machine() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu": _cpu_model(),
        "cpu_count": os.cpu_count(),
        "gpus": _gpu_models(),
    }


@functools.cache
def _packages() -> dict[str, str]:
    from importlib import metadata  # noqa: PLC0415 - only a launch needs it

    found = dict(map(_name_and_version, metadata.distributions()))
    return {name: found[name] for name in sorted(filter(None, found), key=str.lower)}


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
