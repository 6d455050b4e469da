"""Spinning Up's MPI tools for PyTorch; with one process they do nothing, and need no MPI installed.

All but `setup_pytorch_for_mpi` are collective: every rank has to call them, in the same order.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spinup import mpi
from spinup.utils.mpi_tools import num_procs

if TYPE_CHECKING:
    import torch


def setup_pytorch_for_mpi() -> None:
    """Divide PyTorch's threads among the processes of a run, unless ``OMP_NUM_THREADS`` says how many."""
    import torch  # noqa: PLC0415 - an optional dependency

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() // num_procs()))


def mpi_avg_grads(module: torch.nn.Module) -> None:
    """Replace each gradient by its mean over all processes, summed in float64.

    A gradient that only some processes have counts as zero in the others; one that none has stays None.

    Args:
        module: Of the same architecture in every process.
    """
    import numpy as np  # noqa: PLC0415 - the packages that a process without MPI may lack
    import torch  # noqa: PLC0415

    if num_procs() == 1:
        return
    parameters = list(module.parameters())
    # One message for all: as many numbers as there are, then which of the gradients are there.
    parts = [
        np.zeros(p.numel()) if p.grad is None else p.grad.detach().cpu().double().numpy().ravel()
        for p in parameters
    ]
    are_there = np.array([float(p.grad is not None) for p in parameters])
    total = mpi.reduce(np.concatenate([*parts, are_there]))
    begin = 0
    for parameter, count in zip(parameters, total[len(total) - len(parameters) :], strict=True):
        end = begin + parameter.numel()
        if count:
            mean = torch.from_numpy(total[begin:end] / num_procs()).view(parameter.shape)
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.copy_(mean)
        begin = end


def sync_params(module: torch.nn.Module) -> None:
    """Give every process the parameters and buffers that process 0 has."""
    import torch  # noqa: PLC0415 - an optional dependency

    if num_procs() == 1:
        return
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            # Byte by byte: NumPy has no name for some of PyTorch's types.
            own = tensor.detach().cpu().contiguous()
            numbers = mpi.share(own.reshape(-1).view(torch.uint8).numpy())
            tensor.copy_(torch.from_numpy(numbers.copy()).view(own.dtype).view(own.shape))
