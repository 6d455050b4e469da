"""``spinup run``: a thunk, or any program, over a grid of values."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spinup import console
from spinup.cli.find import default_data_dir
from spinup.cli.flags import parse
from spinup.cli.options import KEYWORDS, find_option
from spinup.errors import (
    GridError,
    GridFailed,
    NotPicklable,
    SettingError,
    ThunkError,
    UnknownEnvironment,
    UnsafePath,
    UnsupportedNumCpu,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from click.shell_completion import CompletionItem

    from spinup.cli.flags import CommandLine
    from spinup.cli.gridfile import GridFile
    from spinup.cli.request import Request
    from spinup.cli.thunks import Thunk
    from spinup.rundir.record import RunRecord
    from spinup.utils.run_utils import ExperimentGrid

#: What a check finds before anything is started: the command line is wrong.
_WRONG = (
    GridError,
    NotPicklable,
    SettingError,
    ThunkError,
    UnknownEnvironment,
    UnsafePath,
    UnsupportedNumCpu,
)


class _RunCommand(click.Command):
    """A command whose words are read by `spinup.cli.flags`, not by click."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["words"] = args
        return []

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        from spinup.cli.run_help import general_help  # noqa: PLC0415 - only help needs it

        return general_help()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from spinup.cli.complete_run import complete  # noqa: PLC0415 - only a shell asks

        return complete(ctx.params.get("words", []), incomplete)


@click.command("run", cls=_RunCommand, add_help_option=False)
@click.pass_context
def command(ctx: click.Context, words: list[str]) -> None:
    """Run a function or a program over a grid of values."""
    try:
        run(words)
    except click.UsageError as error:
        error.ctx = error.ctx or ctx
        raise
    except _WRONG as error:
        raise click.UsageError(str(error), ctx) from error


def run(words: Sequence[str]) -> list[RunRecord]:
    """Do what ``words``, which follow ``spinup run``, ask for; the records of the runs.

    Raises:
        UsageError: They cannot be understood.
        SpinupError: The grid cannot run, or some of its runs failed.
    """
    if words[:1] == ["test_policy"]:
        raise click.UsageError(
            "There is no test_policy here: what a run has saved is your own code's to load. "
            "spinup show RUN lists the run's files."
        )
    line = parse(words)
    if not words or (line.wants_help and line.target is None and line.command is None):
        _print_general_help()
        return []
    line, file = _open_file(line)
    if line.wants_help:
        _print_help(line, _load(line))
        return []
    if _wants_json(line):
        return _print_json_of(line, file)
    grid, keywords = _prepare(line, file)
    return grid.run(**keywords)


def _prepare(line: CommandLine, file: GridFile | None) -> tuple[ExperimentGrid, dict[str, Any]]:
    """The grid, and what `ExperimentGrid.run` is to get; loads what is to be run."""
    thunk = _load(line)
    request = _read(line, thunk)
    options = {**(file.options if file is not None else {}), **request.options}
    _check(options, thunk, is_json=options.pop("json", False))
    grid = _make_grid(request, thunk, file, options)
    keywords = {KEYWORDS.get(key, key): value for key, value in options.items()}
    return grid, {"thunk": thunk.function, **keywords}


def _print_general_help() -> None:
    from spinup.cli.run_help import general_help  # noqa: PLC0415 - only help needs it

    console.say(general_help())


def _print_help(line: CommandLine, thunk: Thunk) -> None:
    from spinup.cli.run_help import thunk_help  # noqa: PLC0415 - only help needs it

    console.say(thunk_help("-- ..." if line.target is None else line.target, thunk))


def _load(line: CommandLine) -> Thunk:
    from spinup.cli.thunks import load, load_command  # noqa: PLC0415 - general help does without

    if line.command is not None:
        if line.target is not None:
            raise click.UsageError(f"Either {line.target!r} is run, or the command behind --; not both.")
        return load_command(line.command)
    if line.target is None:
        raise click.UsageError(
            "Nothing to run is named. It comes first, as in: spinup run ars --env CartPole-v1; "
            "or behind --, as in: spinup run --lr 1e-3 -- python train.py --lr {lr}"
        )
    return load(line.target)


