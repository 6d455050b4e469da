"""``spinup plot``: learning curves of the runs below some directories; Spinning Up's options."""

from __future__ import annotations

from typing import cast, get_args

import click

from spinup import console

_HELP = """\
Draw learning curves: a line for each variant over its seeds, in a band that says what is known from
them, and a panel for each task. The picture is saved beside the data, or to --out; its place is printed.

DIR is a directory of one or many runs. A path that is no directory stands for all whose names begin so,
which are printed.

\b
spinup plot data/ppo                              what is in a directory, or below it
spinup plot data/ppo data/sac --legend PPO SAC    with a name for each line
spinup plot data --value Performance LossV        two pictures
spinup plot data --select walker --exclude lr0-1  by what is in the path of a run
spinup plot data --count                          a line for each run
spinup plot data --est iqm --out curves.pdf       interquartile mean, as PDF
"""

_ESTIMATES = (
    "mean",
    "median",
    "iqm",
    "max",
    "min",
)  # as plots.estimates has them, which is heavy to import


class _PlotCommand(click.Command):
    """A command some of whose options take several words, as Spinning Up's do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        several = {
            name for option in self.params if getattr(option, "multiple", False) for name in option.opts
        }
        return super().parse_args(ctx, _one_word_each(args, several))


def _one_word_each(words: list[str], several: set[str]) -> list[str]:
    """``words`` with the option before each of its words: ``-y A B`` becomes ``-y A -y B``."""
    found: list[str] = []
    option = None
    for place, word in enumerate(words):
        if word == "--":
            return [*found, *words[place:]]
        if word.startswith("-") and len(word) > 1:
            name, is_given, _ = word.partition("=")
            option = name if name in several else None
            has_word = not is_given and place + 1 < len(words) and not words[place + 1].startswith("-")
            # An option without any word is left to click, which says so.
            if option is None or not has_word:
                found.append(word)
        else:
            found += [word] if option is None else [option, word]
    return found


@click.command(cls=_PlotCommand, help=_HELP, short_help="Draw learning curves.")
@click.argument("directories", metavar="DIR...", nargs=-1, type=click.Path())
@click.option("--xaxis", "-x", metavar="X", help="Column along the horizontal axis; the steps by default.")
@click.option(
    "--value",
    "-y",
    "values",
    metavar="V ...",
    multiple=True,
    help="Columns to draw, a picture each. Performance, the default: the return, of test episodes if any.",
)
@click.option("--count", is_flag=True, help="A line for each run, not one for each variant.")
@click.option(
    "--smooth",
    "-s",
    metavar="S",
    type=click.IntRange(min=1),
    default=1,
    help="Average each run over S rows.",
)
@click.option(
    "--select", metavar="TEXT ...", multiple=True, help="Only runs with all of these in their path."
)
@click.option(
    "--exclude", metavar="TEXT ...", multiple=True, help="No runs with any of these in their path."
)
@click.option(
    "--legend", "-l", metavar="NAME ...", multiple=True, help="A name for each directory, or for each line."
)
@click.option(
    "--est",
    type=click.Choice(_ESTIMATES),
    default="mean",
    show_default=True,
    help="What is drawn of several seeds; iqm is the mean of the middle half.",
)
@click.option("--seeds", is_flag=True, help="Draw each seed too, faint.")
@click.option(
    "--all", "show_all", is_flag=True, help="Draw all lines; of more than 10, else the best 10 alone."
)
@click.option("--out", "-o", metavar="FILE", type=click.Path(), help="Where to save: .png, .svg or .pdf.")
def command(
    directories: tuple[str, ...],
    *,
    xaxis: str | None,
    values: tuple[str, ...],
    count: bool,
    smooth: int,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    legend: tuple[str, ...],
    est: str,
    seeds: bool,
    show_all: bool,
    out: str | None,
) -> None:
    """Draw learning curves."""
    from spinup.plots.directories import Wanted, draw_and_save  # noqa: PLC0415 - heavy, and --help needs none
    from spinup.plots.estimates import OverSeeds  # noqa: PLC0415

    assert get_args(OverSeeds) == _ESTIMATES
    if not directories:
        raise click.UsageError(
            "Which runs? Name a directory, such as data. Options of several words come after."
        )
    wanted = Wanted(
        xaxis=xaxis,
        values=values or Wanted.values,
        count=count,
        smooth=smooth,
        select=select,
        exclude=exclude,
        legend=legend,
        estimate=cast("OverSeeds", est),
        show_seeds=seeds,
        show_all=show_all,
    )
    draw_and_save(directories, wanted, out, say=console.say)
