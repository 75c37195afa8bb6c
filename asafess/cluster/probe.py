"""Measuring the cluster's rates: in each worker processor and memory in a thread, and the link against a neighbour.

All workers measure at the same time, because that is how they work: on one machine they share its cores.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from asafess.cluster import messages
from asafess.cluster.guard import guarded, merge, numbers
from asafess.core.mode import Rates

if TYPE_CHECKING:
    from distributed import Scheduler, Worker

logger = logging.getLogger("asafess.scheduler")

#: bytes of the first message over the link, and of the largest: about what Dask fetches at once
FIRST_PAYLOAD = 1 << 20
LARGEST_PAYLOAD = 32 << 20
#: messages grow until one takes so many seconds: then waiting for it to begin no longer counts
LONG_ENOUGH = 0.1
#: seconds after which no further message is sent
LINK_SECONDS = 0.4
#: seconds after which what is sent to neighbours is forgotten
FORGET_AFTER = 15.0


def local_rates(sources: Iterable[Any] = ()) -> dict[str, float]:
    """Measure one thread of this process: ``flop`` per second, ``memory`` bytes touched per second, and more.

    ``flop`` is that of a matrix product, ``loops`` the most that a loop over an array reaches: in place, in the caches.
    ``memory`` is that of an array read and a new one written, as most tasks do (*scale* of the STREAM benchmark,
    McCalpin 1995). Whether the new one has new pages, which the kernel has to clear, is up to the allocator of this
    process: under Dask's nanny, which sets ``MALLOC_TRIM_THRESHOLD_``, it mostly has; else mostly not.

    Parameters
    ----------
    sources : iterable of Optimization
        Whose `rates` are measured too.
    """
    import numpy as np

    matrix = np.full((256, 256), 0.5)
    block = np.zeros(2 << 20)  # 16 MiB: larger than a core's caches
    block[:] = 1.0
    few = block[: 1 << 14]  # 128 KiB
    rates = {
        "flop": 2 * 256**3 / _best(lambda: matrix @ matrix),
        "memory": 2 * block.nbytes / _best(lambda: block * 1.0),
        "loops": few.size / _best(lambda: np.multiply(few, 1.0, out=few), 20),
    }
    for source in sources:
        own = numbers(guarded(source.rates))
        # what two say alike, to the last bit, they have measured together
        new = {name: rate for name, rate in own.items() if rates.get(name) != rate}
        merge(rates, new, f"{source.name}.rates()")
    return rates


def _best(call: Any, runs: int = 5) -> float:
    """Return the seconds of the quickest of some runs: what the machine can do when it is left alone."""
    seconds = []
    for _ in range(runs):
        start = perf_counter()
        call()
        seconds.append(perf_counter() - start)
    return max(min(seconds), 1e-9)


#: what is sent to neighbours, while they ask
_words: Any = None


async def random_words(nbytes: int) -> Any:
    """Return an array of so many bytes, at most `LARGEST_PAYLOAD`, that do not compress.

    Whatever compresses on the wire must not make the link look faster than it is. Making them takes as long as moving
    them over a fast link, so they are made at the first call, and forgotten a while later.

    Examples
    --------
    >>> import asyncio
    >>> asyncio.run(random_words(1 << 16)).nbytes
    65536
    """
    global _words
    words = _words
    if words is None:
        import numpy as np

        words = _words = np.random.default_rng().integers(0, 1 << 63, LARGEST_PAYLOAD // 8, dtype=np.int64)
        asyncio.get_running_loop().call_later(FORGET_AFTER, _forget)
    return words[: nbytes // 8]


def _forget() -> None:
    global _words
    _words = None


async def payload(nbytes: int) -> dict[str, Any]:
    """Answer a neighbour's probe with so many bytes that do not compress."""
    from distributed.protocol import to_serialize

    return {"status": "OK", "data": to_serialize(await random_words(nbytes))}


