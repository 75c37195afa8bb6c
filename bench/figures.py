"""What a run moved and where its time went, read off the workers' own records before and after it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable
from typing import Any

from distributed import Client

#: seconds in which workers that have fetched something say so to the sender, which then writes it down
ACKNOWLEDGED = 5.0


def read(client: Client) -> dict[str, Any]:
    """Return what all workers know of themselves: transfers, seconds of multiplying and compressing."""
    workers = client.run(_totals)
    return {
        "workers": len(workers),
        "sent": [entry for worker in workers.values() for entry in worker["sent"]],
        "multiplying": sum(worker["multiplying"] for worker in workers.values()),
        "compressing": sum(worker["compressing"] for worker in workers.values()),
        "fetches": [worker["fetches"] for worker in workers.values()],
    }


def since(before: dict[str, Any], after: dict[str, Any], span: tuple[float, float]) -> dict[str, float]:
    """Return a run's figures.

    Parameters
    ----------
    before, after : dict
        From `read`.
    span : (float, float)
        When the run began and ended, in seconds since 1970.

    Returns
    -------
    dict
        ``bytes_moved`` over all wires, and seconds of the average worker: ``moving_seconds`` (in which it was
        fetching at least one panel), ``compressing_seconds``, ``multiplying_seconds``; ``dask_seconds`` is what
        remains of the wall-clock time: scheduling, waiting, the client.
    """
    n = after["workers"]
    began, ended = span
    inside = [[(max(a, began), min(b, ended)) for a, b in fetches if b > began] for fetches in after["fetches"]]
    moving = sum(busy(fetches) for fetches in inside) / n
    multiplying = (after["multiplying"] - before["multiplying"]) / n
    return {
        # Dask keeps the last transfers only, so they are picked by their time, not counted against what was before
        "bytes_moved": sum(nbytes for start, nbytes in after["sent"] if began <= start <= ended),
        "moving_seconds": moving,
        "compressing_seconds": (after["compressing"] - before["compressing"]) / n,
        "multiplying_seconds": multiplying,
        "dask_seconds": max(0.0, ended - began - moving - multiplying),
    }


def busy(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of intervals.

    >>> busy([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)])
    4.0
    """
    total, until = 0.0, float("-inf")
    for start, stop in sorted(intervals):
        total += max(0.0, stop - max(start, until))
        until = max(until, stop)
    return total


async def _totals(dask_worker: Any) -> dict[str, Any]:
    """Run on a worker; what others have of it already is not in its records before they have said so."""
    end = time.monotonic() + ACKNOWLEDGED
    while dask_worker.transfer_outgoing_count and time.monotonic() < end:
        await asyncio.sleep(0.001)
    door = sys.modules.get("asafess.tiles.door")
    return {
        "sent": [(entry["start"], entry["compressed"]) for entry in dask_worker.transfer_outgoing_log],
        "multiplying": sum(
            seconds
            for key, seconds in dask_worker.digests_total.items()
            if isinstance(key, tuple)
            and key[0] == "execute"
            and key[2] == "multiply"  # key[1] is the span
            and key[3] in ("thread-cpu", "thread-noncpu")
        ),
        "compressing": door.counters()["encode_seconds"] if door else 0.0,
        "fetches": [(entry["start"], entry["stop"]) for entry in dask_worker.transfer_incoming_log],
    }
