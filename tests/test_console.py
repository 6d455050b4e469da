import io
import re

import pytest
from rich.console import Console

from spinup import console

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """What a terminal would show: text, line breaks, returns, erasing, and moving up."""

    def __init__(self, width=80, height=24, encoding="utf-8"):
        self.file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
        self.console = Console(
            file=self.file, force_terminal=True, width=width, height=height, _environ={}, soft_wrap=True
        )

    @property
    def written(self):
        self.file.flush()
        return self.file.buffer.getvalue().decode(self.file.encoding)

    @property
    def lines(self):
        lines, row, column = [""], 0, 0
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", self.written):
            if part == "\n":
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            elif part == "\r":
                column = 0
            elif part == "\x1b[2K":
                lines[row] = ""
            elif part == "\x1b[1A":
                row -= 1
            elif not part.startswith("\x1b"):
                lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
                column += len(part)
        return [line.rstrip() for line in lines]


@pytest.fixture
def screen():
    return Screen()


@pytest.fixture
def region(screen):
    region = console.LiveRegion(screen.console)
    yield region
    region.close()


def test_lines_are_drawn_over_those_before(screen, region):
    region.draw([[("one", "")], [("two", "bold")]])
    region.draw([[("three ", "red"), ("four", "")]])
    assert screen.lines == ["three four", ""]


def test_what_is_said_goes_above_the_region(screen, region):
    region.draw([[("running", "")]])
    console.say("failed", "red", bold=True)
    assert screen.lines == ["failed", "running"]


def test_what_others_print_goes_above_the_region(screen, region):
    region.draw([[("running", "")]])
    print("a warning")
    assert screen.lines == ["a warning", "running"]


def test_said_lines_are_not_broken_for_those_who_copy_them(region, screen):
    region.draw([[("running", "")]])
    console.say("/directory" * 20)
    assert screen.lines[0] == "/directory" * 20


def test_a_closed_region_stays(screen, region):
    region.draw([[("running", "")]])
    region.close()
    region.close()
    assert screen.lines == ["running", ""]


def test_the_cursor_is_never_hidden_as_a_stopped_process_cannot_show_it_again(screen, region):
    region.draw([[("running", "")]])
    region.close()
    assert "\x1b[?25" not in screen.written


def test_what_is_said_after_the_region_goes_to_stdout(screen, region, capsys):
    region.draw([[("running", "")]])
    region.close()
    console.say("the end")
    assert capsys.readouterr().out == "the end\n"
    assert "the end" not in screen.written


def test_a_region_that_was_never_drawn_leaves_nothing(screen):
    console.LiveRegion(screen.console).close()
    assert screen.written == ""


def test_a_line_never_reaches_the_edge_of_the_terminal(screen, region):
    region.draw([[("x" * 50, ""), ("界" * 50, "")]])
    assert screen.lines == ["x" * 50 + "界" * 13]


def test_what_a_narrower_terminal_has_wrapped_is_erased(screen, region):
    region.draw([[("x" * 70, "")], [("y" * 10, "")]])
    before = len(screen.written)
    screen.console.width = 30
    region.draw([[("z", "")]])
    assert screen.written[before:].count("\x1b[1A") == 2 + 1  # two wrapped lines, and the other one


def test_text_cannot_move_the_cursor(screen, region):
    region.draw([[("a\x1b[2Jb\rc", "")]])
    console.say("d\x1b]0;title\x07e")
    assert screen.lines == ["d\\x1b]0;title\\x07e", "a\\x1b[2Jb\\rc"]


@pytest.mark.parametrize(
    ("encoding", "has_unicode"), [("ascii", False), ("latin-1", False), ("utf-8", True)]
)
def test_what_the_terminal_cannot_encode_is_escaped(encoding, has_unicode):
    screen = Screen(encoding=encoding)
    region = console.LiveRegion(screen.console)
    try:
        region.draw([[("λ", "")]])
        console.say("μ")
    finally:
        region.close()
    assert region.has_unicode == has_unicode
    assert screen.lines == (["μ", "λ", ""] if has_unicode else ["\\u03bc", "\\u03bb", ""])


