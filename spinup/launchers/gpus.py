"""This machine's GPUs, and the right to use a share of one: held in files, by one run at a time.

Two launchers of one user share a machine's GPUs without knowing of each other: a share is a set of lock
files in a directory of the user's, which the kernel frees when the last process that holds them dies.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinup.errors import RunDirError, SettingError

#: Into how many parts a GPU can be divided: enough for halves, thirds, quarters, sixths and twelfths.
PARTS = 12


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        index: Its number in the order of the PCI bus, which CUDA_VISIBLE_DEVICES means here.
        uuid: Its name for ever.
    """

    index: int
    uuid: str


Discover = Callable[[], Sequence[Gpu]]


def discover_nvidia() -> list[Gpu]:
    """The NVIDIA GPUs of this machine, in the order of the PCI bus; none without driver or bindings."""
    try:
        import pynvml  # noqa: PLC0415 - only a machine with a GPU has a use for it
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [Gpu(i, str(pynvml.nvmlDeviceGetUUID(handle))) for i, handle in enumerate(handles)]
    finally:
        pynvml.nvmlShutdown()


def visible(gpus: Sequence[Gpu], variable: str | None) -> list[Gpu]:
    """Those of ``gpus`` that CUDA_VISIBLE_DEVICES, whose value is ``variable``, leaves to this process.

    As CUDA reads it: numbers or beginnings of names, up to the first that fits none.
    """
    if variable is None:
        return list(gpus)
    chosen: list[Gpu] = []
    for entry in (part.strip() for part in variable.split(",")):
        found = [gpu for gpu in gpus if entry == str(gpu.index) or (entry and gpu.uuid.startswith(entry))]
        if len(found) != 1 or found[0] in chosen:
            break
        chosen += found
    return chosen


def parts_of(gpus_per_run: float) -> int:
    """How many parts of a GPU a run takes, or of several if it is more than `PARTS`.

    Raises:
        SettingError: ``gpus_per_run`` is neither a whole number nor a part of one GPU.
    """
    is_number = isinstance(gpus_per_run, (int, float)) and not isinstance(gpus_per_run, bool)
    if not is_number or not 0 < gpus_per_run < math.inf or (gpus_per_run > 1 and gpus_per_run % 1):
        raise SettingError(
            f"gpus_per_run must be a part of one GPU, such as 0.5, or a whole number, not {gpus_per_run!r}."
        )
    return math.ceil(round(gpus_per_run * PARTS, 6))


@dataclass(frozen=True)
class Lease:
    """The right to use some GPUs, or a part of one.

    Attributes:
        gpus: Which.
        files: Descriptors of the locks, to be closed by who holds the lease.
    """

    gpus: tuple[Gpu, ...]
    files: tuple[int, ...]

    def environment(self) -> dict[str, str]:
        """What makes CUDA see these GPUs alone."""
        return {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": ",".join(str(gpu.index) for gpu in self.gpus),
        }

    def close(self) -> None:
        """Let go of it, in this process; a run that was given it still holds it."""
        for file in self.files:
            os.close(file)


def take(gpus: Sequence[Gpu], parts: int, directory: Path | None = None) -> Lease | None:
    """A lease of ``parts`` parts of a GPU, of the emptiest one; None if there are not enough free.

    Args:
        gpus: From which to choose.
        parts: How many of a GPU's `PARTS`; a multiple of them for several whole GPUs.
        directory: Where the locks are; one of the user's own by default.
    """
    directory = directory or _default_directory()
    wanted_gpus, wanted_parts = (parts // PARTS, PARTS) if parts >= PARTS else (1, parts)
    taken: list[tuple[Gpu, list[int]]] = []
    free = {gpu: _take_free(directory, gpu) for gpu in gpus}
    for gpu in sorted(gpus, key=lambda gpu: -len(free[gpu])):
        if len(taken) < wanted_gpus and len(free[gpu]) >= wanted_parts:
            taken.append((gpu, free[gpu][:wanted_parts]))
            free[gpu] = free[gpu][wanted_parts:]
    for files in free.values():
        _close(files)
    if len(taken) < wanted_gpus:
        _close([file for _, files in taken for file in files])
        return None
    return Lease(tuple(gpu for gpu, _ in taken), tuple(file for _, files in taken for file in files))


def _default_directory() -> Path:
    # Not TMPDIR or XDG_RUNTIME_DIR: they differ between the sessions of one user.
    directory = Path("/tmp") / f"spinup-gpus-{os.getuid()}"  # noqa: S108 - checked to be the user's own
    directory.mkdir(mode=0o700, exist_ok=True)
    facts = directory.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise RunDirError(f"{directory} is not this user's own directory, so GPUs cannot be shared by it.")
    return directory


def _take_free(directory: Path, gpu: Gpu) -> list[int]:
    """All parts of ``gpu`` that nobody holds; who calls gives back what it does not need."""
    from filelock import lock_descriptor  # noqa: PLC0415 - only a machine with a GPU has a use for it

    files = []
    for part in range(PARTS):
        file = os.open(directory / f"{gpu.uuid}.{part}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if lock_descriptor(file, blocking=False):
            files.append(file)
        else:
            os.close(file)
    return files


def _close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)
