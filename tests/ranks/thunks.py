"""What the tests run in several processes."""

import os
import signal
import sys
import time

import numpy as np

from spinup import EpochLogger, mpi
from spinup.utils import mpi_tools


def who():
    """Number, count, threads that are allowed, and whether this is the launch script's process, of each."""
    return mpi.gather([mpi.rank(), mpi.size(), os.environ.get("OMP_NUM_THREADS"), sys.argv[0]])


def fail(how, ranks, logger_kwargs=None):
    """Some of the processes end badly; the others wait for them, each in its way."""
    rank = mpi.rank()
    print(f"this is rank {rank}")
    mpi.barrier()
    if rank in ranks:
        bad_ends[how]()
    while True:
        time.sleep(1000) if rank % 2 else mpi.barrier()


def _raise():
    raise ValueError(f"rank {mpi.rank()} gives up")


def _leave():
    with open(2, "wb", closefd=False) as errors:
        errors.write(b"on the way out\n")
    sys.exit(3)


bad_ends = {
    "raises": _raise,
    "exits": _leave,
    "exits hard": lambda: os._exit(5),
    "exits hard as if all were well": lambda: os._exit(0),
    "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "crashes": lambda: os.kill(os.getpid(), signal.SIGSEGV),
}


def leave_politely():
    """Every process ends by sys.exit(0)."""
    sys.exit(0)


def wait():
    """Say that all are here, and wait for what may come."""
    mpi.barrier()
    if mpi.rank() == 0:
        print("all are here", flush=True)
    time.sleep(1000)


def grow():
    """One process takes more and more memory."""
    kept = []
    while True:
        if mpi.rank() == 1:
            kept.append(np.ones(1 << 20))
        else:
            time.sleep(0.1)


def tools(parts, x):
    """What each tool answers, in each process; ``parts`` are the numbers of each."""
    rank = mpi.rank()
    array = np.array(x, dtype=np.float32) + rank
    received = array.copy()
    mpi_tools.broadcast(received, root=1)
    summed = np.empty_like(array)
    mpi_tools.allreduce(array, summed, op="MAX")
    return mpi.gather(
        {
            "proc_id": mpi_tools.proc_id(),
            "num_procs": mpi_tools.num_procs(),
            "statistics": [list(mpi_tools.mpi_statistics_scalar(part[rank], True)) for part in parts],
            "sum": mpi_tools.mpi_sum(float(rank + 1)),
            "avg": mpi_tools.mpi_avg(np.array([rank, 1e-9])).tolist(),
            "min": mpi_tools.mpi_op([rank, -rank], _mpi().MIN).tolist(),
            "broadcast": received.tolist(),
            "allreduce": summed.tolist(),
        }
    )


def _mpi():
    from mpi4py import MPI

    return MPI


def log(stored, logger_kwargs):
    """Log what each rank has stored; ``stored`` is by epoch and rank."""
    with EpochLogger(**logger_kwargs) as logger:
        for epoch, values in enumerate(stored):
            for value in values[mpi.rank()]:
                logger.store(X=value)
            logger.log_tabular("Epoch", epoch)
            logger.log_tabular("X", with_min_and_max=True)
            logger.dump_tabular()
    return [str(logger.output_dir), mpi.gather(logger.output_dir is not None)]


def count_up(logger_kwargs):
    """Ten epochs, each saved; all ranks end hard after the fifth the first time."""
    with EpochLogger(**logger_kwargs) as logger:
        state = logger.restore()
        begin = 0 if state is None else state["epoch"] + 1
        begins = mpi.gather(begin)
        for epoch in range(begin, 10):
            logger.log_tabular("Epoch", epoch)
            logger.dump_tabular()
            logger.save_state({"epoch": epoch})
            if epoch == 5 and state is None:
                mpi.barrier()
                os._exit(1)
    return begins


def fork_itself():
    """As thunks of old did."""
    mpi_tools.mpi_fork(3)
    print(f"one of {mpi_tools.num_procs()}")
    return mpi.gather(mpi.rank())


def models():
    """Gradients and parameters, in each process, before and after."""
    import torch

    from spinup.utils.mpi_pytorch import mpi_avg_grads, setup_pytorch_for_mpi, sync_params

    setup_pytorch_for_mpi()
    rank = mpi.rank()
    torch.manual_seed(rank)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1).double()
    )
    net.half_precision = torch.nn.Parameter(torch.full((2,), rank + 0.5, dtype=torch.bfloat16))
    sync_params(net)
    synced = [tensor.double().flatten().tolist() for tensor in (*net.parameters(), *net.buffers())]
    own, partial, none = net[0].weight, net[0].bias, net[2].bias
    own.grad = torch.full_like(own, 2.0 * rank)
    if rank == 0:
        partial.grad = torch.ones_like(partial)
    mpi_avg_grads(net)
    grads = [own.grad.flatten().tolist(), partial.grad.tolist(), none.grad]
    return mpi.gather([synced, grads, torch.get_num_threads()])


def run_a_grid(directory):
    """Each process runs a grid of its own, whose runs are no processes of this run."""
    from spinup import call_experiment

    inner = call_experiment("inner", in_one, seed=mpi.rank(), data_dir=directory)
    return mpi.gather(inner.result)


def in_one():
    """What a run of one process takes itself for."""
    return [mpi.rank(), mpi.size()]
