"""How many messages go to a worker and come back per second, one after the other: on the way that tasks take.

A task that waits in the scheduler's queue is sent when a worker has said that another one has ended. Both messages go
by Dask's batched streams, which hold them back (scheduler to worker for up to 5 ms since the last one, worker to
scheduler 2 ms), through two event loops and a link. So do these. Times between answers are taken by the scheduler's
clock alone; workers' clocks may differ. They are not taken from records of tasks, because while the queue is open
there are none that waited in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from time import perf_counter

#: messages to a worker, of which the first finds streams that rest; seconds after which no further one is sent
RUNS, SECONDS = 16, 0.4
#: seconds after which an answer is no longer waited for
PATIENCE = 2.0
#: workers that are asked; at the same time, as in a program
MOST_WORKERS = 16
#: bounds of what is believed, per second
LEAST, MOST = 1.0, 1e4


class RoundTrips:
    """Sends messages and takes the answers.

    Parameters
    ----------
    send : callable
        Sends a message with this number to a worker, which is to come back to `answered`.
    """

    def __init__(self, send: Callable[[str, int], None]) -> None:
        self._send = send
        self._waiting: dict[tuple[str, int], asyncio.Future[None]] = {}
        self._number = 0

    def answered(self, worker: str, number: int) -> None:
        """Take an answer; one that nobody waits for any more is dropped."""
        waiting = self._waiting.pop((worker, number), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def measure(self, workers: Sequence[str]) -> float | None:
        """Return the messages there and back per second of a typical one of these workers.

        Returns
        -------
        float or None
            None where no worker has answered.
        """
        some = workers[:: max(1, -(-len(workers) // MOST_WORKERS))]
        return typical(await asyncio.gather(*(self._seconds(worker) for worker in some)))

    async def _seconds(self, worker: str) -> list[float]:
        """Return the seconds between one worker's answers."""
        found: list[float] = []
        try:
            await self._there_and_back(worker)
            began = last = perf_counter()
            while len(found) < RUNS - 1 and last - began < SECONDS:
                await self._there_and_back(worker)
                now = perf_counter()
                found.append(now - last)
                last = now
        except TimeoutError:
            pass
        return found

    async def _there_and_back(self, worker: str) -> None:
        self._number += 1
        key = worker, self._number
        self._waiting[key] = asyncio.get_running_loop().create_future()
        try:
            self._send(*key)
            await asyncio.wait_for(self._waiting[key], PATIENCE)
        finally:
            self._waiting.pop(key, None)


def typical(seconds: Iterable[Sequence[float]]) -> float | None:
    """Return round trips per second from the seconds of each worker's: the median worker's median one, within bounds.

    Examples
    --------
    >>> typical([[0.005, 0.004, 0.4], [0.005], []])
    200.0
    >>> typical([[]]) is None, typical([[0.0]])
    (True, 10000.0)
    """
    each = [median(one) for one in seconds if one]
    return min(max(1 / max(median(each), 1 / MOST), LEAST), MOST) if each else None
