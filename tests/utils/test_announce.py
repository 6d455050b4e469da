import pytest

from spinup.rundir.record import RunRecord
from spinup.rundir.status import State
from spinup.utils.announce import failure_text


@pytest.mark.parametrize(
    ("reason", "message", "rank", "text"),
    [
        ("exception", "ValueError: boom", None, "exception: ValueError: boom"),
        ("exit code 3", None, 1, "exit code 3 in rank 1"),
        (None, None, None, "failed"),
        ("exit\x1b[2J", "a\r\nb", None, "exit\\x1b[2J: a\\r\\nb"),
    ],
)
def test_a_failure_is_told_in_one_line(tmp_path, reason, message, rank, text):
    record = RunRecord("g", 0, tmp_path, State.FAILED, None, reason, message, rank)
    assert failure_text(record) == text
