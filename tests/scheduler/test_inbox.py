import signal
import subprocess
import sys
import threading

import pytest

from spinup.scheduler.events import StopRequested
from spinup.scheduler.inbox import Inbox, interrupts_held

MISDIRECTED = """
import signal, threading, time
from pathlib import Path
from spinup.scheduler.inbox import Inbox, interrupts_held

def strike():
    # Once the main thread sleeps, the signal comes to this one, as the kernel may choose.
    while f") S " not in Path(f"/proc/self/task/{main}/stat").read_text():
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

inbox, main = Inbox(), threading.get_native_id()
with inbox.hear_signals(time.monotonic) as received:
    threading.Thread(target=strike).start()
    while (message := inbox.take(None)) is None:
        pass
print(type(message).__name__, received)
"""


@pytest.fixture
def inbox():
    inbox = Inbox()
    yield inbox
    inbox.close()


def test_messages_come_in_order_and_none_is_waited_for(inbox):
    messages = [StopRequested(float(number)) for number in range(10_000)]
    for message in messages:
        inbox.post(message)
    assert [inbox.take(None) for _ in messages] == messages
    assert inbox.take(0.0) is None


def test_a_message_of_another_thread_wakes_who_waits(inbox):
    thread = threading.Thread(target=inbox.post, args=(StopRequested(1.0),))
    thread.start()
    while (message := inbox.take(None)) is None:
        pass
    thread.join()
    assert message == StopRequested(1.0)


def test_posting_to_a_closed_inbox_is_harmless():
    inbox = Inbox()
    inbox.close()
    inbox.post(StopRequested(1.0))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_signal_that_another_thread_gets_wakes_who_waits():
    run = subprocess.run([sys.executable, "-c", MISDIRECTED], capture_output=True, text=True, timeout=60)
    assert run.stdout == "StopRequested [15]\n", run.stderr


def test_ctrl_c_waits_for_what_must_not_be_left_half_done():
    done = []

    def begin():
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_ctrl_c_nothing_is_raised_after_what_must_not_be_left_half_done():
    with interrupts_held():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
