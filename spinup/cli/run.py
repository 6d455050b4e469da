"""``spinup run``: a thunk, or any program, over a grid of values."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from spinup import console
from spinup.cli.flags import parse
from spinup.cli.options import KEYWORDS
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
    from collections.abc import Callable, Mapping, Sequence

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
    line = parse(words)
    if not words or (line.wants_help and line.target is None and line.command is None):
        _print_general_help()
        return []
    line, file = _open_file(line)
    thunk = _load(line)
    if line.wants_help:
        _print_help(line, thunk)
        return []
    request = _read(line, thunk)
    options = {**(file.options if file is not None else {}), **request.options}
    is_json = options.pop("json", False)
    _check(options, thunk, is_json=is_json)
    grid = _make_grid(request, thunk, file, options)
    keywords = {KEYWORDS.get(key, key): value for key, value in options.items()}
    start = partial(grid.run, thunk.function, **keywords)
    return _print_json_of(start) if is_json else start()


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
    from spinup.cli.request import check_complete  # noqa: PLC0415
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
    return grid


def _check(options: Mapping[str, Any], thunk: Thunk, *, is_json: bool) -> None:
    if is_json and options.get("dry_run"):
        raise click.UsageError("--json prints the records of runs, and a dry run has none.")
    if thunk.placeholders is not None and options.get("num_cpu", 1) != 1:
        raise click.UsageError(
            "--num_cpu would start the whole command in each process. Have the command start them, as in: "
            "-- mpiexec -n 4 python train.py"
        )


def _print_json_of(start: Callable[[], list[RunRecord]]) -> list[RunRecord]:
    """Run with all that is printed on stderr; then print the records on stdout, also if some failed."""
    try:
        with redirect_stdout(sys.stderr):
            records = start()
    except GridFailed as error:
        _print_records(error.records)
        raise
    _print_records(records)
    return records


def _print_records(records: Sequence[Any]) -> None:
    from spinup.cli.output import print_json  # noqa: PLC0415

    print_json({"runs": [_row(record) for record in records]})


def _row(record: RunRecord) -> dict[str, Any]:
    return {
        "exp_name": record.name,
        "seed": record.seed,
        "directory": str(record.directory),
        "state": str(record.state),
        "reason": record.reason,
        "message": record.message,
        "result": record.result,
    }
