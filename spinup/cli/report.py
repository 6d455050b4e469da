"""``spinup report``: what runs came to, as one page."""

from __future__ import annotations

import os

import click

from spinup import console
from spinup.cli.find import data_dir_option
from spinup.cli.results import by_option, load_runs

_HELP = """\
Write a report of all runs at or below DIR: verdict, tables, pictures, warnings, and how to run it again.

FILE.html is one page that needs no network and no other file. FILE.md and FILE.tex have their pictures in
FILE_files beside. FILE.csv is the table of results; the other tables are in FILE_files. Nothing but an
earlier report is ever replaced.

\b
spinup report data                            to report.html
spinup report data/ppo -o ppo.md -o ppo.csv   several formats
spinup report 'data/ppo-*' --baseline ppo-base

The verdict compares with the baseline that `ablate` has marked, with --baseline, or else with the best.
"""


@click.command(help=_HELP, short_help="Write a report: verdict, tables, pictures.")
@click.argument("directories", metavar="[DIR]...", nargs=-1)
@click.option(
    "--output",
    "-o",
    "outputs",
    metavar="FILE",
    multiple=True,
    type=click.Path(),
    help="Where to write: .html, .md, .tex or .csv; may be repeated. report.html by default.",
)
@click.option("--baseline", metavar="NAME", help="The variant that the others are compared with.")
@by_option()
@click.option("--title", metavar="TEXT", help="Of the report; by default what the names have in common.")
@click.option("--force", is_flag=True, help="Also replace a file that is no report.")
@data_dir_option
def command(
    directories: tuple[str, ...],
    *,
    outputs: tuple[str, ...],
    baseline: str | None,
    by: str,
    title: str | None,
    force: bool,
    data_dir: str | None,
) -> int:
    """Write a report."""
    from spinup.report.files import check_target  # noqa: PLC0415 - heavy, and --help needs none
    from spinup.report.make import make_report  # noqa: PLC0415

    files = outputs or ("report.html",)
    for file in files:
        check_target(file, force=force)
    runs, column = load_runs(directories, data_dir, by)
    report = make_report(runs, baseline=baseline, column=column, title=title)
    console.say(f"{report.title}: {report.summary}\n", bold=True)
    for sentence in report.verdicts:
        console.say(sentence)
    if number := len(report.findings):
        what = (
            "1 warning, in the report: read it"
            if number == 1
            else f"{number} warnings, in the report: read them"
        )
        console.say(f"\n{what} first.", "yellow")
    console.say()
    for file in files:
        console.say(f"Report: {os.path.abspath(report.save(file, force=force))}", "green", bold=True)
    return 0
