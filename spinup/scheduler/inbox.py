"""Where launchers post from any thread, and signals from the middle of anything; one thread takes."""

from __future__ import annotations

import signal
import socket
import threading
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from spinup.scheduler.events import StopRequested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import TypeAlias

    from spinup.launchers.base import Exited, Started

    Message: TypeAlias = Started | Exited | StopRequested

#: Signals that ask a launcher to stop, where this system has them.
STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Inbox:
    """Messages in the order in which they came.

    A socket wakes the thread that waits, not a lock: the kernel may hand a signal to any thread, and a
    main thread that waits for a lock does not hear of it. Python writes to a socket for each signal.
    """

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._ear, self._bell = socket.socketpair()
        self._bell.setblocking(False)

    def post(self, message: Message) -> None:
        """Add a message."""
        self._messages.append(message)
        # A full socket wakes as well as one more byte would; a closed one has nobody to wake.
        with suppress(OSError):
            self._bell.send(b"\0")

    def take(self, timeout_s: float | None) -> Message | None:
        """The next message, or None after ``timeout_s``, or after a signal that posts one any moment."""
        self._ear.settimeout(0.0 if self._messages else timeout_s)
        with suppress(BlockingIOError, TimeoutError):
            self._ear.recv(4096)
        return self._messages.popleft() if self._messages else None

    def close(self) -> None:
        """Let go of the socket; what is posted from now on is not taken."""
        self._ear.close()
        self._bell.close()

    @contextmanager
    def hear_signals(self, clock: Callable[[], float]) -> Iterator[list[int]]:
        """For the length of the block, signals that ask to stop are messages; yield their numbers."""
        received: list[int] = []
        if threading.current_thread() is not threading.main_thread():
            yield received  # Python allows handlers in the main thread only; stopping is then the caller's
            return

        def handle(number: int, _: FrameType | None) -> None:
            received.append(number)
            self.post(StopRequested(clock()))

        handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        wakeup = signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        for number, handler in handlers.items():
            # nohup, and shells that start background jobs, ignore some on purpose.
            if handler is not signal.SIG_IGN:
                signal.signal(number, handle)
        try:
            yield received
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
            signal.set_wakeup_fd(wakeup)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """For the length of the block, Ctrl-C waits; after it, it does what it would have done."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held:
            handler(*held[0])
