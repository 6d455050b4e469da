import numpy as np
import pytest

import spinup.user_config
from spinup import ExperimentGrid
from spinup.errors import GridError, GridKeyError


@pytest.fixture
def eg():
    return ExperimentGrid(name="g")


def test_a_value_that_is_no_list_is_one_value(eg):
    eg.add("hid", (64, 64))
    eg.add("env", "CartPole-v1")
    assert eg.vals == [[(64, 64)], ["CartPole-v1"]]


def test_a_range_is_a_list_of_values(eg):
    eg.add("seed", range(3))
    assert eg.vals == [[0, 1, 2]]


def test_a_vector_is_a_list_of_plain_numbers(eg):
    eg.add("lr", np.linspace(0.1, 0.3, 3))
    eg.add("n", np.arange(2))
    assert [type(value) for value in eg.vals[0] + eg.vals[1]] == [float] * 3 + [int] * 2
    assert eg.vals[1] == [0, 1]


def test_a_matrix_is_one_value(eg):
    eg.add("weights", np.eye(2))
    assert len(eg) == 1


def test_the_lists_tell_what_was_added(eg):
    eg.add("lr", [1, 2], "rate", in_name=True)
    eg.add("base:param:a", 3)
    assert eg.keys == ["lr", "base:param:a"]
    assert eg.vals == [[1, 2], [3]]
    assert eg.shs == ["rate", "bas-par-a"]
    assert eg.in_names == [True, False]


def test_without_default_shorthands_names_have_whole_keys(eg, monkeypatch):
    monkeypatch.setattr(spinup.user_config, "DEFAULT_SHORTHAND", False)
    eg.add("learning_rate", [1, 2])
    assert eg.shs == [None]
    assert [name for _, name in eg.named_variants()] == ["g_learning_rate1", "g_learning_rate2"]


def test_changing_the_list_that_was_passed_changes_nothing(eg):
    values = [1, 2]
    eg.add("lr", values)
    values.append(3)
    eg.vals[0].append(4)
    assert eg.vals == [[1, 2]]


@pytest.mark.parametrize("key", ["", ":", "a:", ":a", "a::b"])
def test_an_empty_term_is_an_error(eg, key):
    with pytest.raises(GridError, match="empty term"):
        eg.add(key, 1)


@pytest.mark.parametrize("key", ["exp_name", "thunk", "num_cpu", "data_dir", "datestamp", "data_dir:x"])
def test_a_reserved_key_is_an_error(eg, key):
    with pytest.raises(GridError, match="reserved"):
        eg.add(key, 1)


@pytest.mark.parametrize("key", [1, None, ("a",), b"a"])
def test_a_key_that_is_no_string_is_an_error(eg, key):
    with pytest.raises(GridKeyError, match="must be a string"):
        eg.add(key, 1)


def test_a_shorthand_that_is_no_string_is_an_error(eg):
    with pytest.raises(GridKeyError, match="shorthand of 'a'"):
        eg.add("a", 1, shorthand=5)


@pytest.mark.parametrize("values", [[], range(0), np.array([])])
def test_no_values_is_an_error(eg, values):
    with pytest.raises(GridError, match="no values"):
        eg.add("a", values)


def test_a_key_added_twice_is_an_error(eg):
    eg.add("a", 1)
    with pytest.raises(GridError, match="added already"):
        eg.add("a", 2)
    assert eg.vals == [[1]]


@pytest.mark.parametrize(("first", "second"), [("a", "a:b"), ("a:b", "a"), ("a:b", "a:b:c")])
def test_a_key_and_its_own_prefix_exclude_each_other(eg, first, second):
    eg.add(first, 1)
    with pytest.raises(GridError, match="exclude each other"):
        eg.add(second, 2)


def test_keys_that_begin_alike_are_no_prefixes(eg):
    eg.add("a:b", 1)
    eg.add("a:bc", 2)
    eg.add("ab", 3)
    assert eg.variants() == [{"a": {"b": 1, "bc": 2}, "ab": 3}]
