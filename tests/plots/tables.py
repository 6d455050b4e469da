"""Curves and run tables to draw: the same numbers each time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def curves(
    names: Sequence[str], *, num_seeds: int = 5, task: str = "Hopper-v4", rows: int = 40
) -> pl.DataFrame:
    """Runs that learn; of later names, more slowly, and less."""
    rng = np.random.default_rng(7)
    t = np.arange(1, rows + 1)
    frames = []
    for index, name in enumerate(names):
        for seed in range(num_seeds):
            top = 400 - 60 * index + rng.normal(0, 15)
            returns = top * (1 - np.exp(-t / (6 + 3 * index))) + rng.normal(0, 8, rows)
            frames.append(
                pl.DataFrame(
                    {
                        "exp_name": name,
                        "variant": name,
                        "task": task,
                        "seed": seed,
                        "directory": f"{task}/{name}_s{seed}",
                        "steps": 4_000.0 * t,
                        "return": returns,
                    }
                )
            )
    return pl.concat(frames)


def incomplete() -> pl.DataFrame:
    """One variant whole, one with an unfinished run, one with a run that diverged, one that began."""
    whole = curves(["whole", "unfinished", "diverged", "begun"], num_seeds=3)
    return whole.filter(
        (pl.col("directory") != "Hopper-v4/unfinished_s2") | (pl.col("steps") <= 80_000),
        (pl.col("exp_name") != "begun") | (pl.col("steps") <= 4_000),
    ).with_columns(
        pl.when((pl.col("directory") == "Hopper-v4/diverged_s0") & (pl.col("steps") > 100_000))
        .then(float("nan"))
        .otherwise("return")
        .alias("return")
    )


def table(
    parameters: Mapping[str, Sequence[Any]],
    score: Callable[..., float],
    *,
    num_seeds: int = 5,
    noise: float = 15.0,
    exp_name: str = "ppo",
) -> pl.DataFrame:
    """A run table of a full grid, whose returns are ``score`` of the parameters, and noise."""
    rng = np.random.default_rng(3)
    rows = [
        run(exp_name, seed, score(**setting) + rng.normal(0, noise), **setting)
        for values in itertools.product(*parameters.values())
        for setting in [dict(zip(parameters, values, strict=True))]
        for seed in range(num_seeds)
    ]
    return as_table(rows)


def run(exp_name: str, seed: int, last: float | None, **more: Any) -> dict[str, Any]:
    """A row of a run table."""
    state = {"exp_name": exp_name, "seed": seed, "state": "done", "is_baseline": False, "changed": None}
    settings = "_".join(str(value) for key, value in more.items() if key not in state)
    return {**state, "directory": f"{exp_name}_{settings}_s{seed}", "last": last, **more}


def as_table(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema_overrides={"changed": pl.List(pl.String), "last": pl.Float64}, infer_schema_length=None
    )


def ablation(effects: Mapping[str, tuple[Any, float | None]], *, num_seeds: int = 5) -> pl.DataFrame:
    """A baseline of 350, and what changes of one parameter each add to it; None for no result."""
    rng = np.random.default_rng(5)
    base = {"use_gae": True, "norm_adv": True, "clip_ratio": 0.2, "entropy": 0.01, "lr_decay": "linear"}
    rows = [
        run("ppo", seed, 350 + rng.normal(0, 12), is_baseline=True, changed=[], **base)
        for seed in range(num_seeds)
    ]
    for key, (value, effect) in effects.items():
        for seed in range(num_seeds):
            last = None if effect is None else 350 + effect + rng.normal(0, 12)
            rows.append(run(f"ppo_{key}", seed, last, changed=[key], **{**base, key: value}))
    return as_table(rows)


def without(runs: pl.DataFrame, *predicates: pl.Expr) -> pl.DataFrame:
    """``runs``, of which those that fulfil all ``predicates`` have no result."""
    return runs.with_columns(
        last=pl.when(pl.all_horizontal(*predicates)).then(float("nan")).otherwise("last")
    )


def rate_matters(lr: float, **_: Any) -> float:
    """Best at a learning rate of 1e-3."""
    return float(400 - 60 * abs(np.log10(lr) + 3))
