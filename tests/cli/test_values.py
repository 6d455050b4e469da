import math
from pathlib import Path
from typing import Literal

import pytest
from cli.rendering import render_value
from click import UsageError
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli.kinds import kind_of
from spinup.cli.values import MISSING, read_values

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(TEXTS, inner, max_size=2)
    ),
    max_leaves=6,
)
ANNOTATIONS = [None, str, int, float, bool, list, dict, float | None, Literal["a", 1], str | int, Path]


def read(*texts, annotation=None, resolve=lambda _: MISSING):
    return read_values("--x", texts, None if annotation is None else kind_of(annotation, {}), resolve)


@given(VALUES)
def test_a_value_that_is_rendered_is_read_again(value):
    (again,) = read(render_value(value))
    assert again == value
    assert type(again) is type(value)


@given(TEXTS, st.sampled_from(ANNOTATIONS))
def test_any_text_is_values_or_a_usage_error(text, annotation):
    try:
        values = read(text, annotation=annotation)
    except UsageError:
        return
    assert len(values) >= 1


@given(TEXTS)
def test_a_string_parameter_takes_every_text_as_it_is(text):
    assert read(text, annotation=str) == [text]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 0.001),
        ("-1", -1),
        ("1_000", 1000),
        ("True", True),
        ("None", None),
        ("[32,32]", [32, 32]),
        ("(32,)", (32,)),
        ("{'a':1}", {"a": 1}),
        ("'0:5'", "0:5"),
        ("'3'", "3"),
        ("relu", "relu"),
        ("CartPole-v1", "CartPole-v1"),
        ("true", "true"),
        ("007", "007"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_without_a_type_a_value_is_a_literal_or_else_text(text, value):
    (found,) = read(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("12:30", str, "12:30"),
        ("1", str, "1"),
        ("None", str, "None"),
        ("None", str | None, None),
        ("1", float, 1.0),
        ("inf", float, math.inf),
        ("1e6", int, 1_000_000),
        ("yes", bool, True),
        ("0", bool, False),
        ("False", str | bool, False),
        ("7", str | int, 7),
        ("auto", str | int, "auto"),
        ("1", Literal["a", 1], 1),
        ("[1,2]", tuple[int, ...], (1, 2)),
        ("(1,2)", list[int], [1, 2]),
        ("out/x", Path, Path("out/x")),
        ("{'a': 1}", dict[str, int], {"a": 1}),
    ],
)
def test_a_type_decides(text, annotation, value):
    (found,) = read(text, annotation=annotation)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "annotation", "says"),
    [
        ("abc", float, "--x takes float, not 'abc'"),
        ("1.5", int, "takes int"),
        ("None", float, "takes float"),
        ("2", bool, "takes bool"),
        ("3", list, "takes list"),
        ("adm", Literal["adam", "sgd"], "Did you mean adam?"),
        ("1" + "0" * 400, float, "takes float"),
        ("[32,", None, "the shell splits at spaces"),
        ("32]", None, "the shell splits at spaces"),
        ("0:1:0.1", None, "--x: '0:1:0.1'"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_what_does(text, annotation, says):
    with pytest.raises(UsageError) as raised:
        read(text, annotation=annotation)
    assert says in raised.value.message


def test_a_range_is_many_values_of_the_type():
    assert read("0:3") == [0, 1, 2]
    assert read("0:3", "10", annotation=int) == [0, 1, 2, 10]
    assert [type(value) for value in read("0:2", annotation=float)] == [float, float]


def test_a_flag_alone_is_true_where_that_can_be():
    assert read() == [True]
    assert read(annotation=bool) == [True]
    with pytest.raises(UsageError, match="needs a value: it takes float"):
        read(annotation=float)


def test_a_dotted_name_is_what_it_names_if_it_names_something():
    known = {"m.f": max}
    assert read("m.f", "m.g", resolve=lambda text: known.get(text, MISSING)) == [max, "m.g"]


HOSTILE = [
    "__import__('os').system('true')",
    "().__class__.__bases__[0].__subclasses__()",
    "lambda: 0",
    "[x for x in ()]",
    "f'{1}'",
    "1 if 1 else 2",
    "open('x','w')",
    "eval('1')",
    "exec",
    "2**99999999",
    "'a'*10**10",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_code_is_text(text):
    assert read(text) == [text]


@pytest.mark.parametrize("text", ["-" * 100_000 + "1", "[" * 100_000, "1+" * 50_000 + "1j", "9" * 100_000])
def test_what_is_too_deep_or_too_long_for_a_literal_is_text_or_an_error(text):
    try:
        assert read(text) == [text]
    except UsageError:
        assert text.startswith("[")
