"""What moving bytes costs processors: the copies into a socket and out of it, at both ends.

Between processes of one machine this is most of what a transfer takes; on a link of 10 Gbit/s each end computes about
half as long as the link takes. It waits for a core as computing does, so where none is idle it can't be hidden behind
that. Measured with a pair of sockets inside this process: what Dask and TCP do beside the copies comes on top.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

#: seconds per byte until they are measured
COPYING = 8e-10
#: bytes that are moved to measure, of which the quickest time counts, and those that are sent or received at once
SIZE, RUNS, PIECE = 1 << 22, 5, 1 << 18
#: seconds after which no more is moved
PATIENCE = 2.0
SENDER = "asafess-measures-sockets"


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
            here.settimeout(PATIENCE)
            there.settimeout(PATIENCE)
            made = []  # what has come is kept, as tasks do: the system has to find memory for the next
            for _ in range(RUNS):
                seconds, received = _moved(here, there, data, end)
                made.append(received)
                least = min(least, seconds)
    except (OSError, MemoryError, RuntimeError):  # the last one: no threads
        return None
    return least / size or None


def _moved(here: socket.socket, there: socket.socket, data: np.ndarray, end: float) -> tuple[float, np.ndarray]:
    """Return the seconds, as these threads' clocks count them, and what has come.

    Two threads, because the ends are on two cores: what one has in its cache the other has to fetch.
    """
    received = np.empty_like(data)
    sending: list[float] = []
    thread = threading.Thread(target=_send, args=(here, data, sending), name=SENDER, daemon=True)
    thread.start()
    start = time.thread_time()
    try:
        into, came = received.data, 0
        while came < data.size:
            some = there.recv_into(into[came : came + PIECE])
            if not some:
                raise ConnectionError("the other end was closed")
            if time.monotonic() > end:
                raise TimeoutError(f"{came} of {data.size} bytes have come in time")
            came += some
        receiving = time.thread_time() - start
    except OSError:
        here.shutdown(socket.SHUT_RDWR)  # so that sending ends, too
        raise
    finally:
        thread.join(PATIENCE)
    if not sending:
        raise TimeoutError("sending has not ended, or failed")
    return sending[0] + receiving, received


def _send(here: socket.socket, data: np.ndarray, seconds: list[float]) -> None:
    start = time.thread_time()
    with suppress(OSError):  # nothing is said; the other end says why
        here.sendall(data.data)
        seconds.append(time.thread_time() - start)
