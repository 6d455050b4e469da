"""A state and its model in two files, of which a pair that belongs together can always be found.

The model is written first, beside its place (``.next``). Then the state replaces the one before: that
is the moment from which the new pair counts. Then the model moves to its place. A run that is killed
in between leaves a state whose model is found by its SHA-256, wherever it is.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError, StateNotSaved
from spinup.loggers.earlier import move_aside
from spinup.loggers.saver import save_model, save_pickle
from spinup.rundir.layout import model_file, state_file

if TYPE_CHECKING:
    from pathlib import Path

    from spinup.loggers.statefile import Note, SavedState


def save_pair(output_dir: Path, state: Any, itr: int | None, note: Note, model: tuple[Any] | None) -> None:
    """Save ``state``, and the model when there is one.

    Args:
        output_dir: Directory of the run.
        state: What is needed to go on.
        itr: Number for the names of the files.
        note: How far the run has come.
        model: In a tuple, because a model may be any object.

    Raises:
        StateNotSaved: The pair saved before is still there, and is what a run goes on from. A model
            whose state alone could not be saved is in its place nevertheless.
    """
    path = state_file(output_dir, itr)
    if model is None:
        save_pickle(state, path, note)
        return
    place = model_file(output_dir, itr)
    save_model(model[0], _next(place), meant_for=place)
    try:
        save_pickle(state, path, replace(note, model=_sha256(_next(place))))
    except StateNotSaved:
        # An environment that cannot be pickled must not cost the trained model, nor the new model the
        # pair saved before. A model kept already is that pair's; the one in place has lost its state.
        if place.exists() and not _kept(place).exists():
            os.replace(place, _kept(place))
        os.replace(_next(place), place)
        raise
    # Not in a finally: after an interrupt, what is beside its place may be the state's only model.
    os.replace(_next(place), place)
    _kept(place).unlink(missing_ok=True)


def put_model_in_place(output_dir: Path, saved: SavedState) -> None:
    """Have the model that was saved with a state where the thunk looks for it.

    Raises:
        RecordError: It is gone; nothing was changed.
    """
    if saved.note.model is None:
        return
    place = model_file(output_dir, saved.itr)
    candidates = [path for path in (place, _next(place), _kept(place)) if path.is_file()]
    found = next((path for path in candidates if _sha256(path) == saved.note.model), None)
    if found is None:
        raise RecordError(
            f"{place} is not the model that was saved with {saved.path}, so the run cannot go on from "
            "there. Put that model back, or move the state away to begin again."
        )
    if found == place:
        return
    if found == _kept(place) and place.exists():
        move_aside(output_dir, [place])  # trained further than any state that there is
    os.replace(found, place)


def _next(place: Path) -> Path:
    return place.with_name(f".{place.name}.next")


def _kept(place: Path) -> Path:
    return place.with_name(f".{place.name}.kept")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
