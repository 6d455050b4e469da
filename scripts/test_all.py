"""Run the tests on every supported Python that is found, each in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13")
TOOLS = Path(__file__).parent


def find_python(version: str) -> str | None:
    """The interpreter of ``version``: on PATH, or in the default one's family beside it."""
    found = shutil.which(f"python{version}")
    if found and _runs(found, version):
        return found
    # A version manager keeps its interpreters side by side: versions/3.12.1/bin/python3.12.
    homes = [
        Path(sys.base_prefix).parent,
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions",
    ]
    for home in homes:
        for candidate in sorted(home.glob(f"{version}*/bin/python{version}"), reverse=True):
            if _runs(str(candidate), version):
                return str(candidate)
    return None


def _runs(python: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return run.returncode == 0 and run.stdout.strip() == version


def test(version: str, python: str) -> bool:
    """Whether all tests pass on this interpreter."""
    venv = Path(".venvs") / version
    print(f"\n=== Python {version}: {python}", flush=True)
    subprocess.run([python, TOOLS / "make_venv.py", venv], check=True)
    own = venv / "bin" / "python"
    subprocess.run([own, "-m", "pip", "install", "--quiet", "--editable", ".[test]"], check=True)
    return subprocess.run([own, "-m", "pytest", "-q", *sys.argv[1:]], check=False).returncode == 0


def main() -> int:
    """Test on each version; give the exit code."""
    results: dict[str, str] = {}
    for version in VERSIONS:
        python = find_python(version)
        results[version] = (
            "not found" if python is None else "passed" if test(version, python) else "FAILED"
        )
    print()
    for version, result in results.items():
        print(f"Python {version}: {result}")
    return 0 if all(result == "passed" for result in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
