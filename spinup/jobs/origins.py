"""The functions, classes and modules behind a thunk and its arguments, found without running them."""

from __future__ import annotations

import dis
import functools
import sys
import types
from typing import TYPE_CHECKING, Any

from spinup.jobs.environments import MakeEnvironment
from spinup.jobs.imports import MAIN, Module, find_module, raw_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: What `origins` gives.
Origin = types.FunctionType | type | types.ModuleType | Module

_PLAIN = (str, int, float, complex, bytes, type(None))
_CALLABLE = (types.FunctionType, types.MethodType, functools.partial, type)


def origins(things: Iterable[Any]) -> list[Origin]:
    """Everything in ``things`` that has code of its own; for any other object its class.

    Looks into partials, methods, closures, what decorators wrap, and containers; into objects only one
    level deep, and for callables.
    """
    left = list(things)
    seen: dict[int, Any] = {}  # the objects too: an address may be used again once an object is gone
    found: list[Origin] = []
    while left:
        thing = left.pop()
        kind = type(thing)
        if kind in _PLAIN or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        found.append(thing if issubclass(kind, Origin) else kind)
        left += _parts(thing, kind)
    return found


def namespace_of(origin: Origin) -> Mapping[str, Any]:
    """The ``__dict__`` of the module that the code stands in; empty if it cannot be told."""
    if isinstance(origin, types.FunctionType):
        # Not __module__: functools.wraps gives a wrapper that of the function inside.
        return origin.__globals__
    if isinstance(origin, type):
        name = getattr(origin, "__module__", None)
        return raw_dict(sys.modules.get(name)) if isinstance(name, str) else {}
    return raw_dict(origin)


def is_notebook(namespace: Mapping[str, Any]) -> bool:
    """Whether this is ``__main__`` without a file: a notebook, a prompt, ``python -c``."""
    return namespace.get("__name__") in MAIN and not isinstance(namespace.get("__file__"), str)


def used_globals(function: types.FunctionType) -> dict[str, Any]:
    """The global variables that ``function``, or one defined in it, may look up."""
    known = function.__globals__
    return {name: known[name] for name in _global_names(function.__code__) if name in known}


@functools.lru_cache(maxsize=1024)
def _global_names(code: types.CodeType) -> list[str]:
    codes, names = [code], set[str]()
    while codes:
        # Not co_names, where attributes are too.
        instructions = list(dis.get_instructions(inner := codes.pop()))
        names.update(step.argval for step in instructions if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"})
        codes += [constant for constant in inner.co_consts if isinstance(constant, types.CodeType)]
    return sorted(names)


def _parts(thing: Any, kind: type) -> Iterator[Any]:
    """What else has to be looked at because of ``thing``; by its real type, which it cannot dress up."""
    if issubclass(kind, (list, tuple, set, frozenset)):
        yield from kind.__iter__(thing)
    elif issubclass(kind, dict):
        yield from dict.values(thing)
    elif issubclass(kind, functools.partial):
        yield from (thing.func, thing.args, thing.keywords)
    elif issubclass(kind, types.MethodType):
        yield from (thing.__func__, thing.__self__)
    elif issubclass(kind, (staticmethod, classmethod)):
        yield thing.__func__
    elif issubclass(kind, property):
        yield from (thing.fget, thing.fset, thing.fdel)
    elif issubclass(kind, types.FunctionType):
        yield from _parts_of_function(thing)
    elif issubclass(kind, type):
        yield from _parts_of_class(thing)
    elif kind is MakeEnvironment:
        yield from _parts_of_environment(thing)
    elif not issubclass(kind, (types.ModuleType, Module)):
        yield from _callables(raw_dict(thing))


def _parts_of_function(function: types.FunctionType) -> Iterator[Any]:
    yield from (function.__defaults__, function.__kwdefaults__)
    yield from _callables(raw_dict(function))  # functools.wraps keeps the function inside here
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a variable that is not set yet
            continue
    if is_notebook(function.__globals__):
        # Other cells are no file whose imports could be followed.
        values = used_globals(function).values()
        yield from (v for v in values if issubclass(type(v), (*_CALLABLE, types.ModuleType)))


def _parts_of_class(cls: type) -> Iterator[Any]:
    yield from type.__dict__["__bases__"].__get__(cls)
    if is_notebook(namespace_of(cls)):
        methods = (*_CALLABLE, staticmethod, classmethod, property)
        yield from (v for v in vars(cls).values() if issubclass(type(v), methods))


def _parts_of_environment(make: MakeEnvironment) -> Iterator[Any]:
    entry = getattr(make.spec, "entry_point", None)
    if isinstance(entry, str):
        yield find_module(entry.partition(":")[0])
    else:
        yield entry


def _callables(namespace: Mapping[str, Any]) -> Iterator[Any]:
    return (value for value in namespace.values() if issubclass(type(value), _CALLABLE))
