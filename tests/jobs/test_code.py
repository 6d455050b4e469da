import functools
import importlib
import json
import linecache
import math
import os
import subprocess
import sys
import threading
import types
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from spinup.algos.ars import ars
from spinup.jobs import code as code_module
from spinup.jobs.code import NOTEBOOK, changed, code_of
from spinup.jobs.environments import MakeEnvironment


class Project:
    """A directory of modules, imported under names that no other test uses."""

    def __init__(self, path):
        self.path = path

    def write(self, files):
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        importlib.invalidate_caches()

    def load(self, dotted):
        """``module:attribute``."""
        module, _, attribute = dotted.partition(":")
        return getattr(importlib.import_module(module), attribute)

    def script(self, text, name="launch.py"):
        """The namespace of ``text`` run as a script that is really a file."""
        self.write({name: text})
        file = str(self.path / name)
        main = types.ModuleType("__main__")
        main.__file__ = file
        sys.modules["__main__"] = main
        exec(compile(text, file, "exec"), vars(main))
        return vars(main)

    def cell(self, text, name="<ipython-input-1>", main=None):
        """The namespace of ``text`` run as a notebook would; with ``name`` None as a bare prompt would."""
        main = main or types.ModuleType("__main__")
        sys.modules["__main__"] = main
        if name is not None:
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name or "<stdin>", "exec"), vars(main))
        return vars(main)


@pytest.fixture
def project(tmp_path, monkeypatch):
    path = tmp_path / "my project"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    before = dict(sys.modules)
    cache = dict(linecache.cache)
    yield Project(path)
    for name in set(sys.modules) - set(before):
        del sys.modules[name]
    sys.modules["__main__"] = before["__main__"]
    linecache.cache.clear()
    linecache.cache.update(cache)


ALGO = """
from nets import Net

def train(lr=0.1):
    return Net(lr)

class Trainer:
    def fit(self): ...
    def __call__(self): ...
    @classmethod
    def make(cls): ...
"""
FILES = {"algo.py": ALGO, "nets.py": "class Net:\n    width = 64\n", "other.py": "x = 1\n"}


# Which files


def test_the_thunks_file_and_those_it_imports_count(project):
    project.write(FILES)
    assert list(code_of(project.load("algo:train"))) == ["algo.py", "nets.py"]


def test_hashes_have_16_digits(project):
    project.write(FILES)
    assert all(
        len(digest) == 16 and int(digest, 16) for digest in code_of(project.load("algo:train")).values()
    )


def test_any_kind_of_thunk_counts_with_its_file(project):
    project.write(FILES)
    trainer = project.load("algo:Trainer")
    thunks = [
        project.load("algo:train"),
        functools.partial(functools.partial(project.load("algo:train")), lr=1),
        trainer,
        trainer(),
        trainer().fit,
        trainer.make,
        functools.lru_cache(project.load("algo:train")),
        importlib.import_module("algo"),
    ]
    assert all(list(code_of(thunk)) == ["algo.py", "nets.py"] for thunk in thunks)


HOLDERS = """
def close(f):
    def inner(): return f()
    return inner
def mark(f):
    def inner(): ...
    inner.__wrapped__ = f
    return inner
def default(f):
    def inner(f=f): ...
    return inner
class Hold:
    def __init__(self, f): self.f = f
    def __call__(self): return self.f()
"""


@pytest.mark.parametrize("holder", ["close", "mark", "default", "Hold"])
def test_what_wraps_or_holds_the_thunk_counts_with_the_thunk(project, holder):
    project.write({**FILES, "holders.py": HOLDERS})
    held = project.load(f"holders:{holder}")(project.load("algo:train"))
    assert list(code_of(held)) == ["algo.py", "holders.py", "nets.py"]


def test_a_wrapper_counts_with_its_own_file_whatever_it_is_called(project):
    project.write({**FILES, "holders.py": HOLDERS})
    train = project.load("algo:train")
    held = functools.wraps(train)(project.load("holders:close")(train))
    assert "holders.py" in code_of(held)


def test_a_class_made_in_an_installed_package_counts_with_its_bases(project):
    project.write(FILES)
    made = type("Made", (project.load("algo:Trainer"),), {"__module__": "nowhere"})
    assert list(code_of(made)) == ["algo.py", "nets.py"]


