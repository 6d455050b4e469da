"""How runs can end, and that the record tells the ways apart."""

import pytest
from chaos import faulty
from chaos.grids import alive, end_of, litter, run_grid, status_of

ENDS = {
    faulty.raise_error: ("failed", "exception", 1, None),
    faulty.exit_at_once: ("failed", "exit code 3", 3, None),
    faulty.exit_at_once_with_zero: ("failed", "exit code 0 before the thunk returned", 0, None),
    faulty.sys_exit: ("failed", "exit code 4", 4, None),
    faulty.kill_itself: ("failed", "signal SIGKILL", None, "SIGKILL"),
    faulty.terminate_itself: ("failed", "signal SIGTERM", None, "SIGTERM"),
    faulty.segfault: ("failed", "signal SIGSEGV", None, "SIGSEGV"),
    faulty.close_stdout: ("done", None, 0, None),
    faulty.close_descriptors: ("done", None, 0, None),
    faulty.empty_the_path: ("done", None, 0, None),
    faulty.fork_a_daemon: ("done", None, 0, None),
    faulty.print_much: ("done", None, 0, None),
    faulty.print_no_text: ("done", None, 0, None),
}


@pytest.fixture(scope="module", params=["warm", "fresh"])
def records(request, tmp_path_factory):
    """By thunk: what became of a run of each, all in one grid."""
    data_dir = tmp_path_factory.mktemp("ends")
    keywords = {"parallel": 2, "isolation": request.param}
    records = run_grid("what", data_dir, keywords, what=list(ENDS))
    assert [path for path in litter(data_dir) if not path.endswith("payload.pkl")] == []
    return dict(zip(ENDS, records, strict=True))


@pytest.mark.parametrize("thunk", ENDS, ids=lambda thunk: thunk.__name__)
def test_ends_are_told_apart(records, thunk):
    assert end_of(records[thunk]) == ENDS[thunk]


def test_an_exception_that_is_no_text_is_kept(records):
    assert records[faulty.raise_error].message == "ValueError: no text: \udcff"
    assert "ValueError: no text" in (records[faulty.raise_error].directory / "error.txt").read_text()


def test_a_crash_of_c_code_says_where(records):
    output = (records[faulty.segfault].directory / "output.log").read_text()
    assert "Segmentation fault" in output
    assert "in segfault" in output


def test_a_daemon_ends_with_its_run(records):
    assert not alive(records[faulty.fork_a_daemon].result)


def test_what_is_printed_is_kept_to_the_last_byte(records):
    assert (records[faulty.print_much].directory / "output.log").stat().st_size == faulty.PRINTED_BYTES
    assert faulty.NO_TEXT in (records[faulty.print_no_text].directory / "output.log").read_bytes()


def test_a_result_survives_a_closed_stdout(records):
    assert records[faulty.close_stdout].result == records[faulty.close_descriptors].result == "still here"


def test_a_run_that_ignores_sigterm_is_ended_at_its_timeout(tmp_path, monkeypatch):
    monkeypatch.setattr("spinup.scheduler.crew.GRACE_S", 0.1)
    diary = tmp_path / "diary"
    keywords = {"timeout": 1.0}
    (record,) = run_grid(faulty.ignore_sigterm, tmp_path / "data", keywords, diary=str(diary))
    assert end_of(record) == ("failed", "timeout", None, "SIGKILL")
    assert [pid for pid in diary.read_text().split() if alive(int(pid))] == []


