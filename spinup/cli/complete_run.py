"""What can follow in a ``spinup run`` that is being typed; nothing of the user's is imported or run."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from spinup.cli.options import ALL, find_option, option_names
from spinup.cli.request import SHORT_FORMS
from spinup.cli.thunks import BUILT_INS
from spinup.jobs.imports import find_module
from spinup.jobs.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def complete(words: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """What ``incomplete``, which follows ``words``, can become.

    Args:
        words: What stands behind ``spinup run``, as the shell cuts it.
        incomplete: The word that is being typed.
    """
    words = _rejoin(words)
    if "--" in words:
        return [CompletionItem("", type="file")]
    if incomplete.startswith("-"):
        return [CompletionItem(f"--{name}", help=text) for name, text in _flags(words, incomplete)]
    if len(words) == 2 and words[1] == ":":  # bash cuts at colons, and completes what is behind
        names = _functions(f"{words[0]}:")
        return [
            CompletionItem(n) for each in names if (n := each.rpartition(":")[2]).startswith(incomplete)
        ]
    if not words:
        names = [*BUILT_INS, *_functions(incomplete)]
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return found or [CompletionItem("", type="file")]
    option = find_option(words[-1].lstrip("-")) if words[-1].startswith("--") else None
    return (
        [CompletionItem(each) for each in option.choices if each.startswith(incomplete)] if option else []
    )


def _rejoin(words: Sequence[str]) -> list[str]:
    """``words`` with ``file.py:function`` in one: bash cuts at colons."""
    if len(words) > 2 and words[1] == ":":
        return ["".join(words[:3]), *words[3:]]
    return list(words)


def _flags(words: Sequence[str], incomplete: str) -> list[tuple[str, str]]:
    named = _parameters(words[0]) if words and not words[0].startswith("-") else []
    named += [short for short, long in SHORT_FORMS.items() if long.partition(":")[0] in named]
    helps = {name: option.help for option in ALL for name in (option.name, *option.aliases)}
    own = [(f"+{name}" if find_option(name) else name, "") for name in named]
    options = [(name, helps[name]) for name in option_names()]
    return [(name, text) for name, text in (*own, *options) if f"--{name}".startswith(incomplete)]


def _parameters(target: str) -> list[str]:
    place, _, name = BUILT_INS.get(target, target).rpartition(":")
    function = next((each for each in _definitions(place) if each.name == name), None)
    if function is None:
        return []
    names = [arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)]
    named = ["env_name" if name == "env_fn" else name for name in names if name != "logger_kwargs"]
    return list(dict.fromkeys(named))


def _functions(incomplete: str) -> list[str]:
    place, colon, _ = incomplete.rpartition(":")
    return [f"{place}:{each.name}" for each in _definitions(place)] if colon else []


def _definitions(place: str) -> Iterable[_Function]:
    """The functions of a file or module, by its source."""
    if place.endswith(".py"):
        file = place
    else:
        sys.path.insert(0, os.getcwd())
        module = find_module(place)
        file = module.file if module is not None else ""
    try:
        tree = parse(Path(file).read_bytes())
    except (OSError, ValueError):
        return []
    return [node for node in (tree.body if tree is not None else ()) if isinstance(node, _Function)]
