"""Which reader reads a directory: ours first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinup.results.sources.delimited import PROGRESS_CSV, PROGRESS_TXT
from spinup.results.sources.monitor import Monitor
from spinup.results.sources.tensorboard import TensorBoard

if TYPE_CHECKING:
    from collections.abc import Collection

    from spinup.results.sources.base import Source

#: Best first: of several files with a run's rows, one is read.
SOURCES: tuple[Source, ...] = (PROGRESS_TXT, PROGRESS_CSV, Monitor(), TensorBoard())


def source_of(names: Collection[str]) -> Source | None:
    """What reads a directory with plain files of these names, or None for none."""
    return next((source for source in SOURCES if source.claims(names)), None)