def test_callables_among_the_hyperparameters_count(project):
    project.write({**FILES, "acts.py": "def act(x): return x\nclass Cfg: pass\n"})
    train, act, cfg = (project.load(name) for name in ("algo:train", "acts:act", "acts:Cfg"))
    for value in (act, cfg, cfg(), [act], {"activation": (functools.partial(act),)}):
        assert list(code_of(train, [0.1, "tanh", value])) == ["acts.py", "algo.py", "nets.py"]


def test_the_class_behind_an_environment_counts(project):
    project.write({**FILES, "envs.py": "class Env: pass\n"})
    train = project.load("algo:train")
    for entry in ("envs:Env", project.load("envs:Env")):
        value = MakeEnvironment("E-v0", types.SimpleNamespace(entry_point=entry))
        assert "envs.py" in code_of(train, [value])


def test_imports_in_functions_and_relative_ones_and_packages_are_followed(project):
    project.write(
        {
            "pkg/__init__.py": "VERSION = 1\n",
            "pkg/sub/__init__.py": "# nothing\n",
            "pkg/sub/algo.py": "from ..nets import Net\ndef train():\n  from . import late\n  import top\n",
            "pkg/sub/late.py": "raise SystemExit\n",
            "pkg/nets.py": "class Net: pass\n",
            "top.py": "from pkg import plain\n",
            "pkg/plain.py": "x = 1\n",
            "pkg/unused.py": "x = 1\n",
        }
    )
    assert list(code_of(project.load("pkg.sub.algo:train"))) == [
        "pkg/__init__.py",
        "pkg/nets.py",
        "pkg/plain.py",
        "pkg/sub/algo.py",
        "pkg/sub/late.py",
        "top.py",
    ]


def test_the_package_around_the_thunk_counts(project):
    project.write(
        {"pkg/__init__.py": "import top\n", "pkg/algo.py": "def train(): ...\n", "top.py": "x = 1\n"}
    )
    assert list(code_of(project.load("pkg.algo:train"))) == ["pkg/__init__.py", "pkg/algo.py", "top.py"]


def test_nothing_is_imported_to_find_out(project):
    project.write({"algo.py": "def train():\n    import late\n", "late.py": "raise SystemExit\n"})
    assert "late.py" in code_of(project.load("algo:train"))
    assert "late" not in sys.modules


def test_modules_that_import_each_other_are_followed_once(project):
    project.write({"a_x.py": "import b_x\ndef train(): ...\n", "b_x.py": "import a_x\n"})
    assert list(code_of(project.load("a_x:train"))) == ["a_x.py", "b_x.py"]


def test_what_only_a_type_checker_imports_does_not_count(project):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nets\ndef train(): ...\n"
    project.write({**FILES, "typed.py": text})
    assert list(code_of(project.load("typed:train"))) == ["typed.py"]


def test_installed_packages_in_an_environment_inside_the_project_do_not_count(project, monkeypatch):
    site = ".venv/lib/python3.11/site-packages"
    project.write({"algo.py": "import lib_x\ndef train(): ...\n", f"{site}/lib_x.py": "import algo\n"})
    monkeypatch.syspath_prepend(str(project.path / site))
    assert list(code_of(project.load("algo:train"))) == ["algo.py"]


