"""Measuring a running cluster.

Nothing is put into the cluster: workers get functions through Dask's own operation *run*, whether or not `asafess` is
installed there, and only have to be able to import it. So nothing is left behind either, however this ends, and what
an installation knows and does stays as it is. Each step has a limit, together less than half a minute: who has not
answered by then is named and left out.
"""

from __future__ import annotations

import asyncio
import pydoc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from asafess.cluster import probe
from asafess.cluster.guard import guarded, numbers, text

if TYPE_CHECKING:
    from distributed import Client, Worker

#: the most seconds that can be asked for
LONGEST = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds after which a worker is given up, by step. The local one includes compiling kernels."""

    hello: float = 3.0
    local: float = 15.0
    link: float = 9.0


#: data type whose rates count for the thresholds
DTYPE = "float64"

#: (seconds, data type) → rates of recoding and multiplying panels; can be imported by workers
Codec = Callable[[float, str], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a cluster."""

    #: worker → rates, with those of `DTYPE` and, where it has a neighbour, `link`
    rates: Mapping[str, Mapping[str, float]]
    #: data type → rates of each worker that has had the time for it
    codecs: Mapping[str, Sequence[Mapping[str, float]]]
    #: worker → why something of it is missing
    missing: Mapping[str, str]
    #: the most tasks that were being processed meanwhile
    busy: int
    #: how long it took
    seconds: float

    def spread(self) -> dict[str, tuple[float, float, float]]:
        """Return least, median and largest over the workers, by rate."""
        parts: dict[str, list[float]] = {}
        for rates in self.rates.values():
            for name, rate in rates.items():
                parts.setdefault(name, []).append(rate)
        return {name: (min(values), median(values), max(values)) for name, values in parts.items()}


def measure(
    client: Client,
    codec: Codec,
    seconds: float = 6.0,
    dtypes: Sequence[str] = (DTYPE,),
    limits: Limits | None = None,
) -> Any:
    """Measure a running cluster: all workers at the same time, because that is how they work.

    Parameters
    ----------
    client : distributed.Client
        Synchronous or not (then the result is awaited).
    codec : callable
        Measures recoding and multiplying in a worker: `asafess.tiles.rates.rates`.
    seconds : float
        About how long a worker measures, at most `LONGEST`: half of it itself, half of it its link.
    dtypes : sequence of str
        Data types whose products are measured, besides `DTYPE`.
    limits : Limits, optional

    Returns
    -------
    Measured

    Raises
    ------
    ValueError
        `seconds` out of its range.
    RuntimeError
        There is no worker, or none that could measure; says why.

    Examples
    --------
    >>> from dask.distributed import Client
    >>> from asafess.tiles.rates import rates
    >>> with Client(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as client:
    ...     found = measure(client, rates, 0.1)
    >>> sorted(found.spread())
    ['copy', 'dense_product', 'flop', 'loops', 'memory', 'sample', 'scan', 'sparse_product']
    """
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"seconds must be more than 0 and at most {LONGEST:g}, not {seconds!r}")
    return client.sync(_measure, client, codec, seconds, tuple(dict.fromkeys([DTYPE, *dtypes])), limits or Limits())


async def _measure(client: Client, codec: Codec, seconds: float, dtypes: Sequence[str], limits: Limits) -> Measured:
    began = perf_counter()
    missing: dict[str, str] = {}
    busy = 0

    async def each(workers: Sequence[str], limit: float, function: Any, *args: Any) -> dict[str, Any]:
        nonlocal busy
        busy = max(busy, await _processing(client))
        answers = await asyncio.gather(*(_ask(client, worker, limit, function, *args) for worker in workers))
        found = dict(zip(workers, answers, strict=True))
        missing.update((worker, text(answer)) for worker, answer in found.items() if isinstance(answer, Exception))
        return {worker: answer for worker, answer in found.items() if not isinstance(answer, Exception)}

    versions = await each(sorted(await client.nthreads()), limits.hello, pydoc.locate, "asafess.__version__")
    for worker, version in versions.items():
        if version is None:
            missing[worker] = "asafess can't be imported there; install it: pip install asafess"
    ring = [worker for worker in versions if worker not in missing]
    local = await each(ring, limits.local, _measure_local, codec, seconds / 2, dtypes, limits.local / 2)
    ring = sorted(local)
    links = await each(ring, limits.link, _measure_link, ring, seconds / 2) if len(ring) > 1 else {}
    busy = max(busy, await _processing(client))
    if not local:
        reasons = [f"{worker}: {reason}" for worker, reason in missing.items()]
        raise RuntimeError(f"nothing could be measured: {'; '.join(reasons) or 'the cluster has no workers'}")
    rates = {worker: {**found["rates"], **found[DTYPE]} for worker, found in local.items()}
    for worker, link in links.items():
        rates[worker]["link"] = link
    codecs = {name: [found[name] for found in local.values() if name in found] for name in dtypes}
    return Measured(rates, codecs, missing, busy, perf_counter() - began)


async def _processing(client: Client) -> int:
    return sum(len(keys) for keys in (await client.processing()).values())


async def _ask(client: Client, worker: str, limit: float, function: Any, *args: Any) -> Any:
    """Return a worker's answer, or the exception in its place."""
    try:
        asked = client.run(function, *args, workers=[worker], on_error="return")
        return (await asyncio.wait_for(asked, limit))[worker]
    except TimeoutError:
        return TimeoutError(f"no answer within {limit:g} s")
    except Exception as error:
        return error


async def _measure_local(
    codec: Codec, seconds: float, dtypes: Sequence[str], latest: float
) -> dict[str, dict[str, float]]:
    """Measure a worker; runs there, in a thread. After `latest` seconds no further data type is begun."""

    def run() -> dict[str, dict[str, float]]:
        began = perf_counter()
        found = {"rates": probe.local_rates()}
        for name in dtypes:
            # kernels are compiled first, which takes seconds for each data type
            if name == DTYPE or perf_counter() - began < latest:
                found[name] = numbers(guarded(codec, seconds / len(dtypes), name))
        return found

    return await asyncio.to_thread(run)


async def _measure_link(ring: Sequence[str], seconds: float, dask_worker: Worker) -> float:
    """Measure a worker's link against the next one in the ring; runs there."""
    from distributed.core import clean_exception
    from distributed.protocol.pickle import dumps

    neighbour = dask_worker.rpc(probe.next_in(ring, dask_worker.address))

    async def fetch(nbytes: int) -> int:
        answer = await neighbour.run(function=dumps(probe.random_words), args=dumps((nbytes,)))
        if answer["status"] == "error":
            raise RuntimeError(text(clean_exception(**answer)[1]))
        return int(answer["result"].nbytes)

    return await probe.fetch_rate(fetch, seconds)
