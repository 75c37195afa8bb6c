"""What moving bytes costs processors: the copies into a socket and out of it, at both ends.

Between processes of one machine this is most of what a transfer takes; on a link of 10 Gbit/s each end computes about
half as long as the link takes. It waits for a core as computing does, so where none is idle it can't be hidden behind
that. Measured with a pair of sockets inside this process: what Dask and TCP do beside the copies comes on top.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable

import numpy as np

#: seconds per byte until they are measured
COPYING = 8e-10
#: bytes that are moved to measure, of which the quickest time counts, and those that are sent or received at once
SIZE, RUNS, PIECE = 1 << 22, 5, 1 << 18
#: seconds after which no more is moved
PATIENCE = 2.0


def measure(
    pair: Callable[[], tuple[socket.socket, socket.socket]] = socket.socketpair, size: int = SIZE
) -> float | None:
    """Return the seconds of processors that it takes to move a byte: of both ends together.

    None where it can't be said: the system refuses, or its clock is too coarse.

    Parameters
    ----------
    pair : callable
        Makes two connected sockets.
    size : int
        Bytes to move.

    Examples
    --------
    >>> 1e-12 < (measure() or COPYING) < 1e-6
    True
    """
    least, end = math.inf, time.monotonic() + PATIENCE
    try:
        data = np.ones(size, np.uint8)
        here, there = pair()
        with here, there:
            here.setblocking(False)
            there.setblocking(False)
            made = []  # what has come is kept, as tasks do: the system has to find memory for the next
            for _ in range(RUNS):
                start = time.thread_time()
                made.append(_moved(here, there, data, end))
                least = min(least, time.thread_time() - start)
    except (OSError, MemoryError):
        return None
    return least / size or None


def _moved(here: socket.socket, there: socket.socket, data: np.ndarray, end: float) -> np.ndarray:
    """Send from here and receive there, in turns, so that one thread's clock counts both; return what has come."""
    received = np.empty_like(data)
    source, into = data.data, received.data
    sent = came = 0
    while came < data.size:
        if time.monotonic() > end:
            raise TimeoutError(f"{came} of {data.size} bytes have come in time")
        try:
            if sent < data.size:
                sent += here.send(source[sent : sent + PIECE])
        except BlockingIOError:  # what is on its way has to come first
            pass
        try:
            some = there.recv_into(into[came : came + PIECE])
        except BlockingIOError:
            continue
        if not some:
            raise ConnectionError("the other end was closed")
        came += some
    return received
