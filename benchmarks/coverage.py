"""How often 95 % intervals cover the truth: percentile and BCa bootstrap beside Student's t, by simulation.

One task: intervals for the mean of 3, 5 and 10 seeds whose returns are normal, skewed (lognormal, sigma
0.5) or bimodal (three of four runs learn). Several tasks: the stratified bootstrap for the IQM, plain as
rliable has it, and widened as here.

Run: ``python benchmarks/coverage.py [--json] [--runs 4000] [--task-runs 400]``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from report import make_parser, show
from scipy import stats

from spinup.results.stats.aggregates import iqm_of
from spinup.results.stats.intervals import bootstrap_interval, t_interval, trimmed_t_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spinup.results.stats.intervals import Interval
    from spinup.results.stats.scores import FloatArray

    Draw = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]

DRAWS = 1_000
MANY = 2_000_000  # draws that stand for the truth


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Returns that scatter evenly."""
    return rng.normal(100.0, 20.0, shape)


def lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Returns with a long tail upwards."""
    return 100.0 * rng.lognormal(0.0, 0.5, shape)


def bimodal(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Three of four runs learn, one does not."""
    return np.where(rng.random(shape) < 0.75, 100.0, 10.0) + rng.normal(0.0, 5.0, shape)


DISTRIBUTIONS: dict[str, Draw] = {"normal": normal, "lognormal": lognormal, "bimodal": bimodal}


def share_covered(intervals: Sequence[Interval], truth: float) -> float:
    """In percent, to a tenth; no interval is no cover."""
    return round(100 * sum(i is not None and i[0] <= truth <= i[1] for i in intervals) / len(intervals), 1)


def bootstrapped(scores: FloatArray, method: str, rng: np.random.Generator) -> list[Interval]:
    """SciPy's interval for the mean of each row; all rows are resampled alike, which is much faster."""
    found = stats.bootstrap(
        (scores,), np.mean, axis=-1, n_resamples=DRAWS, batch=50, method=method, random_state=rng
    ).confidence_interval
    return list(zip(found.low, found.high, strict=True))


def one_task(num_runs: int, rng: np.random.Generator) -> dict[str, float]:
    """Coverage for the mean of one task, and of the trimmed t for its IQM."""
    figures = {}
    for name, draw in DISTRIBUTIONS.items():
        population = draw(rng, (MANY,))
        truth, iqm_truth = float(population.mean()), float(iqm_of(population))
        for num_seeds in (3, 5, 10):
            scores = draw(rng, (num_runs, num_seeds))
            key = f"{name}_{num_seeds}"
            figures[f"{key}_percentile"] = share_covered(bootstrapped(scores, "percentile", rng), truth)
            figures[f"{key}_BCa"] = share_covered(bootstrapped(scores, "BCa", rng), truth)
            figures[f"{key}_t"] = share_covered([t_interval(row) for row in scores], truth)
            trimmed = [trimmed_t_interval(row) for row in scores]
            figures[f"{key}_trimmed_t_iqm"] = share_covered(trimmed, iqm_truth)
    return figures


def many_tasks(num_runs: int, rng: np.random.Generator) -> dict[str, float]:
    """Coverage for the IQM over four tasks of unlike centre and spread, plain and widened."""
    figures = {}
    scale = np.array([0.5, 1.0, 1.5, 2.0])
    for name, draw in DISTRIBUTIONS.items():
        for num_seeds in (3, 5, 10):

            def scores(num_seeds: int = num_seeds, draw: Draw = draw) -> list[FloatArray]:
                return list(draw(rng, (4, num_seeds)) / 100.0 * scale[:, None])

            truth = float(np.mean([iqm_of(*scores()) for _ in range(5_000)]))
            samples = [scores() for _ in range(num_runs)]
            for label, is_widened in (("plain", False), ("widened", True)):
                intervals = [
                    bootstrap_interval(s, iqm_of, rng=rng, draws=DRAWS, is_widened=is_widened)
                    for s in samples
                ]
                figures[f"{name}_{num_seeds}x4_{label}"] = share_covered(intervals, truth)
    return figures


def main() -> None:
    """Simulate and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--runs", type=int, default=4_000)
    parser.add_argument("--task-runs", type=int, default=400)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    figures = one_task(options.runs, rng) | many_tasks(options.task_runs, rng)
    show(figures, is_json=options.json)


if __name__ == "__main__":
    main()
