"""``spinup show``: all that is known of a run."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spinup import console
from spinup.cli.find import complete_run, data_dir_option, find_run, walk
from spinup.cli.look import last_return, look_at
from spinup.cli.output import figure_of, print_json, size_of, utc_text
from spinup.cli.stale import Staleness
from spinup.errors import RecordError
from spinup.rundir.archive import flatten
from spinup.rundir.config import read_json_object
from spinup.rundir.layout import RunDir
from spinup.utils.live_view import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spinup.cli.look import Look

_MOST_FILES = 40
_LONGEST_VALUE = 200
_MARK = "_ablation"
_NO_PARAMETERS = {"exp_name", "seed", "logger", "logger_kwargs", _MARK}
_ABSENT = object()


@click.command(short_help="Show all that is known of a run.")
@click.argument("run", shell_complete=complete_run)
@click.option(
    "--against",
    metavar="RUN",
    shell_complete=complete_run,
    help="The run to compare with; the baseline by default, where an ablation has marked one.",
)
@click.option("--versions", is_flag=True, help="List the versions of all packages too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@data_dir_option
def command(run: str, *, against: str | None, versions: bool, as_json: bool, data_dir: str | None) -> int:
    """Show the config of RUN, how it differs from another run's, where it comes from, and its files.

    RUN is a run's name, such as EXP_s0, a part of it that no other name has, or a run's directory.
    """
    directory = find_run(run, data_dir)
    other = find_run(against, data_dir) if against is not None else baseline_of(directory)
    document = describe(directory, other)
    if as_json:
        print_json(document)
    else:
        _print(document, with_versions=versions)
    return 0


def describe(directory: Path, other: Path | None = None) -> dict[str, Any]:
    """What ``--json`` prints; docs/command-line.md describes it.

    Args:
        directory: The run.
        other: The run that it is compared with.
    """
    look = look_at(directory)
    return {
        "format": 1,
        "exp_name": look.exp_name,
        "seed": look.seed,
        "directory": str(directory),
        "state": look.state,
        "reason": look.reason,
        "message": look.message,
        "attempt": look.attempt,
        "host": look.host,
        "started_at": utc_text(look.started_s),
        "ended_at": utc_text(look.ended_s),
        "duration_s": _duration_s(look),
        "last_return": last_return(RunDir(directory).progress),
        "changed_files": Staleness().changed(directory, look.code),
        "config": _read(RunDir(directory).config),
        "against": None if other is None else str(other),
        "difference": None if other is None else difference(_config(directory), _config(other)),
        "provenance": _read(RunDir(directory).provenance),
        "files": [{"path": path, "bytes": size} for path, size in _files(directory)],
    }


def difference(config: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For each flattened key whose values differ, this ``value`` and the ``other``; a key may lack one."""
    here, there = flatten(config), flatten(other)
    found = {}
    for key in dict.fromkeys([*here, *there]):
        pair = {"value": here.get(key, _ABSENT), "other": there.get(key, _ABSENT)}
        if pair["value"] != pair["other"] or type(pair["value"]) is not type(pair["other"]):
            found[key] = {name: value for name, value in pair.items() if value is not _ABSENT}
    return found


def baseline_of(directory: Path) -> Path | None:
    """The baseline of the ablation that the run is part of, with its seed if there is one; None without."""
    mark = _config_with_mark(directory).get(_MARK)
    if not isinstance(mark, dict) or mark.get("is_baseline") is True:
        return None
    seed = look_at(directory).seed
    first = None
    for path in _neighbours(directory):
        config = _config_with_mark(path)
        other = config.get(_MARK)
        if isinstance(other, dict) and other.get("is_baseline") is True:
            if config.get("seed") == seed:
                return path
            first = first or path
    return first


def _neighbours(directory: Path) -> Sequence[Path]:
    """All runs of the directory of results, which is above the run's experiment."""
    return walk(directory.parents[1]).runs if len(directory.parents) > 1 else ()


def _config(directory: Path) -> dict[str, Any]:
    return {key: value for key, value in _config_with_mark(directory).items() if key not in _NO_PARAMETERS}


def _config_with_mark(directory: Path) -> dict[str, Any]:
    return _read(RunDir(directory).config) or {}


def _read(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, RecordError):
        return read_json_object(path)
    return None


def _duration_s(look: Look) -> float | None:
    return (
        look.ended_s - look.started_s if look.started_s is not None and look.ended_s is not None else None
    )


