"""What the user reads: the grid, what is about to run, and how it went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from spinup import console
from spinup.errors import SettingError
from spinup.rundir.config import dumps, to_json
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.grid import Grid, Parameter
    from spinup.jobs.job import Job
    from spinup.rundir.record import RunRecord
    from spinup.scheduler.run import Room

_MOST_VALUES = 20
_MOST_NAMES = 100


def grid_report(grid: Grid, grid_name: str) -> None:
    """Print the grid's name, its parameters with shorthands and values, and how many variants it has."""
    console.divider()
    console.say(f"ExperimentGrid [{grid_name}] runs over parameters:\n", "green", bold=True)
    for parameter in grid.parameters:
        _parameter_report(parameter)
    seeds = next((len(p.values) for p in grid.parameters if p.key == "seed"), 1)
    console.say(f" Variants, counting seeds: {len(grid):>14}")
    console.say(f" Variants, not counting seeds: {len(grid) // seeds:>10}\n")
    console.divider()


def _parameter_report(parameter: Parameter) -> None:
    shorthand = "" if parameter.shorthand is None else f"[{parameter.shorthand}]"
    console.say(f" {parameter.key:<40} {shorthand}\n", "cyan", bold=True)
    for value in parameter.values[:_MOST_VALUES]:
        console.say(f"\t{_value_text(value)}")
    if len(parameter.values) > _MOST_VALUES:
        console.say(f"\t... and {len(parameter.values) - _MOST_VALUES} more")
    console.say()


def _value_text(value: object) -> str:
    content = to_json(value)
    return content if isinstance(content, str) else json.dumps(content)


def coming_experiments(names: Sequence[str], num_runs: int, num_equal: int, data_dir: object) -> None:
    """Print the names of the experiments that are about to run, and where they will write."""
    console.say("\nPreparing to run the following experiments...\n", "green", bold=True)
    different = sorted(set(names))
    for name in different[:_MOST_NAMES]:
        console.say(name or "(no name)")
    if len(different) > _MOST_NAMES:
        console.say(f"... and {len(different) - _MOST_NAMES} more")
    console.say(f"\n{num_runs} runs of {len(different)} experiments, below {data_dir}")
    console.say("What a run prints goes to output.log in its directory.")
    if num_equal:
        console.say(
            f"{num_equal} variants are equal to another one in all, and are not run twice.", "yellow"
        )
    console.say()
    console.divider()


def launch_delay(wait_s: float) -> None:
    """Give the user ``wait_s`` seconds to look over what is about to run."""
    if not isinstance(wait_s, (int, float)):
        raise SettingError(f"WAIT_BEFORE_LAUNCH must be a number of seconds, not {wait_s!r}.")
    if wait_s > 0 and console.is_interactive():
        console.say(
            "Launch delayed to give you a few seconds to review your experiments.", "cyan", bold=True
        )
        console.say("Ctrl-C stops it; SPINUP_WAIT_BEFORE_LAUNCH=0 does without the delay.", "cyan")
        try:
            console.countdown(wait_s)
        except KeyboardInterrupt:
            console.say("\nInterrupted; nothing was started.", "yellow")
            raise


def experiment_begins(job: Job) -> None:
    """Print the name and the arguments of a single run."""
    console.say("Running experiment:\n", "cyan", bold=True)
    console.say(f"{job.exp_name}\n")
    console.say("with kwargs:\n", "cyan", bold=True)
    console.say(dumps({**job.parameters, "seed": job.seed}) + "\n")


def plan(summary: str, room: Room, num_runs: int) -> None:
    """Print what is kept and what runs, and how many at a time."""
    console.say(f"Plan: {summary}.", bold=True)
    if num_runs:
        on_gpus = f", on {len(room.gpus)} GPUs" if room.gpus else ""
        threads = f"{room.threads} thread{'s' * (room.threads > 1)} each"
        console.say(f"{min(room.width, num_runs)} at a time{on_gpus}, {threads}.")
        if room.num_cpu > 1:
            console.say(f"Each run is {room.num_cpu} MPI processes, in fresh interpreters: no warm start.")


def directories(rows: Sequence[tuple[object, object]]) -> None:
    """Print each run's directory, and what would be done about it."""
    for path, decision in rows:
        console.say(f"  {decision:<12} {path}")


def failure_text(record: RunRecord) -> str:
    """What happened to a run that failed, in one line."""
    reason = record.reason or str(record.state)
    where = "" if record.rank is None else f" in rank {record.rank}"
    return ": ".join(filter(None, [reason + where, record.message]))


def where_results_are(directory: object) -> None:
    """Print where a run's results are."""
    console.divider()
    console.say(f"End of experiment. Everything it wrote is in\n{directory}", "cyan", bold=True)
    console.divider()


def grid_ended(records: Sequence[RunRecord], num_runs: int, data_dir: object) -> None:
    """Print how many of ``num_runs`` are done, a table of those that failed, and where all of it is."""
    num_done = sum(record.state is State.DONE for record in records)
    interrupted = [record for record in records if record.reason == "interrupted"]
    failed = [r for r in records if r.state is not State.DONE and r.reason != "interrupted"]
    console.divider()
    console.say(f"{num_done} of {num_runs} runs are done.", bold=True)
    if interrupted or len(records) < num_runs:
        parts = [f"{len(interrupted)} were interrupted"] if interrupted else []
        parts += [f"{num_runs - len(records)} were not begun"] if len(records) < num_runs else []
        console.say(f"{', '.join(parts)}. To go on, run the same again.", "yellow")
    if failed:
        console.say("These failed:\n", "red", bold=True)
        width = max(len(record.name) for record in failed)
        for record in failed:
            console.say(f"  {record.name:<{width}}  seed {record.seed:<6} {failure_text(record)}")
            if RunDir(record.directory).output.exists():
                console.say(f"  {'':<{width}}  {RunDir(record.directory).output}")
    console.say(f"Results are in {data_dir}")
    console.divider()
