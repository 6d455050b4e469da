"""Spinning Up's MPI tools, in float64; with one process, none of them needs MPI installed.

All but `msg`, `proc_id` and `num_procs` are collective: every rank has to call them, in the same order.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from spinup import mpi
from spinup.console import say
from spinup.errors import MpiError

if TYPE_CHECKING:
    import numpy.typing as npt

_OPERATIONS = ("SUM", "PROD", "MIN", "MAX")


def mpi_fork(n: int, bind_to_core: bool = False) -> None:  # noqa: FBT001, FBT002 - Spinning Up's signature
    """Go on as ``n`` MPI processes, each of which begins this program again.

    In a process that is a rank already, as in each run of `ExperimentGrid.run(..., num_cpu=n)`, this
    returns at once. In a run of one process it begins the run again as ``n`` processes; the scheduler
    still counts one slot for it, so prefer ``num_cpu=n``. In a script of its own it starts the script
    again as ``n`` processes, waits for them, and exits.

    Args:
        n: Processes; with 1 or less there is nothing to do.
        bind_to_core: Whether each process is to stay on one core.

    Raises:
        MpiError: MPI is not installed, or the interpreter runs no script that could be started again.
    """
    if mpi.size() > 1:
        mpi.join()
    elif n > 1:
        from spinup.launchers.mpi import relaunch  # noqa: PLC0415 - old thunks alone need it

        relaunch(n, bind_to_core=bind_to_core)


def msg(m: object, string: str = "") -> None:
    """Print ``m``, with the number of the process in front of it."""
    say(f"Message from {proc_id()}: {string} \t {m}")


def proc_id() -> int:
    """The number of this process, from 0."""
    return mpi.rank()


def num_procs() -> int:
    """How many processes there are."""
    return mpi.size()


def allreduce(x: npt.ArrayLike, buff: npt.NDArray[Any], op: Any = "SUM") -> None:
    """Reduce ``x`` over all processes, element by element, into ``buff``.

    Args:
        x: Numbers; every process gives the same shape.
        buff: An array of that shape, which is filled.
        op: An operation of ``mpi4py.MPI``, or its name: SUM, PROD, MIN, MAX.

    Raises:
        MpiError: ``op`` is none of these.
    """
    buff[...] = mpi.reduce(np.asarray(x, dtype=np.float64), _operation(op))


def broadcast(x: npt.NDArray[Any], root: int = 0) -> None:
    """Fill ``x`` with what process ``root`` has in it; every process has the same shape."""
    x[...] = mpi.share(x, root)


def mpi_op(x: npt.ArrayLike, op: Any) -> Any:
    """``x`` of all processes, reduced element by element: a float for a number, else an array.

    Args:
        x: A number, or an array of the same shape in every process.
        op: An operation of ``mpi4py.MPI``, or its name: SUM, PROD, MIN, MAX.

    Raises:
        MpiError: ``op`` is none of these.
    """
    reduced = mpi.reduce(np.asarray(x, dtype=np.float64), _operation(op))
    return float(reduced) if reduced.ndim == 0 else reduced


def mpi_sum(x: npt.ArrayLike) -> Any:
    """The sum over all processes, element by element: a float for a number, else an array."""
    return mpi_op(x, "SUM")


def mpi_avg(x: npt.ArrayLike) -> Any:
    """The mean over all processes, element by element: a float for a number, else an array."""
    return mpi_sum(x) / num_procs()


def mpi_statistics_scalar(
    x: npt.ArrayLike,
    with_min_and_max: bool = False,  # noqa: FBT001, FBT002 - Spinning Up's signature
) -> tuple[float, ...]:
    """Mean and standard deviation of the numbers that all processes have.

    Args:
        x: Numbers, of any shape; as many as each process has, also none.
        with_min_and_max: Whether to give the least and the greatest number too.

    Returns:
        ``(mean, std)`` or ``(mean, std, min, max)``, with the population's deviation; NaN where no
        process has a number.
    """
    from spinup.loggers.summary import summarize, to_numbers  # noqa: PLC0415 - the logger's, not ours

    found = summarize([to_numbers(x)])
    return (found.mean, found.std, found.min, found.max) if with_min_and_max else (found.mean, found.std)


def _operation(op: Any) -> str:
    """The name of ``op``, without importing MPI to compare it where there is but one process."""
    name = str(op).upper()
    if isinstance(op, str) and name in _OPERATIONS:
        return name
    module = sys.modules.get("mpi4py.MPI")
    for name in _OPERATIONS:
        if module is not None and op == getattr(module, name):
            return name
    raise MpiError(
        f"op must be one of {', '.join(_OPERATIONS)}, as mpi4py has them or by name, not {op!r}."
    )
