"""Make a virtual environment, also where the system's Python came without ensurepip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)


def make(directory: Path) -> None:
    """Make a virtual environment with pip in ``directory``; keep one that is already there."""
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"spinup needs Python 3.11 or newer; {sys.executable} is {version}.\n"
            "Name another one, for instance: make demo PYTHON=python3.12"
        )
    python = directory / "bin" / "python"
    if python.exists() and subprocess.run([python, "-m", "pip", "--version"], check=False).returncode == 0:
        return
    plain = subprocess.run([sys.executable, "-m", "venv", directory], capture_output=True, check=False)
    if plain.returncode == 0:
        return
    # Debian ships ensurepip in a package of its own; the pip that is there can install one.
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", directory], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"], check=True
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
