"""What memory costs more that a process keeps than memory that it gets back before it wants the next.

Memory that has been freed is written again at once; more of it comes from the system, which has to clear each page
before it is written. How much that is depends on the system (size of a page, virtual machine) and on the allocator:
Dask's nanny starts workers with ``MALLOC_TRIM_THRESHOLD_``, and then glibc gives arrays back at once, so all of them
are new and keeping them costs little more. So it is measured, in the process that it is wanted for.
"""

from __future__ import annotations

from time import thread_time

import numpy as np

#: words of an array, arrays, and how often they are made; the quickest counts
WORDS, ARRAYS, RUNS = 1 << 20, 8, 3
#: bytes per second where keeping memory costs nothing that can be measured
FREE = 1e12


def rate() -> float:
    """Return the bytes per second that memory costs more which is kept.

    Needs 64 MiB for about as long as it takes to write them some times.

    Examples
    --------
    >>> 0 < rate() <= FREE
    True
    """
    freed, kept = [], []
    for _ in range(RUNS):  # in turns, so that both meet the machine's moods
        freed.append(_seconds(1))
        kept.append(_seconds(ARRAYS))
    return of_seconds(8 * WORDS * ARRAYS, min(freed), min(kept))


def of_seconds(nbytes: int, freed: float, kept: float) -> float:
    """Return the rate from the seconds that it took to write so many bytes either way.

    Examples
    --------
    >>> of_seconds(1000, freed=1.0, kept=1.5), of_seconds(1000, freed=1.5, kept=1.0)
    (2000.0, 1000000000000.0)
    """
    return nbytes / (kept - freed) if kept - freed > nbytes / FREE else FREE


def _seconds(keep: int) -> float:
    """Return the seconds of making and giving back all arrays, of which so many are kept at a time."""
    start = thread_time()
    held: list[np.ndarray] = []
    for _ in range(ARRAYS):
        if len(held) == keep:
            held.clear()
        held.append(np.full(WORDS, 1.0))
    held.clear()
    return thread_time() - start
