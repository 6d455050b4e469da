"""``spinup doctor``: what of this machine is usable, and how to get what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinup import console
from spinup.cli.find import default_data_dir
from spinup.cli.output import print_json, size_of
from spinup.errors import SpinupError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LITTLE_SPACE_BYTES = 1_000_000_000
_PATIENCE_S = 10
_LIMIT_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What it is, stable: programs may look for it.
        is_usable: Whether runs can use it.
        detail: More, for a person.
        install: The command that brings it; None where there is none, or nothing is missing.
    """

    name: str
    is_usable: bool
    detail: str
    install: str | None = None


@click.command(short_help="Check this machine and this installation.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@click.option(
    "--data-dir", "--data_dir", "data_dir", metavar="DIR", help="Where results would go.", type=click.Path()
)
def command(*, as_json: bool, data_dir: str | None) -> int:
    """Say what of this machine runs can use, and how to install what is missing. Nothing is changed."""
    findings = examine(Path(data_dir or default_data_dir()).expanduser())
    if as_json:
        print_json({"format": 1, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    return 0


def examine(data_dir: Path) -> list[Finding]:
    """All findings, in the order in which they are shown.

    Args:
        data_dir: Where results would go; it is not made.
    """
    return [
        Finding("spinup", True, f"{_version('spinup')}, in {Path(__file__).parents[1]}"),
        Finding("python", True, f"{platform.python_version()}, {sys.executable}"),
        _cores(),
        _memory(),
        _warm_start(),
        _gpus(),
        _torch(),
        _mpi(),
        _slurm(),
        _ray(),
        *_gymnasium(),
        *_data_dir(data_dir),
    ]


def _cores() -> Finding:
    from spinup.launchers.cores import usable_cores, usable_physical_cores  # noqa: PLC0415 - as all here

    usable, physical, there = usable_cores(), usable_physical_cores(), os.cpu_count() or 1
    less = f", of {there} in the machine: the rest is not given to this process" if usable < there else ""
    return Finding(
        "cores", True, f"{usable} usable ({physical} physical){less}; so many runs go beside each other"
    )


def _memory() -> Finding:
    import psutil  # noqa: PLC0415 - takes its time to import

    memory = psutil.virtual_memory()
    limit = _memory_limit(memory.total)
    limited = "" if limit is None else f"; a control group allows {size_of(limit)}"
    return Finding(
        "memory", True, f"{size_of(memory.available)} available of {size_of(memory.total)}{limited}"
    )


def _memory_limit(total: int) -> int | None:
    """What the control group around this process allows, where that is less than there is."""
    for file in map(Path, _LIMIT_FILES):
        try:
            limit = int(file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if limit < total:
            return limit
    return None


def _warm_start() -> Finding:
    if platform.system() != "Linux":
        return Finding(
            "warm_start", False, f"{platform.system()} has no safe fork: every run is a fresh interpreter"
        )
    return Finding(
        "warm_start", True, "runs on the CPU are forked from a process that has imported their libraries"
    )


def _gpus() -> Finding:
    from spinup.launchers.gpus import discover_nvidia, visible  # noqa: PLC0415

    install = "pip install 'spinup[gpu]'"
    has_driver = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    if not _has("pynvml"):
        what = (
            "there is a driver, but GPUs cannot be shared out"
            if has_driver
            else "no NVIDIA driver was found"
        )
        return Finding(
            "gpus", False, f"nvidia-ml-py is not installed; {what}", install if has_driver else None
        )
    found = discover_nvidia()
    if not found:
        return Finding("gpus", False, "no NVIDIA GPU")
    seen = visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))
    hidden = "" if len(seen) == len(found) else f"; CUDA_VISIBLE_DEVICES leaves {len(seen)} of them"
    return Finding("gpus", bool(seen), f"{len(found)}: {', '.join(_gpu_names(len(found)))}{hidden}")


def _gpu_names(number: int) -> list[str]:
    import pynvml  # noqa: PLC0415

    pynvml.nvmlInit()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(place) for place in range(number)]
        sizes = [int(pynvml.nvmlDeviceGetMemoryInfo(handle).total) for handle in handles]
        names = map(pynvml.nvmlDeviceGetName, handles)
        return [f"{name} ({size_of(size)})" for name, size in zip(names, sizes, strict=True)]
    finally:
        pynvml.nvmlShutdown()


