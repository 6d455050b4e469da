import ast
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinup
from spinup.jobs.syntax import bytes_hash, parse, syntax_hash

OURS = sorted(Path(spinup.__file__).parent.rglob("*.py"))[::4]
CODE = '''
"""What the module does."""

import math

RATES = [1e-3, 0.5, 10]


class Net:
    """What the class does."""

    width: int = 64

    def forward(self, x, *, scale=2.0):
        """What the method does."""
        return [math.tanh(scale * item) + self.width for item in x if item != "none"]


async def train(net, /, *rest, **options):
    for step in range(0x10):
        print(f"step {step:>{len(rest)}} of {options['steps']!r}", b"\\x00", 2j, ..., None, True)
'''


def hash_of(source):
    return syntax_hash(parse(source))


def numbers_in(source):
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_layout_and_comments_do_not_enter(path):
    source = path.read_text()
    assert hash_of(ast.unparse(ast.parse(source))) == hash_of(source)


@given(st.data())
def test_comments_and_blank_lines_between_any_lines_do_not_enter(data):
    lines = [
        line + data.draw(st.sampled_from(["", "  ", "  # why", "\n", "\n# why", "\n\n\n  # x = 1"]))
        for line in CODE.splitlines()
        if '"""' not in line
    ]
    plain = [line for line in CODE.splitlines() if '"""' not in line]
    assert hash_of("\n".join(lines)) == hash_of("\n".join(plain))


@given(st.integers(0, len(numbers_in(CODE)) - 1))
def test_any_constant_enters_but_a_docstring(index):
    tree = ast.parse(CODE)
    constant = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)][index]
    is_docstring = isinstance(constant.value, str) and constant.value.startswith("What the")
    constant.value = "another"
    assert (syntax_hash(tree) == hash_of(CODE)) == is_docstring


@given(st.randoms(use_true_random=False))
def test_any_change_of_the_tree_enters(rng: random.Random):
    tree = ast.parse(CODE)
    # Not f-strings: Python 3.12 puts parts into them that say nothing.
    nodes = [node for node in ast.walk(tree) if not isinstance(node, ast.JoinedStr)]
    lists = [value for node in nodes for value in vars(node).values() if isinstance(value, list) and value]
    rng.choice(lists).pop()
    assert syntax_hash(tree) != hash_of(CODE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 'a'", 'x = "a"'),
        ("x = ('a' 'b')", "x = 'ab'"),
        ("x = u'a'", "x = 'a'"),
        ("x = 1_000", "x = 1000"),
        ("x = 0x10", "x = 16"),
        ("f(1, 2,)", "f(1,\n  2)"),
        ("def f(): 'doc'\n", "def f(): pass\n"),
        ("class A:\n  x = 1\n  'what x is'", "class A:\n  x = 1"),
        ("if x: y", "if (x):\n    y\n    ...\n"),
        ("x = 1  # type: int", "x = 1"),
        ("\ufeffx = 1", "x = 1"),
        ("x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
    ],
)
def test_the_same_code_spelled_otherwise_has_the_same_hash(one, other):
    assert hash_of(one.encode()) == hash_of(other.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 1", "x = '1'"),
        ("x = 'a'", "x = b'a'"),
        ("x = None", "x = ..."),
        ("x = ''", "x = 'a'"),
        ("x = []", "x = ['']"),
        ("f('')", "f()"),
        ("x = f'{y}'", "x = f'{y!r}'"),
        ("x = f'{y}'", "x = f'{y:}a'"),
        ("x = {**a, b: c}", "x = {a: b, **c}"),
        ("def f(*, a, b=1): pass", "def f(*, a=1, b): pass"),
        ("if a:\n  b()\n  c()", "if a:\n  b()\nelse:\n  c()"),
        ("x = a + b - c", "x = a - b + c"),
        ("x = a - (b - c)", "x = a - b - c"),
        ("async def f(): pass", "def f(): pass"),
        ("from .a import b", "from a import b"),
        ("x: int = 1", "x = 1"),
        ("return_ = 1", "return_ = -1"),
        ("x = 1e400", "x = -1e400"),
    ],
)
def test_other_code_has_another_hash(one, other):
    assert hash_of(one) != hash_of(other)


def test_the_hash_is_the_same_on_every_python_and_in_every_release():
    # A change here makes every finished run of every user stale.
    assert hash_of(CODE) == "f614ea324a11d6ad"


def test_source_without_a_statement_that_does_something_has_no_hash():
    assert hash_of("# nothing\n'but a docstring'\npass\n") == ""


def test_what_this_python_cannot_read_has_no_tree():
    assert [parse(text) for text in ("x = = 1", b"x = '\xff'", "x = 1\0")] == [None, None, None]


def test_reading_code_gives_no_warning():
    assert parse(r"x = '\d'; y = 1 is 1") is not None


def test_other_encodings_are_read_as_they_say():
    latin = "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")
    assert hash_of(latin) == hash_of("x = 'é'")


def test_a_sum_of_many_terms_and_a_number_of_many_digits_have_a_hash():
    many = " + ".join(["x"] * 1500)
    assert hash_of(f"y = {many}") != hash_of(f"y = {many} + x")
    assert hash_of("y = 0x" + "f" * 9000) != hash_of("y = 0x" + "f" * 9001)


def test_bytes_have_a_hash_of_the_same_length():
    assert len(bytes_hash(b"x")) == len(hash_of("x = 1")) == 16
    assert bytes_hash(b"x") != bytes_hash(b"y")