def _read(line: CommandLine, thunk: Thunk) -> Request:
    from spinup.cli.names import Resolver  # noqa: PLC0415
    from spinup.cli.request import make_request  # noqa: PLC0415

    def note(text: str) -> None:
        console.complain(f"Note: {text}")

    return make_request(line.flags, thunk, Resolver(thunk.namespace, note), note)


def _open_file(line: CommandLine) -> tuple[CommandLine, GridFile | None]:
    """The grid's file that is named, if one is, and the command line with what the file says to run."""
    is_target = line.target is not None and line.target.endswith(".toml")
    texts = [flag.texts for flag in line.flags if flag.key == "grid" and not flag.is_own]
    path = line.target if is_target else texts[0][0] if texts and texts[0] else None
    if path is None:
        return line, None
    from spinup.cli.gridfile import read_grid_file  # noqa: PLC0415 - most grids are in no file

    file = read_grid_file(path)
    if not is_target:
        return line, file
    if line.command is None and file.thunk is None and file.command is None:
        raise click.UsageError(
            f"{path} does not say what to run. Write thunk = 'module:function' into it, or name it here: "
            f"spinup run module:function --grid {path}"
        )
    command = file.command if line.command is None else line.command
    return replace(line, target=None if command is not None else file.thunk, command=command), file


def _make_grid(
    request: Request, thunk: Thunk, file: GridFile | None, options: dict[str, Any]
) -> ExperimentGrid:
    """The grid; takes out of ``options`` what is about it."""
    from spinup.cli.request import check_complete, check_placeholders  # noqa: PLC0415
    from spinup.utils.run_utils import ExperimentGrid  # noqa: PLC0415

    name, number = options.pop("exp_name", None), options.pop("sample", None)
    seed = options.pop("sample_seed", 0)
    options.pop("grid", None)
    if file is not None:
        from spinup.cli.gridfile import make_grid  # noqa: PLC0415 - most grids are in no file

        unnamed = None if file.document.get("name") else f"cmd_{thunk.name}"
        grid = make_grid(file, name or unnamed, request.settings)
    else:
        grid = ExperimentGrid(name=f"cmd_{thunk.name}" if name is None else name)
        for setting in request.settings:
            grid.add(setting.key, setting.values, setting.shorthand)
    check_complete(grid.columns, thunk)
    if number is not None:
        grid.sample(number, seed)
    check_placeholders(grid, thunk)
    return grid


def _check(options: Mapping[str, Any], thunk: Thunk, *, is_json: bool) -> None:
    if is_json and options.get("dry_run"):
        raise click.UsageError("--json prints the records of runs, and a dry run has none.")
    if thunk.placeholders is not None and options.get("num_cpu", 1) != 1:
        raise click.UsageError(
            "--num_cpu would start the whole command in each process. Have the command start them, as in: "
            "-- mpiexec -n 4 python train.py"
        )


def _wants_json(line: CommandLine) -> bool:
    """Whether stdout is for JSON alone, as has to be known before any code of the user's is loaded."""
    flags = [flag for flag in line.flags if not flag.is_own]
    found = [(option, flag) for flag in flags if (option := find_option(flag.key)) is not None]
    return any(option.keyword == "json" and option.value(flag) for option, flag in found)


def _print_json_of(line: CommandLine, file: GridFile | None) -> list[RunRecord]:
    """Run with all that is printed on stderr; then print the records on stdout, however it ended."""
    from spinup.cli.records import ended_runs, print_records  # noqa: PLC0415

    keywords: dict[str, Any] = {}
    try:
        with redirect_stdout(sys.stderr):
            grid, keywords = _prepare(line, file)
            records = grid.run(**keywords)
    except GridFailed as error:
        print_records(error.records)
        raise
    except (KeyboardInterrupt, SystemExit):
        print_records(ended_runs(Path(keywords.get("data_dir") or default_data_dir())))
        raise
    print_records(records)
    return records