def test_a_package_installed_from_a_checkout_elsewhere_counts(project, tmp_path, monkeypatch):
    project.write({"algo.py": "import mine.core\ndef train(): ...\n"})
    (tmp_path / "checkout/src/mine").mkdir(parents=True)
    (tmp_path / "checkout/src/mine/core.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "checkout/src"))
    assert list(code_of(project.load("algo:train"))) == ["algo.py", "mine/core.py"]


def test_of_spinup_the_built_in_algorithms_alone_count():
    labels = list(code_of(ars))
    assert "spinup/algos/ars.py" in labels
    assert "spinup/algos/random_search.py" in labels
    assert all(label.startswith("spinup/algos/") for label in labels)


def test_the_project_may_lie_elsewhere(project, tmp_path, monkeypatch):
    project.write(FILES)
    here = code_of(project.load("algo:train"))
    del sys.modules["algo"], sys.modules["nets"]
    project.path.rename(tmp_path / "moved")
    monkeypatch.syspath_prepend(str(tmp_path / "moved"))
    assert code_of(project.load("algo:train")) == here


# What of a file


def test_comments_and_docstrings_change_nothing(project):
    project.write(FILES)
    train = project.load("algo:train")
    before = code_of(train)
    project.write({"algo.py": '"""New."""\n# Why.\n' + ALGO.replace("lr=0.1", "lr = 1e-1")})
    assert changed(before, code_of(train)) == []


def test_a_constant_of_an_imported_module_changes_that_file_alone(project):
    project.write(FILES)
    train = project.load("algo:train")
    before = code_of(train)
    project.write({"nets.py": "class Net:\n    width = 32\n", "other.py": "x = 2\n"})
    assert changed(before, code_of(train)) == ["nets.py"]


def test_a_new_import_and_a_lost_one_are_changes(project):
    project.write(FILES)
    train = project.load("algo:train")
    before = code_of(train)
    project.write({"algo.py": ALGO.replace("from nets import Net", "import other")})
    assert changed(before, code_of(train)) == ["algo.py", "nets.py", "other.py"]


def test_a_file_that_cannot_be_parsed_counts_by_its_bytes(project):
    project.write({"algo.py": "import broken_x\ndef train(): ...\n".replace("import", "if 0: import")})
    hashes = []
    for content in (b"x = = 1", b"x = = 2", b"x = '\xff'"):
        (project.path / "broken_x.py").write_bytes(content)
        hashes.append(code_of(project.load("algo:train"))["broken_x.py"])
    assert len(set(hashes)) == 3


def test_a_file_that_is_gone_contributes_nothing(project):
    project.write(FILES)
    train = project.load("algo:train")
    before = code_of(train)
    (project.path / "nets.py").unlink()
    assert changed(before, code_of(train)) == ["nets.py"]
    project.write(FILES)
    assert code_of(train) == before


def test_a_file_that_goes_while_it_is_read_contributes_nothing(project, monkeypatch):
    project.write(FILES)
    train = project.load("algo:train")
    (project.path / "nets.py").unlink()
    (project.path / "nets.py").mkdir()  # there to be looked at, but not to be read
    assert list(code_of(train)) == ["algo.py"]


def test_nothing_is_read_or_looked_for_twice(project, monkeypatch):
    project.write(FILES)
    train = project.load("algo:train")
    before = code_of(train)
    monkeypatch.setattr(code_module, "parse", mock.Mock(side_effect=AssertionError))
    monkeypatch.setattr(code_module, "find_module", mock.Mock(side_effect=AssertionError))
    assert code_of(train, [0.1, "tanh"]) == before
    assert code_of(functools.partial(train, lr=1)) == before


def test_only_the_file_that_changed_is_read_again(project, monkeypatch):
    project.write(FILES)
    train = project.load("algo:train")
    code_of(train)
    project.write({"nets.py": "class Net: ...\n"})
    monkeypatch.setattr(code_module, "parse", mock.Mock(wraps=code_module.parse))
    code_of(train)
    code_module.parse.assert_called_once_with(b"class Net: ...\n")


@pytest.mark.parametrize(
    ("before", "now", "labels"),
    [
        ({}, {}, []),
        ({"a": "1"}, {"a": "1"}, []),
        ({"b": "1", "a": "1"}, {"b": "2", "a": "2"}, ["a", "b"]),
        ({"a": "1"}, {"b": "1"}, ["a", "b"]),
    ],
)
def test_changed_names_files_that_differ_appeared_or_disappeared(before, now, labels):
    assert changed(before, now) == labels


# Launch scripts

SCRIPT = """
import math
from nets import Net
import other
from spinup import ExperimentGrid

SCALE = 2

def train(lr=0.1, seed=0):
    "Docs."
    return Net(), SCALE * lr

class Config:
    depth = 2

thunk = lambda lr: train(lr)

eg = ExperimentGrid(name="bench")
eg.add("seed", [0, 10])
eg.add("act", [lambda x: x, lambda x: x * SCALE])
"""


def hash_of_script(project, text, name="train"):
    return code_of(project.script(text)[name])


def test_of_a_script_its_functions_count_and_what_they_import(project):
    project.write(FILES)
    assert list(hash_of_script(project, SCRIPT)) == ["launch.py", "nets.py"]


@pytest.mark.parametrize("name", ["train", "thunk", "Config"])
def test_another_seed_in_the_grid_changes_nothing(project, name):
    project.write(FILES)
    before = hash_of_script(project, SCRIPT, name)
    assert hash_of_script(project, "# New.\n\n" + SCRIPT.replace("[0, 10]", "[0, 10, 20]"), name) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("train", "SCALE = 2", "SCALE = 3"),
        ("train", "lr=0.1", "lr=0.2"),
        ("thunk", "SCALE * lr", "SCALE + lr"),
        ("thunk", "lr: train(lr)", "lr: train(lr, 1)"),
        ("Config", "depth = 2", "depth = 3"),
    ],
)
def test_a_change_that_the_thunk_can_reach_changes_the_script(project, name, old, new):
    project.write(FILES)
    before = hash_of_script(project, SCRIPT, name)
    assert changed(before, hash_of_script(project, SCRIPT.replace(old, new), name)) == ["launch.py"]


