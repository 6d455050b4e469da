"""A stable hash of any Python value: the same in every process, on every machine.

The hash of a value is made from the hashes of its parts, each with a tag for its type, so that
``1``, ``1.0``, ``True`` and ``'1'`` differ. Things with a name (functions, classes, modules) are
hashed by that name, so that editing them changes nothing here; lambdas and local functions, whose
name says nothing, by their code and what they close over. Other objects are hashed by what pickle
would take of them. No memory address ever enters.
"""

from __future__ import annotations

import copyreg
import sys
import types
from typing import Any

#: Longest file name that ext4, XFS, APFS and NTFS allow, in bytes.
LONGEST_NAME_BYTES = 255

# What Python itself puts into a class's namespace; says nothing about the class, or repeats it.
_MOST_COMPOUNDS = 100_000
_CLASS_NOISE = {
    "__dict__",
    "__weakref__",
    "__doc__",
    "__module__",
    "__qualname__",
    "__firstlineno__",
    "__static_attributes__",
    "__annotate_func__",
    "__annotations_cache__",
}


def fingerprint(value: Any, *, salt: str = "") -> str:
    """A hash of ``value``, as 64 hexadecimal digits.

    Args:
        value: Anything. NumPy's int64, float64 and bool count as the Python values that they hold.
        salt: Enters the hash of parts that cannot be looked into, such as locks and generators; it
            tells two of them apart.
    """
    hasher = _Hasher(salt.encode())
    try:
        return hasher.digest(value).hex()
    except (RecursionError, _TooMuch):
        return _hash_of_pickle(value, hasher).hex()


def _hash_of_pickle(value: Any, hasher: _Hasher) -> bytes:
    """For what refers to itself in too many ways: pickle visits each part once."""
    import cloudpickle  # noqa: PLC0415 - hardly ever needed

    try:
        return _hash(b"pickle", cloudpickle.dumps(value))
    except Exception:  # noqa: BLE001 - pickling runs the objects' own code
        return hasher.opaque(value)


def reference(thing: Any) -> str | None:
    """``module:qualname`` of a function or class that can be found under it, else None.

    A script run as ``__main__`` counts under the name of its file, as if it had been imported.
    """
    module, qualname = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str):
        return None
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    if found is not thing:
        return None
    return f"{_script_name() if module == '__main__' else module}:{qualname}"


def _script_name() -> str:
    # By its file, so that `python pkg/x.py` and `python -m pkg.x` are one script.
    file = str(getattr(sys.modules.get("__main__"), "__file__", "") or "__main__")
    return file.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")


def shorten(name: str, limit_bytes: int = LONGEST_NAME_BYTES) -> str:
    """``name``, or its beginning and a hash of the whole where it has more than ``limit_bytes``."""
    encoded = name.encode("utf-8", "surrogatepass")
    if len(encoded) <= limit_bytes:
        return name
    import hashlib  # noqa: PLC0415 - loads OpenSSL, and most names are short

    mark = f"@{hashlib.sha256(encoded).hexdigest()[:12]}"
    return encoded[: limit_bytes - len(mark)].decode("utf-8", "ignore") + mark


class _TooMuch(Exception):
    """More parts than can be visited in every order in which they refer to each other."""


