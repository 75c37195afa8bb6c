"""Which share of the time that tasks keep a thread they compute, from Dask's fine performance metrics.

A task that waits for Python's interpreter lock, for a core, or for a disk keeps its thread and does no work. Workers
count both by the prefix of tasks, ``thread-cpu`` and ``thread-noncpu``, and send them with their heartbeats: later
than the scheduler hears that a task has ended. So a share is taken over what heartbeats have brought, and only where
that is about what has ended meanwhile; and only of tasks that call the same functions. What an executor other than a
thread pool, a coroutine, or a user's own metering hides is never brought, and nothing is said of it.

Only the thread that the task runs in is counted. Serializing and compressing what leaves a worker runs in others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed.scheduler import TaskPrefix

#: factor, either way, between the seconds that heartbeats have brought and those of the tasks that ended meanwhile
BALANCE = 1.5
#: rounding, as a share of all seconds so far
ROUNDING = 1e-3


class CpuShare:
    """The share of one prefix.

    Parameters
    ----------
    prefix : distributed.scheduler.TaskPrefix
    metrics : mapping
        What all heartbeats have brought so far, `Scheduler.cumulative_worker_metrics`.
    """

    __slots__ = (
        *("_begin", "_counted", "_cpu", "_cpu_key", "_ended", "_last", "_prefix", "_waiting_key"),
        *("news", "running", "share"),
    )

    def __init__(self, prefix: TaskPrefix, metrics: Mapping[Any, float]) -> None:
        self._prefix = prefix
        self._cpu_key = "execute", prefix.name, "thread-cpu", "seconds"
        self._waiting_key = "execute", prefix.name, "thread-noncpu", "seconds"
        #: between 0 and 1; None while unknown
        self.share: float | None = None
        #: how often there was a new one
        self.news = 0
        #: functions → groups of the prefix that call them
        self.running: Counter[frozenset[str]] = Counter()
        self._last: frozenset[str] | None = None
        #: seconds of the tasks that ended before what is wanted began
        self._begin = 0.0
        self._read(metrics)

    @property
    def mixed(self) -> bool:
        """Whether tasks that call different functions run: heartbeats do not tell them apart."""
        return len(self.running) > 1

    def enter(self, functions: frozenset[str]) -> None:
        """Take note that tasks of a group that call these functions will run."""
        self.running[functions] += 1
        if functions != self._last:
            self._last = functions
            self.begin()

    def leave(self, functions: frozenset[str]) -> None:
        """Take note that the tasks of a group have ended."""
        self.running[functions] -= 1
        if not self.running[functions]:
            del self.running[functions]
            if self.running:
                self._last = next(iter(self.running))
                self.begin()

    def begin(self) -> None:
        """Leave out what has ended by now, though heartbeats may still bring it."""
        self._begin = self._prefix.all_durations["compute"] * (1 - ROUNDING)

    def look(self, metrics: Mapping[Any, float]) -> None:
        """Take a new share if heartbeats have brought enough."""
        cpu = metrics.get(self._cpu_key)
        if cpu is None or cpu == self._cpu:
            return
        if self.mixed or self._counted < self._begin:
            self._read(metrics)
            return
        counted = cpu + metrics.get(self._waiting_key, 0.0) - self._counted
        ended = self._prefix.all_durations["compute"] - self._ended
        if counted <= 0 or not ended / BALANCE <= counted <= ended * BALANCE:
            return
        self.share = min((cpu - self._cpu) / counted, 1.0)
        self.news += 1
        self._read(metrics)

    def _read(self, metrics: Mapping[Any, float]) -> None:
        self._cpu = metrics.get(self._cpu_key, 0.0)
        self._counted = self._cpu + metrics.get(self._waiting_key, 0.0)
        self._ended = self._prefix.all_durations["compute"]
