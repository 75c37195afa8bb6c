"""What wide thread pools save, and what they cost: from how many tasks each worker runs at once.

A worker of t threads runs k ≤ t tasks. *Narrow*, a matrix product takes one thread. *Wide*, its pool has t, so that the
k tasks have k · t threads on t cores. Then a product takes f(k) times as long as narrow::

    f(1) = 1 ÷ (1 + (t − 1) · efficiency)        f(t) = oversubscribed        between them: evenly

Measured, in whole tasks: f(1) = 0.68 and f(2) = 1.6 for t = 2 on two cores, f(1) = 0.41 and f(4) = 1.5 for t = 4 on
sixteen, which the defaults (0.5 and 1.5) follow.

Only matrix products (and what else is done in a BLAS) use these pools. In task types they are the `compute` that is not
`loops`, so a wide pool changes that part of a task alone: a task that is bound by memory, by loops over arrays or by
the network takes as long in either state, and so does the millisecond that Dask needs for any task.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asafess.core.mode import Rates, Sample, Vector, computing, total_load

NARROW, WIDE = "narrow", "wide"

#: axes: tasks that are assigned, threads that they keep busy, the same times how much longer a wide product takes
#: there, and the workers that have any
TASKS, BUSY, BUSY_WIDE, WORKERS = "pool_tasks", "pool_threads", "pool_threads_wide", "pool_workers"

#: seconds between two tasks of a thread: Dask's documentation says 200 µs to 1 ms for each task
TASK_SECONDS = 1e-3


@dataclass(frozen=True, slots=True)
class Pool:
    """What a pool of several threads makes of a product."""

    #: share of its speed that each further thread adds
    efficiency: float = 0.5
    #: seconds of a product where each of the worker's threads runs one and all pools are wide ÷ narrow
    oversubscribed: float = 1.5

    def factor(self, running: int, threads: int) -> float:
        """Return the seconds of a product in wide pools ÷ those in narrow ones.

        Parameters
        ----------
        running : int
            Tasks that a worker runs at once, 1 to `threads`.
        threads : int
            Of the worker.

        Examples
        --------
        >>> pool = Pool(efficiency=0.5, oversubscribed=1.5)
        >>> [round(pool.factor(running, 4), 2) for running in (1, 2, 4)]
        [0.4, 0.77, 1.5]
        >>> pool.factor(1, 1)
        1.0
        """
        alone = 1 / (1 + (threads - 1) * self.efficiency)
        if running <= 1:
            return alone
        return alone + (running - 1) / (threads - 1) * (self.oversubscribed - alone)

    def load(self, workers: Iterable[tuple[int, int]], each: int = 1) -> dict[str, float]:
        """Return the load of assigned tasks on the axes of this file; nothing where there are none.

        Parameters
        ----------
        workers : iterable of (int, int)
            Of each worker, the tasks that are assigned to it, and its threads.
        each : int
            Workers that one of them stands for.

        Examples
        --------
        >>> Pool().load([(1, 2), (0, 2)])
        {'pool_tasks': 1.0, 'pool_threads': 1.0, 'pool_threads_wide': 0.6666666666666666, 'pool_workers': 1.0}
        """
        tasks = threads_busy = wide = 0.0
        busy = 0
        for assigned, threads in workers:
            if assigned > 0:
                running = min(assigned, threads)
                tasks += each * assigned
                threads_busy += each * running
                wide += each * running * self.factor(running, threads)
                busy += each
        return {TASKS: tasks, BUSY: threads_busy, BUSY_WIDE: wide, WORKERS: float(busy)} if busy else {}


def spread(workers: Sequence[tuple[int, int]], tasks: int) -> list[tuple[int, int]]:
    """Assign so many tasks more, each to the worker with the most free threads; what exceeds the threads is left out.

    Examples
    --------
    >>> spread([(2, 2), (0, 2)], 1), spread([(0, 1), (0, 1)], 9)
    ([(2, 2), (1, 2)], [(1, 1), (1, 1)])
    """
    free = [(assigned - threads, k) for k, (assigned, threads) in enumerate(workers) if assigned < threads]
    heapq.heapify(free)
    found = list(workers)
    while tasks > 0 and free:
        least, k = free[0]
        found[k] = found[k][0] + 1, found[k][1]
        tasks -= 1
        if least + 1 < 0:
            heapq.heapreplace(free, (least + 1, k))
        else:
            heapq.heappop(free)
    return found


def seconds(vector: Vector, rates: Rates) -> dict[str, float] | None:
    """Return the predicted seconds of what is scheduled, by state; None where it is not known who runs it.

    Parameters
    ----------
    vector : mapping
        Loads on the standard axes and on those of this file.
    rates : Rates

    Examples
    --------
    >>> alone = Pool(efficiency=1.0).load([(1, 2)])
    >>> found = seconds({"compute": 2e9, **alone}, Rates(flop=1e9, memory=1e9, link=1e8))
    >>> {state: round(one, 3) for state, one in found.items()}
    {'narrow': 2.001, 'wide': 1.001}
    """
    busy, workers = vector.get(BUSY, 0.0), vector.get(WORKERS, 0.0)
    if busy <= 0 or workers <= 0:
        return None
    compute = vector.get("compute", 0.0)
    loops = min(vector.get("loops", 0.0), compute)
    factor = vector.get(BUSY_WIDE, busy) / busy
    widened = {**vector, "compute": loops + (compute - loops) * factor}
    moving = vector.get("communication", 0.0) / rates.link / workers
    dask = vector.get(TASKS, 0.0) * TASK_SECONDS / busy
    return {
        NARROW: max(computing(vector, rates) / busy, moving) + dask,
        WIDE: max(computing(widened, rates) / busy, moving) + dask,
    }


def costs(sample: Sample, pool: Pool) -> Mapping[str, float] | None:
    """Return the predicted seconds of a sample, by state.

    Where the sample does not say which worker has how many tasks, because they have just arrived, they are taken to be
    spread evenly.
    """
    if sample.rates is None:
        return None
    vector = total_load(sample.scheduled)
    if BUSY not in vector:
        tasks = sum(one.count for one in sample.scheduled if "compute" in one.load)
        even = [(0, max(sample.threads // sample.workers, 1))] * sample.workers
        running = sum(one for one, _ in spread(even, tasks))
        vector |= pool.load(spread(even, tasks))
        if running:
            vector[TASKS] = float(tasks)
    return seconds(vector, sample.rates)