async def link_rate(worker: Worker, ring: Sequence[str]) -> float | None:
    """Measure the bytes per second that this worker fetches from the next one in the ring; None when it is alone."""
    neighbour = next_in(ring, worker.address)
    if neighbour is None:
        return None
    ask = getattr(worker.rpc(neighbour), messages.PAYLOAD)

    async def fetch(nbytes: int) -> int:
        return int((await ask(nbytes=nbytes))["data"].nbytes)

    return await fetch_rate(fetch, LINK_SECONDS)


def next_in(ring: Sequence[str], address: str) -> str | None:
    """Return the next worker in a ring; None where there is no other, or this one is not in it.

    Examples
    --------
    >>> next_in(["a", "b", "c"], "c"), next_in(["a"], "a")
    ('a', None)
    """
    if address not in ring or len(ring) < 2:
        return None
    return ring[(list(ring).index(address) + 1) % len(ring)]


async def fetch_rate(fetch: Callable[[int], Awaitable[int]], seconds: float) -> float:
    """Return the bytes per second of the quickest message.

    Parameters
    ----------
    fetch : callable
        Fetches about so many bytes and returns how many came.
    seconds : float
        After which no further message is asked for; at least one is.
    """
    await fetch(1 << 16)  # connects, and makes what is sent
    nbytes, best, began = FIRST_PAYLOAD, 0.0, perf_counter()
    while not best or perf_counter() - began < seconds:
        start = perf_counter()
        came = await fetch(nbytes)
        took = perf_counter() - start
        best = max(best, came / took)
        if took < LONG_ENOUGH:
            nbytes = min(2 * nbytes, LARGEST_PAYLOAD)
    return best


async def measure(
    scheduler: Scheduler, workers: Sequence[str], given: Mapping[str, float], enough: bool = False
) -> Rates | None:
    """Let all these workers measure themselves and their links, and return the cluster's rates.

    Runs in the scheduler. See `cluster_rates` for `given` and for when there are none. Where what is given is
    `enough`, nothing is measured.
    """
    if enough:
        return cluster_rates([], [], given)

    async def ask(op: str, **message: Any) -> list[Any]:
        answers = await scheduler.broadcast(msg={"op": op, **message}, workers=list(workers), on_error="return")
        for worker, answer in answers.items():
            if isinstance(answer, BaseException):
                logger.info("asafess: worker %s could not measure %s: %r", worker, op, answer)
        return [answer for answer in answers.values() if not isinstance(answer, BaseException)]

    local = await ask(messages.RATES)
    links = [] if "link" in given else await ask(messages.LINK, ring=list(workers))
    rates = cluster_rates(local, links, given)
    if rates is None:
        logger.warning("asafess could not measure the cluster's rates; it switches nothing")
    return rates


def cluster_rates(
    local: Iterable[Mapping[str, float]], links: Iterable[float | None], given: Mapping[str, float]
) -> Rates | None:
    """Return the rates of a typical worker: medians, and over them what the configuration gives.

    Returns
    -------
    Rates or None
        None when a rate is neither measured nor given.

    Examples
    --------
    >>> cluster_rates([{"flop": 1e9, "memory": 4e9}, {"flop": 3e9, "memory": 4e9}], [1e8, 3e8], {"link": 5e7})
    Rates(flop=2000000000.0, memory=4000000000.0, link=50000000.0, extra={})
    """
    parts: dict[str, list[float]] = {}
    for measured in local:
        for name, rate in measured.items():
            parts.setdefault(name, []).append(rate)
    rates = {name: median(values) for name, values in parts.items()}
    known_links = [link for link in links if link]
    if known_links:
        rates["link"] = median(known_links)
    rates.update(given)
    if not {"flop", "memory"} <= rates.keys():
        return None
    # a worker that is alone moves nothing; what it would move, it would copy
    rates.setdefault("link", rates["memory"])
    return Rates(rates.pop("flop"), rates.pop("memory"), rates.pop("link"), extra=dict(sorted(rates.items())))
