"""What Dask offers by itself, on clusters without `asafess`: the peers of `bench.spmv`.

*dask.array* with NumPy chunks and with `sparse.COO` chunks (`A @ x`), and our graph of plain tasks over NumPy panels
with Dask's wire compression off, lz4 and zstd. Panels and chunks are the same row blocks as ours.

How *stream* is ensured. Left alone, Dask multiplies a chunk where it lives and moves nothing. Here, as with our own
arms, chunk p is restricted to its home when it is made; in sweep k the tasks of row block p are restricted to worker
`targets(...)[p]`, which is never its home, and after the sweep replicas are dropped. So each sweep moves every chunk
once: the whole matrix, in the form that the peer keeps it in (rows tell `bytes_moved`; the tests check it).
`dask.array` graphs are optimized first, since the fused tasks would otherwise lose the restriction.

Compression is agreed on when workers connect, so each kind has workers of its own, started with
``distributed.comm.compression``. The processes of all clusters but the one that is measured are stopped (SIGSTOP),
because idle workers take 2 % of a core each.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import Alias, Task
from dask.base import optimize
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from distributed import Client, futures_of

from asafess.workloads.block_spmv import product
from asafess.workloads.graph500 import Graph500Matrix
from asafess.workloads.placement import Placement, drop_replicas, homes, targets, worker_addresses

from . import figures
from .harness import Outcome
from .links import Cluster
from .spmv_reference import expected, wrong

#: arms of the cluster without compression, by what they need
PLAIN = {"dask.array numpy": None, "dask.array sparse.COO": "sparse", "dask off": None}
#: compressions that need workers of their own, by the package they need
COMPRESSIONS = {"lz4": "lz4", "zstd": "zstandard"}

#: seconds that a cluster has to send what it had to say when it was stopped; `asafess` reports each 50 ms
SETTLE = 0.2


def arms_by_compression(say: Callable[[str], object]) -> dict[str, list[str]]:
    """Return the arms that can run here by compression, "off" among them; say what is skipped."""
    found = {"off": [arm for arm, package in PLAIN.items() if _there(arm, package, say)]}
    found |= {name: [f"dask {name}"] for name, package in COMPRESSIONS.items() if _there(f"dask {name}", package, say)}
    return found


def _there(arm: str, package: str | None, say: Callable[[str], object]) -> bool:
    there = package is None or find_spec(package) is not None
    if not there:
        say(f"{arm}: skipped, package {package} is not installed")
    return there


class Stock:
    """The block product as stock Dask runs it, in some arms, on one cluster."""

    def __init__(self, client: Client, matrix: Graph500Matrix, arms: Sequence[str], placement: Placement) -> None:
        self.client, self.matrix, self.placement = client, matrix, placement
        self.kinds: Mapping[str, str] = dict.fromkeys(arms, "stock")
        self.workers = worker_addresses(client)
        # as in bench.demo: it drops the copy that it likes, also the one at home
        client.amm.stop()
        self.sweeps = 1
        self.arrays = {arm: self._placed(arm) for arm in arms}
        self._before: dict[str, Any] = {}
        self._span = (0.0, 0.0)

    def _placed(self, arm: str) -> da.Array:
        """Make the chunks at their homes, and return them as a persisted array."""
        make, meta = _chunk, np.empty((0, 0))
        if arm == "dask.array sparse.COO":
            import sparse

            make, meta = _coo_chunk, sparse.COO.from_numpy(np.zeros((0, 0)))
        panels, name = range(self.matrix.panels), f"{arm}-{os.urandom(8).hex()}"
        at = homes(len(panels), self.workers)
        layer = MaterializedLayer(
            {(name, p, 0): Task((name, p, 0), make, self.matrix, p) for p in panels},
            annotations={"workers": lambda key: at[key[1]]},
        )
        rows = tuple(self.matrix.rows(p).stop - self.matrix.rows(p).start for p in panels)
        graph = HighLevelGraph({name: layer}, {name: set()})
        array = da.Array(graph, name, (rows, (self.matrix.shape[1],)), dtype=np.float64, meta=meta)
        kept = self.client.persist(array, optimize_graph=False)
        for future in futures_of(kept):
            if (error := future.exception()) is not None:
                raise error
        return kept

    def start(self, sweeps: int) -> None:
        """Set the number of sweeps."""
        self.sweeps = sweeps

    def prepare(self, arm: str) -> None:
        """Remember the counters."""
        self._before = figures.read(self.client)

    def run(self, arm: str) -> Outcome:
        """Multiply: `sweeps` products with x_k = (k + 1)(j + 1), added up."""
        array = self.arrays[arm]
        chunks = sorted(futures_of(array), key=lambda future: future.key[1])
        multiply = self._by_array if arm.startswith("dask.array") else self._by_tasks
        total = np.zeros(self.matrix.shape[0])
        began = time.time()
        for sweep in range(self.sweeps):
            where = targets(len(chunks), self.workers, sweep, self.placement)
            total += multiply(array, chunks, self.matrix.vector(sweep), where)
            if self.placement == "stream":
                drop_replicas(self.client, chunks)
        self._span = (began, time.time())
        return Outcome((arm, total))

    def _by_tasks(self, array: da.Array, chunks: Sequence[Any], x: np.ndarray, where: Sequence[str]) -> Any:
        return self.client.compute(product(chunks, x, where)).result()

    def _by_array(self, array: da.Array, chunks: Sequence[Any], x: np.ndarray, where: Sequence[str]) -> Any:
        y = restricted(array @ da.from_array(x, chunks=-1), where)
        return self.client.compute(y, optimize_graph=False).result()

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """Check the sum; return what was moved."""
        if (problem := wrong(outcome.value[1], expected(self.matrix, self.sweeps))) is not None:
            return problem
        found = figures.since(self._before, figures.read(self.client), self._span)
        return {name: found[name] for name in ("bytes_moved", "moving_seconds")}


def restricted(y: da.Array, workers: Sequence[str]) -> da.Array:
    """Return an array of one dimension, optimized, whose block i is computed on the i-th of some workers."""
    (y,) = optimize(y)
    graph = dict(y.__dask_graph__())
    at: dict[Any, str] = {}
    for key, worker in zip(y.__dask_keys__(), workers, strict=True):
        at[key] = worker
        while isinstance(graph[key], Alias):  # the task that does the work has another name
            key = graph[key].target
            at[key] = worker
    others = f"{y.name}-inputs"
    layers = {
        others: MaterializedLayer({key: task for key, task in graph.items() if key not in at}),
        y.name: MaterializedLayer({key: graph[key] for key in at}, annotations={"workers": at.__getitem__}),
    }
    whole = HighLevelGraph(layers, {others: set(), y.name: {others}})
    return da.Array(whole, y.name, y.chunks, dtype=y.dtype, meta=y._meta)


def _chunk(matrix: Graph500Matrix, p: int) -> np.ndarray:
    """Task: make a panel as an array."""
    return matrix.panel_array(p)


def _coo_chunk(matrix: Graph500Matrix, p: int) -> Any:
    """Task: make a panel as `sparse.COO`."""
    import sparse

    return sparse.COO.from_scipy_sparse(matrix.panel_csr(p))


@dataclass(frozen=True)
class Clusters:
    """Stock clusters beside ours, of which one at a time is awake."""

    #: client of each, and the arms that run there
    stock: list[tuple[Client, list[str]]] = field(default_factory=list)
    #: lets the processes of one cluster run and stops those of all others; None: stops all
    wake: Callable[[Client | None], None] = lambda _: None


@contextmanager
def started(
    ours: Client, start: Callable[[Mapping[str, str]], AbstractContextManager[Cluster]], say: Callable[[str], object]
) -> Iterator[Clusters]:
    """Start the stock clusters that can be had here, and let our own be awake.

    Parameters
    ----------
    ours : Client
    start : callable
        Takes what the processes are started with, in addition; returns a context manager of a cluster.
    say : callable
    """
    with ExitStack() as stack:
        found = []
        for compression, arms in arms_by_compression(say).items():
            env = {} if compression == "off" else {"DASK_DISTRIBUTED__COMM__COMPRESSION": compression}
            cluster = stack.enter_context(start(env))
            found.append((stack.enter_context(Client(cluster.address, set_as_default=False)), arms))
        wake = stack.enter_context(_one_awake([ours, *(client for client, _ in found)]))
        wake(ours)
        yield Clusters(found, wake)


@contextmanager
def _one_awake(clients: Sequence[Client]) -> Iterator[Callable[[Client | None], None]]:
    """Yield the function that wakes one cluster; on leaving all are awake."""
    processes = {client: [client.run_on_scheduler(os.getpid), *client.run(os.getpid).values()] for client in clients}
    before: list[Client | None] = []

    def wake(awake: Client | None) -> None:
        if before == [awake]:
            return
        before[:] = [awake]
        for client, numbers in processes.items():
            for number in numbers:
                os.kill(number, signal.SIGCONT if client is awake else signal.SIGSTOP)
        if awake is not None:
            time.sleep(SETTLE)

    try:
        yield wake
    finally:
        for number in itertools.chain(*processes.values()):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)
