import functools
import threading

import pytest

from spinup.errors import NotPicklable, PayloadError
from spinup.jobs.call import Call
from spinup.jobs.payload import Surroundings, check_picklable, open_payload, write_payload

HERE = Surroundings(["/a", "/b with space"], "/tmp")
LOCK = threading.Lock()


def uses_a_global():
    return LOCK


def write(path, call=None):
    write_payload(path, call or Call(len, {"obj": ()}), HERE)
    return path


def test_a_payload_is_readable_by_its_owner_alone(tmp_path):
    path = write(tmp_path / "payload.pkl")
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_surroundings_can_be_read_without_unpickling(tmp_path):
    surroundings, file = open_payload(write(tmp_path / "payload.pkl"))
    file.close()
    assert surroundings == HERE


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o666])
def test_a_payload_that_others_could_touch_is_refused(tmp_path, mode):
    path = write(tmp_path / "payload.pkl")
    path.chmod(mode)
    with pytest.raises(PayloadError, match="by others"):
        open_payload(path)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(write(tmp_path / "payload.pkl"))
    with pytest.raises(OSError, match="symbolic links"):
        open_payload(tmp_path / "link")


def test_what_is_no_payload_is_refused(tmp_path):
    path = tmp_path / "payload.pkl"
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    path.chmod(0o600)
    with pytest.raises(PayloadError, match="not a payload"):
        open_payload(path)


def test_a_call_that_cannot_be_pickled_leaves_nothing(tmp_path):
    with pytest.raises(NotPicklable):
        write(tmp_path / "payload.pkl", Call(len, {"obj": threading.Lock()}))
    assert list(tmp_path.iterdir()) == []


def closes_over(thing):
    return lambda: thing


class Holder:
    def __init__(self, thing):
        self.thing = thing

    def method(self):
        return self.thing


@pytest.mark.parametrize(
    ("value", "way"),
    [
        (threading.Lock(), r"x cannot be sent.*_thread\.lock"),
        ({"a": [1, threading.Lock()]}, r"x\['a'\]\[1\] cannot"),
        (closes_over(threading.Lock()), "closes over 'thing'"),
        (Holder(threading.Lock()), r"x\.thing cannot"),
        (Holder(threading.Lock()).method, r"x.*thing.* cannot"),
        (functools.partial(len, threading.Lock()), r"x\.args\[0\] cannot"),
        ((i for i in range(3)), "generator"),
    ],
    ids=["itself", "nested", "closure", "attribute", "method", "partial", "generator"],
)
def test_the_error_names_the_part_that_cannot_be_pickled(value, way):
    with pytest.raises(NotPicklable, match=way):
        check_picklable(value, "x")


def test_the_error_names_the_global_that_cannot_be_pickled():
    function = functools.partial(uses_a_global)
    code = compile("def f():\n    return LOCK\n", "f", "exec")
    namespace = {"LOCK": LOCK, "__name__": "__main__"}
    exec(code, namespace)  # a function that cloudpickle takes by value
    with pytest.raises(NotPicklable, match="uses the global 'LOCK'"):
        check_picklable(namespace["f"], "The thunk")
    check_picklable(function, "by reference")
