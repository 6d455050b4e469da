import math
import sys
import types
from pathlib import Path

import pytest
from click import UsageError

from spinup.cli.names import Resolver
from spinup.cli.values import MISSING


@pytest.fixture
def resolver(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    notes = []
    made = Resolver({"math": math, "m": math, "number": 3, "Path": Path}, notes.append)
    made.notes = notes
    return made


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("math.sqrt", math.sqrt),
        ("m.pi", math.pi),
        ("Path.home", Path.home),
        ("json.decoder.JSONDecoder", None),
    ],
)
def test_a_name_is_found_through_what_the_module_knows_or_in_full(resolver, text, value):
    import json.decoder

    assert resolver(text) == (json.decoder.JSONDecoder if value is None else value)


@pytest.mark.parametrize(
    "text",
    [
        "sqrt",
        "math",
        "number.real",
        "math.pi.real",
        "os.path",
        "json.decoder",
        "no_such_module.f",
        "math.__loader__",
        "__builtins__.eval",
        "a..b",
        "math.sqrt()",
        "math .sqrt",
        "x" * 300 + ".y",
    ],
)
def test_anything_else_is_not_found(resolver, text):
    assert resolver(text) is MISSING


def test_what_is_nearly_a_name_is_noted(resolver):
    assert resolver("math.sqrtt") is MISSING
    assert resolver.notes == ["'math.sqrtt' is taken as text: math has no sqrtt; did you mean sqrt?"]


def test_a_module_is_imported_only_if_its_source_has_the_name(resolver):
    source = "import pathlib\npathlib.Path('imported').touch()\ndef py(): pass\ndef f(): pass\n"
    Path("own_eager.py").write_text(source)
    assert [resolver(text) for text in ("own_eager.g", "own_eager.py", "own_eager.x.f")] == [MISSING] * 3
    assert not Path("imported").exists()
    assert resolver("own_eager.f") is sys.modules["own_eager"].f
    assert Path("imported").exists()


def test_a_directory_is_no_module(resolver):
    Path("own_results").mkdir()
    assert resolver("own_results.csv") is MISSING
    assert resolver.notes == []


def test_a_module_of_a_package_is_found(resolver):
    Path("own_package/inner").mkdir(parents=True)
    Path("own_package/__init__.py").write_text("")
    Path("own_package/inner/__init__.py").write_text("from own_package.inner.deep import *\n")
    Path("own_package/inner/deep.py").write_text("def f(): pass\n")
    assert resolver("own_package.inner.f").__module__ == "own_package.inner.deep"
    assert resolver("own_package.inner.deep.f") is resolver("own_package.inner.f")


def test_a_module_that_fails_is_an_error(resolver):
    Path("own_failing.py").write_text("def f(): pass\nraise ValueError('no')\n")
    with pytest.raises(UsageError, match="is in own_failing, which cannot be imported"):
        resolver("own_failing.f")


def test_attributes_that_are_computed_may_fail(resolver, monkeypatch):
    class Hostile(types.ModuleType):
        def __getattr__(self, name):
            raise RuntimeError(name)

    monkeypatch.setitem(resolver._namespace, "h", Hostile("own_hostile"))
    assert resolver("h.f") is MISSING
