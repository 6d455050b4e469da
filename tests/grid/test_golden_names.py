import pytest
from grid.golden import GOLDEN, decode, outline

from spinup import ExperimentGrid, setup_logger_kwargs
from spinup.grid.names import default_shorthand, value_string


def make_grid(case):
    eg = ExperimentGrid(name=case["name"])
    for parameter in case["params"]:
        eg.add(parameter["key"], decode(parameter["vals"]), parameter["shorthand"], parameter["in_name"])
    return eg


@pytest.mark.parametrize("case", GOLDEN["grids"], ids=lambda case: case["names"][0] or "empty")
def test_variants_and_names_are_spinning_ups(case):
    eg = make_grid(case)
    variants = eg.variants()
    assert [outline(variant) for variant in variants] == [outline(decode(v)) for v in case["variants"]]
    assert [eg.variant_name(variant) for variant in variants] == case["names"]
    assert [name for _, name in eg.named_variants()] == case["names"]
    assert len(eg) == len(case["variants"])


@pytest.mark.parametrize(("value", "text"), GOLDEN["value_strings"])
def test_values_read_as_in_spinning_up(value, text):
    assert value_string(decode(value)) == text


@pytest.mark.parametrize(("key", "shorthand"), GOLDEN["default_shorthands"])
def test_shorthands_are_spinning_ups(key, shorthand):
    assert default_shorthand(key) == shorthand


@pytest.mark.parametrize(("arguments", "answer"), GOLDEN["logger_kwargs"])
def test_directories_are_spinning_ups(arguments, answer):
    assert setup_logger_kwargs(**arguments) == answer
