"""What moving bytes costs processors: the copies into a socket and out of it, at both ends.

Between processes of one machine this is all that a transfer takes, and on a link of 10 Gbit/s half of it. It waits for
a core as computing does, so where none is idle it can't be hidden behind that.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable

import numpy as np

#: seconds per byte until they are measured
COPYING = 8e-10
#: bytes that are moved to measure, of which the quickest time counts, and those that are received at once
SIZE, RUNS, PIECE = 1 << 22, 5, 1 << 18
#: seconds after which moving is taken to hang
PATIENCE = 5.0


def measure(
    pair: Callable[[], tuple[socket.socket, socket.socket]] = socket.socketpair, size: int = SIZE
) -> float | None:
    """Return the seconds of processors that it takes to move a byte: of both ends together.

    None where it can't be said, because the system refuses.

    Parameters
    ----------
    pair : callable
        Makes two connected sockets.
    size : int
        Bytes to move.

    Examples
    --------
    >>> 1e-12 < measure() < 1e-6
    True
    """
    data = np.ones(size, np.uint8)
    made = []  # what has come is kept, as tasks do: the system has to find memory for the next
    least = math.inf
    try:
        here, there = pair()
        with here, there:
            here.settimeout(PATIENCE)
            there.settimeout(PATIENCE)
            for _ in range(RUNS):
                seconds, received = _moved(here, there, data)
                made.append(received)
                least = min(least, seconds)
    except (OSError, RuntimeError):  # no sockets, or no threads
        return None
    return least / size


def _moved(here: socket.socket, there: socket.socket, data: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the seconds, as these threads' clocks count them, and what has come."""
    sending = [0.0]

    def send() -> None:
        start = time.thread_time()
        try:
            here.sendall(data.data)
        except OSError:  # the other end says so, too
            here.close()
        sending[0] = time.thread_time() - start

    thread = threading.Thread(target=send, name="asafess-measures-sockets", daemon=True)
    thread.start()
    start = time.thread_time()
    try:
        received = np.empty_like(data)
        into, at = received.data, 0
        while at < data.size:
            some = there.recv_into(into[at : at + PIECE])
            if not some:
                raise ConnectionError("the other end was closed")
            at += some
        receiving = time.thread_time() - start
    finally:
        thread.join(PATIENCE)
    return sending[0] + receiving, received
