import os
from types import SimpleNamespace

import pytest
from utils.fake_runs import FakeRegion, make_active, make_schedule, record_of

from spinup import console
from spinup.rundir.status import State, Status
from spinup.scheduler.events import Outcome
from spinup.scheduler.state import Phase, Policy, Schedule
from spinup.utils.live_view import LiveView
from spinup.utils.views import STOPPING, LineView, RelayView


@pytest.fixture
def lines(capsys):
    view = LineView(total=2)
    return SimpleNamespace(view=view, read=lambda: capsys.readouterr().out)


def test_lines_tell_when_runs_begin_and_end(lines, tmp_path):
    active = make_active(tmp_path, seed=10)
    lines.view.started(active)
    lines.view.ended(active, record_of(active, State.DONE), Outcome.DONE)
    assert lines.read() == "g_lr1 seed 10 begins\n[1/2] g_lr1 seed 10 is done\n"


def test_lines_tell_how_a_run_failed(lines, tmp_path):
    active = make_active(tmp_path)
    active.job.run_dir.error.write_text("Traceback\n  line\nValueError: boom\n")
    lines.view.ended(active, record_of(active), Outcome.FAILED)
    assert lines.read() == (
        "[1/2] g_lr1 seed 0 failed: exception: ValueError: boom\nTraceback\n  line\nValueError: boom\n"
    )


def test_of_a_long_error_the_end_is_shown(lines, tmp_path):
    active = make_active(tmp_path)
    active.job.run_dir.error.write_text("".join(f"line {i}\n" for i in range(100_000)))
    lines.view.ended(active, record_of(active), Outcome.FAILED)
    assert lines.read().splitlines()[1:3] == ["...", "line 99988"]


def test_a_crash_is_told_by_what_was_printed_before(lines, tmp_path):
    active = make_active(tmp_path)
    active.job.run_dir.output.write_text(
        "begin\nlibgl: no device\n\nFatal Python error: Aborted\n\nCurrent\n"
    )
    lines.view.ended(active, record_of(active, reason="signal SIGABRT", message=None), Outcome.FAILED)
    assert (
        lines.read()
        == "[1/2] g_lr1 seed 0 failed: signal SIGABRT, after it had printed 'libgl: no device'\n"
    )


@pytest.mark.parametrize("number", [1, 4])
def test_an_attempt_that_is_followed_by_another_does_not_count(lines, tmp_path, number):
    lines.view.refresh(make_schedule(running=1, retries=1), [])
    first, second = (make_active(tmp_path, attempt=number + more) for more in (0, 1))
    first.attempt, second.attempt = 1, 2  # a resumed run has a longer history than this launcher
    lines.view.ended(first, record_of(first), Outcome.FAILED)
    lines.view.started(second)
    lines.view.ended(second, record_of(second, State.DONE), Outcome.DONE)
    told = lines.read().splitlines()
    assert told[0].endswith(
        f" failed: exception: ValueError: boom; again in 1 s (attempt {number + 1} of {number + 1})"
    )
    assert told[1:] == [
        f"g_lr1 seed 0, attempt {number + 1} begins",
        f"[1/2] g_lr1 seed 0, attempt {number + 1} is done",
    ]


def test_the_last_attempt_counts(lines, tmp_path):
    lines.view.refresh(make_schedule(running=1, retries=1), [])
    active = make_active(tmp_path, attempt=2)
    lines.view.ended(active, record_of(active), Outcome.FAILED)
    assert lines.read() == "[1/2] g_lr1 seed 0, attempt 2 failed: exception: ValueError: boom\n"


def test_a_run_without_memory_is_tried_again_by_itself(lines, tmp_path):
    lines.view.refresh(make_schedule(running=1, retries=2), [])
    active = make_active(tmp_path)
    lines.view.ended(active, record_of(active), Outcome.OUT_OF_MEMORY)
    assert lines.read().endswith("; again by itself (attempt 2 of 3)\n")


def test_when_the_grid_stops_nothing_is_tried_again(lines, tmp_path):
    lines.view.refresh(Schedule(Policy(2, retries=1), 4, Phase.STOPPING), [])
    active = make_active(tmp_path)
    lines.view.ended(active, record_of(active), Outcome.FAILED)
    assert lines.read() == "[1/2] g_lr1 seed 0 failed: exception: ValueError: boom\n"


def test_the_count_comes_out_whole_when_another_launcher_ends_runs(lines, tmp_path):
    active = make_active(tmp_path)
    lines.view.ended(active, record_of(active, State.DONE), Outcome.DONE)
    lines.view.refresh(make_schedule(total=2), [])  # which has not heard of it yet
    lines.view.refresh(make_schedule(total=2, done=1), [])
    lines.view.refresh(make_schedule(total=2, done=2), [])
    lines.view.refresh(make_schedule(total=2, done=2), [])
    assert lines.read() == "[1/2] g_lr1 seed 0 is done\n[2/2] runs have ended\n"
    assert lines.view.tally.tried_here == {active.job.run_dir.path}


def test_an_interrupted_run_has_not_failed(lines, tmp_path):
    active = make_active(tmp_path)
    lines.view.ended(active, record_of(active, reason="interrupted", message=None), Outcome.INTERRUPTED)
    assert lines.read() == "g_lr1 seed 0 was interrupted\n"


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("loading\n---------\n\n", "'loading'"),
        ("diverged!\n-----\n|  EpRet |  3 |\n-----\n", "'diverged!'"),
        ("-----\n|  Epoch |  2 |\n|  EpRet |  3 |\n-----\n", "'|  EpRet |  3 |'"),
        ("x" * 1000, "'" + "x" * 65 + "..." + "x" * 132 + "'"),
    ],
)
def test_the_last_words_are_words(lines, tmp_path, printed, words):
    active = make_active(tmp_path)
    active.job.run_dir.output.write_text(printed)
    lines.view.ended(active, record_of(active, reason="exit code 3", message=None), Outcome.FAILED)
    assert lines.read() == f"[1/2] g_lr1 seed 0 failed: exit code 3, after it had printed {words}\n"


