import os
from types import SimpleNamespace

import pytest
from utils.fake_runs import FakeRegion, log, make_active, make_schedule, record_of

from spinup.rundir.status import State
from spinup.scheduler.events import Outcome
from spinup.scheduler.state import Phase, Policy, Schedule
from spinup.utils.live_view import LiveView, Row, eta_s, figure, newest, overview, running, span


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def live():
    region, clock = FakeRegion(), Clock()
    return SimpleNamespace(view=LiveView(region=region, clock=clock), region=region, clock=clock)


def test_the_picture_shows_what_runs_and_how_far_it_is(live, tmp_path):
    actives = [make_active(tmp_path, seed=0), make_active(tmp_path, "g_lr10", seed=10, began_s=2.0)]
    log(actives[0], "Epoch\tAverageEpRet\n0\t-3.5\n1\t12.345678\n")
    live.clock.now_s = 65.0
    live.view.refresh(make_schedule(total=5, running=2, next_fresh=3, done=1), actives)
    assert live.region.lines == [
        "━" * 8 + "─" * 32 + "  1/5  ETA -",
        "1 done, 0 failed, 2 running, 2 waiting",
        "running  seed  epoch  return  time",
        "g_lr1       0      1   12.35  1:05",
        "g_lr10     10                 1:03",
    ]


def test_without_a_logger_only_the_time_is_shown(live, tmp_path):
    live.view.refresh(make_schedule(running=1), [make_active(tmp_path)])
    assert live.region.lines[2:] == ["running  seed  time", "g_lr1       0  0:00"]


def test_columns_stay_once_they_are_there(live, tmp_path):
    active = make_active(tmp_path)
    log(active, "Epoch\n1\n")
    live.view.refresh(make_schedule(running=1), [active])
    live.clock.now_s = 1.0
    live.view.refresh(make_schedule(running=1), [make_active(tmp_path, seed=5)])
    assert live.region.lines[2] == "running  seed  epoch  return  time"


def test_no_more_than_a_screenful_is_shown(live, tmp_path):
    live.region.size = (80, 10)
    actives = [make_active(tmp_path, seed=seed) for seed in range(9)]
    live.view.refresh(make_schedule(total=9, slots=9, running=9), actives)
    assert len(live.region.lines) == 9
    assert live.region.lines[-2:] == ["g_lr1       4  0:00", "... and 4 more"]


@pytest.mark.parametrize("height", range(1, 14))
def test_any_height_is_enough(live, tmp_path, height):
    live.region.size = (80, height)
    actives = [make_active(tmp_path, seed=seed) for seed in range(9)]
    live.view.refresh(make_schedule(total=9, slots=9, running=9), actives)
    assert len(live.region.lines) <= max(3, height - 1)


@pytest.mark.parametrize("width", [1, 20, 40, 79, 200])
def test_any_width_is_enough(live, tmp_path, width):
    live.region.size = (width, 24)
    live.view.refresh(make_schedule(running=1), [make_active(tmp_path, "long-name" * 20)])
    assert max(map(len, live.region.lines)) <= max(width - 3, 18)


def test_names_get_the_room_that_is_left(live, tmp_path):
    live.region.size = (40, 24)
    active = make_active(tmp_path, "a-long-name-of-a-grid_env-halfcheetah_hid64-64_lr0-001")
    log(active, "Epoch\tEpRet\n100\t-1234.5\n")
    live.view.refresh(make_schedule(running=1), [active])
    assert live.region.lines[2:] == [
        "running        seed epoch return time",
        "a-lo…4_lr0-001    0   100  -1234 0:00",
    ]


def test_long_names_are_told_apart_on_a_narrow_terminal_also_in_later_attempts(live, tmp_path):
    live.region.size = (40, 24)
    name = "a-long-name-of-a-grid_env-halfcheetah_hid64-64_lr0-00"
    live.view.refresh(
        make_schedule(running=2), [make_active(tmp_path, name + end, attempt=2) for end in "12"]
    )
    assert live.region.lines[2:] == [
        "running                 seed try time",
        "…eetah_hid64-64_lr0-001    0   2 0:00",
        "…eetah_hid64-64_lr0-002    0   2 0:00",
    ]