class _Hasher:
    """One hashing: knows the objects it is inside of, so that a cycle ends."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._inside: dict[int, int] = {}
        self._compounds_left = _MOST_COMPOUNDS

    def digest(self, value: Any) -> bytes:
        atom = _atom(value)
        if atom is not None:
            return _hash(*atom)
        if id(value) in self._inside:
            # How far up the cycle closes, not where it began: the same from every process.
            return _hash(b"cycle", str(len(self._inside) - self._inside[id(value)]).encode())
        self._compounds_left -= 1
        if self._compounds_left < 0:
            raise _TooMuch
        self._inside[id(value)] = len(self._inside)
        try:
            return self._compound(value)
        finally:
            del self._inside[id(value)]

    def opaque(self, value: Any) -> bytes:
        """Of what cannot be looked into only the type is known."""
        cls = type(value)
        return _hash(b"opaque", f"{cls.__module__}:{cls.__qualname__}".encode(), self._salt)

    def _compound(self, value: Any) -> bytes:
        if type(value) in {list, tuple}:
            return _hash(type(value).__name__.encode(), *map(self.digest, value))
        if type(value) in {set, frozenset}:
            return _hash(b"set", *sorted(map(self.digest, value)))
        if type(value) is dict:
            pairs = (self.digest(key) + self.digest(item) for key, item in value.items())
            return _hash(b"dict", *sorted(pairs))
        if isinstance(value, types.CodeType):
            return self._code(value)
        named = self._named(value)
        return named if named is not None else self._object(value)

    def _named(self, value: Any) -> bytes | None:
        """Functions, classes and what wraps them; None for everything else."""
        if isinstance(value, types.MethodType):
            return _hash(b"method", self.digest(value.__self__), self.digest(value.__func__))
        if isinstance(value, (staticmethod, classmethod)):
            return _hash(type(value).__name__.encode(), self.digest(value.__func__))
        if isinstance(value, property):
            return _hash(b"property", *map(self.digest, (value.fget, value.fset, value.fdel)))
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            name = reference(value)
            if name is not None:
                return _hash(b"named", name.encode())
        if isinstance(value, types.FunctionType):
            cells = [_cell_contents(cell) for cell in value.__closure__ or ()]
            names = [name for name in value.__code__.co_names if name in value.__globals__]
            used = {name: value.__globals__[name] for name in names}
            parts = (value.__code__, value.__defaults__, value.__kwdefaults__, cells, used, vars(value))
            return _hash(b"function", value.__qualname__.encode(), *map(self.digest, parts))
        if isinstance(value, type):
            namespace = {k: v for k, v in vars(value).items() if k not in _CLASS_NOISE}
            return _hash(
                b"class", value.__qualname__.encode(), self.digest(value.__bases__), self.digest(namespace)
            )
        return None

    def _code(self, code: types.CodeType) -> bytes:
        # Not its file name and line numbers: moving a lambda does not change it.
        parts = (code.co_consts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        return _hash(b"code", code.co_code, str(code.co_flags).encode(), *map(self.digest, parts))

    def _object(self, value: Any) -> bytes:
        try:
            reduce = copyreg.dispatch_table.get(type(value))
            reduced = reduce(value) if reduce is not None else value.__reduce_ex__(2)
        except Exception:  # noqa: BLE001 - an object's own methods may raise anything
            return self.opaque(value)
        if isinstance(reduced, str):
            return _hash(b"global", type(value).__module__.encode(), reduced.encode())
        make, args, *rest = reduced
        # Iterators over items, where pickle uses them, are read here once.
        state = [rest[0] if rest else None, *(list(items) for items in rest[1:3] if items is not None)]
        return _hash(b"object", self.digest(make), self.digest(args), self.digest(state))


def _atom(value: Any) -> tuple[bytes, ...] | None:
    """Tag and content of a value without parts, else None."""
    if value is None or value is Ellipsis or isinstance(value, bool):
        return b"constant", repr(value).encode()
    if type(value) is str or (isinstance(value, str) and type(value).__module__ == "numpy"):
        return b"str", value.encode("utf-8", "surrogatepass")
    if type(value) is int:
        return b"int", hex(value).encode()
    # NumPy's double is a float; its other scalars have a type that a computation can notice.
    if type(value) is float or (isinstance(value, float) and type(value).__module__ == "numpy"):
        return b"float", float(value).hex().encode()
    if type(value) is complex:
        return b"complex", value.real.hex().encode(), value.imag.hex().encode()
    if type(value) in {bytes, bytearray}:
        return type(value).__name__.encode(), bytes(value)
    if isinstance(value, types.ModuleType):
        return b"module", value.__name__.encode()
    if type(value).__module__ == "numpy" and type(value).__name__ in {"int64", "bool", "bool_"}:
        return _atom(value.item())
    return None


def _cell_contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that is not set yet
        return Ellipsis


def _hash(tag: bytes, *parts: bytes) -> bytes:
    import hashlib  # noqa: PLC0415 - loads OpenSSL, and a child that only reads needs no hash

    hasher = hashlib.sha256(tag)
    for part in parts:
        # With its length, so that no two lists of parts read the same.
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.digest()
