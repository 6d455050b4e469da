"""What an annotation says about the values of a parameter, read without evaluating anything."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import pathlib
import types
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    type(None): "None",
    None: "None",
    list: "list",
    tuple: "tuple",
    dict: "dict",
    pathlib.Path: "path",
}
_UNIONS = (typing.Union, types.UnionType)


@dataclass(frozen=True)
class Kind:
    """What a parameter takes.

    Attributes:
        types: Of str, int, float, bool, None, list, tuple, dict and path.
        choices: The only other values that it takes.
        text: The annotation as a reader knows it.
    """

    types: frozenset[str] = frozenset()
    choices: tuple[Any, ...] = ()
    text: str = field(default="", compare=False)


def kind_of(annotation: Any, namespace: Mapping[str, Any]) -> Kind | None:
    """What ``annotation`` allows; None where that is anything, or cannot be told.

    Args:
        annotation: A type, or its text.
        namespace: Of the module that it stands in, where names of a text are looked up.
    """
    parts = _parts(_look_up(annotation, namespace) if isinstance(annotation, str) else annotation)
    if not parts or None in parts:
        return None
    kinds = [part for part in parts if part is not None]
    types_ = frozenset[str]().union(*(kind.types for kind in kinds))
    choices = tuple(choice for kind in kinds for choice in kind.choices)
    return Kind(types_, choices, type_text(annotation))


def type_text(annotation: Any) -> str:
    """``annotation`` as its author would have written it."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")


def _parts(annotation: Any) -> list[Kind | None]:
    """What each member of a union allows."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _UNIONS:
        return [kind for argument in arguments for kind in _parts(argument)]
    if origin is typing.Annotated:
        return _parts(arguments[0])
    if origin is typing.Literal:
        return [Kind(choices=arguments)]
    try:
        name = _NAMED.get(origin or annotation)
    except TypeError:  # what has no hash is no type
        name = None
    return [None if name is None else Kind(frozenset({name}))]


def _look_up(text: str, namespace: Mapping[str, Any]) -> Any:
    """The type that ``text`` names; `_UNKNOWN` where a part of it is not known."""
    try:
        return _value(ast.parse(text, mode="eval").body, namespace)
    except (SyntaxError, ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError):
        return _UNKNOWN


_UNKNOWN = object()


def _value(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """What a type's expression stands for: names, attributes of modules, ``[...]`` and ``|``, no more."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return namespace[node.id] if node.id in namespace else vars(builtins)[node.id]
    if isinstance(node, ast.Attribute):
        module = _value(node.value, namespace)
        if isinstance(module, types.ModuleType):
            return vars(module)[node.attr]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return typing.Union[_value(node.left, namespace), _value(node.right, namespace)]  # noqa: UP007
    if isinstance(node, ast.Subscript):
        return _subscript(_value(node.value, namespace), node.slice, namespace)
    raise ValueError("not a type's expression")


def _subscript(outer: Any, inner: ast.expr, namespace: Mapping[str, Any]) -> Any:
    # Only what is known to make a type: a subscript is a call of the object's own code.
    if outer in (typing.Optional, typing.Union, typing.Literal):
        nodes = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        values = tuple(_value(node, namespace) for node in nodes)
        return typing.Union[(*values, None)] if outer is typing.Optional else outer[values]
    if isinstance(outer, type) and issubclass(outer, (list, tuple, dict)):
        return outer
    aliases = {typing.List: list, typing.Tuple: tuple, typing.Dict: dict}  # noqa: UP006 - what users write
    if outer in aliases:
        return aliases[outer]
    if outer is typing.Annotated and isinstance(inner, ast.Tuple):
        return _value(inner.elts[0], namespace)
    return collections.abc.Collection
