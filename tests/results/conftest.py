from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from pathlib import Path


class WriteRun(Protocol):
    def __call__(self, directory: str, progress: str, config: Any = None) -> Path: ...


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Writes a run below tmp_path as Spinning Up left it: config.json, progress.txt, no more."""

    def write(directory: str, progress: str, config: Any = None) -> Path:
        path = tmp_path / directory
        path.mkdir(parents=True)
        (path / "progress.txt").write_text(progress, encoding="utf-8")
        if config is not None:
            text = config if isinstance(config, str) else json.dumps(config)
            (path / "config.json").write_text(text, encoding="utf-8")
        return path

    return write
