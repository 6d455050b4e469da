"""The part of a launch script that a thunk can reach: the grid in the same file does not count.

The launcher alone runs a script; its functions go to the child by value, with the globals that they
use. So of the script there count the definitions of these functions, and then every statement that
binds or changes a name used by something that counts. Of an ``if``, ``for``, ``with`` or ``try`` there
count its first line and what is reached inside; likewise of a function around a local one.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from spinup.jobs.scopes import Scope, arguments, base_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef | ast.Lambda
_Node = TypeVar("_Node", bound=ast.AST)


@dataclass(frozen=True)
class Found:
    """A definition in a tree.

    Attributes:
        node: The definition.
        qualname: As Python names it.
        functions: Those around it.
        outer_class: The outermost class around it, inside those functions.
    """

    node: _Definition
    qualname: str = ""
    functions: tuple[_Function, ...] = ()
    outer_class: ast.ClassDef | None = None


def find_function(tree: ast.Module, code: CodeType) -> list[Found]:
    """The definitions that ``code`` may have been compiled from: usually one, none if it is not here."""
    found = [
        found
        for found in _definitions(tree)
        if not isinstance(found.node, ast.ClassDef)
        and getattr(found.node, "name", "<lambda>") == code.co_name
        and _first_line(found.node) == code.co_firstlineno
    ]
    return _choose_lambda(found, code) if code.co_name == "<lambda>" else found


def find_class(tree: ast.Module, qualname: str) -> list[Found]:
    """The class statements with this qualified name."""
    return [
        found
        for found in _definitions(tree)
        if isinstance(found.node, ast.ClassDef) and found.qualname == qualname
    ]


def reachable(tree: ast.Module, found: Sequence[Found], names: Iterable[str] = ()) -> ast.Module:
    """What of ``tree`` counts for these definitions, as a module of its own.

    Args:
        tree: The script.
        found: Definitions in it.
        names: Further names that are used.
    """
    nodes = sorted({f.node for f in found if isinstance(f.node, ast.Lambda)}, key=_place)
    lambdas: list[ast.stmt] = [ast.Expr(node) for node in nodes]
    # A star may bind any name.
    wanted = {"*", *names, *Scope(lambdas).used}
    wanted.update(n.name for f in found if not isinstance(n := f.outer_class or f.node, ast.Lambda))
    part = _Part(tree, {function for f in found for function in f.functions})
    while True:
        kept = part.of(tree.body, wanted)
        if part.used <= wanted:
            return ast.Module([*lambdas, *kept], [])
        wanted |= part.used


class _Part:
    """Picks the statements that bind or change wanted names, and notes which names these use."""

    def __init__(self, tree: ast.Module, opened: set[_Function]) -> None:
        # A call of a method changes a value, but not a module, function or class that the child
        # imports or gets as it is defined; nor should `spinup.call_experiment(...)` ever count.
        self._unchanging = _named_by_imports_and_definitions(tree)
        self._opened = opened
        self.used: set[str] = set()

    def of(self, nodes: Sequence[_Node], wanted: set[str]) -> list[_Node]:
        return [kept for node in nodes if (kept := self._keep(node, wanted)) is not None]

    def _keep(self, node: _Node, wanted: set[str]) -> _Node | None:
        """``node``, without the statements inside that do not matter; None if it does not matter."""
        blocks = self._blocks(node, wanted)
        kept = {field: self.of(block, wanted) for field, block in blocks.items()}
        head = _with(node, {key: [] for key in blocks})
        if not any(kept.values()) and self._binds(head).isdisjoint(wanted):
            return None
        self.used |= Scope([head]).used
        return _with(node, kept)

    def _blocks(self, node: ast.AST, wanted: set[str]) -> dict[str, Any]:
        """The lists of statements in ``node`` of which each counts for itself."""
        if isinstance(node, ast.ClassDef):
            return {}
        if isinstance(node, _Function) and not self._is_opened(node, wanted):
            return {}
        parts = (ast.stmt, ast.ExceptHandler, ast.match_case)
        lists = {field: value for field, value in ast.iter_fields(node) if isinstance(value, list)}
        return {field: value for field, value in lists.items() if value and isinstance(value[0], parts)}

    def _is_opened(self, node: _Function, wanted: set[str]) -> bool:
        """Whether a function counts for what is in it, not as something that is called."""
        if node.name in wanted:
            return False
        if not Scope([node]).changed.isdisjoint(wanted):
            self._opened.add(node)
        return node in self._opened

    def _binds(self, head: ast.AST) -> set[str]:
        scope = Scope([head])
        names = scope.bound | scope.changed
        if isinstance(head, _Function) and not head.body:
            names.update(arg.arg for arg in arguments(head.args))
        call = head.value if isinstance(head, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            names |= base_name(call.func) - self._unchanging
        return names


def _with(node: _Node, fields: dict[str, Any]) -> _Node:
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def _named_by_imports_and_definitions(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, _Function | ast.ClassDef):
            names.add(node.name)
    return names


def _definitions(tree: ast.Module) -> Iterator[Found]:
    left: list[tuple[ast.AST, str, tuple[_Function, ...], ast.ClassDef | None]] = [(tree, "", (), None)]
    while left:
        node, prefix, functions, outer = left.pop()
        if isinstance(node, _Definition):
            name = prefix + getattr(node, "name", "<lambda>")
            yield Found(node, name, functions, outer)
            prefix = f"{name}." if isinstance(node, ast.ClassDef) else f"{name}.<locals>."
            if isinstance(node, ast.ClassDef):
                outer = outer or node
            elif outer is None and isinstance(node, _Function):
                functions = (*functions, node)
        left += [(child, prefix, functions, outer) for child in ast.iter_child_nodes(node)]


def _first_line(node: _Definition) -> int:
    """The line that the code object gives: of the first decorator, where there is one."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _choose_lambda(found: list[Found], code: CodeType) -> list[Found]:
    """Of the lambdas of one line the innermost around all that ``code`` was compiled from."""
    spans = {
        (line, column, end_line, end_column)
        for line, end_line, column, end_column in code.co_positions()
        if None not in (line, end_line, column, end_column) and (line, column) != (end_line, end_column)
    }
    around = [f for f in found if isinstance(f.node, ast.Lambda) and _covers(f.node.body, spans)]
    if not spans or not around:  # -X no_debug_ranges; and Python 3.12 gives a lone constant no place
        return found
    return [max(around, key=lambda f: _place(f.node))]


def _place(node: _Definition) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _covers(node: ast.expr, spans: Iterable[tuple[Any, ...]]) -> bool:
    begin, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return all(begin <= span[:2] and span[2:] <= end for span in spans)