def _files(directory: Path) -> Iterator[tuple[str, int]]:
    for parent, names, files in os.walk(directory):
        names.sort()
        for name in sorted(files):
            path = os.path.join(parent, name)
            with suppress(OSError):
                yield os.path.relpath(path, directory), os.lstat(path).st_size


def _print(document: Mapping[str, Any], *, with_versions: bool) -> None:
    console.say(document["directory"], "green", bold=True)
    _print_state(document)
    _section("Config", _config_rows(document["config"]), "There is no config.json that can be read.")
    if document["difference"] is not None:
        rows = [(key, _change(pair)) for key, pair in sorted(document["difference"].items())]
        _section(f"Against {Path(document['against']).name}", rows, "The parameters are the same.")
    provenance = document["provenance"]
    _section("Provenance", list(_provenance_rows(provenance or {})), "There is no provenance.json.")
    if with_versions:
        packages = (provenance or {}).get("packages")
        rows = sorted(packages.items()) if isinstance(packages, dict) else []
        _section("Versions", [(name, str(version)) for name, version in rows], "None are on record.")
    files = [(file["path"], size_of(file["bytes"])) for file in document["files"]]
    more = [("...", f"and {len(files) - _MOST_FILES} more")] if len(files) > _MOST_FILES else []
    _section("Files", [*files[:_MOST_FILES], *more], "There are none.")


def _print_state(document: Mapping[str, Any]) -> None:
    said = ": ".join(str(document[key]) for key in ("state", "reason", "message") if document[key])
    parts = [said]
    if document["attempt"] > 1:
        parts.append(f"attempt {document['attempt']}")
    if document["duration_s"] is not None:
        parts.append(f"in {span(document['duration_s'])}")
    if document["last_return"] is not None:
        parts.append(f"last return {figure_of(document['last_return'])}")
    color = {"done": "green", "failed": "red", "interrupted": "yellow"}.get(document["state"])
    console.say(console.one_line(", ".join(parts)), color)
    if document["state"] == "done" and document["changed_files"]:
        files = ", ".join(document["changed_files"])
        console.say(f"stale: {console.one_line(files)} changed since", "yellow")


def _config_rows(config: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    flat = flatten(config or {})
    return [(key, _text(flat[key])) for key in sorted(flat)]


def _change(pair: Mapping[str, Any]) -> str:
    here, there = (_text(pair[name]) if name in pair else "(not given)" for name in ("value", "other"))
    return f"{here}   (there: {there})"


def _provenance_rows(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    call, git, machine = (_dict(provenance.get(name)) for name in ("call", "git", "machine"))
    if "thunk" in call:
        yield "thunk", _text(call["thunk"])
    for name in ("command_line", "working_directory", "written_at"):
        if name in provenance:
            yield name.replace("_", " "), _text(provenance[name])
    if "commit" in git:
        yield "commit", _text(git["commit"])
        yield "uncommitted", _dirt(git)
    for name in ("host", "platform", "python", "cpu", "gpus"):
        if machine.get(name):
            yield name, _text(machine[name])
    packages = provenance.get("packages")
    if isinstance(packages, dict):
        yield "packages", f"{len(packages)}; --versions lists them"


def _dirt(git: Mapping[str, Any]) -> str:
    """What of the code is in no commit."""
    if git.get("is_dirty") is None:
        return "not known: git was too slow to say"
    diff, untracked = str(git.get("diff") or ""), git.get("untracked_files")
    is_cut = " or more" if git.get("diff_is_cut") else ""
    num_files = len(untracked) if isinstance(untracked, list) else 0
    changes = f"a diff of {size_of(len(diff.encode('utf-8', 'replace')))}{is_cut}" if diff else "no changes"
    return f"{changes}; {num_files} untracked file{'s' * (num_files != 1)}"


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return console.shortened(console.one_line(text), _LONGEST_VALUE, "...")


def _section(title: str, rows: Sequence[tuple[str, str]], otherwise: str) -> None:
    """A heading, and under it names and what they are; long ones go on below each other's beginnings."""
    console.say(f"\n{title}", "cyan", bold=True)
    if not rows:
        console.say(f"  {otherwise}")
        return
    width = min(32, max(len(console.one_line(name)) for name, _ in rows))
    for name, text in rows:
        console.say(f"  {console.one_line(name):<{width}}  {text}")
