"""Where a logger moves what was in its directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def archives(directory: Path) -> list[Path]:
    """What was moved out of ``directory``, one directory a move, beside it."""
    return sorted((directory.parent / ".archive").glob(f"{directory.name}@*"))


def archived(directory: Path, name: str) -> list[Path]:
    """Every file called ``name`` that was moved out of ``directory``."""
    return [path for archive in archives(directory) for path in sorted(archive.rglob(name))]
