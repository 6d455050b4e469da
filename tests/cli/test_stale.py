import json
import os
import subprocess
import sys

import pytest

from spinup.cli.stale import Staleness

SCRIPT = """
import json
from pathlib import Path
import networks

def optimizer(lr):
    return lr

class Policy:
    size = 1

def train(lr, seed=0):
    return networks.size * optimizer(lr)

def unused():
    return 1

if __name__ == "__main__":
    from spinup.jobs.make import Place, make_job
    from spinup.jobs.prepare import prepare
    kinds = {
        "plain": {"lr": 1},
        "function": {"lr": optimizer},
        "class": {"lr": Policy},
        "text": {"lr": "unused"},
        "lambda": {"lr": lambda: 1},
        "object": {"lr": Policy()},
    }
    codes = {}
    for kind, kwargs in kinds.items():
        job = make_job("x", train, kwargs, place=Place(f"data/{kind}"))
        prepare(job)
        codes[kind] = job.code
    Path("codes.json").write_text(json.dumps(codes))
"""
KINDS = ["plain", "function", "class", "text", "lambda", "object"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    directory = tmp_path_factory.mktemp("project")
    (directory / "launch.py").write_text(SCRIPT)
    (directory / "networks.py").write_text("size = 1\n")
    subprocess.run([sys.executable, "launch.py"], cwd=directory, check=True)
    return directory


@pytest.fixture
def changed(project):
    """Gives what has changed for a run of this kind; afterwards the files are as they were."""
    files = {path: path.read_bytes() for path in project.glob("*.py")}
    codes = json.loads((project / "codes.json").read_text())
    yield lambda kind: Staleness().changed(project / "data" / kind / "x" / "x_s0", codes[kind])
    for path, content in files.items():
        path.write_bytes(content)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    later_ns = path.stat().st_mtime_ns + 60 * 10**9
    os.utime(path, ns=(later_ns, later_ns))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_just_begun_is_not_stale(changed, kind):
    assert changed(kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_count_makes_nothing_stale(project, changed, kind):
    edit(project / "launch.py", '"plain": {"lr": 1}', '"plain": {"lr": 2}')
    edit(project / "launch.py", "def train(", "# a comment\ndef train(")
    edit(project / "networks.py", "size = 1", "size = 1  # a comment")
    assert changed(kind) == []


@pytest.mark.parametrize("kind", ["plain", "function", "class", "text"])
def test_an_edited_thunk_is_stale(project, changed, kind):
    edit(project / "launch.py", "return networks.size *", "return 2 * networks.size *")
    assert changed(kind) == ["launch.py"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_edited_module_is_stale(project, changed, kind):
    edit(project / "networks.py", "size = 1", "size = 2")
    assert changed(kind) == ["networks.py"]


@pytest.mark.parametrize("kind", ["lambda", "object"])
def test_a_script_of_which_it_cannot_be_told_what_was_used_is_not_called_stale(project, changed, kind):
    edit(project / "launch.py", "return networks.size *", "return 2 * networks.size *")
    assert changed(kind) == []


def test_files_that_are_not_there_say_nothing(project, changed):
    moved = project / "networks.py"
    moved.rename(project / "elsewhere")
    try:
        assert changed("plain") == []
    finally:
        (project / "elsewhere").rename(moved)


@pytest.mark.parametrize(
    "code",
    [None, {}, {"../x.py": "0"}, {"/etc/passwd": "0"}, {"<notebook>": "0"}, {"x.py": 1}, {"x\0.py": "0"}],
)
def test_strange_maps_are_not_followed(project, code):
    assert Staleness().changed(project / "data" / "plain" / "x" / "x_s0", code) == []


def test_nothing_of_the_project_is_run(project, changed):
    edit(project / "networks.py", "size = 1", "raise SystemExit('it was run')")
    assert changed("plain") == ["networks.py"]
    assert "networks" not in sys.modules
