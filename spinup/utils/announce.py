"""What the user reads: the grid, what is about to run, and how it went."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from spinup import console
from spinup.errors import SettingError
from spinup.rundir.config import dumps
from spinup.rundir.layout import RunDir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinup.jobs.job import Job
    from spinup.rundir.record import RunRecord
    from spinup.scheduler.run import Room
    from spinup.utils.grid_run import Ending

_MOST_NAMES = 100
_UNLIMITED = 1 << 30
_NARROWEST_NAME = 20


def coming_experiments(names: Sequence[str], data_dir: object) -> None:
    """Print the names of the experiments that are about to run, one for each run, and where they write."""
    console.say("\nPreparing to run the following experiments...\n", "green", bold=True)
    different = sorted(set(names))
    for name in different[:_MOST_NAMES]:
        console.say(console.one_line(name) or "(no name)")
    if len(different) > _MOST_NAMES:
        console.say(f"... and {len(different) - _MOST_NAMES} more")
    console.say(
        f"\n{_count(len(names), 'run')} of {_count(len(different), 'experiment')}, below {data_dir}"
    )
    console.say("What a run prints goes to output.log in its directory.\n")
    console.divider()


def nothing_to_run() -> None:
    """Print that a part of a grid is empty, as the last task's may be."""
    console.say("Nothing to run: this part of the grid has no variants.")


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


def plan(summary: str, room: Room, num_runs: int, num_equal: int) -> None:
    """Print what is kept and what runs, and how many at a time."""
    console.say(f"Plan: {summary}.", bold=True)
    if num_equal:
        what = "variant is" if num_equal == 1 else "variants are"
        console.say(f"{num_equal} {what} equal to another one in all, and not run twice.", "yellow")
    if num_runs:
        on_gpus = f", on {_count(len(room.gpus), 'GPU')}" if room.gpus else ""
        console.say(
            f"{min(room.width, num_runs)} at a time{on_gpus}, {_count(room.threads, 'thread')} each."
        )
        if room.num_cpu > 1:
            console.say(f"Each run is {room.num_cpu} MPI processes, in fresh interpreters: no warm start.")


def dry_run(rows: Sequence[tuple[str, object]]) -> None:
    """Print each run's directory, and what would be done about it."""
    for path, decision in rows:
        console.say(f"  {decision:<15} {console.one_line(path)}")
    console.say("This was a dry run: nothing was started or written.")


def failure_text(record: RunRecord) -> str:
    """What happened to a run that failed, in one line."""
    reason = record.reason or str(record.state)
    where = "" if record.rank is None else f" in rank {record.rank}"
    return console.one_line(": ".join(filter(None, [reason + where, record.message])))


def where_results_are(directory: object) -> None:
    """Print where a run's results are."""
    console.divider()
    console.say(f"End of experiment. Everything it wrote is in\n{directory}", "cyan", bold=True)
    console.divider()


def grid_ended(ending: Ending, data_dir: object) -> None:
    """Print how many runs are done, a table of those that failed, and where all of it is."""
    console.divider()
    console.say(f"{ending.num_done} of {ending.num_runs} runs are done.", bold=True)
    if ending.num_by_others:
        console.say(f"{_were(ending.num_by_others, 'run')} by another launcher.")
    if ending.others:
        more = " To go on, run the same again." if ending.can_go_on else ""
        console.say(f"{_others(ending)}.{more}", "yellow")
    if ending.failed:
        console.say("These failed:\n", "red", bold=True)
        _failures(ending.failed)
    console.say(f"Results are in {data_dir}")
    console.divider()


def grid_failure(ending: Ending) -> str:
    """What to tell the caller of a grid of which some runs did not end well, the worst first."""
    if not ending.failed:
        return f"Of {_count(ending.num_runs, 'run')}, {_others(ending)}."
    first = ending.failed[0]
    counts = f"{len(ending.failed)} of {ending.num_runs} runs failed"
    where = console.one_line(str(first.directory))
    which = f"{first.name!r} (seed {first.seed}): {failure_text(first)} ({where})"
    others = f"; {_others(ending)}" if ending.others else ""
    return f"{counts}, the first of them {which}{others}"


def _others(ending: Ending) -> str:
    return ", ".join(_were(number, what) for what, number in ending.others.items())


def _failures(records: Sequence[RunRecord]) -> None:
    """A line for each, as wide as the terminal at most, and below it the log's path, which is never cut."""
    columns = console.columns() or _UNLIMITED
    names = [console.one_line(record.name) for record in records]
    names = console.told_apart(names, max(_NARROWEST_NAME, columns // 3), "...")
    width = max(map(len, names))
    for name, record in zip(names, records, strict=True):
        line = f"  {name:<{width}}  seed {record.seed:<6} {failure_text(record)}"
        console.say(line if len(line) < columns else f"{line[: columns - 4]}...")
        output = RunDir(record.directory).output
        if output.exists():
            console.say(f"    {_below_here(output)}")


def _below_here(path: Path) -> str:
    """``path``, without the working directory if it is in that."""
    with suppress(OSError, ValueError):
        path = path.relative_to(Path.cwd())
    return console.one_line(str(path))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _were(number: int, what: str) -> str:
    return f"{number} {'was' if number == 1 else 'were'} {what}"
