"""How many of the machine's cores have nothing to do, of late: encoding beside a transfer takes one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import psutil
from dask.system import CPU_COUNT

#: seconds over which it is a mean, at least; the system counts in hundredths
WINDOW = 0.05


def idle_seconds() -> float:
    """Return the seconds that the cores of this machine have been idle, of all of them together, since it started.

    Not a number where it can't be said: the system refuses, or lets this process use only some of the cores, as a
    container does, and counts all.
    """
    if (psutil.cpu_count() or 1) > CPU_COUNT:
        return math.nan
    try:
        times = psutil.cpu_times()
    except (OSError, RuntimeError):
        return math.nan
    # waiting for a disk is idling, where the system tells it apart
    return float(times.idle + getattr(times, "iowait", 0.0))


class Cores:
    """Idle cores. Any thread may use one.

    Parameters
    ----------
    seconds : callable
        The seconds that all cores together have been idle.
    clock : callable
        The time in seconds.

    Examples
    --------
    >>> now, idle = [0.0], [100.0]
    >>> cores = Cores(lambda: idle[0], lambda: now[0])
    >>> now[0], idle[0] = 0.5, 101.5
    >>> cores.idle()
    3.0
    """

    def __init__(
        self, seconds: Callable[[], float] = idle_seconds, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._idle = math.nan
        self._last = clock(), seconds()

    def idle(self) -> float:
        """Return how many cores were idle, as a mean since this was last looked at; NaN if it can't be said."""
        with self._lock:
            now, (time_before, before) = self._clock(), self._last
            if now - time_before >= WINDOW:
                self._last = now, self._seconds()
                self._idle = (self._last[1] - before) / (now - time_before)
            return self._idle
