"""All commands, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

from spinup import console
from spinup.errors import SpinupError

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP = """\
Hyperparameter grids for reinforcement learning, in runs that can be trusted.

\b
Try it:        spinup demo
A grid:        spinup run ars --env CartPole-v1 --nu 0.05 0.1 --seed 0 10 20
Your own:      spinup run train.py:train --lr 1e-3 1e-4 --seed 0 1 2
Any program:   spinup run --lr 1e-3 1e-4 -- python train.py --lr {lr} --out {output_dir}
In a script:   from spinup import ExperimentGrid
"""


@dataclass(frozen=True)
class _Entry:
    """Where a command is, and what it is for: enough for ``spinup --help``, which imports none.

    Attributes:
        module: Imported when the command is used.
        help: One line.
        attribute: The click command in that module.
    """

    module: str
    help: str
    attribute: str = "command"


#: In the order in which a user meets them.
_COMMANDS = {
    "demo": _Entry("spinup.cli.demo", "Train a small grid, and report what it came to."),
    "run": _Entry("spinup.cli.run", "Run a function or a program over a grid of values."),
    "status": _Entry("spinup.cli.status", "Show what is running, done and failed."),
    "logs": _Entry("spinup.cli.logs", "Print what a run has printed."),
    "show": _Entry("spinup.cli.show", "Show all that is known of a run."),
    "plot": _Entry("spinup.cli.plot", "Draw learning curves."),
    "report": _Entry("spinup.cli.report", "Write a report: verdict, tables, pictures."),
    "compare": _Entry("spinup.cli.compare", "Compare two directories, variants or runs."),
    "best": _Entry("spinup.cli.best", "Show the best variants."),
    "stop": _Entry("spinup.cli.stop", "Stop runs, or a whole grid."),
    "rm": _Entry("spinup.cli.archive", "Remove runs.", "remove"),
    "archive": _Entry("spinup.cli.archive", "Move runs out of the way."),
    "doctor": _Entry("spinup.cli.doctor", "Check this machine and this installation."),
    "completion": _Entry("spinup.cli.completion", "Print a script that completes commands in your shell."),
}


class _LazyGroup(click.Group):
    """A group of commands that imports each of them when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in _COMMANDS.items()])


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import

        console.say(f"spinup {version('spinup')}")
        ctx.exit()


@click.group(
    cls=_LazyGroup,
    help=_HELP,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Print the help where no command is given."""
    if ctx.invoked_subcommand is None:
        console.say(ctx.get_help())


def answer(words: Sequence[str]) -> int:
    """Do what ``words`` ask; give the exit code.

    Raises:
        KeyboardInterrupt: It was interrupted.
    """
    try:
        # With standalone_mode click would end this process, and print errors its own way.
        code = cli.main(list(words), prog_name="spinup", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        _complain(error)
        return 2
    except click.ClickException as error:
        console.complain(error.format_message())
        return error.exit_code
    except SpinupError as error:
        console.complain(str(error))
        return 1
    except click.Abort as error:  # Ctrl-C, where click has asked something
        raise KeyboardInterrupt from error
    except BrokenPipeError:
        # Whoever read this has seen enough, as `head` has. Nor should the interpreter fail to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _complain(error: click.UsageError) -> None:
    """Print what is wrong with the command line, and where to read how it goes."""
    where = error.ctx.command_path if error.ctx is not None else "spinup"
    console.complain(f"{error.format_message()}\nSee: {where} --help")
