"""Run directories to plot from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEADER = "Epoch\tAverageEpRet\tTotalEnvInteracts\tLoss/V\tNote\n"


def write_runs(
    root: Path,
    experiments: Mapping[str, Sequence[int]],
    place: str = "data",
    env_names: Mapping[str, str] | None = None,
) -> Path:
    """Write experiments as Spinning Up left them, and give their directory.

    Args:
        root: Where.
        experiments: Their seeds by their names.
        place: The directory, below ``root``.
        env_names: Their environments; one for all by default.
    """
    for exp_name, seeds in experiments.items():
        for seed in seeds:
            directory = root / place / exp_name / f"{exp_name}_s{seed}"
            directory.mkdir(parents=True)
            env_name = (env_names or {}).get(exp_name, "Hopper-v4")
            config = {"exp_name": exp_name, "seed": seed, "env_name": env_name}
            (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
            rows = [
                f"{epoch}\t{10 * epoch + seed}\t{100 * epoch}\t{1 / (1 + epoch)}\thi\n"
                for epoch in range(4)
            ]
            (directory / "progress.txt").write_text(HEADER + "".join(rows), encoding="utf-8")
    return root / place
