"""``spinup demo``: a small grid that learns to balance a pole, and the picture of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinup import console, user_config
from spinup.utils.run_utils import ExperimentGrid

if TYPE_CHECKING:
    import polars as pl

    from spinup.report.document import Report

#: Mean return at which Gymnasium calls CartPole-v1 solved; 500 is the most there is.
SOLVED = 475.0

_TITLE = "Augmented Random Search on CartPole-v1"


def make_grid() -> ExperimentGrid:
    """The demo's grid: two hyperparameters, three seeds."""
    eg = ExperimentGrid(name="demo")
    eg.add("env_name", "CartPole-v1")
    eg.add("seed", [0, 10, 20])
    eg.add("version", ["V1", "V2"])
    eg.add("nu", [0.1, 0.5])
    # Not alpha: where actions are discrete, only its ratio to nu matters.
    eg.add("alpha", 0.02)
    eg.add("N", 4)
    eg.add("epochs", 25)
    eg.add("eval_episodes", 10)
    return eg


@click.command("demo")
@click.option(
    "--data_dir",
    "--data-dir",
    "data_dir",
    metavar="DIR",
    help="Where results go; by default the directory demo in that of all results, ./data.",
)
def command(data_dir: str | None) -> None:
    """Train a small grid, and draw its learning curves.

    Augmented Random Search on CartPole-v1: two hyperparameters, three seeds, a dozen runs, under a minute.
    Prints the results by variant, draws their learning curves, and writes a report that says what matters.
    """
    from spinup.algos.ars import ars  # noqa: PLC0415 - heavy, and `spinup --help` does without
    from spinup.plots.learning_curve import save_learning_curve  # noqa: PLC0415
    from spinup.report.make import make_report  # noqa: PLC0415
    from spinup.results.runset import load  # noqa: PLC0415
    from spinup.results.table import final_returns  # noqa: PLC0415

    place = Path(data_dir or Path(user_config.DEFAULT_DATA_DIR, "demo")).expanduser().absolute()
    begin_s = time.monotonic()
    records = make_grid().run(ars, data_dir=place)
    # Of these runs alone: another grid's may lie in the same directory.
    names = {record.name for record in records}
    runs = load(place).filter(lambda run: run.exp_name in names)
    curves = runs.curves
    picture = place / "learning_curves.png"
    save_learning_curve(curves, picture, title=_TITLE, target=SOLVED, x="Epoch")
    returns = final_returns(curves, last=5)
    _print_returns(returns)
    report = make_report(runs, title=_TITLE)
    page = report.save(place / "report.html")
    _print_verdict(report)
    _print_places(place, picture, page, records[0].directory)
    console.say(f"\n{len(records)} runs in {time.monotonic() - begin_s:.0f} s.")


def _print_returns(returns: pl.DataFrame) -> None:
    rows = [
        [
            row["exp_name"],
            str(row["num_seeds"]),
            f"{row['mean']:.1f}",
            "" if row["std"] is None else f"{row['std']:.1f}",
            f"{row['min']:.1f} to {row['max']:.1f}",
        ]
        for row in returns.iter_rows(named=True)
    ]
    header = ["variant", "seeds", "mean return", "std over seeds", "range over seeds"]
    console.table(header, rows, title="Return at the end of training, mean of the last 5 epochs")
    solved = [row["exp_name"] for row in returns.iter_rows(named=True) if row["mean"] >= SOLVED]
    console.say(f"Solved, with {SOLVED:.0f} or more of 500: {', '.join(solved) or 'none'}.")


def _print_verdict(report: Report) -> None:
    console.say("\nVerdict", bold=True)
    for sentence in report.verdicts:
        console.say(sentence)


def _print_places(data_dir: Path, picture: Path, page: Path, example: Path) -> None:
    console.say("\nReport:           " + str(page), "green", bold=True)
    console.say("Learning curves:  " + str(picture), "green", bold=True)
    console.say(f"All results:      {data_dir}")
    console.say(f"One run, say:     {example}")
    console.say(
        "    config.json  progress.txt  status.json  output.log  provenance.json  result.json  vars.pkl"
    )
