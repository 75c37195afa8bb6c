"""Run the parts of one kernel call on several threads. Kernels release the GIL, so plain threads do.

Why not Numba's `parallel`: with its built-in threading layer, two threads in a parallel function abort the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_owner = 0


def default_threads() -> int:
    """Return on how many threads a call may spread that does not say: the cores that this process may use.

    One in any thread but the main one. Dask, joblib and pools run tasks in such threads, as many at a time as there
    are cores, so one that spread would only get in the way of the others. `OMP_NUM_THREADS` counts as it does for
    BLAS; Dask's nanny sets it to 1.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> default_threads() >= 1
    True
    >>> ThreadPoolExecutor(1).submit(default_threads).result()
    1
    """
    if threading.current_thread() is not threading.main_thread():
        return 1
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))


def spread(function: Callable[..., Any], parts: Iterable[Any], threads: int) -> list[Any]:
    """Return what `function` gives for each part, in order; the calling thread takes parts too.

    Parameters
    ----------
    function : callable
        Takes a part; should release the GIL.
    parts : iterable
    threads : int
        How many threads work at a time, the calling one among them.

    Raises
    ------
    Exception
        The first that a part raises, after all have ended.

    Examples
    --------
    >>> spread(abs, [-3, 2, -1], threads=2)
    [3, 2, 1]
    """
    parts = list(parts)
    results: list[Any] = [None] * len(parts)
    waiting = iter(range(len(parts)))  # next() on it is atomic: it is one C call

    def work() -> None:
        for k in waiting:
            results[k] = function(parts[k])

    helpers: list[Any] = []
    try:
        with suppress(RuntimeError):  # a process that is shutting down starts no threads: then the caller does it all
            helpers.extend(_executor().submit(work) for _ in range(min(threads, len(parts)) - 1))
        work()
    finally:
        # Parts write into arrays of the caller: nobody may be at it when this returns. Who has not woken up by now need
        # not begin.
        faults = [helper.exception() for helper in helpers if not helper.cancel()]
    for fault in faults:
        if fault is not None:
            raise fault
    return results


def _executor() -> ThreadPoolExecutor:
    global _pool, _owner
    with _lock:
        if _pool is None or _owner != os.getpid():  # threads do not survive a fork
            _pool, _owner = ThreadPoolExecutor(max(32, os.cpu_count() or 1), "asafess-kernels"), os.getpid()
        return _pool
