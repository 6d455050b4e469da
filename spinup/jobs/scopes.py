"""Which names code binds, changes and uses, by Python's rules of scope."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Scope(ast.NodeVisitor):
    """The names of one scope, seen from inside it.

    Attributes:
        bound: Names that it binds.
        changed: Names of things whose items or attributes are set, here or in a scope within, and of
            outer variables that are set.
        used: Names that are looked up, here or in a scope within that does not bind them itself.
    """

    def __init__(self, nodes: Iterable[ast.AST | None] = (), *, bound: Iterable[str] = ()) -> None:
        self.bound = set(bound)
        self.changed: set[str] = set()
        self.used: set[str] = set()
        self._outer: set[str] = set()
        self._visit_all(nodes)
        self.bound -= self._outer

    def visit_Name(self, node: ast.Name) -> None:
        """A variable."""
        (self.used if isinstance(node.ctx, ast.Load) else self.bound).add(node.id)

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        """``name.x`` and ``name[x]``."""
        if not isinstance(node.ctx, ast.Load):
            self.changed.update(base_name(node))
        self.generic_visit(node)

    visit_Subscript = visit_Attribute  # noqa: N815

    def visit_alias(self, node: ast.alias) -> None:
        """``import name``; ``*`` for all that a module has."""
        self.bound.add((node.asname or node.name).partition(".")[0])

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        """``global name``: counts as a change, whatever is done with it."""
        self._outer.update(node.names)
        self.changed.update(node.names)
        self.used.update(node.names)

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_FunctionDef(self, node: _Function) -> None:
        """A function: its decorators, defaults and annotations belong to this scope."""
        self.bound.add(node.name)
        self._visit_all([*node.decorator_list, node.returns])
        self._function(node.args, [*node.body, *getattr(node, "type_params", [])])

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A function without a name."""
        self._function(node.args, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class: its methods do not see the names it binds, so none of them hides an outer one."""
        self.bound.add(node.name)
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        self._take(Scope([*node.body, *getattr(node, "type_params", [])]), hidden=set())

    def visit_ListComp(self, node: _Comprehension) -> None:
        """A comprehension: its variables are its own."""
        inner = Scope(ast.iter_child_nodes(node))
        self._take(inner, hidden=inner.bound)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def generic_visit(self, node: ast.AST) -> None:
        """What binds a name that is no `ast.Name`: handlers, patterns, type parameters."""
        for field in ("name", "rest"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                self.bound.add(name)
        super().generic_visit(node)

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _function(self, args: ast.arguments, body: list[ast.AST]) -> None:
        self._visit_all([*args.defaults, *args.kw_defaults])
        self._visit_all(arg.annotation for arg in arguments(args))
        inner = Scope(body, bound=[arg.arg for arg in arguments(args)])
        self._take(inner, hidden=inner.bound)

    def _take(self, inner: Scope, *, hidden: set[str]) -> None:
        self.used |= inner.used - hidden
        self.changed |= inner.changed - hidden


def arguments(args: ast.arguments) -> list[ast.arg]:
    """All arguments of a function."""
    all_args = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    return [arg for arg in all_args if arg is not None]


def base_name(node: ast.AST) -> set[str]:
    """``{'name'}`` of ``name.x[y].z``; empty where something else stands in front."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
