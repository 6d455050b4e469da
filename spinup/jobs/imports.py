"""The modules that code imports, read off its syntax: found, never imported, never run.

A module belongs to the project if its source lies neither with Python's own library nor among
installed packages. Of spinup itself only the built-in algorithms count.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import sys
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Names under which a launch script runs: in the launcher, and in processes that multiprocessing starts.
MAIN = ("__main__", "__mp_main__")

_INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Module:
    """Where a module is, whether or not it was imported.

    Attributes:
        name: Dotted name; of a launch script ``__main__``, unless it was started with ``-m``.
        file: Its source; empty if there is none.
        search: Directories of its submodules; empty if it is no package.
    """

    name: str
    file: str = ""
    search: tuple[str, ...] = ()

    @classmethod
    def of(cls, namespace: Mapping[str, Any]) -> Module:
        """The module with this ``__dict__``."""
        name, spec = namespace.get("__name__"), namespace.get("__spec__")
        if name in MAIN:
            name = getattr(spec, "name", None) or MAIN[0]
        file = namespace.get("__file__")
        search = namespace.get("__path__")
        return cls(
            name if isinstance(name, str) else "",
            os.path.abspath(file) if isinstance(file, str) else "",
            _directories(search) if search is not None else (),
        )

    @property
    def package(self) -> str:
        """What its relative imports are relative to."""
        return self.name if self.search else self.name.rpartition(".")[0]

    @property
    def label(self) -> str:
        """Its file below the directory it is imported from: the same wherever the project lies."""
        if self.name in MAIN:
            return os.path.basename(self.file)
        return self.name.replace(".", "/") + ("/__init__.py" if self.search else ".py")

    @property
    def is_project(self) -> bool:
        """Whether its source is the user's, or one of the built-in algorithms."""
        if self.name in MAIN:
            return bool(self.file)
        if not self.file.endswith((".py", ".pyw")):
            return False
        if self.name.partition(".")[0] == "spinup":
            return self.name.startswith("spinup.algos.")
        return not _is_installed(self.file)

    @property
    def is_users(self) -> bool:
        """Whether this is the user's own code, compiled or not; the built-in algorithms are not."""
        if self.name.partition(".")[0] == "spinup" or not self.file:
            return False
        return Module(self.name, os.path.splitext(self.file)[0] + ".py").is_project


def imported_names(tree: ast.AST, package: str) -> set[str]:
    """Dotted names of all that ``tree`` may import, with the packages around each.

    ``from a import b`` gives ``a.b`` too: it may be a module. What only a type checker imports is
    left out.

    Args:
        tree: Any syntax tree.
        package: What relative imports are relative to; empty for a plain script.
    """
    names: set[str] = set()
    for node in _nodes_that_run(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            if base:
                names.update([base, *(f"{base}.{alias.name}" for alias in node.names)])
    return with_parents(names)


def with_parents(names: set[str]) -> set[str]:
    """``names`` and the packages around each, which Python imports first."""
    parts = (name.split(".") for name in names)
    return {".".join(split[:depth]) for split in parts for depth in range(1, len(split) + 1)}


def find_module(name: str) -> Module | None:
    """The module of this name, imported or not; None if there is none.

    Packages' finders are asked for top-level names alone. Below them, directories are searched here:
    Python's own search would import the package around the module.
    """
    loaded = raw_dict(sys.modules.get(name))
    if loaded.get("__name__") == name:
        return Module.of(loaded)
    parent, _, last = name.rpartition(".")
    if not parent:
        return _find_top_level(name)
    package = find_module(parent)
    return None if package is None else _find_below(package, last)


def raw_dict(thing: Any) -> Mapping[str, Any]:
    """``vars(thing)``, without waking what loads itself when it is looked at; empty if it has none."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except Exception:  # noqa: BLE001 - its class may compute it, and fail
        return {}
    return found if isinstance(found, dict) else {}


def _nodes_that_run(tree: ast.AST) -> Iterator[ast.AST]:
    left = [tree]
    while left:
        node = left.pop()
        yield node
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            left += node.orelse
        else:
            left += ast.iter_child_nodes(node)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that is imported from; empty where a relative import leads nowhere."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    if node.level > len(parts):
        return ""
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _find_top_level(name: str) -> Module | None:
    if name in sys.modules:  # under a name that is not its own, or as None: it cannot be imported
        return None
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # noqa: BLE001 - finders are other packages' code
        return None
    if spec is None:
        return None
    file = spec.origin if spec.has_location and spec.origin else ""
    return Module(name, file and os.path.abspath(file), _directories(spec.submodule_search_locations or ()))


def _find_below(package: Module, last: str) -> Module | None:
    name = f"{package.name}.{last}"
    paths = [os.path.join(directory, last) for directory in package.search]
    for path in paths:
        init = os.path.join(path, "__init__.py")
        if os.path.isfile(init):
            return Module(name, init, (path,))
        if os.path.isfile(f"{path}.py"):
            return Module(name, f"{path}.py")
    namespace = tuple(path for path in paths if os.path.isdir(path))
    return Module(name, "", namespace) if namespace else None


def _directories(search: Any) -> tuple[str, ...]:
    try:
        return tuple(os.path.abspath(path) for path in search)
    except (TypeError, KeyError):  # no paths, or a namespace package whose parent is gone
        return ()


def _is_installed(file: str) -> bool:
    # By the path as Python knows it, not where links lead: uv may link packages into its cache.
    if not _INSTALLED.isdisjoint(file.replace("\\", "/").split("/")):
        return True
    return os.path.normcase(file).startswith(_library())


@functools.cache
def _library() -> tuple[str, ...]:
    """Beginnings of the paths of Python's own library."""
    paths = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), os.path.dirname(os.__file__)}
    both = paths | {os.path.realpath(path) for path in paths}
    return tuple(os.path.normcase(os.path.join(path, "")) for path in both)
