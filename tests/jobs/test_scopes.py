import argparse
import ast
import asyncio.tasks
import dataclasses
import dis
import types
from pathlib import Path

import pytest

from spinup.jobs.scopes import Scope


def scope_of(source):
    return Scope([ast.parse(source)])


def global_names(code):
    """What the compiled code really looks up among the globals."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return names.union(*map(global_names, inner))


@pytest.mark.parametrize("module", [argparse, asyncio.tasks, dataclasses, ast])
def test_all_globals_that_a_function_looks_up_are_used(module):
    tree = ast.parse(Path(module.__file__).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions
    for node in functions:
        names = global_names(compile(ast.Module([node], []), "here", "exec"))
        assert names <= Scope([node]).used


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("def f(a, /, b, *c, d, **e): return a, b, c, d, e, g", {"g"}),
        ("def f():\n  x = 1\n  return x", set()),
        ("def f():\n  import x.y\n  return x", set()),
        ("def f():\n  for x in y: pass\n  return x", {"y"}),
        ("def f():\n  with y as x: return x", {"y"}),
        ("def f():\n  try: y\n  except E as x: x", {"y", "E"}),
        ("def f():\n  match y:\n    case [x, *z] | {'k': x, **w}: x, z, w", {"y"}),
        ("def f():\n  if (x := y): return x", {"y"}),
        ("def f():\n  global x\n  x = 1", {"x"}),
        ("def f():\n  x = 1\n  def g():\n    nonlocal x\n    x = y\n  return g", {"y"}),
        ("def f():\n  return [x for x in y]", {"y"}),
        ("def f():\n  [x for x in y]\n  return x", {"x", "y"}),
        ("def f():\n  return lambda x, z=w: x + y", {"w", "y"}),
        ("def f(a: A = b, *c: C) -> D: pass", {"A", "b", "C", "D"}),
        ("@d\ndef f(): pass", {"d"}),
        ("class K(B, metaclass=M):\n  x = y\n  def g(self): return x", {"B", "M", "x", "y"}),
        ("def f():\n  def g(): return h()\n  def h(): return y\n  return g", {"y"}),
    ],
)
def test_what_is_bound_inside_is_not_used_outside(source, used):
    assert scope_of(source).used == used


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("x, (y, *z) = 1, (2,)", {"x", "y", "z"}),
        ("x: int = 1", {"x"}),
        ("x += 1", {"x"}),
        ("import a.b, c as d", {"a", "d"}),
        ("from a import b, c as d", {"b", "d"}),
        ("from a import *", {"*"}),
        ("async def f(x): y = 1", {"f"}),
        ("class K:\n  x = 1", {"K"}),
        ("[x for x in y]", set()),
        ("del x", {"x"}),
    ],
)
def test_what_statements_bind(source, bound):
    assert scope_of(source).bound == bound


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x.a = 1", {"x"}),
        ("x['a'].b += 1", {"x"}),
        ("del x[0]", {"x"}),
        ("f().a = 1", set()),
        ("y = x.a", set()),
        ("def f(): x.a = 1", {"x"}),
        ("def f(x): x.a = 1", set()),
        ("def f():\n  global x\n  x = 1", {"x"}),
        ("def f():\n  x = {}\n  x[1] = 2", set()),
    ],
)
def test_what_statements_change(source, changed):
    assert scope_of(source).changed == changed