def _torch() -> Finding:
    # Not imported, which takes seconds: its version tells for what it was built.
    if not _has("torch"):
        return Finding("torch", False, "PyTorch is not installed", "pip install 'spinup[torch]'")
    return Finding("torch", True, _version("torch"))


def _mpi() -> Finding:
    from spinup.launchers.mpi import find_mpi  # noqa: PLC0415

    try:
        found = find_mpi()
    except SpinupError as error:
        return Finding("mpi", False, str(error), "pip install 'spinup[mpi]'")
    return Finding("mpi", True, f"{found.kind.title}, mpi4py {_version('mpi4py')}, {found.mpiexec}")


def _slurm() -> Finding:
    program = shutil.which("sbatch")
    if program is None:
        return Finding("slurm", False, "no sbatch on PATH: this is no machine of a Slurm cluster")
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=_PATIENCE_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("slurm", False, f"{program} does not answer: {error}")
    return Finding("slurm", True, f"{done.stdout.strip()}, {program}")


def _ray() -> Finding:
    if not _has("ray"):
        return Finding("ray", False, "Ray is not installed", "pip install ray")
    return Finding("ray", True, _version("ray"))


def _gymnasium() -> Iterator[Finding]:
    yield Finding("gymnasium", _has("gymnasium"), _version("gymnasium"))
    modules = {"classic-control": "pygame", "box2d": "Box2D", "mujoco": "mujoco", "atari": "ale_py"}
    for extra, module in modules.items():
        install = (
            "pip install 'spinup[mujoco]'" if extra == "mujoco" else f"pip install 'gymnasium[{extra}]'"
        )
        what = (
            "pictures of the classic environments"
            if extra == "classic-control"
            else f"{extra} environments"
        )
        is_there = _has(module)
        yield Finding(
            f"gymnasium_{extra.replace('-', '_')}",
            is_there,
            what if is_there else f"{what}: {module} is not installed",
            None if is_there else install,
        )


def _data_dir(data_dir: Path) -> Iterator[Finding]:
    """Whether results can be written there, synced and locked; tried around it, if it is not made yet."""
    path = Path(os.path.abspath(data_dir))
    place = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    will_be = "" if place == path else ", to be made"
    try:
        space = shutil.disk_usage(place).free
        problem = _try_disk(place)
    except OSError as error:
        yield Finding("data_dir", False, f"{path}: {error.strerror}")
        return
    little = ": that is little" if space < _LITTLE_SPACE_BYTES else ""
    yield Finding(
        "data_dir", problem is None, f"{path}{will_be}{'' if problem is None else f': {problem}'}"
    )
    yield Finding("disk_space", space >= _LITTLE_SPACE_BYTES, f"{size_of(space)} free{little}")


def _try_disk(directory: Path) -> str | None:
    """What does not work in ``directory``; None if all does. Nothing is left there."""
    from filelock import lock_descriptor  # noqa: PLC0415

    try:
        with tempfile.TemporaryFile(dir=directory, prefix=".writable.", suffix=".tmp") as file:
            file.write(b"spinup")
            file.flush()
            os.fsync(file.fileno())
            if not lock_descriptor(file.fileno(), blocking=False):
                return "files cannot be locked there"
    except OSError as error:
        return f"files cannot be written, synced and locked there: {error.strerror}"
    return None


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark, color = ("yes", "green") if finding.is_usable else ("no ", None)
        detail = console.one_line(finding.detail)
        console.say(f"{mark}  {finding.name.replace('_', ' '):<{width}}  {detail}", color)
        if finding.install is not None:
            console.say(f"     {'':<{width}}  {finding.install}", "cyan")
