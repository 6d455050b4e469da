"""The keywords of ``ExperimentGrid.run``, checked and in the terms of the scheduler."""

from __future__ import annotations

import math
import operator
import os
import re
from typing import Any

from spinup.errors import SettingError
from spinup.launchers.gpus import Gpu, discover_nvidia, parts_of, visible
from spinup.scheduler.run import Options
from spinup.utils.num_cpu import check_num_cpu

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_AMOUNT = r"(?:(\d+(?:\.\d+)?)\s*{}\s*)?"
_DURATION = re.compile(
    r"(\d+(?:\.\d+)?)|" + "".join(map(_AMOUNT.format, ("d", "h", "m(?:in)?", "s"))), re.ASCII
)
_LONGEST_S = 1e12  # more than 30,000 years
_UNITS_S = (86_400, 3_600, 60, 1)
_CHOICES = {
    "isolation": ("auto", "warm", "fresh"),
    "on_failure": ("continue", "stop"),
    "rerun": ("failed", "stale", "all", "none"),
}


def check_options(
    *,
    num_cpu: Any,
    parallel: Any,
    gpus: Any,
    gpus_per_run: Any,
    memory_per_run: Any,
    isolation: Any,
    retries: Any,
    timeout: Any,
    on_failure: Any,
    rerun: Any,
    launcher: Any,
) -> Options:
    """The options that these keywords stand for.

    Raises:
        SettingError: One of them cannot be used; says which, and what it takes.
        UnsupportedNumCpu: ``num_cpu`` cannot be had.
    """
    given = {"isolation": isolation, "on_failure": on_failure, "rerun": rerun}
    for name, value in given.items():
        if value not in _CHOICES[name]:
            raise SettingError(
                f"{name} must be one of {', '.join(map(repr, _CHOICES[name]))}, not {value!r}."
            )
    if launcher != "local":
        raise SettingError(f"launcher must be 'local', not {launcher!r}: this version has 'local' alone.")
    return Options(
        num_cpu=check_num_cpu(num_cpu),
        parallel=None if parallel == "auto" else _integer("parallel", parallel, least=1, other="'auto'"),
        gpus=_gpus(gpus),
        gpus_per_run=_share(gpus_per_run, gpus),
        memory_per_run_bytes=None if memory_per_run is None else parse_bytes(memory_per_run),
        isolation=isolation,
        retries=_integer("retries", retries, least=0),
        timeout_s=None if timeout is None else parse_seconds(timeout),
        on_failure=on_failure,
        rerun=rerun,
    )


def parse_bytes(value: Any) -> int:
    """A number of bytes, or a text such as ``'4GB'`` or ``'512MiB'``.

    Raises:
        SettingError: It is neither.
    """
    if (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value > 0
    ):
        return int(value)
    match = (
        re.fullmatch(r"\s*([0-9.]+)\s*([kmgt]?i?)b?\s*", str(value).lower())
        if isinstance(value, str)
        else None
    )
    try:
        size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    except (KeyError, ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise SettingError(f"memory_per_run must be bytes, or a text such as '4GB', not {value!r}.")
    return size


def _gpus(gpus: Any) -> list[Gpu] | None:
    """The GPUs to be shared out; None for those that are visible."""
    if isinstance(gpus, str) and gpus == "auto":
        return None
    if gpus is None or gpus is False or (isinstance(gpus, int) and gpus == 0):
        return []
    found = discover_nvidia()
    wanted = (
        list(range(gpus)) if isinstance(gpus, int) and not isinstance(gpus, bool) and gpus > 0 else gpus
    )
    if not isinstance(wanted, (list, tuple)) or not all(isinstance(number, int) for number in wanted):
        raise SettingError(
            f"gpus must be 'auto', a number of GPUs, a list of their numbers, or None, not {gpus!r}."
        )
    known = {gpu.index: gpu for gpu in found}
    missing = [number for number in wanted if number not in known]
    if missing:
        raise SettingError(
            f"gpus={gpus!r} asks for GPU {missing[0]}; this machine has {sorted(known) or 'none'} "
            "(they are found with: pip install 'spinup[gpu]')."
        )
    return [known[number] for number in wanted]


def _share(gpus_per_run: Any, gpus: Any) -> float:
    """How many GPUs each run gets, or what part of one."""
    if gpus_per_run is None:
        return 1.0
    parts_of(gpus_per_run)
    # Who asks for a share does not want to find out tomorrow that all has run on the CPU.
    is_auto = isinstance(gpus, str) and gpus == "auto"
    if is_auto and not visible(discover_nvidia(), os.environ.get("CUDA_VISIBLE_DEVICES")):
        raise SettingError(
            f"gpus_per_run={gpus_per_run!r} needs a GPU, and none is visible here. They are found with: "
            "pip install 'spinup[gpu]'; CUDA_VISIBLE_DEVICES may hide them. gpus=None runs without."
        )
    return float(gpus_per_run)


def _integer(name: str, value: Any, *, least: int, other: str = "") -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        or_other = f"{other} or " if other else ""
        raise SettingError(f"{name} must be {or_other}an integer, {least} or more, not {value!r}.")
    return value


def parse_seconds(value: Any) -> float:
    """A number of seconds, or a text such as ``'2h'``, ``'90s'`` or ``'1h30m'``.

    Raises:
        SettingError: It is neither, or no time above 0.
    """
    seconds = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < _LONGEST_S:
        seconds = value
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value.strip().lower())):
        plain, *amounts = match.groups()
        counts = [float(amount or 0) for amount in amounts]
        seconds = float(plain) if plain else sum(map(operator.mul, counts, _UNITS_S))
    if not math.isfinite(seconds) or seconds <= 0:
        raise SettingError(
            "timeout must be a time above 0: seconds, or a text such as '90s', '1h30m' or '2d', "
            f"not {value!r}."
        )
    return float(seconds)
