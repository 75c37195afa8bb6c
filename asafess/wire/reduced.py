"""Arrays of float64 that leave as float32, where each element stays within a relative error of 2⁻²⁴.

Compression sees bytes and no data types, so this is a serializer: while the state is on, a function of ours stands
around Dask's for `numpy.ndarray`. What it writes is what Dask's own deserializer reads: a pickle that says "an array of
float64 from this one of float32". So a receiver needs NumPy and nothing of ours, and it gets the type that was sent.

An array goes as it is

- where any of its elements would be changed by more than `BOUND` of itself: NaN and infinities, what is beyond
  float32, and what is so small that float32 has fewer bits for it;
- where it is smaller than `SMALLEST`, a subclass, read-only, no native float64, or not contiguous in any order;
- where it is inside of something that Dask pickles, or goes to disk;
- to whoever has not said that it is a worker with `asafess`. Clients and schedulers have not (unless they share the
  process of a worker), so that a result is gathered as it is on its worker. It is said where a connection is made,
  with the name of `asafess.wire.connections`; on connections from before that, and where a person has set another
  compression, arrays go as they are.

One that has been reduced is reduced again without any further error.
"""

from __future__ import annotations

import logging
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from asafess.wire import connections

logger = logging.getLogger(__name__)

#: of an element's magnitude: float32 has 24 bits, and rounding is to the nearest
BOUND = 2.0**-24
#: bytes of an array that is worth it
SMALLEST = 10_000
#: elements that are rounded and checked at a time: they stay in the caches
BLOCK = 1 << 14
#: bytes that are converted to measure, and how often
SIZE, RUNS = 1 << 22, 5
COUNTERS = {
    "reduced_arrays": "arrays that left as float32",
    "reduced_logical_bytes": "their bytes as they were",
    "reduced_sent_bytes": "their bytes as they left",
    "reduced_refused_arrays": "arrays that left as they were, because an element was beyond the bound",
    "reduced_refused_bytes": "their bytes",
    "reduced_seconds": "seconds spent on rounding and checking",
    "reduced_faults": "arrays that left as they were because we failed",
}

_lock = threading.Lock()
_counted = dict.fromkeys(COUNTERS, 0.0)
#: Dask's own, while ours is there
_found: Callable[..., Any] | None = None


def reduce(array: np.ndarray) -> np.ndarray | None:
    """Return an array of float64 as float32; None where an element would be changed by more than `BOUND` of itself.

    Parameters
    ----------
    array : ndarray of float64
        Contiguous, in C's or Fortran's order.

    Examples
    --------
    >>> reduce(np.array([1 / 3, -0.0])).dtype
    dtype('float32')
    >>> [reduce(np.array([1.0, one])) for one in (np.nan, np.inf, 1e39, 1e-45)]
    [None, None, None, None]
    """
    flat = array.ravel(order="K")
    out = np.empty(flat.size, np.float32)
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, BLOCK):
            block, rounded = flat[start : start + BLOCK], out[start : start + BLOCK]
            rounded[...] = block
            # both sides are exact, and of NaN and infinities it does not hold
            if not (np.abs(rounded - block) <= BOUND * np.abs(block)).all():
                return None
    return out.reshape(array.shape, order="C" if array.flags.c_contiguous else "F")


class _Widened:
    """Pickles as an array of float64 that is made of one of float32."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __reduce__(self) -> tuple[Any, ...]:
        return np.array, (self._array, "f8")


def serialize(x: Any, context: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[Any]]:
    """Return header and frames of an array, reduced where that is allowed; `dask_serialize` calls it."""
    found = _found or _stock()
    if not _may(x, context or {}):
        return found(x, context=context)  # type: ignore[no-any-return]
    start = time.perf_counter()
    try:
        reduced = reduce(x)
        seconds = time.perf_counter() - start
        if reduced is None:
            _count(reduced_refused_arrays=1, reduced_refused_bytes=x.nbytes, reduced_seconds=seconds)
            return found(x, context=context)  # type: ignore[no-any-return]
        frames: list[Any] = []
        head = pickle.dumps(_Widened(reduced), protocol=5, buffer_callback=lambda one: frames.append(memoryview(one)))
    except Exception:
        _count(reduced_faults=1)
        if _counted["reduced_faults"] == 1:  # one line for the first; the counter knows the rest
            logger.warning("asafess.wire.reduced fault: the array leaves as it is", exc_info=True)
        return found(x, context=context)  # type: ignore[no-any-return]
    _count(reduced_arrays=1, reduced_logical_bytes=x.nbytes, reduced_sent_bytes=reduced.nbytes, reduced_seconds=seconds)
    return {"pickle": True}, [head, *frames]


def _may(x: Any, context: Mapping[str, Any]) -> bool:
    recipient = context.get("recipient") or {}
    return (
        _found is not None
        and recipient.get("compression") == connections.NAME
        and context.get("pickle-protocol", 0) >= 5
        and type(x) is np.ndarray
        and x.dtype == np.float64
        and x.dtype.isnative
        and x.nbytes >= SMALLEST
        and x.flags.writeable
        and (x.flags.c_contiguous or x.flags.f_contiguous)
    )


def _count(**amounts: float) -> None:
    with _lock:
        for name, amount in amounts.items():
            _counted[name] += amount


def counters() -> dict[str, float]:
    """Return what was reduced since the start; `COUNTERS` says what each means."""
    with _lock:
        return dict(_counted)


def _stock() -> Callable[..., Any]:
    from distributed.protocol.numpy import serialize_numpy_ndarray

    return serialize_numpy_ndarray  # type: ignore[no-any-return]


def begin() -> None:
    """Reduce what is sent from now on; any number of times."""
    global _found
    from distributed.protocol.serialize import dask_serialize

    there = dask_serialize.dispatch(np.ndarray)
    if there is not serialize:
        _found = there
        dask_serialize.register(np.ndarray, serialize)


def end() -> None:
    """Put back what was found; what is on its way is read as anything else is."""
    global _found
    from distributed.protocol.serialize import dask_serialize

    if _found is not None and dask_serialize.dispatch(np.ndarray) is serialize:
        dask_serialize.register(np.ndarray, _found)
    _found = None


def rate() -> float:
    """Measure the bytes per second that are rounded, checked and widened again, with one thread."""
    data = np.random.default_rng(0).standard_normal(SIZE // 8)
    best = float("inf")
    for _ in range(RUNS):
        start = time.thread_time()
        np.array(reduce(data), "f8")
        best = min(best, time.thread_time() - start)
    return SIZE / max(best, 1e-9)
