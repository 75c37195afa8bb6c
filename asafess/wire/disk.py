"""How fast a disk takes what is spilled and gives it back."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from distributed.spill import SpillBuffer

#: bytes that are written and read back, and how often; the quickest counts
SIZE, RUNS = 1 << 24, 2
#: bytes of a read
PIECE = 1 << 20

#: bytes that must have been written, or read, to believe what that took
EVIDENCE = 1 << 24

#: directory → its rate: several optimizations of one process ask for it
_known: dict[str, float] = {}


def buffers() -> Iterator[tuple[Any, SpillBuffer]]:
    """Yield the workers of this process that have a spill buffer of Dask's, and the buffers."""
    from distributed import Worker
    from distributed.spill import SpillBuffer

    for worker in list(Worker._instances):
        data = getattr(getattr(worker, "state", None), "data", None)
        if isinstance(data, SpillBuffer):
            yield worker, data


def directories() -> set[str]:
    """Return where the workers of this process spill to."""
    from distributed.core import Status

    # closed workers are remembered for a while, but their directories are gone
    return {worker.local_directory for worker, _ in buffers() if worker.status != Status.closed}


def of_workers() -> float | None:
    """Return the `rate` of the disk that the workers of this process spill to, measured once; of several the slowest.

    Returns
    -------
    float or None
        None where nothing is spilled.

    Raises
    ------
    OSError
        It can't be written to.

    Examples
    --------
    >>> of_workers() is None  # no worker here
    True
    """
    for directory in (found := directories()) - _known.keys():
        _known.setdefault(directory, rate(directory))  # another thread may have been there first: what all say is one
    return min((_known[directory] for directory in found), default=None)


def rate(directory: str) -> float:
    """Return the bytes per second that go to a disk and come back: each byte is written once and read once.

    It is what the disk does, not the page cache: the file is flushed before the clock stops, and dropped from the cache
    before it is read, where the system can do that (Linux). While the system has memory to spare, files that Dask
    spills are written and read sooner than that; then the meters of Dask's spill buffer tell.

    Parameters
    ----------
    directory : str
        Where to; a file of 16 MiB is in it for a moment.

    Raises
    ------
    OSError
        It can't be written to.

    Examples
    --------
    >>> import tempfile
    >>> rate(tempfile.gettempdir()) > 0
    True
    """
    # a disk or a file system that compresses must not look faster than it is
    data = np.random.default_rng(0).integers(0, 1 << 63, SIZE // 8, np.int64).tobytes()
    return SIZE / min(_there_and_back(directory, data) for _ in range(RUNS))


def _there_and_back(directory: str, data: bytes) -> float:
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        start = time.perf_counter()
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
        seconds = time.perf_counter() - start
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(0)
        start = time.perf_counter()
        while file.read(PIECE):
            pass
        return max(seconds + time.perf_counter() - start, 1e-6)


class Pace:
    """What a disk takes while it is used: the seconds of Dask's spill buffers, where they have moved enough.

    Parameters
    ----------
    alone : float
        Bytes per second there and back, before that is known.

    Examples
    --------
    >>> pace = Pace(alone=1e8)
    >>> totals = {"spill_written_bytes": 1e8, "spill_write_seconds": 1.0}
    >>> pace.rate(totals | {"spill_read_bytes": 1e8, "spill_read_seconds": 0.25})
    80000000.0
    """

    def __init__(self, alone: float) -> None:
        self.alone = alone
        self._before: dict[str, tuple[float, float]] = {}
        #: seconds per byte
        self._took: dict[str, float] = {}

    def rate(self, totals: Mapping[str, float]) -> float | None:
        """Return the bytes per second there and back, or None where nothing new is known.

        Parameters
        ----------
        totals : mapping
            Bytes and seconds of writing and of reading since the start.
        """
        new = False
        for counted, way in (("written", "write"), ("read", "read")):
            now = totals[f"spill_{counted}_bytes"], totals[f"spill_{way}_seconds"]
            nbytes, seconds = (a - b for a, b in zip(now, self._before.get(way, (0.0, 0.0)), strict=True))
            if nbytes >= EVIDENCE and seconds > 0:
                self._took[way], self._before[way], new = seconds / nbytes, now, True
        half = 0.5 / self.alone
        return 1 / sum(self._took.get(way, half) for way in ("write", "read")) if new else None
