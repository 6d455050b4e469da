"""How to do the same again: the command, where, with which code and packages."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from spinup.report.document import Listing, Points, Prose
from spinup.report.origin import again
from spinup.report.words import listed, many, quoted

if TYPE_CHECKING:
    from spinup.report.document import Block
    from spinup.report.origin import Code, Origin

_READ_DIFF = "import json, sys; sys.stdout.write(json.load(open(sys.argv[1]))['git']['diff'])"
_MOST_COMMANDS = 20
_KEPT = (
    "Runs that are done are kept. To do all again, add `rerun='all'`, or begin in an empty directory of "
    "results."
)
_MAIN = {"spinup", "numpy", "torch", "jax", "tensorflow", "gymnasium", "mujoco", "mpi4py"}


def how_to_reproduce(origin: Origin) -> tuple[Block, ...]:
    """Commands, then what has to be as it was."""
    if not origin.commands:
        text = "Nothing on record says how these runs were started: they have no provenance.json."
        return (Prose((text,)),)
    blocks: list[Block] = [
        Listing("The code, in its repository", tuple(_checkout(code))) for code in origin.code[:1]
    ]
    lines = [line for command in origin.commands[:_MOST_COMMANDS] for line in again(command)]
    blocks.append(Listing("The runs", tuple(lines)))
    blocks.append(Points(tuple(_remarks(origin))))
    return tuple(blocks)


def versions_of(origin: Origin) -> tuple[Block, ...]:
    """The packages that the first run noted."""
    versions = sorted((origin.packages or {}).items(), key=lambda item: item[0].lower())
    if not versions:
        return ()
    return (Listing("requirements.txt", tuple(f"{name}=={version}" for name, version in versions)),)


def again_sentence(origin: Origin) -> str:
    """How failed runs are run again."""
    if not origin.commands:
        return "To run them again, start them as before: runs that are done are kept."
    return (
        "To run them again, use the commands below, in `How to reproduce it`: runs that are done are kept."
    )


def _checkout(code: Code) -> list[str]:
    lines = [f"git checkout {shlex.quote(code.commit)}"]
    if code.diff:
        lines.append(f'python -c "{_READ_DIFF}" {shlex.quote(code.example)} | git apply')
    return lines


def _remarks(origin: Origin) -> list[str]:
    remarks = [_KEPT]
    if len(origin.commands) > _MOST_COMMANDS:
        remarks.append(f"There were {len(origin.commands)} commands; these are the first {_MOST_COMMANDS}.")
    if not origin.code:
        remarks.append("The code was in no git repository: keep a copy of it.")
    if len(origin.code) > 1:
        states = [
            quoted(code.commit[:12]) + (" with changes" if code.is_dirty else "") for code in origin.code
        ]
        remarks.append(f"The code had {len(states)} states: {listed(states)}. The first is above.")
    remarks += [text for code in origin.code[:1] if (text := _what_is_missing(code))]
    main = [
        f"{name} {version}" for name, version in (origin.packages or {}).items() if name.lower() in _MAIN
    ]
    if main:
        remarks.append(f"Versions: {', '.join(sorted(main))}; those of all packages are below.")
    if origin.differing:
        names = [f"{name} ({', '.join(versions)})" for name, versions in origin.differing.items()]
        remarks.append(f"Not all runs had the same versions: {listed(names)}.")
    if origin.num_silent:
        remarks.append(f"{many(origin.num_silent, 'run')} did not note where they come from.")
    return remarks


def _what_is_missing(code: Code) -> str:
    """What git could not bring back."""
    if code.is_dirty is None:
        return "Git was too slow to say whether there were changes that were not committed."
    parts = []
    if code.is_cut:
        parts.append("the changes that were not committed are too large to be all on record")
    if code.num_untracked:
        parts.append(f"{many(code.num_untracked, 'file')} that git did not know may have been used")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""
