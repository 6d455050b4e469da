import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios

from spinup.utils.views import STOPPING

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOR = re.compile(rb"\x1b\[(?:\d+;)*[34]\d(?:;\d+)*m")


GRID = """
import sys, threading
from spinup import EpochLogger, ExperimentGrid

def train(lr, seed, logger_kwargs):
    with EpochLogger(**logger_kwargs, console=False) as logger:
        logger.log_tabular("Epoch", 7)
        logger.log_tabular("AverageEpRet", 12.5)
        logger.dump_tabular()
    if lr == 3:
        raise ValueError("three is too much")
    if lr == 4:
        threading.Event().wait()

eg = ExperimentGrid(name="g")
eg.add("lr", [int(lr) for lr in sys.argv[2:]])
eg.add("seed", [0, 10])
eg.run(train, data_dir=sys.argv[1], parallel=2)
"""


class Session:
    """A script on a terminal of its own."""

    def __init__(self, tmp_path, *arguments, size=(24, 80), **environment):
        script = tmp_path / "grid.py"
        script.write_text(GRID)
        settings = {
            name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR", "COLUMNS"}
        }
        settings |= {"TERM": "xterm", "SPINUP_WAIT_BEFORE_LAUNCH": "0", **environment}
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, script, tmp_path / "data", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=settings,
            start_new_session=True,
        )
        os.close(slave)
        self.output = b""

    def read_until(self, words):
        while words not in self.output:
            assert self._read(), self.output

    def read_all(self):
        while self._read():
            pass
        os.close(self._master)
        self.process.wait(60)
        return self.output

    def _read(self):
        assert select.select([self._master], [], [], 60)[0], self.output
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # Linux's way to say that nobody has the terminal any more
            return False
        self.output += data
        return bool(data)


def text_of(output):
    return ESCAPE.sub("", output.decode()).replace("\r", "")


def test_a_terminal_shows_a_live_view_and_is_left_as_it_was(tmp_path):
    session = Session(tmp_path, "1", "3")
    output = session.read_all()
    text = text_of(output)
    assert session.process.returncode == 1
    assert b"\x1b[?25" not in output  # the cursor was there all the time
    assert "2 running" in text
    assert "g_lr3 seed 10 failed: exception: ValueError: three is too much\n" in text
    assert re.search("━{40}  4/4  in \\d:\\d\\d\n2 done, 2 failed\n=+\n2 of 4 runs are done.", text)
    assert COLOR.search(output)


def test_no_color_leaves_out_colours_alone(tmp_path):
    output = Session(tmp_path, "1", "3", NO_COLOR="1").read_all()
    assert b"\x1b[?25" not in output  # the cursor was there all the time
    assert "4/4" in text_of(output)
    assert not COLOR.search(output)


def test_continuous_integration_gets_a_line_for_each_event(tmp_path):
    output = Session(tmp_path, "1", CI="1").read_all()
    assert b"\x1b[?25" not in output
    assert "g seed 10 begins\n" in text_of(output)
    assert "[2/2] g seed " in text_of(output)


def test_a_pipe_gets_plain_lines(tmp_path):
    (tmp_path / "grid.py").write_text(GRID)
    settings = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, tmp_path / "grid.py", tmp_path / "data", "1"]
    out = subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout
    assert "\x1b" not in out
    assert "\r" not in out
    assert "[2/2] g seed " in out


def test_ctrl_c_says_what_happens_and_leaves_the_terminal_as_it_was(tmp_path):
    session = Session(tmp_path, "4", "5")
    session.read_until(b"12.5")
    os.kill(session.process.pid, signal.SIGINT)
    output = session.read_all()
    text = text_of(output)
    assert session.process.returncode == -signal.SIGINT
    assert b"\x1b[?25" not in output  # the cursor was there all the time
    assert text.count(STOPPING) == 1
    assert "2 interrupted" in text


def test_a_narrow_terminal_will_do(tmp_path):
    output = Session(tmp_path, "1", size=(10, 40)).read_all()
    assert "2/2  in " in text_of(output)
    live = output.partition(b"at a time")[2].partition(b"\n")[2].partition(b"=====")[0]
    assert max(len(text_of(line)) for line in re.split(b"[\r\n]", live)) == 37


def test_what_is_told_in_the_end_fits_a_narrow_terminal(tmp_path):
    output = Session(tmp_path, "1", "3", size=(24, 50)).read_all()
    table = text_of(output).partition("These failed:")[2].partition("Results are in")[0].splitlines()
    lines = [line for line in table if "output.log" not in line]
    assert "  g_lr3  seed 0      exception: ValueError: th..." in lines
    assert max(map(len, lines)) < 50
