import inspect
import os
import pickle
import signal
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup import ExperimentFailed, call_experiment
from spinup.errors import ThunkError
from spinup.fingerprint import fingerprint
from spinup.utils.shell import ShellCommand, check_command, fill

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(TEXTS, TEXTS, TEXTS)
def test_a_value_is_put_in_as_it_is(before, value, after):
    word = (
        before.replace("{", "{{").replace("}", "}}") + "{x}" + after.replace("{", "{{").replace("}", "}}")
    )
    assert fill(word, {"x": value}) == before + value + after


@given(TEXTS)
def test_any_word_is_filled_or_refused(word):
    try:
        names = ShellCommand(("echo", word)).placeholders
    except ThunkError:
        return
    values = {name: "x" for name in names if ":" not in name}
    if len(values) == len(names):
        assert fill(word, values).count("x") >= len(names)


def test_a_placeholder_reaches_into_a_dict():
    assert fill("{ac_kwargs:hid}x{a}", {"ac_kwargs": {"hid": [32]}, "a": None}) == "[32]xNone"
    with pytest.raises(ThunkError, match="no value"):
        fill("{ac_kwargs:nope}", {"ac_kwargs": {}})


def test_the_signature_is_the_placeholders():
    command = ShellCommand(("x", "{lr}{ac:b}", "{output_dir}", "{seed}"))
    assert list(inspect.signature(command).parameters) == ["lr", "ac", "seed", "logger_kwargs"]


def test_a_command_is_sent_by_reference_and_has_one_fingerprint():
    command = ShellCommand(("x", "{lr}"))
    assert pickle.loads(pickle.dumps(command)) == command
    assert fingerprint(command) == fingerprint(ShellCommand(("x", "{lr}")))
    assert fingerprint(command) != fingerprint(ShellCommand(("x", "{lr}", "y")))


def test_text_files_that_are_named_are_sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.sh").write_text("echo\n")
    Path("b.bin").write_bytes(b"\0\xff")
    Path("c.txt").write_text("x" * (1 << 21))
    Path("d").mkdir()
    Path("{e}").write_text("e\n")
    command = ShellCommand(("sh", "a.sh", "a.sh", "b.bin", "c.txt", "d", "{e}", "", "no\0file", "x" * 5000))
    assert command.source_files == [str(tmp_path / "a.sh")]


def test_a_file_that_cannot_be_executed_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run.sh").write_text("#!/bin/sh\n")
    with pytest.raises(ThunkError, match=r"chmod \+x"):
        check_command(ShellCommand(("./run.sh",)))
    os.chmod("run.sh", 0o755)
    check_command(ShellCommand(("./run.sh",)))
    check_command(ShellCommand(("{program}",)))


def test_a_program_gets_the_runs_own_values_in_its_environment(tmp_path):
    script = (
        "import os; print([os.environ['SPINUP_' + name] for name in ('OUTPUT_DIR', 'EXP_NAME', 'SEED')])"
    )
    record = call_experiment("e", ShellCommand((sys.executable, "-c", script)), seed=7, data_dir=tmp_path)
    assert (record.directory / "output.log").read_text() == f"{[str(record.directory), 'e', '7']}\n"


def test_a_program_that_has_gone_is_said(tmp_path):
    with pytest.raises(ExperimentFailed, match="cannot be started"):
        call_experiment("e", ShellCommand(("{program}",)), data_dir=tmp_path, program="no-such-program")


@pytest.mark.parametrize(
    ("number", "reason"), [(signal.SIGKILL, "signal SIGKILL"), (signal.SIGABRT, "signal SIGABRT")]
)
def test_a_signal_is_the_runs(tmp_path, number, reason):
    command = ShellCommand(
        (sys.executable, "-c", "import os, sys; os.kill(os.getpid(), int(sys.argv[1]))", "{number}")
    )
    with pytest.raises(ExperimentFailed) as raised:
        call_experiment("e", command, data_dir=tmp_path, number=int(number))
    assert raised.value.record.reason == reason


WRAPPER = "import sys; from spinup.utils.shell import ShellCommand; ShellCommand(tuple(sys.argv[1:]))()"
SLOW_TO_END = """
import os, signal, sys

def end(*_):
    print("asked", flush=True)
    sys.stdin.readline()
    print("saved, and waited for" if os.getppid() == wrapper else "left behind", flush=True)
    sys.exit(0)

wrapper = os.getppid()
signal.signal(signal.SIGTERM, end)
os.kill(wrapper, signal.SIGTERM)  # as a launcher does, to all of the run
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_program_that_is_to_stop_is_waited_for_and_has_not_ended_well():
    words = [sys.executable, "-c", WRAPPER, sys.executable, "-c", SLOW_TO_END]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "asked\n"
        out, _ = process.communicate("go on\n", timeout=60)
    assert out == "saved, and waited for\n"
    assert process.returncode == -signal.SIGTERM


def test_a_program_can_be_waited_for_in_any_thread():
    with futures.ThreadPoolExecutor() as pool:
        pool.submit(ShellCommand((sys.executable, "-c", ""))).result()


def test_signals_do_afterwards_what_they_did_before():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    ShellCommand((sys.executable, "-c", ""))()
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before
