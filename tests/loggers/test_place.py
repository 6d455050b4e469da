from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from spinup.errors import UnsafePath
from spinup.loggers import Logger
from spinup.rundir.layout import RunDir

RECORDS = [
    name for name, member in vars(RunDir).items() if isinstance(member, property) and name != "progress"
]


@pytest.mark.parametrize("output_dir", [5, b"x", "a\0", "a\ud800", ["x"], object()])
def test_an_output_dir_that_is_no_path_is_refused(output_dir: Any) -> None:
    with pytest.raises(UnsafePath, match="output_dir"):
        Logger(output_dir, console=False)


@pytest.mark.parametrize(
    "name", [5, None, b"x", "", ".", "..", "../x", "a/x", "a/", "/x", "a\\x", "a\0", "\ud800"]
)
def test_a_table_has_a_plain_name(tmp_path: Path, name: Any) -> None:
    with pytest.raises(UnsafePath, match="output_fname"):
        Logger(tmp_path / "run", name, console=False)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        *(getattr(RunDir(Path("run")), name).name for name in RECORDS),
        *("vars.pkl", "vars10.pkl", "pyt_save", ".archive", "Config.JSON"),
    ],
)
def test_a_table_is_not_called_like_another_file_of_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePath, match="another file of the run"):
        Logger(tmp_path, name, console=False)


def test_other_ranks_refuse_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spinup.mpi.rank", lambda: 1)
    with pytest.raises(UnsafePath):
        Logger(5, console=False)  # type: ignore[arg-type]


def test_a_path_that_is_no_string_will_do(tmp_path: Path) -> None:
    class Place:
        def __fspath__(self) -> str:
            return str(tmp_path / "run")

    with Logger(Place(), console=False) as logger:
        assert logger.output_dir == str(tmp_path / "run")
