import os
import pty
import subprocess
import sys
import threading

import pytest
from cli.made_runs import held, make_run
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli import logs
from spinup.cli.logs import Tail, Tame
from spinup.cli.main import main


@pytest.fixture
def run(tmp_path):
    directory = make_run(tmp_path, state="failed", reason="exception", message="ValueError: boom")
    (directory / "output.log").write_text("one\ntwo\nthree\n")
    return directory


def logs_of(run, *arguments):
    return main(["logs", str(run), *arguments])


def test_all_that_was_printed(run, capsys):
    assert logs_of(run) == 0
    assert capsys.readouterr().out == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("number", "expected"), [(0, ""), (1, "three\n"), (2, "two\nthree\n"), (9, "one\ntwo\nthree\n")]
)
def test_the_last_lines(run, capsys, number, expected):
    assert logs_of(run, "-n", str(number)) == 0
    assert capsys.readouterr().out == expected


@given(
    lines=st.lists(st.text("ab", max_size=3), max_size=20), number=st.integers(0, 25), ends=st.booleans()
)
def test_the_last_lines_whatever_the_chunks(tmp_path_factory, lines, number, ends):
    path = tmp_path_factory.mktemp("run") / "output.log"
    text = "\n".join(lines) + "\n" * ends
    path.write_text(text)
    read = []
    before, logs._CHUNK_BYTES = logs._CHUNK_BYTES, 4
    try:
        tail = Tail(path, read.append, number)
        tail.read()
        tail.close()
    finally:
        logs._CHUNK_BYTES = before
    kept = text.splitlines(keepends=True)
    assert b"".join(read).decode() == "".join(kept[max(0, len(kept) - number) :] if number else [])


def test_the_traceback_alone(run, capsys):
    (run / "error.txt").write_text("Traceback\nValueError: boom\n")
    assert logs_of(run, "--error") == 0
    assert capsys.readouterr().out == "Traceback\nValueError: boom\n"


def test_without_a_traceback_it_says_what_is_known(run, capsys):
    assert logs_of(run, "--error") == 1
    assert "has left no traceback. It is failed: exception: ValueError: boom." in capsys.readouterr().err


@pytest.mark.parametrize(("state", "code"), [("done", 0), ("failed", 1), ("running", 1)])
def test_following_what_has_ended_ends_as_it_did(tmp_path, capsys, state, code):
    directory = make_run(tmp_path, state=state)
    (directory / "output.log").write_text("all\n")
    assert logs_of(directory, "-f") == code
    assert capsys.readouterr().out == "all\n"


def test_following_goes_on_until_the_run_has_ended(tmp_path):
    directory = make_run(tmp_path, state="running")
    with held(directory) as holder:
        command = [sys.executable, "-m", "spinup", "logs", "-f", directory]
        follower = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert follower.poll() is None
        (directory / "output.log").write_text("first\n")  # it appears
        assert follower.stdout.readline() == b"first\n"
        with (directory / "output.log").open("a") as file:
            file.write("second\n")
        assert follower.stdout.readline() == b"second\n"
        assert follower.poll() is None
        holder.kill()
        holder.wait()
        out, _ = follower.communicate(timeout=60)
    assert (out, follower.returncode) == (b"", 1)


def test_a_file_that_is_cut_or_begun_anew_is_read_on(tmp_path):
    path, read = tmp_path / "output.log", []
    tail = Tail(path, read.append)
    assert not tail.read()
    path.write_text("first\n")
    assert tail.read()
    path.write_text("2\n")  # cut
    tail.read()
    (tmp_path / "new").write_text("third\n")
    with path.open("a") as file:
        file.write("late\n")
    os.replace(tmp_path / "new", path)
    tail.read()
    assert not tail.read()
    tail.close()
    assert b"".join(read) == b"first\n2\nlate\nthird\n"


@pytest.mark.parametrize("make", [lambda p: p.symlink_to("/etc/passwd"), os.mkfifo, lambda p: p.mkdir()])
def test_what_is_no_plain_file_is_not_read(tmp_path, capsys, make):
    directory = make_run(tmp_path)
    make(directory / "output.log")
    assert logs_of(directory) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain\ttab\r\n", "plain\ttab\r\n"),
        (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        (b"\x1b[2J\x1b[H\x1b[6n", "\\x1b[2J\\x1b[H\\x1b[6n"),
        (b"\x1bPq\x1b\\", "\\x1bPq\\x1b\\"),
        ("\x9b2J\u202e".encode(), "\\x9b2J\\u202e"),
        (b"\xff", "\ufffd"),
        (b"torn\x1b[3", "torn\\x1b[3"),
    ],
)
def test_to_a_terminal_only_colours_go_as_they_are(raw, shown):
    tame = Tame(with_color=True)
    assert tame(raw) + tame(b"") == shown


@given(raw=st.binary(max_size=200), cut=st.integers(0, 200))
def test_no_stream_can_do_more_to_a_terminal_than_colour(raw, cut):
    whole, parts = Tame(with_color=False), Tame(with_color=False)
    text = whole(raw) + whole(b"")
    assert not set(text) & {chr(code) for code in (*range(8), 11, 12, *range(14, 32), *range(127, 160))}
    if raw[:cut] and raw[cut:]:
        assert parts(raw[:cut]) + parts(raw[cut:]) + parts(b"") == text


def test_a_colour_that_comes_in_two_pieces_is_one():
    tame = Tame(with_color=True)
    assert tame(b"a\x1b[3") + tame(b"1mb") == "a\x1b[31mb"


def test_without_colours_their_codes_are_left_out():
    assert Tame(with_color=False)(b"\x1b[31mred\x1b[0m") == "red"


@pytest.mark.parametrize(
    ("no_color", "expected"), [("", b"\x1b[31mred\x1b[0m\\x1b]0;x\\x07"), ("1", b"red\\x1b]0;x\\x07")]
)
def test_a_terminal_is_not_harmed(run, no_color, expected):
    (run / "output.log").write_bytes(b"\x1b[31mred\x1b[0m\x1b]0;x\x07")
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": no_color}
    command = [sys.executable, "-m", "spinup", "logs", run]
    shown = []
    reader = threading.Thread(target=lambda: shown.append(os.read(master, 1 << 16)))
    reader.start()
    subprocess.run(command, stdout=slave, env=environment, check=True)
    reader.join()
    os.close(slave)
    os.close(master)
    assert shown == [expected]


def test_a_run_that_no_launcher_has_run_has_no_log(tmp_path, capsys):
    assert logs_of(make_run(tmp_path, state=None)) == 1
    assert "has no output.log" in capsys.readouterr().err


def test_an_error_cannot_be_followed(run, capsys):
    assert logs_of(run, "-f", "--error") == 2
    assert "cannot be followed" in capsys.readouterr().err
