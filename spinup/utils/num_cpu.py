"""How many processes a run is to have: ``num_cpu``, checked before anything starts."""

from __future__ import annotations

import operator
from typing import Any

from spinup.errors import MpiError, UnsupportedNumCpu
from spinup.launchers.cores import usable_physical_cores


def check_num_cpu(num_cpu: Any) -> int:
    """The number of processes that ``num_cpu`` asks for; more than one can be had.

    Raises:
        UnsupportedNumCpu: It is no positive integer or ``'auto'``, or there is no MPI for several.
    """
    number = (
        usable_physical_cores() if isinstance(num_cpu, str) and num_cpu == "auto" else _integer(num_cpu)
    )
    if number < 1:
        raise UnsupportedNumCpu(f"num_cpu must be a positive integer or 'auto', not {num_cpu!r}.")
    if number > 1:
        from spinup.launchers.mpi import find_mpi  # noqa: PLC0415 - most runs are one process

        try:
            find_mpi()
        except MpiError as error:
            raise UnsupportedNumCpu(
                f"num_cpu={num_cpu!r} takes {number} MPI processes a run, and nothing was started: {error}"
            ) from error
    return number


def _integer(num_cpu: Any) -> int:
    """``num_cpu``, or 0 if it is no integer."""
    try:
        return 0 if isinstance(num_cpu, bool) else operator.index(num_cpu)
    except TypeError:
        return 0
