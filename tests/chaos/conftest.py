from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from chaos.killing import NUM_RUNS, WIDTH, Round

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # victims are found in /proc, and the run server is Linux's


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The launch script, away from this repository: nobody edits it while rounds are running."""
    directory = tmp_path_factory.mktemp("project")
    for name in ("launch.py", "walk.py", "faulty.py"):
        shutil.copy(Path(__file__).parent / name, directory)
    return directory


@pytest.fixture(scope="session")
def undisturbed(project, tmp_path_factory):
    """What the grid gives when nothing happens to it."""
    reference = Round(project, tmp_path_factory.mktemp("undisturbed"), {"parallel": WIDTH})
    assert reference.finish(reference.launch()) == 0, reference.log()
    assert reference.litter() == []
    assert set(reference.events("ended").values()) == {1}
    outcome = reference.outcome()
    assert len(outcome) == 3 * NUM_RUNS
    return outcome
