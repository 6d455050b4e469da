"""Rank, size and statistics over MPI processes; one process needs no MPI installed."""

from __future__ import annotations

import os
from typing import Any

# What the process managers of MPICH, Open MPI and Slurm's PMI set in each rank's environment.
_SIZE_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


def _communicator() -> Any | None:
    """COMM_WORLD when an MPI launcher started this process, else None."""
    if not any(os.environ.get(name, "1") not in {"", "0", "1"} for name in _SIZE_VARIABLES):
        return None
    from mpi4py import MPI  # noqa: PLC0415 - only a process started by MPI needs it

    return MPI.COMM_WORLD


def rank() -> int:
    """The number of this process among those of the run, from 0."""
    communicator = _communicator()
    return 0 if communicator is None else int(communicator.Get_rank())


def size() -> int:
    """How many processes the run has."""
    communicator = _communicator()
    return 1 if communicator is None else int(communicator.Get_size())
