import os

import pytest

from spinup.errors import RunDirError
from spinup.jobs.make import check_data_dir


def test_a_data_dir_is_made_and_nothing_is_left_in_it(tmp_path):
    check_data_dir(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_link_that_somebody_has_put_in_the_way_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f".writable-{os.getpid()}").symlink_to(outside)
    check_data_dir(tmp_path / "data")
    assert len(list((tmp_path / "data").iterdir())) == 1
    assert not outside.exists()


def test_a_data_dir_that_would_be_made_is_checked_without_making_it(tmp_path):
    check_data_dir(tmp_path / "a" / "b", is_dry=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").touch()
    with pytest.raises(RunDirError, match="choose another data_dir"):
        check_data_dir(tmp_path / "a" / "b", is_dry=True)