def test_a_lambda_in_the_grid_counts_without_the_grid(project):
    project.write(FILES)
    text = "SCALE = 2\nfs = []\nfs.extend([lambda x: x, lambda x: x * SCALE]); seeds = [0]\n"
    first, second = project.script(text)["fs"]
    before = code_of(first), code_of(second)
    assert before[0] != before[1]
    first, second = project.script(text.replace("[0]", "[0, 10]").replace("= 2", "= 3"))["fs"]
    assert code_of(first) == before[0]
    assert code_of(second) != before[1]


def test_thunk_and_values_of_one_script_count_together(project):
    project.write(FILES)
    namespace = project.script(SCRIPT)
    both = code_of(namespace["train"], [namespace["Config"]])
    assert both == code_of(namespace["Config"], [namespace["train"]])
    assert both["launch.py"] not in {
        code_of(namespace["train"])["launch.py"],
        code_of(namespace["Config"])["launch.py"],
    }


def test_a_function_that_is_not_in_the_script_counts_by_its_compiled_code(project):
    def made(text):
        namespace = project.script("def train(): ...\n")
        exec(text, namespace)
        return code_of(namespace["train"])

    assert list(made("def train(): return 1")) == ["launch.py"]
    assert made("def train(): return 1") != made("def train(): return 2")


def test_a_class_that_a_call_made_counts_with_that_call(project):
    text = "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\nother = 1\n"
    before = hash_of_script(project, text, "Point")
    assert list(before) == ["launch.py"]
    assert hash_of_script(project, text.replace("other = 1", "other = 2"), "Point") == before
    assert hash_of_script(project, text.replace("x y", "x z"), "Point") != before


def test_a_script_that_is_imported_too_counts_as_a_whole(project):
    text = "def train(): ...\ndef act(): ...\nx = 1\n"
    train = project.script(text)["train"]
    act = project.load("launch:act")
    assert code_of(train, [act]) == code_of(act, [train]) == code_of(act) != code_of(train)


def test_a_script_that_is_gone_counts_by_compiled_code(project):
    namespace = project.script("def train(): return 1\nclass A: pass\n")
    (project.path / "launch.py").unlink()
    assert list(code_of(namespace["train"], [namespace["A"]])) == ["launch.py"]


def test_a_script_counts_as_it_was_when_it_began_and_a_module_as_it_is(project):
    project.write({"other_x.py": "x = 1\n"})
    text = "import other_x\ndef helper(): return 1\ndef train(): return helper() + other_x.x\n"
    train = project.script(text)["train"]
    before = code_of(train)
    project.write({"launch.py": text.replace("return 1", "return 2"), "other_x.py": "x = 2\n"})
    assert changed(before, code_of(train)) == ["other_x.py"]
    (project.path / "launch.py").unlink()
    assert changed(before, code_of(train)) == ["other_x.py"]


def test_a_script_that_is_run_again_in_one_process_is_read_again(project):
    text = "def helper(): return 1\ndef train(): return helper()\n"
    before = code_of(project.script(text)["train"])
    again = project.script(text.replace("return 1", "return 2"))["train"]
    assert changed(before, code_of(again)) == ["launch.py"]


def test_a_very_deep_script_has_a_hash(project):
    def script(last):
        return f"def train(x=1): return {'x + ' * 1200}{last}\n"

    assert hash_of_script(project, script(1)) == hash_of_script(project, script(1) + "eg = 1\n")
    assert hash_of_script(project, script(1)) != hash_of_script(project, script(2))


RUN = """
import json
from spinup.jobs.code import code_of
print(json.dumps(code_of(train)))
"""


