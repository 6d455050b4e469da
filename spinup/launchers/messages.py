"""What a launcher and its run server say to each other: small JSON messages over a local socket."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from typing import Any

# A message holds paths, a few environment variables and module names.
_LARGEST_BYTES = 1 << 18
_MOST_FILES = 4
_FIRST_FREE = 3  # a process that was started with its output closed would print into what has these numbers


def make_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends that keep messages apart, and tell when the other end is gone."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    first, second = (socket.socket(fileno=_above_standard(end.detach())) for end in pair)
    for end in (first, second):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST_BYTES)
    return first, second


def send(end: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Send ``message``, and with it copies of open file descriptors.

    Raises:
        OSError: The other end is gone, or does not listen; ``errno.EMSGSIZE`` if the message is too large.
    """
    data = json.dumps(message).encode()
    if len(data) > _LARGEST_BYTES:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    socket.send_fds(end, [data], list(files))


def receive(end: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and the file descriptors that came with it, or None when the other end is gone."""
    try:
        # Not for programs that are executed later: a descriptor may be a lock of some other run.
        data, files, _, _ = socket.recv_fds(end, _LARGEST_BYTES, _MOST_FILES, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        return None
    return (json.loads(data), [_above_standard(file) for file in files]) if data else None


def _above_standard(file: int) -> int:
    if file >= _FIRST_FREE:
        return file
    moved = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    os.close(file)
    return moved
