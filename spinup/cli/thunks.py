"""What is to be run: a function in a file or module, a built-in algorithm, or another program."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click import UsageError

from spinup.cli.docstrings import parameter_texts, summary_of
from spinup.cli.kinds import Kind, kind_of, type_text
from spinup.cli.values import MISSING
from spinup.errors import ThunkError
from spinup.utils.shell import OWN_PLACEHOLDERS, ShellCommand, check_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

BUILT_INS = {"ars": "spinup.algos.ars:ars"}

_SEED = Kind(frozenset({"int"}), text="int")
_TEXT = Kind(frozenset({"str"}), text="str")
_HOW_NAMED = "Your own is module:function or path/to/file.py:function."
_CODE_FOLLOWS = ("-c", "-e")
_INTERPRETERS = ("python", "bash", "sh", "zsh", "julia", "rscript", "node", "ruby", "perl", "uv", "env")


@dataclass(frozen=True)
class Parameter:
    """An argument that a thunk takes.

    Attributes:
        name: Its name.
        kind: What values it takes; None for any.
        type_text: Its annotation, as text; empty if it has none.
        default: What it is when no flag says it; `MISSING` if it has to be said.
        doc: What the docstring says about it.
    """

    name: str
    kind: Kind | None = None
    type_text: str = ""
    default: Any = MISSING
    doc: str = ""


@dataclass(frozen=True)
class Thunk:
    """Something to run, and what is known of its arguments.

    Attributes:
        function: What is called.
        name: Short, for the name of the experiment.
        parameters: What it takes, by name.
        takes_any: Whether it takes other arguments too.
        namespace: Of the module that it is in.
        summary: The docstring's first paragraph.
        placeholders: Of a command, the names in braces; None for a function.
    """

    function: Callable[..., Any]
    name: str
    parameters: Mapping[str, Parameter]
    takes_any: bool = False
    namespace: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    placeholders: Sequence[str] | None = None


def load(target: str) -> Thunk:
    """The thunk that ``target`` names: ``module:function``, ``file.py:function`` or a built-in.

    Its module is imported, which may add a directory to ``sys.path``.

    Raises:
        UsageError: There is no such thunk, or it cannot be imported.
    """
    place, colon, name = BUILT_INS.get(target, target).rpartition(":")
    if not colon:
        raise UsageError(_not_a_thunk(target))
    is_file = place.endswith(".py") or "/" in place
    if not is_file and not all(term.isidentifier() for term in place.split(".")):
        raise UsageError(f"{target!r} names no module before the colon. {_HOW_NAMED}")
    module = _import_file(place) if is_file else _import_module(place)
    function: Any = module
    for term in name.split("."):
        if not hasattr(function, term):
            raise UsageError(f"{place} has no function {name!r}.{_functions_of(module, name)}")
        function = getattr(function, term)
    if not callable(function):
        raise UsageError(f"{target} is no function, but {type(function).__name__} {function!r:.60}.")
    return describe(function, name.rpartition(".")[2])


def load_command(words: Sequence[str]) -> Thunk:
    """The thunk that runs another program, ``words``, with values in place of ``{names}``.

    Raises:
        UsageError: There is no such program, or a placeholder cannot be read.
    """
    command = ShellCommand(tuple(words))
    try:
        check_command(command)
        names = command.placeholders
    except ThunkError as error:
        raise UsageError(str(error)) from error
    firsts = dict.fromkeys(name.partition(":")[0] for name in names if name not in OWN_PLACEHOLDERS)
    parameters = {name: Parameter(name) for name in firsts}
    parameters["seed"] = Parameter("seed", _SEED, "int", 0)
    return Thunk(
        command, _program_name(words), parameters, summary=f"The command: {command}", placeholders=names
    )


def describe(function: Any, name: str) -> Thunk:
    """What is known of ``function`` from its signature and its docstring."""
    inner = inspect.unwrap(getattr(function, "func", function))
    namespace = vars(sys.modules.get(getattr(inner, "__module__", None) or "", object))
    try:
        signature = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins do not tell
        return Thunk(function, name, {}, takes_any=True, namespace=namespace)
    docstring = inspect.getdoc(inner)
    texts = parameter_texts(docstring)
    if inspect.isclass(inner):
        texts = {**parameter_texts(inner.__init__.__doc__), **texts}
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = {
        p.name: _parameter(p, namespace, texts.get(p.name, "")) for p in signature if p.kind in kinds
    }
    if "env_fn" in parameters and "env_name" not in parameters:
        text = "Gymnasium's name of the environment that env_fn makes."
        parameters = {"env_name": Parameter("env_name", _TEXT, "str", MISSING, text), **parameters}
    parameters.setdefault("seed", Parameter("seed", _SEED, "int", 0))
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature)
    return Thunk(function, name, parameters, takes_any, namespace, summary_of(docstring))


def _parameter(parameter: inspect.Parameter, namespace: Mapping[str, Any], doc: str) -> Parameter:
    is_bare = parameter.annotation is parameter.empty
    return Parameter(
        parameter.name,
        None if is_bare else kind_of(parameter.annotation, namespace),
        "" if is_bare else type_text(parameter.annotation),
        MISSING if parameter.default is parameter.empty else parameter.default,
        doc,
    )


def _import_file(path: str) -> ModuleType:
    """The module that the file at ``path`` is, with the directory it is imported from on ``sys.path``."""
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        raise UsageError(f"There is no file {path!r}.")
    directory, name = file.parent, file.stem
    while (directory / "__init__.py").exists():
        directory, name = directory.parent, f"{directory.name}.{name}"
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    module = _import_module(name) if name.count(".") == len(file.parts) - len(directory.parts) - 1 else None
    if module is None or not _is_from(module, file):
        raise UsageError(
            f"{path} cannot be imported under its name, {name!r}, as runs have to: another module has that "
            "name, or it has a dot in it. Rename the file."
        )
    return module


def _is_from(module: ModuleType, file: Path) -> bool:
    found = getattr(module, "__file__", None)
    return isinstance(found, str) and os.path.exists(found) and os.path.samefile(found, file)


def _import_module(name: str) -> ModuleType:
    """The module ``name``, looked for in the working directory too, as ``python -m`` does."""
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(f"There is no module {error.name!r} here, nor is one installed.") from error
        raise UsageError(_import_failure(name, error)) from error
    except SystemExit as error:
        raise UsageError(
            f"{name} ends when it is imported. Put what it does as a script under "
            "`if __name__ == '__main__':`, or run it as a program: spinup run -- python FILE"
        ) from error
    except Exception as error:
        raise UsageError(_import_failure(name, error)) from error


def _import_failure(name: str, error: Exception) -> str:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename
    ]
    file, line = (frames[-1].filename, frames[-1].lineno) if len(frames) > 1 else (None, None)
    if isinstance(error, SyntaxError):
        file, line = error.filename, error.lineno
    where = f" ({file}, line {line})" if file else ""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{name} cannot be imported: {type(error).__name__}: {text}{where}"


def _functions_of(module: ModuleType, wanted: str) -> str:
    """A hint at what ``module`` does have."""
    import difflib  # noqa: PLC0415 - mistakes alone need it

    own = [key for key, value in vars(module).items() if inspect.isfunction(value) and key[0] != "_"]
    near = difflib.get_close_matches(wanted, own, n=1)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" It has: {', '.join(own[:8])}." if own else " It has none."


def _not_a_thunk(target: str) -> str:
    import difflib  # noqa: PLC0415 - mistakes alone need it

    names = ", ".join(BUILT_INS)
    if target.endswith(".py"):
        return (
            f"Which function of {target}? Write {target}:NAME, or run it as a program: "
            f"spinup run --lr 1e-3 -- python {target} --lr {{lr}}"
        )
    if target in _INTERPRETERS or os.path.isfile(target):
        return f"{target!r} is no function. A program goes behind --, as in: spinup run -- {target} ..."
    near = difflib.get_close_matches(target, BUILT_INS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{target!r} is not built in; {names} is.{hint} {_HOW_NAMED}"


def _program_name(words: Sequence[str]) -> str:
    """The script's name, if an interpreter runs one; else the program's."""
    ends = [place for place, word in enumerate(words) if word in _CODE_FOLLOWS]
    named = [Path(word).name for word in words[: min(ends, default=None)] if "{" not in word]
    scripts = [name for name in named[1:] if Path(name).suffix and not name.startswith("-")]
    is_interpreter = bool(named) and named[0].startswith(_INTERPRETERS)
    name = scripts[0] if is_interpreter and scripts else (named or ["command"])[0]
    return Path(name).stem or "command"
