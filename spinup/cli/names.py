"""What a dotted name such as ``torch.nn.Tanh`` names, found with as little importing as can be."""

from __future__ import annotations

import importlib
import os
import re
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click import UsageError

from spinup.cli.values import MISSING
from spinup.jobs.imports import Module, find_module
from spinup.jobs.scopes import Scope
from spinup.jobs.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_LONGEST_NAME = 200


class Resolver:
    """Finds what dotted names name.

    A name is looked up from a module or class that the thunk's module knows by its first term, or else
    from the module that it names in full. That one is imported only if its source says that it has such
    a name: the text ``train.py`` imports no ``train``. Nothing is ever called.

    Args:
        namespace: Of the thunk's module.
        note: Is told of a name that is nearly one.
    """

    def __init__(self, namespace: Mapping[str, Any], note: Callable[[str], None]) -> None:
        self._namespace = namespace
        self._note = note

    def __call__(self, text: str) -> Any:
        """What ``text`` names, or `MISSING`.

        Raises:
            UsageError: It is in a module that cannot be imported.
        """
        if len(text) > _LONGEST_NAME or not _DOTTED.fullmatch(text) or os.path.lexists(text):
            return MISSING
        first, *rest = text.split(".")
        if any(term.startswith("__") for term in (first, *rest)):
            return MISSING
        known = self._namespace.get(first)
        if isinstance(known, (types.ModuleType, type)):
            return self._below(known, rest, text)
        if find_module(first) is None:
            self._note(f"{text!r} is taken as text: there is no module {first} here.")
            return MISSING
        module = _module_with(text.split("."))
        return MISSING if module is None else self._below(_import(module, text), rest, text)

    def _below(self, thing: Any, terms: list[str], text: str) -> Any:
        for term in terms:
            if not isinstance(thing, (types.ModuleType, type)):
                return MISSING
            inner = _member(thing, term, text)
            if inner is MISSING:
                self._say_what_is_near(thing, term, text)
                return MISSING
            thing = inner
        return MISSING if isinstance(thing, types.ModuleType) else thing

    def _say_what_is_near(self, thing: Any, term: str, text: str) -> None:
        import difflib  # noqa: PLC0415 - mistakes alone need it

        near = difflib.get_close_matches(term, dir(thing), n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        self._note(f"{text!r} is taken as text: {thing.__name__} has no {term}{hint}")


def _member(thing: Any, term: str, text: str) -> Any:
    """An attribute of a module or class, or a module of a package; else `MISSING`."""
    try:
        return getattr(thing, term)
    except Exception:  # noqa: BLE001 - modules and metaclasses may compute it
        name = f"{thing.__name__}.{term}"
        if not isinstance(thing, types.ModuleType) or find_module(name) is None:
            return MISSING
        _import(name, text)
        return getattr(thing, term, MISSING)


def _module_with(terms: list[str]) -> str | None:
    """The top-level module to begin with; None unless one of its sources has the name that is meant."""
    module = find_module(terms[0])
    for term in terms[1:]:
        if module is None:
            return None
        inner = find_module(f"{module.name}.{term}") if module.search else None
        if inner is None:
            return terms[0] if _may_have(module, term) else None
        module = inner
    return None


def _may_have(module: Module, name: str) -> bool:
    """Whether importing ``module`` may give it ``name``, by its source; of a library without one, yes."""
    if not module.file.endswith(".py"):
        is_namespace = bool(module.search) and not module.file
        return not module.is_project and not is_namespace
    try:
        tree = parse(Path(module.file).read_bytes())
    except OSError:
        return False
    bound = set() if tree is None else Scope(tree.body).bound
    return not bound.isdisjoint({name, "*", "__getattr__"})


def _import(name: str, text: str) -> types.ModuleType:
    """The module ``name``, which ``text`` is in."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise UsageError(f"{text!r} is in {name}, which cannot be imported: {error!r}") from error
