from __future__ import annotations

from functools import partial

import pytest
from plots.runs import write_runs as write


@pytest.fixture
def write_runs(tmp_path):
    """Writes runs below tmp_path; gives their directory."""
    return partial(write, tmp_path)