def test_a_run_that_ends_politely_at_its_timeout_is_not_done(tmp_path):
    keywords = {"timeout": 1.0}
    diary = str(tmp_path / "diary")
    (record,) = run_grid(faulty.leave_politely, tmp_path / "data", keywords, diary=diary)
    assert end_of(record) == ("failed", "timeout", 0, None)
    assert record.message == "after 1 s"


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_a_run_is_not_done_before_its_threads_and_exit_functions_are(tmp_path, isolation):
    (record,) = run_grid(faulty.tell_state_at_the_end, tmp_path, {"isolation": isolation})
    assert (record.state, record.result) == ("done", "returned")
    assert (record.directory / "thread").read_text() == "running"
    assert (record.directory / "atexit").read_text() == "running"


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_a_run_that_dies_after_its_thunk_has_returned_is_done_again(tmp_path, isolation):
    keywords = {"isolation": isolation}
    (record,) = run_grid(faulty.die_in_atexit, tmp_path, keywords)
    assert end_of(record) == ("failed", "signal SIGKILL", None, "SIGKILL")
    (record,) = run_grid(faulty.die_in_atexit, tmp_path, keywords)
    assert (record.state, status_of(record)["attempt"]) == ("done", 2)


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_a_run_whose_threads_were_broken_off_by_a_stop_is_not_done(tmp_path, monkeypatch, isolation):
    monkeypatch.setattr("spinup.scheduler.crew.GRACE_S", 0.5)
    (record,) = run_grid(faulty.leave_a_thread, tmp_path, {"timeout": 1.0, "isolation": isolation})
    assert (record.state, record.reason) == ("failed", "timeout")


def test_a_run_that_took_too_much_memory_is_tried_again_alone(tmp_path):
    diaries = [str(tmp_path / f"diary{number}") for number in range(10)]
    keywords = {"parallel": 2, "memory_per_run": "400MB", "retries": 1}
    first, *others = run_grid(_allocate_or_take_time, tmp_path / "data", keywords, diary=diaries)
    assert (status_of(first)["state"], status_of(first)["attempt"]) == ("done", 2)
    assert [status_of(record)["attempt"] for record in others] == [1] * 9
    (_, begun, ended), *spans = [_times(diary) for diary in diaries]
    assert all(end < begun or start > ended for start, end in spans)


def _allocate_or_take_time(diary, logger_kwargs):
    if diary.endswith("0"):
        faulty.allocate(diary, in_a_fork=False, logger_kwargs=logger_kwargs)
    else:
        faulty.take_time(diary)


def _times(diary):
    with open(diary) as file:
        return [int(line.split()[1]) for line in file]


@pytest.mark.parametrize("in_a_fork", [False, True])
def test_too_much_memory_is_recorded_as_that_in_whichever_process_it_is(tmp_path, in_a_fork):
    keywords = {"memory_per_run": "400MB", "timeout": 30}
    diary = str(tmp_path / "diary")
    (record,) = run_grid(faulty.allocate, tmp_path / "data", keywords, diary=diary, in_a_fork=in_a_fork)
    assert end_of(record) == ("failed", "out of memory", None, "SIGKILL")


def test_a_failed_run_is_tried_again_as_often_as_asked(tmp_path):
    (record,) = run_grid(faulty.fail_once, tmp_path, {"retries": 1})
    assert (record.result, status_of(record)["attempt"]) == ("done", 2)
    assert not (record.directory / "error.txt").exists()


def test_a_grid_that_is_to_stop_at_a_failure_starts_nothing_after_it(tmp_path):
    keywords = {"parallel": 1, "on_failure": "stop"}
    records = run_grid("what", tmp_path, keywords, what=[faulty.sys_exit, faulty.plain])
    assert [record.reason for record in records] == ["exit code 4"]
    assert len(list(tmp_path.glob("*/*/status.json"))) == 1


def test_the_loss_of_the_run_server_is_told_and_costs_its_runs_alone(tmp_path):
    diary = tmp_path / "diary"
    records = run_grid(
        "what",
        tmp_path / "data",
        {"parallel": 1},
        what=[faulty.kill_server, faulty.tell_mark],
        diary=str(diary),
    )
    assert [end_of(record)[:2] for record in records] == [("failed", "lost"), ("done", None)]
    assert status_of(records[0])["message"] == "the run server was killed"
    (mark, daemon), (other_mark,) = (line.split() for line in diary.read_text().splitlines())
    assert not alive(int(daemon))
    # What ends the runs of a killed server goes by the mark, and must not end those of the next.
    assert mark != other_mark
