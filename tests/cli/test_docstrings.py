import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli.docstrings import parameter_texts, summary_of

GOOGLE = """Trains, and
    goes on.

    More.

    Args:
        lr: Step size
            of all.

        steps (int, optional): How many: many.
        *args: Others.

    Returns:
        loss: A number.
    """
SPINNING_UP = """
    Algorithm

    Args:
        env_fn : A function which creates a copy of the environment.
            The environment must satisfy the API.

        gamma (float): Discount factor. (Always between 0 and 1.)
"""
NUMPY = """Trains.

Parameters
----------
lr : float
    Step size
    of all.
a, b : int
    Sides.
c
    No type.

Returns
-------
loss : float
    A number.
"""
SPHINX = """Trains.

:param lr: Step size
    of all.
:param int steps: How many.
:returns: A number.
"""


@pytest.mark.parametrize(
    ("docstring", "texts"),
    [
        (GOOGLE, {"lr": "Step size of all.", "steps": "How many: many.", "args": "Others."}),
        (
            SPINNING_UP,
            {
                "env_fn": "A function which creates a copy of the environment. "
                "The environment must satisfy the API.",
                "gamma": "Discount factor. (Always between 0 and 1.)",
            },
        ),
        (NUMPY, {"lr": "Step size of all.", "a": "Sides.", "b": "Sides.", "c": "No type."}),
        (SPHINX, {"lr": "Step size of all.", "steps": "How many."}),
        (None, {}),
        ("", {}),
    ],
)
def test_each_style_tells_of_its_parameters(docstring, texts):
    assert parameter_texts(docstring) == texts


def test_the_summary_is_the_first_paragraph():
    assert summary_of(GOOGLE) == "Trains, and goes on."
    assert summary_of(None) == ""


@given(st.text(st.sampled_from("ab :\n-()*\tArgs")))
def test_any_docstring_can_be_read(docstring):
    parameter_texts(f"Args:\n    {docstring}\nParameters\n------\n{docstring}")
