"""The help of ``spinup run``: examples first, then what can be written; and the help of one thunk."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING, Any

import click

from spinup.cli.options import GROUPS, find_option
from spinup.cli.request import SHORT_FORMS
from spinup.cli.values import MISSING

if TYPE_CHECKING:
    from spinup.cli.options import Option
    from spinup.cli.thunks import Parameter, Thunk

_EXAMPLES = """\
spinup run ars --env CartPole-v1 --nu 0.05 0.1 --seed 0 10 20
spinup run train.py:train --lr 'log(1e-5,1e-2,4)' --seed 0:5 --dry-run
spinup run pkg.ppo:ppo --env Hopper-v5 --hid[h] [32,32] [64,64] --act torch.nn.Tanh torch.nn.ReLU
spinup run --lr 1e-3 1e-4 --seed 0 1 -- python train.py --lr {lr} --seed {seed} --out {output_dir}
spinup run ars --help"""

_THUNK = """\
module:function, path/to/file.py:function, a built-in (ars), or behind -- any program, whatever its \
language. Every combination of the flags' values is a run, in a process and a directory of its own; the \
same command line again does what is missing."""

_FLAGS = (
    ("--lr 1e-3 1e-4", "Two values of lr. Also --lr=1e-3, and a flag again adds values."),
    ("--use_gae", "Alone: True."),
    ("--seed 0:5", "0, 1, 2, 3, 4. Also 0:10:5, which is 0, 5; log(1e-5,1e-2,4) and lin(0,1,5)."),
    ("--ac_kwargs:gain 2", "A colon goes into a dict."),
    ("--hid[h] [32,32]", "With its shorthand in names. Put quotes around what has brackets: '[32,32]'."),
    ("--delta=--x", "Behind = goes a value that begins with dashes."),
    ("--+timeout 3", "The thunk's own argument, where an option has its name."),
)

_VALUES = """\
A value is a Python literal (3, 1e-3, True, None, [32,32], 'text'), else the name of something that can be \
imported (torch.nn.Tanh), else text. Where the thunk's signature has a type, that decides. Nothing is \
evaluated. To keep a number or a range as text, put quotes inside quotes: "'12:30'"."""

_COMMAND = """\
Behind -- stands a program with its arguments, as it would be typed, but without a shell around it. {lr} \
is the value of --lr; {output_dir}, {exp_name} and {seed} are the run's, and in its environment as \
SPINUP_OUTPUT_DIR and so on. {{ and }} are braces. Its exit code is the run's, and the text files that it \
names are its code."""

_EXIT = "0: all runs are done. 1: some failed. 2: the command line is wrong. 130: interrupted."


def general_help() -> str:
    """The help of ``spinup run``."""
    formatter = _formatter()
    formatter.write_usage("spinup run", "THUNK [--flag VALUE ...] ...")
    formatter.write_usage(
        "spinup run", "[--flag VALUE ...] ... -- PROGRAM [ARGUMENT ...]", prefix="       "
    )
    _lines(formatter, "Examples", _EXAMPLES)
    _text(formatter, "Thunk", _THUNK)
    with formatter.section("Flags"):
        formatter.write_dl(_FLAGS)
    short = [*SHORT_FORMS.items(), ("cpu", "num_cpu"), ("dt", "datestamp")]
    _text(formatter, "Short forms", ", ".join(f"--{short} for --{long}" for short, long in short) + ".")
    _text(formatter, "Values", _VALUES)
    _text(formatter, "Another program", _COMMAND)
    _write_options(formatter)
    _text(formatter, "Exit status", _EXIT)
    return formatter.getvalue().rstrip()


def thunk_help(target: str, thunk: Thunk) -> str:
    """The help of one thunk: its parameters, and the options."""
    formatter = _formatter()
    formatter.write_usage(f"spinup run {target}", "[--flag VALUE ...] ...")
    if thunk.summary:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(thunk.summary)
    rows = [_row(p) for p in thunk.parameters.values() if p.name not in ("env_fn", "logger_kwargs")]
    with formatter.section("Parameters"):
        formatter.write_dl(rows or [("(none)", "")])
        if thunk.takes_any:
            formatter.write_text("It takes any other argument too.")
    _write_options(formatter)
    _text(
        formatter,
        "More",
        "Every flag takes several values, and all combinations are run: spinup run --help",
    )
    return formatter.getvalue().rstrip()


def _write_options(formatter: click.HelpFormatter) -> None:
    for title, options in GROUPS.items():
        with formatter.section(f"Options: {title}"):
            formatter.write_dl([_option_row(option) for option in options])


def _option_row(option: Option) -> tuple[str, str]:
    names = ", ".join(f"--{name}" for name in (option.name, *option.aliases) if name != "memory_per_run")
    return f"{names} {option.metavar}".rstrip(), option.help


def _row(parameter: Parameter) -> tuple[str, str]:
    name = f"--{'+' if find_option(parameter.name) else ''}{parameter.name}"
    shorts = [f", --{short}" for short, long in SHORT_FORMS.items() if long == parameter.name]
    kind = f" {_type(parameter)}" if parameter.type_text else ""
    default = "[required]" if parameter.default is MISSING else f"[default: {_shown(parameter.default)}]"
    return f"{name}{''.join(shorts)}{kind}", f"{parameter.doc.replace('``', '')} {default}".strip()


def _type(parameter: Parameter) -> str:
    kind = parameter.kind
    is_choice = kind is not None and kind.choices and not kind.types
    return "|".join(map(str, kind.choices)) if kind is not None and is_choice else parameter.type_text


def _shown(value: Any) -> str:
    if inspect.isroutine(value) or inspect.isclass(value):
        return str(value.__name__)
    return textwrap.shorten(repr(value), 60)


def _formatter() -> click.HelpFormatter:
    import shutil  # noqa: PLC0415 - as click does

    return click.HelpFormatter(width=max(40, min(shutil.get_terminal_size().columns - 2, 100)))


def _text(formatter: click.HelpFormatter, title: str, text: str) -> None:
    with formatter.section(title):
        formatter.write_text(text)


def _lines(formatter: click.HelpFormatter, title: str, text: str) -> None:
    """Lines that are not wrapped: they are there to be copied."""
    with formatter.section(title):
        formatter.write(textwrap.indent(text, "  ") + "\n")
