"""Make tests/golden/rliable.json: what rliable 1.2.0 says of stored scores.

It needs a pandas older than 3, and so an environment of its own, which is made in a temporary
directory and removed again.

Run: ``python scripts/golden_rliable.py``
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "rliable.json"
NEEDED = ["rliable==1.2.0", "pandas<3"]
THRESHOLDS = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0]
DRAWS = 50_000


def scores_of(seed: int, num_seeds: int, num_tasks: int) -> list[list[float]]:
    """Skewed scores with ties, rounded so that the file says exactly what was computed from."""
    import numpy as np  # noqa: PLC0415 - needed in the other environment only

    rng = np.random.default_rng(seed)
    centers = rng.uniform(0.2, 1.5, size=num_tasks)
    return np.round(centers * rng.lognormal(0.0, 0.5, size=(num_seeds, num_tasks)), 2).tolist()


def answers() -> dict[str, object]:
    """Every answer of rliable; only in its own environment."""
    import numpy as np  # noqa: PLC0415 - as above
    from rliable import library, metrics  # noqa: PLC0415

    cases = []
    for seed, (num_seeds, num_tasks) in enumerate([(3, 1), (5, 4), (10, 6), (20, 3)]):
        scores, others = (scores_of(2 * seed + place, num_seeds, num_tasks) for place in (0, 1))
        x, y = np.array(scores), np.array(others)
        np.random.seed(seed)  # rliable 1.2.0 draws from the global state, whatever random_state it gets
        _, ends = library.get_interval_estimates(
            {"x": x},
            lambda s: np.array([metrics.aggregate_mean(s), metrics.aggregate_iqm(s)]),
            reps=DRAWS,
        )
        profile, profile_ends = library.create_performance_profile({"x": x}, THRESHOLDS, reps=2_000)
        _, improvement_ends = library.get_interval_estimates(
            {"xy": [x, y]},
            lambda a, b: np.array([metrics.probability_of_improvement(a, b)]),
            reps=2_000,
        )
        cases.append(
            {
                "scores": scores,
                "others": others,
                "mean": metrics.aggregate_mean(x),
                "median": metrics.aggregate_median(x),
                "iqm": metrics.aggregate_iqm(x),
                "optimality_gap": metrics.aggregate_optimality_gap(x),
                "mean_interval": ends["x"][:, 0].tolist(),
                "iqm_interval": ends["x"][:, 1].tolist(),
                "profile": profile["x"].tolist(),
                "profile_interval": profile_ends["x"].tolist(),
                "probability_of_improvement": metrics.probability_of_improvement(x, y),
                "improvement_interval": improvement_ends["xy"][:, 0].tolist(),
            }
        )
    return {"made_with": NEEDED, "thresholds": THRESHOLDS, "cases": cases}


def main() -> None:
    """Make the environment, and the file in it."""
    if "--inside" in sys.argv:
        print(json.dumps(answers(), indent=1))
        return
    with tempfile.TemporaryDirectory() as directory:
        venv.create(directory, with_pip=True)
        python = str(Path(directory) / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDED], check=True)
        command = [python, "-W", "ignore", __file__, "--inside"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    GOLDEN.write_text(done.stdout, encoding="utf-8")
    print(f"Wrote {GOLDEN}.")


if __name__ == "__main__":
    main()
