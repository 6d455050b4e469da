"""What the documents show is run, and what they name is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")),
]


def code_blocks(text):
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def run(code, cwd):
    result = subprocess.run([sys.executable, "-"], input=code, cwd=cwd, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_readmes_code_runs(tmp_path):
    grid, own, ablation, results = code_blocks(README)
    # The same five lines, less long.
    run(grid.replace("records = eg.run", 'eg.add("epochs", 2)\nrecords = eg.run'), tmp_path)
    imports = grid[: grid.index("eg =")]
    short = 'eg.add("epochs", 2)\neg.add("N", 2)\neg.run(ars, data_dir="data/ablation")'
    run(imports + ablation.replace("eg.run(ars)", short), tmp_path)
    assert "seeds" in run(results.replace('load("data")', 'load("data/ablation")'), tmp_path)
    assert (tmp_path / "report.html").exists()
    call = "call_experiment('own', my_algo, env_name='CartPole-v1', epochs=2)"
    call = f"\nfrom spinup import call_experiment\n{call}\n"
    run(own.replace("            ...\n", "            episode_return = 1.0\n") + call, tmp_path)
    assert (tmp_path / "data" / "own" / "own_s0" / "progress.txt").read_text().count("\n") == 3


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_links_to_is_there(name):
    file = ROOT / name
    links = re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (file.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/how-it-works.md"])
def test_the_files_that_a_document_names_are_there(name):
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.py)?)`", (ROOT / name).read_text(encoding="utf-8"))
    roots = (ROOT, ROOT / "spinup")
    assert [path for path in named if not any((root / path).exists() for root in roots)] == []
