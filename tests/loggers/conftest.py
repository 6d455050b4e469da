from __future__ import annotations

import os
from typing import Any

import pytest


@pytest.fixture
def torch() -> Any:
    """PyTorch; where it is missing the test is skipped, but not in continuous integration."""
    try:
        import torch
    except ModuleNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip("PyTorch is not installed: pip install 'spinup[torch]'")
    return torch
