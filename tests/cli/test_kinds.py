import collections.abc
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli.kinds import kind_of

NAMESPACE = {
    "Optional": Optional,
    "Union": Union,
    "Literal": Literal,
    "typing": typing,
    "Path": Path,
    "Annotated": Annotated,
    "Sequence": collections.abc.Sequence,
    "Alias": int | None,
}


@pytest.mark.parametrize(
    ("annotation", "types"),
    [
        (int, {"int"}),
        ("int", {"int"}),
        ("float | None", {"float", "None"}),
        (float | None, {"float", "None"}),
        ("Optional[float]", {"float", "None"}),
        ("typing.Union[int, str]", {"int", "str"}),
        ("Alias", {"int", "None"}),
        ("tuple[int, ...]", {"tuple"}),
        (list[int], {"list"}),
        ("dict[str, int] | None", {"dict", "None"}),
        ("Annotated[int, 'x']", {"int"}),
        ("Path", {"path"}),
        ("None", {"None"}),
    ],
)
def test_an_annotation_says_which_types_fit(annotation, types):
    assert kind_of(annotation, NAMESPACE).types == types


@pytest.mark.parametrize("annotation", [Literal["a", 1], "Literal['a', 1]", "typing.Literal['a', 1]"])
def test_a_literal_says_which_values_fit(annotation):
    assert kind_of(annotation, NAMESPACE).choices == ("a", 1)


@pytest.mark.parametrize(
    "annotation",
    [
        Any,
        "Any",
        "NotImported | int",
        "Sequence[int]",
        "int.__class__",
        "print('x')",
        "[int for x in y]",
        "(",
        object(),
        3,
        [],
        "typing.nope",
        "__import__('os').system('true')",
    ],
)
def test_what_cannot_be_told_allows_anything(annotation):
    assert kind_of(annotation, NAMESPACE) is None


@given(st.text(st.sampled_from("intfloa|[],. Optional()'\"_")))
def test_no_text_of_an_annotation_fails(text):
    kind_of(text, NAMESPACE)