def test_an_attempt_that_is_followed_by_another_says_so(live, tmp_path, capsys):
    live.view.refresh(make_schedule(running=1, retries=1), [])
    first, second = (make_active(tmp_path, attempt=attempt) for attempt in (1, 2))
    live.view.ended(first, record_of(first), Outcome.FAILED)
    live.view.ended(second, record_of(second), Outcome.FAILED)
    assert capsys.readouterr().out.splitlines() == [
        "g_lr1 seed 0 failed: exception: ValueError: boom; again in 1 s (attempt 2 of 2)",
        "g_lr1 seed 0, attempt 2 failed: exception: ValueError: boom",
    ]


def test_failures_are_printed_as_they_come(live, tmp_path, capsys):
    active = make_active(tmp_path, attempt=2)
    live.view.ended(active, record_of(active), Outcome.FAILED)
    live.view.ended(active, record_of(active, reason="interrupted", message=None), Outcome.INTERRUPTED)
    live.view.ended(active, record_of(active, State.DONE), Outcome.DONE)
    live.view.note("a note")
    out = capsys.readouterr().out
    assert out == "g_lr1 seed 0, attempt 2 failed: exception: ValueError: boom\na note\n"


def test_the_time_to_come_is_told_once_a_run_is_done(live, tmp_path):
    first, second = make_active(tmp_path), make_active(tmp_path, seed=1)
    live.view.refresh(make_schedule(total=5, running=2, next_fresh=2), [first, second])
    live.clock.now_s = 60.0
    live.view.ended(first, record_of(first, State.DONE), Outcome.DONE)
    live.view.refresh(make_schedule(total=5, running=1, next_fresh=2, done=1), [second])
    assert live.region.lines[0].endswith("  1/5  ETA 1:30")


def test_pictures_do_not_follow_each_other_too_closely(live, tmp_path):
    live.view.refresh(make_schedule(done=1), [])
    live.clock.now_s = 0.05
    live.view.refresh(make_schedule(done=2), [])
    assert "1/4" in live.region.lines[0]
    live.clock.now_s = 0.5
    live.view.refresh(make_schedule(done=2), [])
    assert "2/4" in live.region.lines[0]


def test_a_run_that_is_just_ending_is_not_shown_as_running_without_a_line(live, tmp_path):
    actives = [make_active(tmp_path, seed=seed) for seed in range(2)]
    live.view.refresh(make_schedule(running=2), actives)
    before = live.region.lines
    live.clock.now_s = 0.5
    live.view.refresh(make_schedule(running=2), actives[:1])
    assert live.region.lines is before


def test_the_last_picture_stays(live, tmp_path):
    live.view.refresh(make_schedule(running=1), [make_active(tmp_path)])
    live.clock.now_s = 90.0
    live.view.refresh(make_schedule(done=3, failed=1, next_fresh=4), [])
    live.view.close()
    assert live.region.lines == ["━" * 40 + "  4/4  in 1:30", "3 done, 1 failed"]
    assert live.region.is_closed


def test_a_view_that_was_never_refreshed_closes(live):
    live.view.close()
    assert live.region.is_closed


@pytest.mark.parametrize(
    ("done_s", "running_s", "fields", "expected_s"),
    [
        ([], [5.0], {}, None),
        ([10.0], [], {"total": 4, "done": 4, "next_fresh": 4}, 0.0),
        ([10.0, 20.0], [], {"total": 6, "done": 2, "next_fresh": 2}, 30.0),
        ([10.0], [4.0, 20.0], {"total": 3, "running": 2, "next_fresh": 3, "done": 1}, 6.0),
        ([10.0], [0.0], {"total": 2, "slots": 8, "running": 1, "next_fresh": 2, "done": 1}, 10.0),
        ([10.0], [10.0], {"total": 3, "slots": 8, "running": 1, "next_fresh": 2, "done": 1}, 10.0),
    ],
)
def test_the_time_to_come_follows_from_that_of_the_runs_that_are_done(
    done_s, running_s, fields, expected_s
):
    assert eta_s(make_schedule(**fields), done_s, running_s) == expected_s


def test_a_grid_that_stops_has_no_time_to_come():
    schedule = Schedule(Policy(2), 4, Phase.STOPPING, stop_requests=1, next_fresh=2, interrupted=2)
    assert eta_s(schedule, [10.0], []) is None
    bar, numbers = overview(schedule, None, 5.0, width=77, has_unicode=False)
    assert bar[-1] == ("  0/4  stopping", "bold")
    assert "".join(text for text, _ in numbers) == "0 done, 0 failed, 2 interrupted, 0 running, 2 waiting"


