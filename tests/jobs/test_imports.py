import ast
import importlib.util
import os
import sys
import types

import numpy as np
import pytest

from spinup.jobs.imports import Module, find_module, imported_names, raw_dict


def names(source, package=""):
    return imported_names(ast.parse(source), package)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a", {"a"}),
        ("import a.b.c as d", {"a", "a.b", "a.b.c"}),
        ("from a import b, c", {"a", "a.b", "a.c"}),
        ("def f():\n  import a", {"a"}),
        ("try: import a\nexcept ImportError: import b", {"a", "b"}),
        ("class A:\n  if x:\n    with y: import a", {"a"}),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING: import a",
            {"typing", "typing.TYPE_CHECKING"},
        ),
        ("if typing.TYPE_CHECKING: import a\nelse: import b", {"b"}),
    ],
)
def test_imports_are_found_wherever_they_run(source, found):
    assert names(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from . import c", {"a", "a.b", "a.b.c"}),
        ("from .c import d", {"a", "a.b", "a.b.c", "a.b.c.d"}),
        ("from ..c import d", {"a", "a.c", "a.c.d"}),
        ("from .. import c", {"a", "a.c"}),
        ("from ... import c", set()),
    ],
)
def test_relative_imports_are_relative_to_the_package(source, found):
    assert names(source, "a.b") == found


def test_a_relative_import_of_a_plain_script_leads_nowhere():
    assert names("from . import c") == set()


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write(path, text="raise SystemExit('imported')"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_modules_are_found_without_being_imported(project):
    init = write(project / "pkg_x/__init__.py")
    sub = write(project / "pkg_x/sub/deep.py")
    assert find_module("pkg_x") == Module("pkg_x", init, (str(project / "pkg_x"),))
    assert find_module("pkg_x.sub.deep") == Module("pkg_x.sub.deep", sub)
    assert find_module("pkg_x.none") is None
    assert find_module("none_x.sub") is None
    assert not any(name.startswith("pkg_x") for name in sys.modules)


def test_a_package_hides_a_module_of_the_same_name(project):
    write(project / "pkg_y/__init__.py")
    write(project / "pkg_y/net.py")
    init = write(project / "pkg_y/net/__init__.py")
    assert find_module("pkg_y.net").file == init


def test_what_was_imported_is_where_it_was_imported_from(project, monkeypatch):
    module = types.ModuleType("mod_z")
    module.__file__ = "/elsewhere/mod_z.py"
    monkeypatch.setitem(sys.modules, "mod_z", module)
    write(project / "mod_z.py")
    assert find_module("mod_z").file == "/elsewhere/mod_z.py"


def test_a_module_that_loads_itself_when_looked_at_is_left_asleep(project, monkeypatch):
    write(project / "lazy_x.py")
    spec = importlib.util.find_spec("lazy_x")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "lazy_x", module)
    spec.loader.exec_module(module)
    assert find_module("lazy_x").file == str(project / "lazy_x.py")


def test_a_finder_that_fails_finds_nothing(monkeypatch):
    class Finder:
        def find_spec(self, *_):
            raise RuntimeError

    monkeypatch.setattr(sys, "meta_path", [Finder()])
    assert find_module("anything_x") is None


@pytest.mark.parametrize(
    "name", ["sys", "zlib", "json", "json.decoder", "numpy", "pytest", "spinup", "tokenize"]
)
def test_libraries_are_no_project(name):
    assert not find_module(name).is_project


@pytest.mark.parametrize(
    ("name", "is_project"),
    [
        ("spinup.jobs.code", False),
        ("spinup.algos.ars", True),
        ("spinup.algos", False),
        ("spinup_extras", True),
    ],
)
def test_of_spinup_the_algorithms_alone_are_project(name, is_project):
    assert Module(name, f"/somewhere/{name.replace('.', '/')}.py").is_project == is_project


def test_algorithms_of_an_installed_spinup_are_project():
    assert Module("spinup.algos.ars", "/v/lib/site-packages/spinup/algos/ars.py").is_project


@pytest.mark.parametrize("folder", ["lib/python3.11/site-packages", "lib/python3/dist-packages"])
def test_a_virtual_environment_inside_the_project_is_no_project(folder):
    assert not Module("lib_x", f"/project/.venv/{folder}/lib_x.py").is_project
    assert Module("lib_x", "/project/lib_x.py").is_project


@pytest.mark.parametrize("file", ["", "/project/x.so", "/project/x.pyc"])
def test_what_has_no_source_is_no_project(file):
    assert not Module("x", file).is_project


@pytest.mark.parametrize(
    ("module", "label"),
    [
        (Module("my_algo", "/a/my_algo.py"), "my_algo.py"),
        (Module("pkg.nets", "/a/src/pkg/nets.py"), "pkg/nets.py"),
        (Module("pkg.sub", "/a/pkg/sub/__init__.py", ("/a/pkg/sub",)), "pkg/sub/__init__.py"),
        (Module("__main__", "/a/launch"), "launch"),
        (Module("pkg.__main__", "/a/pkg/__main__.py"), "pkg/__main__.py"),
    ],
)
def test_labels_do_not_say_where_the_project_lies(module, label):
    assert module.label == label


def test_a_script_started_with_m_has_its_real_name():
    spec = importlib.util.spec_from_file_location("pkg.run", "/a/pkg/run.py")
    module = Module.of({"__name__": "__main__", "__spec__": spec, "__file__": "/a/pkg/run.py"})
    assert (module.name, module.package) == ("pkg.run", "pkg")


def test_namespaces_without_facts_give_a_module_without_a_file():
    assert Module.of({}) == Module("")
    assert Module.of({"__name__": 3, "__file__": None, "__path__": 4}) == Module("")


def test_objects_without_a_namespace_have_an_empty_one():
    class Odd:
        @property
        def __dict__(self):
            raise RuntimeError

    assert [raw_dict(thing) for thing in (3, Odd(), None)] == [{}, {}, {}]
    assert raw_dict(np) is vars(np)
    assert raw_dict(os)["__name__"] == "os"
