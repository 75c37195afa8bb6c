"""What queuing of root tasks costs, and what it saves: from counts, mean duration, bytes per output, and free memory.

For n root tasks that are still to be assigned, on T threads, each of d seconds and b bytes of output:

*wait*: a queued task is sent when another one has ended, so a *slot* (a worker has 1.1 per thread, rounded up) takes a
round trip r longer for each task than the task does. Beside that, Dask needs s seconds for each task in any state::

    queued: n · max(s, d ÷ T, (d + r) ÷ slots)        open: n · max(s, d ÷ T)

*overproduction*: without a queue the workers make all n outputs before the scheduler can tell them of what consumes
them. Memory that is kept costs more than memory that is freed before the next is wanted, because the system has to
bring new pages; and what does not fit below the share of the workers' memory at which Dask spills goes to disk and
comes back.

r, the time of a byte that is kept and that of one that is spilled are measured (`Rates.extra`: ``round_trips`` and
``kept_memory`` per second, ``spill_disk``), where the configuration does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asafess.core.mode import Rates, Sample, Vector, total_load

QUEUED, OPEN = "queued", "open"

#: axes: seconds that the root tasks to be assigned take at least, that they wait for round trips where they are queued,
#: the bytes of their outputs, and those of them for which there is no memory (times workers: their disks are one each)
SECONDS, WAIT, OUTPUT, SPILLED = "root_seconds", "root_wait", "root_output", "root_spilled"

#: seconds of the scheduler for a task; Dask's documentation says 200 µs to 1 ms
TASK_SECONDS = 3e-4
#: until they are measured: round trips per second (Dask holds messages to a worker back for up to 5 ms); bytes per
#: second that memory costs more which is kept; those of one worker that are spilled and read back
ROUND_TRIPS, KEPT_MEMORY, DISK = 200.0, 2e9, 5e8


@dataclass(frozen=True, slots=True)
class Roots:
    """Root tasks of one group that are still to be assigned, and the cluster that they are for."""

    count: int
    #: mean seconds of one
    seconds: float
    #: mean bytes of an output
    output: float
    threads: int
    #: tasks that all workers together are given at a time while there is a queue
    slots: int
    #: bytes that all workers together can hold before they spill
    free: float


def load(roots: Roots, round_trip: float) -> dict[str, float]:
    """Return the load of root tasks on the axes of this file.

    Parameters
    ----------
    roots : Roots
    round_trip : float
        Seconds from the end of a task to the beginning of the one that the scheduler sends for it.

    Returns
    -------
    dict
        Axis → seconds or bytes.

    Examples
    --------
    >>> tiny = load(Roots(1504, 1e-4, 28.0, threads=2, slots=4, free=1e9), round_trip=4e-3)
    >>> round(tiny["root_wait"], 4)
    1.0875
    >>> load(Roots(96, 0.02, 24e6, threads=2, slots=4, free=1e9), round_trip=4e-3)
    {'root_seconds': 0.96, 'root_wait': 0.0, 'root_output': 2304000000.0, 'root_spilled': 1304000000.0}
    """
    each = max(TASK_SECONDS, roots.seconds / roots.threads)
    # what there are slots for is sent at once in any state
    queued = max(roots.count - roots.slots, 0)
    slow = max(each, (roots.seconds + round_trip) / roots.slots)
    output = roots.count * roots.output
    return {
        SECONDS: roots.count * each,
        WAIT: queued * (slow - each),
        OUTPUT: output,
        SPILLED: max(output - roots.free, 0.0),
    }


def round_trip(rates: Rates | None) -> float:
    """Return the seconds from the end of a task to the beginning of the one that the scheduler sends for it.

    Examples
    --------
    >>> round_trip(None), round_trip(Rates(1e9, 1e10, 1e9, {"round_trips": 100.0}))
    (0.005, 0.01)
    """
    return 1 / (ROUND_TRIPS if rates is None else rates.extra.get("round_trips", ROUND_TRIPS))


def overproduction(vector: Vector, rates: Rates, disk: float | None, threads: int, workers: int) -> float:
    """Return the seconds that an open queue costs.

    Parameters
    ----------
    vector : mapping
        Loads on the axes of this file.
    rates : Rates
    disk : float or None
        Bytes per second of one worker that are written to disk and read back; None: as measured.
    threads, workers : int
        That share it.

    Examples
    --------
    >>> rates = Rates(1e9, 1e10, 1e9, {"kept_memory": 4e9, "spill_disk": 2.5e8})
    >>> load = {"root_output": 2e9, "root_spilled": 1e9}
    >>> [overproduction(load, rates, disk, threads=2, workers=2) for disk in (None, 5e8)]
    [2.25, 1.25]
    """
    kept = vector.get(OUTPUT, 0.0) / rates.extra.get("kept_memory", KEPT_MEMORY) / threads
    disk = rates.extra.get("spill_disk", DISK) if disk is None else disk
    return kept + vector.get(SPILLED, 0.0) / disk / workers


def costs(sample: Sample, disk: float | None = None) -> Mapping[str, float] | None:
    """Return the predicted seconds of what is to be assigned, by state; None where there is no root task.

    Parameters
    ----------
    sample : Sample
    disk : float, optional
        See `overproduction`.
    """
    vector = total_load(sample.scheduled)
    if sample.rates is None or SECONDS not in vector:
        return None
    seconds = vector[SECONDS]
    return {
        QUEUED: seconds + vector[WAIT],
        OPEN: seconds + overproduction(vector, sample.rates, disk, sample.threads, sample.workers),
    }
