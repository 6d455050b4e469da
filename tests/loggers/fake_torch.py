"""As much of PyTorch as the logger uses, for machines that have none: ``save`` pickles."""

from __future__ import annotations

import types
from typing import Any


def fake_torch() -> types.ModuleType:
    """To stand in ``sys.modules`` as ``torch``."""
    torch = types.ModuleType("torch")

    def save(model: Any, file: Any, *, pickle_module: Any) -> None:
        pickle_module.dump(model, file)

    torch.save = save  # type: ignore[attr-defined]
    return torch
