import pytest
from cli.rendering import render
from click import UsageError
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli.flags import CommandLine, Flag, parse

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
TERMS = st.text(
    st.characters(exclude_categories=["Cs", "Z", "C"], exclude_characters="[]={}:+"), min_size=1
).filter(lambda term: not term.startswith("-"))
KEYS = st.lists(TERMS, min_size=1, max_size=3).map(":".join).filter(lambda key: key != "help")
SHORTHANDS = st.none() | TERMS.filter(lambda text: not set(text) & set("[]="))
FLAGS = st.builds(Flag, KEYS, st.lists(TEXTS, max_size=4).map(tuple), SHORTHANDS, st.booleans())
TARGETS = st.none() | TEXTS.filter(lambda text: not text.startswith("-") and text != "help")
LINES = st.builds(
    CommandLine,
    TARGETS,
    st.lists(FLAGS, max_size=5, unique_by=lambda flag: (flag.key, flag.is_own)).map(tuple),
    st.none() | st.lists(TEXTS, max_size=4).map(tuple),
    st.booleans(),
)
WORDS = st.lists(
    TEXTS | st.sampled_from(["--", "--lr", "--lr=", "-1", "--+x", "--hid[h]", "--help", "-x", "ars"])
)


def texts(*words):
    return {flag.key: flag.texts for flag in parse(["f", *words]).flags}


@given(LINES)
def test_what_is_rendered_is_parsed_again(line):
    assert parse(render(line)) == line


@given(WORDS)
def test_any_words_are_a_command_line_or_a_usage_error(words):
    try:
        line = parse(words)
    except UsageError:
        return
    assert parse(render(line)) == line


def test_values_follow_their_flag():
    assert texts("--env", "CartPole-v1", "Acrobot-v1", "--seed", "0", "10", "20") == {
        "env": ("CartPole-v1", "Acrobot-v1"),
        "seed": ("0", "10", "20"),
    }


def test_a_flag_can_stand_alone():
    assert texts("--use_gae", "--dt") == {"use_gae": (), "dt": ()}


def test_a_shorthand_is_in_brackets():
    (flag,) = parse(["f", "--hid[h]", "[32,32]", "[64,64]"]).flags
    assert flag == Flag("hid", ("[32,32]", "[64,64]"), "h")


def test_a_value_can_follow_an_equals_sign():
    assert texts("--lr=1e-3", "1e-4", "--delta=--x=y", "--name=") == {
        "lr": ("1e-3", "1e-4"),
        "delta": ("--x=y",),
        "name": ("",),
    }


def test_a_repeated_flag_adds_values():
    assert texts("--lr", "1", "--seed", "0", "--lr[l]", "2") == {"lr": ("1", "2"), "seed": ("0",)}
    assert parse(["f", "--lr", "1", "--lr[l]", "2"]).flags[0].shorthand == "l"


@pytest.mark.parametrize("number", ["-1", "-.5", "-1e-3", "-inf", "-nan", "-3:3", "-", "-(1)"])
def test_a_negative_number_is_a_value(number):
    assert texts("--x", number) == {"x": (number,)}


def test_what_is_behind_two_dashes_is_a_command():
    line = parse(["--lr", "1", "--", "python", "train.py", "--", "--help"])
    assert line.command == ("python", "train.py", "--", "--help")
    assert (line.target, line.wants_help) == (None, False)


def test_a_plus_reaches_what_an_option_hides():
    assert parse(["f", "--+timeout", "3", "--timeout", "4"]).flags == (
        Flag("timeout", ("3",), is_own=True),
        Flag("timeout", ("4",)),
    )


@pytest.mark.parametrize(
    "words", [["--help"], ["help"], ["ars", "--help"], ["ars", "-h", "--lr", "1"], ["ars", "help"]]
)
def test_help_is_asked_for_anywhere_before_the_command(words):
    assert parse(words).wants_help


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["f", "-lr", "1"], "'-lr' is neither"),
        (["f", "g"], "'g' follows no flag"),
        (["f", "--a:"], "'--a:' is no flag"),
        (["f", "---a"], "'---a' is no flag"),
        (["f", "--=3"], "is no flag"),
        (["f", "--a b", "3"], "is no flag"),
        (["f", "--a[x", "3"], "is no flag"),
        (["f", "--a", "--a", "3"], "both with a value and without"),
        (["f", "--a[x]", "1", "--a[y]", "2"], "two shorthands, 'x' and 'y'"),
    ],
)
def test_an_error_names_what_is_wrong(words, says):
    with pytest.raises(UsageError) as raised:
        parse(words)
    assert says in raised.value.message
