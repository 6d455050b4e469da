"""What a launcher and its run server say to each other: small JSON messages over a local socket."""

from __future__ import annotations

import json
import socket
from typing import Any

# A message holds paths, a few environment variables and module names.
_LARGEST_BYTES = 1 << 18


def make_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends that keep messages apart, and tell when the other end is gone."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST_BYTES)
    return ends


def send(end: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Send ``message``, and with it copies of open file descriptors."""
    socket.send_fds(end, [json.dumps(message).encode()], list(files))


def receive(end: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and the file descriptors that came with it, or None when the other end is gone."""
    try:
        data, files, _, _ = socket.recv_fds(end, _LARGEST_BYTES, 4)
    except ConnectionResetError:
        return None
    return (json.loads(data), files) if data else None
