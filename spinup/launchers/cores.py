"""How many cores this process may use, and how many threads each of its runs should."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

#: What libraries ask for the number of their threads: OpenMP (PyTorch too), OpenBLAS, MKL, Apple's.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def usable_cores(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """The cores that the scheduler gives this process: its affinity, less what a cgroup's quota takes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min(cores, _quota(cgroups))))


def usable_physical_cores(
    cgroups: Path = Path("/sys/fs/cgroup"), cpus: Path = Path("/sys/devices/system/cpu")
) -> int:
    """As `usable_cores`, with the hardware threads of one core counted once."""
    if not hasattr(os, "sched_getaffinity"):
        import psutil  # noqa: PLC0415 - other systems tell in other ways

        return psutil.cpu_count(logical=False) or 1
    # A core that its topology says nothing of counts as one of its own.
    siblings = {
        _read(cpus / f"cpu{number}" / "topology" / "thread_siblings_list") or str(number)
        for number in os.sched_getaffinity(0)
    }
    return max(1, math.floor(min(len(siblings), _quota(cgroups))))


def _quota(cgroups: Path) -> float:
    """Cores that the quota of this process's cgroup, or of one around it, allows."""
    quotas = [math.inf]
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            inner = Path(path.lstrip("/"))
            for group in (inner, *inner.parents):
                if not controllers:  # version 2
                    quotas.append(_read_quota(cgroups / group / "cpu.max"))
                elif "cpu" in controllers.split(","):
                    directory = cgroups / "cpu" / group
                    quotas.append(_divide(_read(directory / "cpu.cfs_quota_us"), directory))
    return min(quotas)


def _read_quota(file: Path) -> float:
    quota, _, period = _read(file).partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else math.inf


def _divide(quota: str, directory: Path) -> float:
    period = _read(directory / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else math.inf


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def thread_caps(num_threads: int) -> dict[str, str]:
    """Variables that keep a process to ``num_threads`` threads, where the user has not set them."""
    return {name: str(num_threads) for name in THREAD_VARIABLES if name not in os.environ}
