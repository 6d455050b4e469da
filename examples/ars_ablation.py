"""Which parts of Augmented Random Search matter? An ablation, from the grid to the report.

Each variant changes one thing of the baseline: the version (V2 whitens observations, -t takes the best
directions only), the step size, the number of directions. Run it again to resume it. It takes some minutes
on two cores; ``--epochs 2 --seeds 2`` shows in a few seconds how it goes.

Run: ``python examples/ars_ablation.py [--env CartPole-v1 Acrobot-v1] [--seeds 5] [--epochs 30]``
"""

from __future__ import annotations

import argparse
from pathlib import Path

import spinup
from spinup import ExperimentGrid
from spinup.algos.ars import ars


def make_grid(envs: list[str], seeds: int, epochs: int) -> ExperimentGrid:
    """The baseline and one change at a time, on each environment, with each seed."""
    eg = ExperimentGrid(name="ars-ablation")
    eg.add("env_name", envs)
    eg.ablate(
        baseline={"version": "V2-t", "alpha": 0.02, "N": 8},
        drop={"version": ["V1", "V1-t", "V2"], "alpha": [0.005, 0.08], "N": [4, 16]},
    )
    eg.add("b", 4, when=lambda v: v["version"].endswith("-t"))  # the directions that are kept
    eg.add("epochs", epochs)
    eg.add("eval_episodes", 10)
    eg.seeds(seeds)
    return eg


def main() -> None:
    """Run the grid, print the verdict, write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", nargs="+", default=["CartPole-v1", "Acrobot-v1"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--data_dir", type=Path, default=Path("data", "ars-ablation"))
    options = parser.parse_args()

    make_grid(options.env, options.seeds, options.epochs).run(ars, data_dir=options.data_dir)

    report = spinup.make_report(spinup.load(options.data_dir))
    print("\n".join(["", *report.verdicts]))
    print(f"\nThe report: {report.save(options.data_dir / 'report.html')}")


if __name__ == "__main__":
    main()