@pytest.mark.parametrize(
    "color", ["gray", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "crimson"]
)
def test_every_colour_can_be_said_above_a_region(screen, region, color):
    region.draw([[("running", "")]])
    console.say("text", color, bold=True)
    assert screen.lines == ["text", "running"]


class GoneTerminal(io.StringIO):
    encoding = "utf-8"

    def write(self, text):
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_stops_nothing():
    region = console.LiveRegion(Console(file=GoneTerminal(), force_terminal=True, width=80, height=24))
    region.draw([[("running", "")]])
    region.close()
    assert console._open_regions == []


@pytest.mark.parametrize(
    ("environment", "can"),
    [
        ({"TERM": "xterm"}, True),
        ({}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "CI": "1"}, False),
        ({"TERM": "xterm", "CI": ""}, True),
    ],
)
def test_lines_are_drawn_over_only_where_somebody_watches(monkeypatch, environment, can):
    for name in ("TERM", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", Terminal())
    assert console.can_redraw() == can


@pytest.mark.parametrize(
    ("environment", "shows"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_colours_go_only_to_terminals_that_know_them(monkeypatch, environment, shows):
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    console.say("text", "red", bold=True)
    assert (terminal.getvalue() != "text\n") == shows


def test_what_is_said_cannot_change_the_terminal(capsys):
    console.say("a\x1b[2J\tb\nc\r\u202ed")
    console.complain("e\x1bf")
    console.table(["g"], [["h\x1b[2Ji\nj"]])
    out, err = capsys.readouterr()
    assert out.startswith("a\\x1b[2J\tb\nc\\r\\u202ed\n")
    assert "h\\x1b[2Ji\\nj" in out
    assert err == "spinup: e\\x1bf\n"


def test_one_line_is_one_line():
    assert console.one_line("a\nb\tc\x1bd\x85e\udc80 ö界") == "a\\nb\\tc\\x1bd\\x85e\\udc80 ö界"


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [("abc", 3, "abc"), ("abcdefghij", 7, "ab…ghij"), ("abcdefghij", 1, "…"), ("abcdefghij", 0, "…")],
)
def test_the_middle_of_a_long_text_gives_way(name, width, expected):
    assert console.shortened(name, width) == expected


@pytest.mark.parametrize(
    ("names", "width", "expected"),
    [
        (["abc", "abd"], 3, ["abc", "abd"]),
        (["grid_lr1_tanh", "grid_lr2_tanh"], 8, ["…r1_tanh", "…r2_tanh"]),
        (["grid_lr1_function", "grid_lr2_function"], 8, ["…1_…tion", "…2_…tion"]),
        (["grid_lr1_function"] * 2, 8, ["gr…ction"] * 2),
        (["grid_lr1", "other_lr1_tanh"], 8, ["grid_lr1", "ot…_tanh"]),
        ([], 8, []),
    ],
)
def test_names_that_are_cut_are_told_apart(names, width, expected):
    assert console.told_apart(names, width) == expected


def test_nothing_is_drawn_over_in_a_pipe(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert not console.can_redraw()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("width", [0, 1, 10, 22, 40, 80, 300])
def test_the_countdown_fits_its_terminal(width):
    text = console.countdown_text(3.0, 5.0, width)
    assert len(text) <= max(0, width - 3)
    assert "Launching in  3.0 s".startswith(text[:19])


def test_the_countdown_shrinks():
    bars = [console.countdown_text(left_s, 5.0, 80).count("#") for left_s in (5.0, 2.5, 0.0)]
    assert bars == [40, 20, 0]


@pytest.mark.parametrize("width", [40, 80])
def test_an_interrupted_countdown_leaves_a_clean_line(monkeypatch, width):
    def interrupt(_):
        raise KeyboardInterrupt

    terminal = Terminal()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        console.countdown(5.0)
    _, shown, blank, after = terminal.getvalue().split("\r")
    assert blank == " " * (len(shown) + 2)
    assert len(blank) < width
    assert after == ""


def test_there_is_no_countdown_in_continuous_integration(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("sys.stdout", terminal)
    console.countdown(1000.0)
    assert terminal.getvalue() == ""
