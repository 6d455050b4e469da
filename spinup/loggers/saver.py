"""State and model files: replaced whole, or left as they were with an error that says why."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spinup.errors import MissingExtra, StateNotSaved
from spinup.loggers.statefile import write_state
from spinup.rundir.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from spinup.loggers.statefile import Note


def save_pickle(state: Any, path: Path, note: Note) -> None:
    """Make ``state``, pickled, the content of ``path``, with ``note`` behind it.

    Raises:
        StateNotSaved: It cannot be pickled or written; ``path`` is as it was.
    """
    try:
        with replacing(path) as file:
            write_state(file, state, note)
    except Exception as error:
        raise StateNotSaved(
            f"{path} was not saved: {_reason(state, error)}. What was saved there before is kept."
        ) from error


def save_model(model: Any, path: Path, *, meant_for: Path) -> None:
    """Make ``model``, saved whole by PyTorch, the content of ``path``.

    Args:
        model: Anything that ``torch.save`` takes.
        path: The file to write; its directory is made.
        meant_for: The name that the file is going to get, for the error.

    Raises:
        StateNotSaved: It cannot be pickled or written; ``path`` is as it was.
    """
    import cloudpickle  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - only to save
    import torch  # noqa: PLC0415 - an optional dependency

    try:
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as file:
            # cloudpickle, for a module whose class lives in the launch script or in the thunk.
            torch.save(model, file, pickle_module=cloudpickle)
    except Exception as error:
        raise StateNotSaved(
            f"{meant_for} was not saved: {type(model).__name__}: {_first_line(error)}. Nor was the "
            "state that it belongs to. What was saved there before is kept."
        ) from error


def check_torch() -> None:
    """Raise MissingExtra unless PyTorch can be imported."""
    try:
        import torch  # noqa: F401, PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        raise MissingExtra("PyTorch", "torch") from error


class _Nowhere(io.RawIOBase):
    """Takes bytes and keeps none: a replay buffer need not fit into memory twice."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes


def _reason(state: Any, error: Exception) -> str:
    """Why ``state`` was not saved, naming the entries that cannot be pickled."""
    if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the state's
        return str(error)
    if not isinstance(state, Mapping):
        return f"{type(state).__name__} cannot be pickled: {_first_line(error)}"
    problems = [
        f"state_dict[{key!r}] ({type(value).__name__}) cannot be pickled: {_first_line(problem)}"
        for key, value in state.items()
        if (problem := _problem(value)) is not None
    ]
    return "; ".join(problems) or _first_line(error)


def _problem(value: Any) -> Exception | None:
    import cloudpickle  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - only to save

    try:
        cloudpickle.dump(value, _Nowhere())
    except Exception as error:  # noqa: BLE001 - an object's __reduce__ may raise anything
        return error
    return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