def test_a_narrow_overview_leaves_out_what_does_not_fit():
    schedule = make_schedule(total=1000, slots=100, running=100, next_fresh=800, done=600, failed=100)
    lines = overview(schedule, 3600.0, 5.0, width=37, has_unicode=False)
    texts = ["".join(text for text, _ in line) for line in lines]
    assert texts == ["#########.....  700/1000  ETA 1:00:00", "600 done, 100 failed, 100 running"]


def test_the_bar_tells_done_from_failed():
    bar, _ = overview(make_schedule(done=1, failed=1), None, 0.0, width=77, has_unicode=False)
    assert bar[:3] == [("#" * 10, "green"), ("#" * 10, "red"), ("." * 20, "dim")]


def test_rows_without_a_name_have_no_ellipsis_on_a_terminal_without_it():
    row = Row("x" * 60, ("0", "", "", "", "0:01"))
    (_, [(line, _)]) = running([row], 0, width=37, shown={"seed", "time"}, mark="...")
    assert line.isascii()
    assert len(line) == 37


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Epoch\tAverageEpRet\tEpRet\n7\t1.5\t9\n", ("7", "1.5")),
        ("Epoch\tEpRet\n7\t1.5\n8\t2.5\n9\t", ("8", "2.5")),
        ("Epoch\r\n7\r\n", ("7", "")),
        ("\ufeffEpoch\n7\n", ("7", "")),
        ("Loss\tAverageReturn\n7\tnan\n", ("", "nan")),
        ("Epoch\tEpRet\n7\n", ("", "")),
        ("Epoch\tEpRet\n", ("", "")),
        ("Epoch\tEpRet", ("", "")),
        ("", ("", "")),
        ("\n\n\n", ("", "")),
        ("Epoch\n\x1b[2Jseven\n", ("", "")),
        (b"\xff\xfe\x00\n\x00\xff\n", ("", "")),
        ("Epoch\tEpRet\n" + "1\t2\n" * 100_000 + "3\t4\n", ("3", "4")),
        ("Epoch\tEpRet\n" + "1\t" + "2" * 100_000 + "\n", ("", "")),
        ("x" * 100_000 + "\tEpoch\n1\t2\n", ("", "")),
    ],
)
def test_the_newest_row_is_read_from_the_end(tmp_path, content, expected):
    active = make_active(tmp_path)
    log(active, content)
    assert newest(active.job.run_dir.progress) == expected


def test_no_more_is_read_than_both_ends(tmp_path):
    path = tmp_path / "progress.txt"
    with path.open("wb") as file:
        file.write(b"Epoch\n")
        file.truncate(1 << 40)  # a sparse file
        file.seek(0, os.SEEK_END)
        file.write(b"\n5\n")
    assert newest(path) == ("5", "")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: None])
def test_what_is_no_file_is_blank(tmp_path, make):
    make(tmp_path / "progress.txt")
    assert newest(tmp_path / "progress.txt") == ("", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", "3"),
        ("3.0", "3"),
        ("-1234.56", "-1235"),
        ("12.3456", "12.35"),
        ("1.5e-07", "1.5e-07"),
        ("123456789.5", "1.235e+08"),
        ("inf", "inf"),
        ("nan", "nan"),
        ("", ""),
        ("True", ""),
        ("1e300", "1e+300"),
    ],
)
def test_a_figure_is_short(text, expected):
    assert figure(text) == expected


@pytest.mark.parametrize(
    ("time_s", "expected"),
    [(0.0, "0:00"), (0.2, "0:01"), (60.0, "1:00"), (3599.5, "1:00:00"), (90061, "25:01:01")],
)
def test_a_span_is_in_minutes_and_seconds(time_s, expected):
    assert span(time_s) == expected


def test_of_an_interrupted_grid_the_last_picture_tells_what_was_not_run(live):
    live.view.refresh(Schedule(Policy(2), 4, Phase.STOPPING, next_fresh=2, interrupted=1, done=1), [])
    live.clock.now_s = 5.0
    live.view.close()
    assert live.region.lines == [
        "━" * 10 + "─" * 30 + "  1/4  in 0:05",
        "1 done, 1 interrupted, 2 not run",
    ]
