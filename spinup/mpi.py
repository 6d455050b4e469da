"""Rank, size, and what MPI processes tell each other; one process needs no MPI installed.

Everything here but `rank`, `size` and `strip` is collective: each rank of a run has to call it, in the
same order.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from spinup.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")

# What the process managers of MPICH (also Intel's MPI), Open MPI and MVAPICH tell each rank.
_SIZE_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")

#: Where the same say which rank it is.
RANK_VARIABLES = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK", "PMIX_RANK")

# Their names begin with these; a process that has them takes itself for a rank of somebody else's run.
_PREFIXES = ("PMI_", "PMIX_", "PMI2_", "OMPI_", "PRTE_", "MV2_COMM_WORLD_", "MPI_LOCAL", "HYDI_", "HYDRA_")

# Settings of the user's, which have such a name and are to stay.
_SETTINGS = ("OMPI_MCA_", "OMPI_ALLOW_RUN_AS_ROOT", "PMIX_MCA_", "PRTE_MCA_")


def strip(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without what makes a process a rank of the MPI run that this one belongs to."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(_PREFIXES) or name.startswith(_SETTINGS)
    }


#: A communicator of this package's own, where it has joined: what a thunk sends on COMM_WORLD, and how
#: often, does not get mixed up with what is sent here.
_own: Any | None = None


def communicator() -> Any | None:
    """The communicator of a process that an MPI launcher started with others, else None."""
    if "mpi4py.MPI" not in sys.modules and not was_started_by_mpi():
        return None
    try:
        from mpi4py import MPI  # noqa: PLC0415 - only a process started by MPI needs it
    except ImportError as error:
        raise MissingExtra("mpi4py, which each of several MPI processes needs,", "mpi") from error
    # Not before MPI is initialized, nor after it is finalized, as it is while the interpreter ends.
    if not MPI.Is_initialized() or MPI.Is_finalized():
        return None
    return MPI.COMM_WORLD if _own is None else _own


def was_started_by_mpi() -> bool:
    """Whether an MPI launcher started this process with others, as its environment says."""
    return any(os.environ.get(name, "1") not in {"", "0", "1"} for name in _SIZE_VARIABLES)


def rank() -> int:
    """The number of this process among those of the run, from 0."""
    world = communicator()
    return 0 if world is None else int(world.Get_rank())


def size() -> int:
    """How many processes the run has."""
    world = communicator()
    return 1 if world is None else int(world.Get_size())


def barrier() -> None:
    """Wait until every rank is here."""
    world = communicator()
    if world is not None:
        world.Barrier()


def share(value: T, root: int = 0) -> T:
    """What rank ``root`` has as ``value``: any object that can be pickled."""
    world = communicator()
    shared: T = value if world is None else world.bcast(value, root)
    return shared


def gather(value: T) -> list[T]:
    """What each rank has as ``value``, in the order of the ranks, on every rank."""
    world = communicator()
    gathered: list[T] = [value] if world is None else world.allgather(value)
    return gathered


def reduce(array: npt.NDArray[np.float64], operation: str = "SUM") -> npt.NDArray[np.float64]:
    """The arrays of all ranks, of one shape, reduced element by element; the same on every rank.

    Args:
        array: Of float64; left as it is.
        operation: Name of an operation of MPI's: SUM, PROD, MIN or MAX.
    """
    world = communicator()
    if world is None:
        return array.copy()
    import numpy as np  # noqa: PLC0415 - spinup is imported without it
    from mpi4py import MPI  # noqa: PLC0415 - there is a communicator, so it is here

    sent = np.asarray(array, dtype=np.float64, order="C")
    reduced = np.empty_like(sent)
    world.Allreduce(sent, reduced, op=getattr(MPI, operation))
    return reduced


def join() -> None:
    """Begin as one of a run's processes, before anything else of MPI is used; without MPI, do nothing."""
    global _own  # noqa: PLW0603 - a process has one world
    world = communicator()
    if world is not None and _own is None:
        _own = world.Dup()
        _release_shared_memory()


def _release_shared_memory() -> None:
    """Have the kernel free what MPI holds in shared memory with the last rank, however that ends.

    MPICH removes the file of its segment when it is finalized, and leaves it there when it is killed.
    By now every rank has mapped it, and none needs its name.
    """
    barrier()
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
            path = line.split(maxsplit=5)[-1]
            if path.startswith("/dev/shm/mpich_shm_"):  # noqa: S108 - not made here
                Path(path).unlink(missing_ok=True)


def abort(code: int) -> None:
    """End all ranks of the run, at once, with ``code``; without MPI, do nothing."""
    world = communicator()
    if world is not None:
        world.Abort(code)
