"""The call itself: which arguments the thunk gets, checked against its signature."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinup.errors import ThunkError
from spinup.jobs.environments import MakeEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_NAMED = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


@dataclass(frozen=True)
class Call:
    """A thunk and all of its arguments."""

    thunk: Callable[..., Any]
    kwargs: Mapping[str, Any]

    def __call__(self) -> Any:
        """What the thunk returns.

        Raises:
            ThunkError: That is a coroutine or a generator, whose code has not begun to run.
        """
        result = self.thunk(**self.kwargs)
        if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
            raise ThunkError(
                f"{_name_of(self.thunk)} returned a {type(result).__name__}, of which nothing has run. "
                "Wrap it in a function that runs it to its end."
            )
        return result


@dataclass(frozen=True)
class _Signature:
    """What a thunk accepts by keyword."""

    names: Collection[str]
    required: Collection[str]
    takes_any: bool

    def accepts(self, name: str) -> bool:
        return self.takes_any or name in self.names


def make_call(
    thunk: Callable[..., Any],
    kwargs: Mapping[str, Any],
    *,
    seed: int,
    logger_kwargs: Mapping[str, Any],
) -> Call:
    """The call of ``thunk`` with ``kwargs``, and with what it accepts of seed, logger_kwargs, env_fn.

    Args:
        thunk: What to call.
        kwargs: The hyperparameters, and ``logger_kwargs`` or ``env_fn`` where the caller has their own.
        seed: Seed of the run.
        logger_kwargs: Arguments for a logger.

    Raises:
        ThunkError: The thunk does not accept one of ``kwargs``, or needs one that is not there.
    """
    signature = _read_signature(thunk)
    final = _with_environment(dict(kwargs), signature)
    if isinstance(final.get("logger_kwargs"), dict):
        # What the caller leaves out is ours; its output_dir is among ours, made absolute.
        own = {key: value for key, value in final["logger_kwargs"].items() if key != "output_dir"}
        final["logger_kwargs"] = {**logger_kwargs, **own}
    for name, value in {"seed": seed, "logger_kwargs": dict(logger_kwargs)}.items():
        if signature.accepts(name):
            final.setdefault(name, value)
        else:
            final.pop(name, None)
    _check(_name_of(thunk), final, signature)
    return Call(thunk, final)


def _with_environment(kwargs: dict[str, Any], signature: _Signature) -> dict[str, Any]:
    """``env_fn`` for ``env_name``, as the thunk likes it."""
    if "env_name" not in kwargs:
        return kwargs
    takes_name = "env_name" in signature.names
    if "env_fn" in signature.names or (signature.takes_any and not takes_name):
        kwargs.setdefault("env_fn", MakeEnvironment.of(kwargs["env_name"]))
        if not takes_name:
            del kwargs["env_name"]
    return kwargs


def _check(thunk_name: str, kwargs: Mapping[str, Any], signature: _Signature) -> None:
    for name in kwargs:
        if not signature.accepts(name):
            known = sorted(signature.names)
            import difflib  # noqa: PLC0415 - mistakes alone need it

            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"It accepts: {', '.join(known) or 'nothing'}."
            raise ThunkError(f"{thunk_name} does not accept the argument {name!r}. {hint}")
    missing = [name for name in signature.required if name not in kwargs]
    if missing:
        raise ThunkError(
            f"{thunk_name} needs the argument{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}. "
            "Add it to the grid, pass it to call_experiment, or give it a default."
        )


def _read_signature(thunk: Any) -> _Signature:
    name = _name_of(thunk)
    if not callable(thunk):
        raise ThunkError(f"The thunk must be callable, not {thunk!r}.")
    function = getattr(thunk, "func", thunk)
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(is_kind(function) for is_kind in kinds):
        raise ThunkError(f"{name} is a generator or async function: calling it would run nothing.")
    try:
        parameters = inspect.signature(thunk).parameters.values()
    except (TypeError, ValueError):  # some builtins do not tell
        return _Signature((), (), takes_any=True)
    by_position = [
        p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.default is inspect.Parameter.empty
    ]
    if by_position:
        raise ThunkError(
            f"{name} takes {by_position[0]!r} by position only; a thunk is called with keywords."
        )
    named = [p for p in parameters if p.kind in _NAMED]
    return _Signature(
        names=[p.name for p in named],
        required=[p.name for p in named if p.default is inspect.Parameter.empty],
        takes_any=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def _name_of(thunk: Any) -> str:
    inner = getattr(thunk, "func", thunk)
    return f"{getattr(inner, '__qualname__', None) or type(inner).__qualname__}()"
