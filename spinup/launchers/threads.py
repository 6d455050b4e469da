"""Threads that imports have started: a fork would lose them, and leave locked what they hold."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from spinup.launchers import processes

_GETTERS = (
    "scipy_openblas_get_num_threads64_",
    "scipy_openblas_get_num_threads",
    "openblas_get_num_threads64_",
    "openblas_get_num_threads",
)


@dataclass
class Threads:
    """What is known of this process's threads."""

    _started_by: dict[str, str] = field(default_factory=dict)
    _recover: set[str] = field(default_factory=set)
    _libraries: set[str] = field(default_factory=set)

    def note(self, module: str) -> None:
        """Say that the threads which are new were started by importing ``module``."""
        new = processes.threads() - self._recover - self._started_by.keys()
        if not new:
            return
        libraries = _blas_libraries() - self._libraries
        self._libraries |= libraries
        # After a fork OpenBLAS starts its threads again. Nothing says which they are; if there are more
        # new ones than it makes, any of them may be the other's.
        if len(new) <= sum(_num_threads_of(library) - 1 for library in libraries):
            self._recover |= new
        else:
            self._started_by.update(dict.fromkeys(new, module))

    def reason(self) -> str | None:
        """Why a fork would not be safe now, or None if it is."""
        lost = processes.threads() - self._recover
        if not lost:
            return None
        modules = ", ".join(sorted({self._started_by.get(thread, "a module") for thread in lost}))
        threads = "a thread" if len(lost) == 1 else f"{len(lost)} threads"
        return f"importing {modules} started {threads}, which a fork would lose"


def _blas_libraries() -> set[str]:
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return {line.split(maxsplit=5)[-1] for line in maps if "openblas" in line}


def _num_threads_of(library: str) -> int:
    with suppress(OSError):
        loaded = ctypes.CDLL(library)
        for name in _GETTERS:
            if hasattr(loaded, name):
                return int(getattr(loaded, name)())
    return 1
