from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from spinup.rundir.atomic import replacing, write_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / 'a "directory" with spaces'
    directory.mkdir()
    return directory / "file.txt"


def names_beside(path: Path) -> list[str]:
    return sorted(os.listdir(path.parent))


def test_a_new_file_is_there_after_the_block(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"


def test_a_reader_sees_the_old_content_until_the_block_ends(path: Path) -> None:
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"new")
    assert names_beside(path) == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_raises_changes_nothing(path: Path, error: type[BaseException]) -> None:
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"half of the n")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == b"old"
    assert names_beside(path) == ["file.txt"]


def test_a_block_that_raises_makes_no_file(path: Path) -> None:
    with pytest.raises(ValueError, match="no"), replacing(path):
        raise ValueError("no")
    assert names_beside(path) == []


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "missing" / "file"):
        pass


def test_a_file_that_cannot_be_renamed_into_place_leaves_nothing(path: Path) -> None:
    path.mkdir()
    with pytest.raises(OSError, match="directory"), replacing(path) as file:
        file.write(b"new")
    assert names_beside(path) == ["file.txt"]


@pytest.mark.parametrize(
    ("mode", "umask", "expected"),
    [(0o644, 0o022, 0o644), (0o644, 0o077, 0o600), (0o600, 0o022, 0o600), (0o666, 0o002, 0o664)],
)
def test_the_mode_is_the_one_asked_for_less_the_umask(
    path: Path, mode: int, umask: int, expected: int
) -> None:
    before = os.umask(umask)
    try:
        with replacing(path, mode=mode):
            pass
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == expected


def test_the_longest_name_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_text(path, "content")
    assert path.read_text() == "content"


def test_text_is_written_in_utf_8(path: Path) -> None:
    write_text(path, "größer ≥ 1\n")
    assert path.read_bytes() == "größer ≥ 1\n".encode()


def test_text_that_utf_8_cannot_say_is_escaped(path: Path) -> None:
    write_text(path, "a\ud800b")
    assert path.read_bytes() == rb"a\ud800b"