def python(*arguments, cwd):
    here = str(Path(code_module.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    run = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_scripts_count_the_same_in_other_processes_and_however_they_are_started(project):
    project.write({"pkg/launch.py": SCRIPT + RUN, "pkg/__init__.py": "", **FILES})
    project.write({f"pkg/{name}": text for name, text in FILES.items()})
    as_script = python("pkg/launch.py", cwd=project.path)
    assert list(as_script) == ["launch.py", "nets.py"]
    assert as_script == hash_of_script(project, SCRIPT)
    as_module = python("-m", "pkg.launch", cwd=project.path)
    assert as_module == {"pkg/launch.py": as_script["launch.py"], "nets.py": as_script["nets.py"]}


def test_a_module_of_the_project_counts_the_same_in_another_process(project):
    project.write(FILES)
    there = python("-c", "from algo import train\n" + RUN, cwd=project.path)
    assert there == code_of(project.load("algo:train"))


# Notebooks and prompts

CELL = """
import nets

def train(lr=0.1):
    "Docs."  # Why.
    return helper() + SCALE + nets.Net.width

act = [lambda x: x, lambda x: x + SCALE]
"""


def notebook(
    project, cell=CELL, helper="def helper(): return 1", scale="SCALE = 2", name="train", *, source=True
):
    """What a notebook of three cells gives for ``name``."""
    main = types.ModuleType("__main__")
    cells = [helper, scale, cell]
    for number, text in enumerate(cells):
        namespace = project.cell(text, f"<cell {number}>" if source else None, main)
    return code_of(namespace[name])


def test_a_notebook_counts_under_a_name_of_its_own_with_its_imports(project):
    project.write(FILES)
    assert list(notebook(project)) == [NOTEBOOK, "nets.py"]


def test_comments_and_docstrings_in_a_notebook_change_nothing(project):
    project.write(FILES)
    assert notebook(project, "# More.\n" + CELL.replace("Docs", "More docs")) == notebook(project)


@pytest.mark.parametrize("source", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"cell": CELL.replace("0.1", "0.2").replace("+ SCALE", "- SCALE")},
        {"helper": "def helper(): return 2"},
        {"scale": "SCALE = 3"},
    ],
)
def test_code_and_constants_of_any_cell_that_is_used_count(project, change, source):
    project.write(FILES)
    assert changed(notebook(project, source=source), notebook(project, **change, source=source)) == [
        NOTEBOOK
    ]


def test_attributes_are_not_taken_for_globals_of_a_notebook(project):
    cell = "def train(args=None): return args.SCALE"
    assert notebook(project, cell) == notebook(project, cell, scale="SCALE = 3")


def test_a_class_of_a_notebook_counts_by_its_methods(project):
    def cell(value):
        return f"class Trainer:\n    @staticmethod\n    def fit(): return {value}\n"

    before = notebook(project, cell(1), name="Trainer")
    assert notebook(project, cell(1), name="Trainer") == before
    assert changed(before, notebook(project, cell(2), name="Trainer")) == [NOTEBOOK]


# Odd things


class Raises:
    def __getattribute__(self, name):
        raise RuntimeError(name)


class Unset:
    def method(self):
        return later  # noqa: F821


@pytest.mark.parametrize(
    "thing",
    [
        len,
        math.sin,
        np.sin,
        np.zeros(3),
        "".join,
        int,
        None,
        object(),
        threading.Lock(),
        (i for i in range(3)),
        mock.MagicMock(),
        functools.partial(len),
        functools.singledispatch(len),
        type("Made", (), {"__module__": 3}),
        type("Made", (), {"__module__": "nowhere"}),
        types.FunctionType((lambda: 1).__code__, {}),
        types.FunctionType((lambda: 1).__code__, {"__name__": "nowhere", "__file__": "\0.py"}),
        types.ModuleType("empty"),
        sys,
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_things_without_source_contribute_nothing(thing):
    assert code_of(thing, [thing]) == {}


def test_objects_that_fail_when_looked_at_do_no_harm():
    def closes_over_nothing():
        return later

    things = [Raises(), closes_over_nothing, mock.MagicMock(spec=Unset), Unset().method]
    labels = list(code_of(Unset, things))
    assert labels == list(code_of(Unset))
    later = None


def test_containers_that_hold_themselves_do_no_harm():
    loop = []
    loop.append({"loop": loop})
    assert code_of(len, [loop]) == {}
