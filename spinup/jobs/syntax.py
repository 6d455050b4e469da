"""What counts as code in Python source: a hash that comments, layout and docstrings do not enter.

Two sources have the same hash if Python reads the same statements in them. Statements that do
nothing (``pass``, a lone string or number) do not count, wherever they stand; that is how docstrings
are left out. The hash is the same on every Python that spinup runs on: `ast.dump` is not.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: 64 bits: many more than the files of one project need to differ.
DIGITS = 16

# How a name is used says its place; u"" and the comments that name types are spelling.
_SPELLING = {"ctx", "kind", "type_comment", "type_ignores"}


def parse(source: bytes | str) -> ast.Module | None:
    """The syntax tree of ``source``, or None where this Python cannot read it."""
    try:
        with warnings.catch_warnings():
            # Doubtful escapes and comparisons are for the file's own import to complain about.
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def syntax_hash(tree: ast.AST) -> str:
    """Hash of the code in ``tree``, as 16 hexadecimal digits; empty where no statement does anything."""
    if isinstance(tree, ast.Module) and not _counting(tree.body):
        return ""
    return _hash(_tokens(tree))


def bytes_hash(content: bytes) -> str:
    """Hash of what is no Python, as 16 hexadecimal digits."""
    return _hash([b"bytes", content])


def _hash(tokens: Iterable[bytes]) -> str:
    hasher = hashlib.sha256()
    for token in tokens:
        # With its length, so that no two lists of tokens read the same.
        hasher.update(len(token).to_bytes(8, "little"))
        hasher.update(token)
    return hasher.hexdigest()[:DIGITS]


def _tokens(tree: ast.AST) -> Iterator[bytes]:
    # A list of what is left, not recursion: a sum of a thousand terms is a thousand levels deep.
    left: list[Any] = [tree]
    while left:
        item = left.pop()
        if isinstance(item, _Mark):
            yield item
        elif isinstance(item, ast.Constant):
            yield from _constant(item.value)
        elif isinstance(item, ast.JoinedStr):
            # Python 3.12 puts empty strings around the parts of a format.
            parts = [part for part in item.values if not _is_empty_string(part)]
            left.append([_Mark(b"f-string"), *parts])
        elif isinstance(item, ast.AST):
            yield f"({type(item).__name__}".encode()
            left.append(_Mark(b")"))
            left.extend(reversed(_fields(item)))
        elif isinstance(item, list):
            yield b"["
            left.append(_Mark(b"]"))
            left.extend(reversed(item))
        else:
            yield from _constant(item)


class _Mark(bytes):
    """A token that is ready, told apart from a value that is bytes."""


def _fields(node: ast.AST) -> list[Any]:
    """Names and values of the fields that hold something: Python 3.13 leaves out the others."""
    found: list[Any] = []
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            value = _counting(value)  # noqa: PLW2901 - from here on only what counts
        if name not in _SPELLING and value is not None and value != []:
            found += [_Mark(name.encode()), value]
    return found


def _counting(items: list[Any]) -> list[Any]:
    """``items`` without the statements that do nothing."""
    return [item for item in items if not _does_nothing(item)]


def _does_nothing(item: Any) -> bool:
    return isinstance(item, ast.Pass) or (
        isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
    )


def _is_empty_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


def _constant(value: Any) -> tuple[bytes, bytes]:
    return type(value).__name__.encode(), _spell(value)


def _spell(value: Any) -> bytes:
    """The same bytes for the same constant: `repr` changes with Unicode and has a limit for integers."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return hex(value).encode()
    if isinstance(value, float):
        return value.hex().encode()
    if isinstance(value, complex):
        return f"{value.real.hex()} {value.imag.hex()}".encode()
    return repr(value).encode()  # None, True, False and the ellipsis