def test_a_run_that_printed_no_words_has_none(lines, tmp_path):
    active = make_active(tmp_path)
    active.job.run_dir.output.write_text("-----\n\n")
    lines.view.ended(active, record_of(active, reason="exit code 3", message=None), Outcome.FAILED)
    assert lines.read() == "[1/2] g_lr1 seed 0 failed: exit code 3\n"


@pytest.mark.parametrize("kind", ["lines", "live"])
def test_what_a_run_says_can_neither_change_the_terminal_nor_make_lines(kind, tmp_path, capsys):
    view = make_view(kind, tmp_path)
    active = make_active(tmp_path, "g\x1b[2J\nx")
    active.job.run_dir.error.write_text("Traceback\n\x1b]0;title\x07\n")
    view.started(active)
    view.ended(active, record_of(active, message="Error: \x1b[31mred\n[4/4] all is done"), Outcome.FAILED)
    view.ended(active, record_of(active, State.DONE), Outcome.DONE)
    view.note("g\x1b[2J\nx could not be started")
    out = capsys.readouterr().out
    assert "failed: exception: Error: \\x1b[31mred\\n[4/4] all is done\n" in out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\nx" not in out


def test_lines_go_on_when_nobody_reads_them(lines, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr(console, "say", fail)
    lines.view.started(make_active(tmp_path))
    lines.view.note("text")


def make_view(kind, tmp_path):
    if kind == "lines":
        return LineView(total=4)
    if kind == "relay":
        return RelayView(tmp_path / "output.log")
    return LiveView(region=FakeRegion())


@pytest.mark.parametrize("kind", ["lines", "live", "relay"])
def test_a_stop_is_announced_once(kind, tmp_path, capsys):
    view = make_view(kind, tmp_path)
    active = [make_active(tmp_path)]
    view.refresh(make_schedule(running=1), active)
    assert capsys.readouterr().out == ""
    for requests in (1, 1, 2):
        schedule = Schedule(Policy(2), 4, Phase.STOPPING, stop_requests=requests)
        view.refresh(schedule, active)
    assert capsys.readouterr().out == STOPPING + "\n"


@pytest.mark.parametrize("kind", ["lines", "live", "relay"])
def test_a_stop_after_a_failure_is_announced_if_something_runs(kind, tmp_path, capsys):
    view = make_view(kind, tmp_path)
    schedule = Schedule(Policy(2), 4, Phase.STOPPING)
    view.refresh(schedule, [])
    assert capsys.readouterr().out == ""
    view.refresh(schedule, [make_active(tmp_path)])
    assert "on_failure='stop'" in capsys.readouterr().out


@pytest.fixture
def relay(tmp_path, capfdbinary):
    active = make_active(tmp_path)
    view = RelayView(active.job.run_dir.output)
    refresh = lambda: view.refresh(make_schedule(running=1), [active])
    end = lambda: view.ended(active, record_of(active, State.DONE), Outcome.DONE)
    return SimpleNamespace(
        view=view,
        active=active,
        output=active.job.run_dir.output,
        refresh=refresh,
        end=end,
        read=lambda: capfdbinary.readouterr().out,
    )


def test_output_is_shown_as_it_comes(relay):
    relay.refresh()
    relay.output.write_bytes(b"one\n")
    relay.refresh()
    assert relay.read() == b"one\n"
    with relay.output.open("ab") as file:
        file.write(b"tw\xc3\xb6")
    relay.end()
    assert relay.read() == b"tw\xc3\xb6"


def test_what_an_earlier_attempt_printed_is_not_shown_again(relay):
    relay.output.write_bytes(b"earlier\n")
    view = RelayView(relay.output)
    relay.active.status = Status(State.QUEUED, "g_lr1", 0, "identity", attempt=2)
    view.started(relay.active)
    with relay.output.open("ab") as file:
        file.write(b"later\n")
    view.refresh(make_schedule(running=1), [relay.active])
    assert relay.read() == b"later\n"


@pytest.mark.parametrize("is_new_file", [True, False])
def test_a_log_that_was_replaced_is_shown_from_its_beginning(relay, tmp_path, is_new_file):
    relay.output.write_bytes(b"a long first log\n")
    relay.refresh()
    if is_new_file:
        (tmp_path / "new").write_bytes(b"a second log, no shorter\n")
        os.replace(tmp_path / "new", relay.output)
    else:
        relay.output.write_bytes(b"short\n")
    relay.refresh()
    assert relay.read() == b"a long first log\n" + (
        b"a second log, no shorter\n" if is_new_file else b"short\n"
    )


def test_one_look_at_a_large_log_ends(relay, monkeypatch):
    shown = []
    monkeypatch.setattr(console, "relay", lambda data: shown.append(len(data)))
    with relay.output.open("wb") as file:
        file.truncate(100 << 20)  # a sparse file
    relay.refresh()
    assert sum(shown) == 4 << 20
    relay.end()
    assert sum(shown) == 100 << 20
    assert max(shown) == 1 << 20


def test_a_log_that_grows_while_it_is_read_does_not_hold_up_the_end(relay, monkeypatch):
    def grow(data):
        with relay.output.open("ab") as file:
            file.write(data)

    relay.output.write_bytes(b"word\n")
    monkeypatch.setattr(console, "relay", grow)
    relay.end()
    assert relay.output.read_bytes() == b"word\n" * 2
