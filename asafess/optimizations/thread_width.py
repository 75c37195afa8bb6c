"""Thread width: how many threads of its own a task may use, in BLAS.

Dask's nanny pins BLAS to one thread, because as many tasks run in a worker as it has threads. When fewer are left than
that, the last big matrix product of a program runs on one core and the others look on. States: *narrow*, the pools as
they are found; *wide*, each has as many threads as the worker. Which of them is right follows from how many tasks each
worker has, and from what they do; see `asafess.optimizations.thread_width_costs` for the arithmetic. The decision is
one for all workers.

A product takes the width that its pool has when it begins. So what counts is to decide before the last products start:
from a graph that arrives, and from the phase that comes (see `asafess.cluster.ahead`).

**Results are the same to rounding, not to the bit.** A BLAS adds up in another order on another number of threads, as
it does when one sets `OMP_NUM_THREADS`; and when we switch depends on time. Who needs the same bits leaves it off.

What is reached and what is not:

- OpenBLAS with threads of its own (NumPy's and SciPy's wheels) and MKL: one setting for the whole process, so it may be
  made in the worker's event loop. Libraries that are loaded later count from the next switch on.
- OpenMP, and an OpenBLAS that is built on it, keep the number for each thread that calls them. What is set in the event
  loop does not reach the threads of tasks. They stay as they are.
- Numba keeps it for each thread too, and the nanny does not pin it: a parallel function has all cores in either state.
- Pools are only ever made wider. Where there is no nanny they are found as wide as the machine, and stay so.
- Workers that share a process (``LocalCluster(processes=False)``) share its pools, also with the client. They get the
  width of the smallest of them, and the last one to be left puts back what the first has found.
- A task that uses `threadpoolctl` itself while we switch puts back what *it* has found.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from asafess.core.cheaper import cheaper
from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample
from asafess.optimizations import thread_width_costs
from asafess.optimizations.base import Optimization
from asafess.optimizations.thread_width_costs import NARROW, WIDE, Pool, spread

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, TaskGroup

#: to widen, narrow must take so many times as long; to go back, wide must take longer
BAND = 1.1
#: seconds of a task that is worth a look before it is assigned; shorter ones are left to the tick
LONG = 0.02
#: workers that are looked at: more than twice as many are sampled
WORKERS = 64


class ThreadWidth(Optimization):
    """Give the last products of a phase all threads of their worker; results are the same to rounding.

    Parameters
    ----------
    efficiency : float
        Share of its speed that each further thread of a pool adds to a product, above 0 and up to 1.
    oversubscribed : float
        How many times as long a product takes where all threads of a worker run one and all pools are wide, at least 1.

    Raises
    ------
    ValueError
        A value outside its range.

    Examples
    --------
    >>> domain = ThreadWidth().domain(Rates(flop=1e9, memory=1e9, link=1e9))
    >>> alone, full = (Pool().load([(tasks, 2)]) for tasks in (1, 90))
    >>> domain("narrow", {"compute": 1e9, **alone}), domain("wide", {"compute": 1e9, **full})
    ('wide', 'narrow')
    """

    name = "thread_width"
    states = (NARROW, WIDE)

    def __init__(self, efficiency: float = 0.5, oversubscribed: float = 1.5) -> None:
        self.pool = Pool(
            _number("efficiency", efficiency, "above 0 and at most 1", lambda value: 0 < value <= 1),
            _number("oversubscribed", oversubscribed, "of at least 1", lambda value: 1 <= value <= sys.float_info.max),
        )

    def domain(self, rates: Rates) -> Domain:
        """Return the domain: predicted seconds of one state against those of the other."""
        return cheaper((NARROW, WIDE), partial(thread_width_costs.seconds, rates=rates), BAND)

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict seconds by state; see `asafess.optimizations.thread_width_costs`."""
        return thread_width_costs.costs(sample, self.pool)

    def scheduler_load(self, scheduler: Scheduler, groups: Mapping[TaskGroup, int]) -> Mapping[str, float]:
        """Return how the tasks that are assigned, and will be at once, are spread over the workers' threads."""
        coming = _at_once(groups)
        queued = any(group.states["queued"] for group in groups)
        if groups and not coming and not queued:
            return {}
        # what comes without being queued has waited for what runs: that is over then
        alone = bool(groups) and not queued and all(group.states["waiting"] for group in groups)
        step = max(1, len(scheduler.workers) // WORKERS)
        workers = [
            (0 if alone else len(ws.processing) - len(ws.long_running), ws.nthreads)
            for ws in islice(scheduler.workers.values(), None, None, step)
        ]
        return self.pool.load(spread(workers, math.ceil(coming / step)), step)

    def prepare(self, dtypes: Sequence[str]) -> None:
        """Import what `enter` needs."""
        import threadpoolctl  # noqa: F401

    def enter(self, state: str) -> None:
        """Make the pools as wide as the worker, or put back what was found."""
        if state == WIDE:
            _pools.widen(_worker_threads())
        else:
            _pools.restore()

    def leave(self) -> None:
        """Put back what was found."""
        _pools.restore()

    def counters(self) -> Mapping[str, float]:
        """Return how many pools of this process have become wider, and how many should have and have not."""
        return dict(_pools.counts)


def _at_once(groups: Mapping[TaskGroup, int]) -> int:
    """Return how many of the tasks that will be assigned run at once; they are long, and most of the time is theirs."""
    found = []
    for group, count in groups.items():
        if group.prefix.duration_average >= LONG:
            # tasks that wait for others of their group run one after the other
            found.append((count * group.prefix.duration_average, 1 if group in group.dependencies else count))
    most = max((seconds for seconds, _ in found), default=0.0)
    return sum(count for seconds, count in found if 2 * seconds >= most)


class _Pools:
    """The BLAS pools of this process, and how wide those that we have changed were found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._libraries: list[Any] = []
        #: file of a library → threads
        self._found: dict[str, int] = {}
        #: pools that have become wider, and that have not
        self.counts = {"pools_widened": 0.0, "pools_not_widened": 0.0}

    def widen(self, threads: int) -> None:
        """Give each pool so many threads that has fewer: 0.2 to 1 ms, most of it to find the libraries."""
        from threadpoolctl import ThreadpoolController

        with self._lock:
            # each time, because tasks import what they need when they need it
            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            for library in self._libraries:
                width = library.num_threads
                if width is not None and width < threads:
                    self._found.setdefault(library.filepath, width)
                    library.set_num_threads(threads)
                    # a library has a most of its own, and says nothing where that is less
                    self.counts["pools_widened" if library.num_threads > width else "pools_not_widened"] += 1.0

    def restore(self) -> None:
        """Put back what was found: some 0.01 ms."""
        with self._lock:
            for library in self._libraries:
                if library.filepath in self._found:
                    library.set_num_threads(self._found.pop(library.filepath))


#: workers that share this process share them
_pools = _Pools()


def _worker_threads() -> int:
    """Return the threads of the worker in this process; of several the fewest, and no more than there are cores."""
    from distributed import Worker
    from distributed.core import Status

    running = [one.state.nthreads for one in Worker._instances if one.status not in (Status.closed, Status.failed)]
    return min([len(os.sched_getaffinity(0)), *running]) if running else 1


def _number(name: str, value: Any, allowed: str, right: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not right(value):
        raise ValueError(f"asafess.thread-width.{name} must be a number {allowed}, not {value!r}")
    return float(value)
