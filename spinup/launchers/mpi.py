"""Programs as MPI processes of this machine, by the ``mpiexec`` that belongs to what mpi4py loads."""

from __future__ import annotations

import functools
import importlib.util
import os
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from spinup import mpi
from spinup.errors import MpiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_INSTALL = "Install one by: pip install 'spinup[mpi]'"
_PROBE_TIMEOUT_S = 60
_RELAUNCHED = "SPINUP_MPI_FORK"


@dataclass(frozen=True)
class _Kind:
    """An implementation of MPI.

    Attributes:
        title: How the library's version begins.
        programs: Names of its ``mpiexec``; Debian tells several apart by a suffix.
        marks: Of which its ``mpiexec --version`` has one.
    """

    title: str
    programs: tuple[str, ...]
    marks: tuple[str, ...]


_MPICH = _Kind("MPICH", ("mpiexec", "mpiexec.hydra", "mpiexec.mpich", "mpirun"), ("HYDRA", "MPICH"))
_INTEL = _Kind("Intel(R) MPI", ("mpiexec", "mpiexec.hydra", "mpirun"), ("Intel",))
_OPEN_MPI = _Kind("Open MPI", ("mpiexec", "mpiexec.openmpi", "mpirun"), ("Open MPI", "OpenRTE", "PRRTE"))
_KINDS = (_MPICH, _INTEL, _OPEN_MPI, _Kind("MVAPICH", _MPICH.programs, _MPICH.marks))


@dataclass(frozen=True)
class Mpi:
    """The MPI of this interpreter.

    Attributes:
        kind: Which implementation mpi4py loads.
        mpiexec: Absolute path of its launcher.
    """

    kind: _Kind
    mpiexec: str

    def command(self, n: int, program: Sequence[str], *, bind_to_core: bool = False) -> list[str]:
        """The command line that runs ``program`` as ``n`` processes on this machine."""
        flags = _open_mpi_flags if self.kind is _OPEN_MPI else _hydra_flags
        return [self.mpiexec, "-n", str(n), *flags(bind_to_core=bind_to_core), *program]


def _hydra_flags(*, bind_to_core: bool) -> list[str]:
    # On this machine, whatever a batch system around it may offer.
    flags = ["-launcher", "fork", "-rmk", "user", "-hosts", "localhost"]
    if "UCX_TLS" not in os.environ:
        # Through memory alone: no look at the network's devices, and no port on them.
        flags += ["-genv", "UCX_TLS", "self,sm"]
    return [*flags, "-bind-to", "core"] if bind_to_core else flags


def _open_mpi_flags(*, bind_to_core: bool) -> list[str]:
    # Left alone, it binds the ranks of every run to the same first cores.
    flags = ["--host", "localhost", "--map-by", "slot:OVERSUBSCRIBE"]
    flags += ["--bind-to", "core" if bind_to_core else "none"]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*flags, "--allow-run-as-root"] if is_root else flags


@functools.cache
def find_mpi() -> Mpi:
    """The MPI that mpi4py loads in this interpreter, and its ``mpiexec``.

    Raises:
        MpiError: There is none; the message says what to install.
    """
    if importlib.util.find_spec("mpi4py") is None:
        raise MpiError(f"mpi4py is not installed. {_INSTALL}")
    # In a process of its own: loading the library would make an MPI process of this one.
    probe = _output(sys.executable, "-m", "mpi4py", "--mpi-lib-version")
    kind = next((kind for kind in _KINDS if probe.startswith(kind.title)), None)
    if kind is None:
        said = (probe.strip().splitlines() or ["it says nothing"])[-1]
        raise MpiError(f"mpi4py is installed, but loads no MPI that is known here ({said}). {_INSTALL}")
    for program in _programs(kind):
        if any(mark in _output(program, "--version") for mark in kind.marks):
            return Mpi(kind, program)
    version = probe.splitlines()[0].strip()
    raise MpiError(
        f"mpi4py loads {version}, whose mpiexec is neither beside {sys.executable} nor on PATH. {_INSTALL}"
    )


def _programs(kind: _Kind) -> Iterator[str]:
    """Files that may be the launcher of ``kind``: beside the interpreter first, then on PATH."""
    beside = [os.path.dirname(sys.executable), os.path.join(sys.prefix, "bin")]
    beside += [os.path.join(site.getuserbase(), "bin")]
    for directory in dict.fromkeys([*beside, *os.get_exec_path()]):
        for name in kind.programs:
            path = os.path.join(os.path.abspath(directory), name)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                yield path


def _output(*command: str) -> str:
    """What ``command`` prints, or why it cannot be run."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_TIMEOUT_S,
            # Started by MPI itself, this process has what would make a rank of the probe.
            env=mpi.strip(os.environ),
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return done.stdout or done.stderr


def relaunch(n: int, *, bind_to_core: bool) -> NoReturn:
    """Begin this program again as ``n`` processes, in the place of this one.

    Raises:
        MpiError: There is no MPI, or no file that could be started again.
    """
    found = find_mpi()
    if _RELAUNCHED in os.environ:  # else each of them would begin n more, and so on
        raise MpiError(
            f"mpi_fork({n}) has begun this program again, and {found.mpiexec} made no ranks of it."
        )
    # In a run it is the command line of its process, not that of the script with the grid.
    if not (sys.argv and Path(sys.argv[0]).is_file()):
        raise MpiError(
            f"mpi_fork({n}) cannot start this program again: it is in no file. Put it into a script, or "
            f"use call_experiment(..., num_cpu={n})."
        )
    sys.stdout.flush()
    sys.stderr.flush()
    program = [sys.executable, "-u", "-m", "mpi4py", *sys.argv]
    command = found.command(n, program, bind_to_core=bind_to_core)
    os.execve(found.mpiexec, command, {**mpi.strip(os.environ), _RELAUNCHED: "1"})  # noqa: S606 - as Spinning Up's mpi_fork
