import math

import pytest
from cli.made_runs import held, make_run
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli.look import last_return, look_at


def test_a_run_that_says_it_runs_is_believed_while_its_lock_is_held(tmp_path):
    directory = make_run(tmp_path, state="running")
    with held(directory) as process:
        assert look_at(directory).state == "running"
        process.kill()
        process.wait()
        look = look_at(directory)
    assert (look.state, look.is_live) == ("interrupted", False)


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        ("done", None, "done"),
        ("failed", "exception", "failed"),
        ("failed", "interrupted", "interrupted"),
        ("failed", "signal SIGKILL", "failed"),
        ("running", None, "interrupted"),
        ("queued", None, "interrupted"),
        (None, None, "unknown"),
    ],
)
def test_the_state_of_a_run_that_nobody_runs(tmp_path, state, reason, expected):
    assert look_at(make_run(tmp_path, state=state, reason=reason)).state == expected


def test_looking_leaves_nothing_and_takes_no_lock_away(tmp_path):
    directory = make_run(tmp_path, state="running")
    lock = directory.with_name(f".{directory.name}.lock")
    lock.write_text("")
    before = sorted(tmp_path.rglob("*"))
    look_at(directory)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_of_another_machine_is_taken_at_its_word_while_it_has_a_lock(tmp_path):
    directory = make_run(tmp_path, state="running", host="gpu07")
    lock = directory.with_name(f".{directory.name}.lock")
    lock.write_text("")
    assert (look_at(directory).state, look_at(directory).is_elsewhere) == ("running", True)
    lock.unlink()
    assert look_at(directory).state == "interrupted"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": "flying"}', "\xff"])
def test_a_damaged_status_is_an_unknown_state(tmp_path, content):
    directory = make_run(tmp_path)
    (directory / "status.json").write_text(content, encoding="latin-1")
    look = look_at(directory)
    assert (look.state, look.exp_name, look.seed) == ("unknown", "g_lr1", 0)
    assert "status.json" in look.reason


def test_a_directory_of_spinning_up_has_a_name_and_a_seed(tmp_path):
    directory = make_run(tmp_path, "x", 3, state=None)
    (directory / "config.json").unlink()
    look = look_at(directory)
    assert (look.exp_name, look.seed, look.reason) == ("x", 3, "no status.json")


@pytest.mark.parametrize(
    ("returns", "expected"),
    [((), None), ((3,), 3.0), (range(10), 7.0), ((1, "", "", 3), 2.0), (("", ""), None)],
)
def test_the_last_return_is_the_mean_of_the_last_five_rows_that_have_one(tmp_path, returns, expected):
    assert last_return(make_run(tmp_path, returns=returns) / "progress.txt") == expected


def test_nan_is_told(tmp_path):
    assert math.isnan(last_return(make_run(tmp_path, returns=(1.0, "nan")) / "progress.txt"))


def test_a_torn_last_line_does_not_count(tmp_path):
    progress = make_run(tmp_path, returns=(4,)) / "progress.txt"
    with progress.open("a") as file:
        file.write("1\t9")
    assert last_return(progress) == 4.0


def test_of_a_long_table_only_the_ends_are_read(tmp_path, monkeypatch):
    progress = make_run(tmp_path, returns=()) / "progress.txt"
    with progress.open("a") as file:
        file.truncate(1 << 34)  # a hole of 16 GiB
        file.seek(0, 2)
        file.write("\n" + "".join(f"0\t{value}\n" for value in range(6)))
    assert last_return(progress) == 3.0


@pytest.mark.parametrize("text", ["", "\n", "Epoch\n1\n", "a\tb", "\xff\xfe\n\x00\n"])
def test_a_table_without_a_return_has_none(tmp_path, text):
    (tmp_path / "progress.txt").write_text(text, encoding="latin-1")
    assert last_return(tmp_path / "progress.txt") is None


def test_no_table_is_no_return(tmp_path):
    (tmp_path / "link").symlink_to(make_run(tmp_path) / "progress.txt")
    assert (
        last_return(tmp_path / "nothing") is last_return(tmp_path) is last_return(tmp_path / "link") is None
    )


@given(returns=st.lists(st.floats(-1e9, 1e9), max_size=30), width=st.sampled_from([1, 100, 5_000]))
def test_how_wide_rows_are_makes_no_difference(tmp_path_factory, returns, width):
    path = tmp_path_factory.mktemp("run") / "progress.txt"
    rows = [f"{'x' * width}\t{value!r}\n" for value in returns]
    path.write_text("".join(["Note\tEpRet\n", *rows]))
    expected = math.fsum(returns[-5:]) / len(returns[-5:]) if returns else None
    assert last_return(path) == expected
