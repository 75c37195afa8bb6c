"""Programs over inputs that exist: their graphs, and running them here.

A graph is the one that Dask would send to its scheduler, after its own optimization. Its inputs are references, here
to blocks in this process, on a cluster to futures, which are references too. So what is fused there is fused here.
"""

from __future__ import annotations

import gc
import math
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
from dask._task_spec import GraphNode, TaskRef, convert_legacy_graph
from dask.base import collections_to_expr

from asafess.compiler.explain.task_graph import depths

from .case import Program

#: seconds that one reading of the clock is of, at least
LEAST = 0.002
#: how data is rearranged: a p2p shuffle moves it past Dask's records of transfers
CONFIG = {"array.rechunk.method": "tasks", "dataframe.shuffle.method": "tasks"}


@dataclass(frozen=True)
class Graph:
    """What a program runs, with its inputs."""

    #: key → task, in an order in which they can run
    nodes: Mapping[Any, GraphNode]
    #: keys that are asked for
    wanted: Sequence[Any]
    #: key → block
    inputs: Mapping[Any, Any]
    #: the input collections, over references to the blocks
    collections: tuple[Any, ...]


def graph(program: Program, size: int) -> Graph:
    """Return a program's graph, with its inputs made in this process."""
    with dask.config.set(CONFIG):
        lazy = program.inputs(size)
        made = [blocks(each) for each in lazy]
        keys = [[("input", i, k) for k in range(len(each))] for i, each in enumerate(made)]
        collections = tuple(
            holding(each, [TaskRef(key) for key in names]) for each, names in zip(lazy, keys, strict=True)
        )
        built = collections_in(program.build(*collections))
        expression = collections_to_expr(built).optimize()
        nodes = convert_legacy_graph(expression.__dask_graph__())
    wanted = list(dask.core.flatten(expression.__dask_keys__()))
    needed, left = set(), list(wanted)
    while left:
        key = left.pop()
        if key not in needed and key in nodes:
            needed.add(key)
            left += nodes[key].dependencies
    inputs = {
        key: block for names, each in zip(keys, made, strict=True) for key, block in zip(names, each, strict=True)
    }
    return Graph({key: nodes[key] for key in depths(nodes) if key in needed}, wanted, inputs, collections)


def collections_in(built: Any) -> tuple[Any, ...]:
    """Return what a program builds as a tuple of collections."""
    return tuple(built) if isinstance(built, list | tuple) else (built,)


def delayed_blocks(collection: Any) -> list[Any]:
    """Return the blocks of an array or a dataframe, lazy, in the order of their keys."""
    found = collection.to_delayed()
    return found if isinstance(found, list) else list(found.ravel())


def blocks(collection: Any) -> list[Any]:
    """Compute the blocks of a collection, one by one, each in memory of its own."""
    found = dask.compute(*delayed_blocks(collection), scheduler="synchronous")
    return [np.ascontiguousarray(block) if isinstance(block, np.ndarray) else block for block in found]


def holding(collection: Any, references: Iterable[Any]) -> Any:
    """Return the same collection with its blocks behind references or futures."""
    import dask.array as da

    if isinstance(collection, da.Array):
        keys = dask.core.flatten(collection.__dask_keys__())
        held = dict(zip(keys, references, strict=True))
        return da.Array(held, collection.name, collection.chunks, meta=collection._meta)
    import dask.dataframe as dd

    return dd.from_delayed(list(references), meta=collection._meta, verify_meta=False)


def run(of: Graph, call: Callable[[GraphNode, Mapping[Any, Any]], Any] | None = None) -> dict[Any, Any]:
    """Run a graph in this thread, forgetting what nobody needs any more; return what was asked for.

    `call(node, values)` runs one task; left out, the task itself does.
    """
    left = Tally(one for node in of.nodes.values() for one in node.dependencies)
    left.update(of.wanted)
    values = dict(of.inputs)
    for key, node in of.nodes.items():
        handed = {one: values[one] for one in node.dependencies}
        values[key] = node(handed) if call is None else call(node, handed)
        for one in node.dependencies:
            left[one] -= 1
            if not left[one]:
                del values[one]
    return {key: values[key] for key in of.wanted}


def seconds_alone(of: Graph, shortest: float, runs: int) -> float:
    """Return the seconds that the tasks of a graph take in this thread."""
    return quick(lambda: run(of), shortest, runs)


def quick(call: Callable[[], Any], shortest: float, runs: int) -> float:
    """Return the seconds of a quick call, of at least so many that take so many seconds together.

    Seconds of this thread: what other processes do on the same core does not count, waiting for memory does. It is the
    quickest but for a tenth, of calls put together to `LEAST` seconds: on a shared machine the clock of a thread may
    miss some.
    """
    start = time.thread_time()
    call()
    together = math.ceil(LEAST / max(time.thread_time() - start, LEAST / 1000))
    taken: list[float] = []
    gc.disable()
    try:
        while len(taken) < runs or sum(taken) * together < shortest:
            start = time.thread_time()
            for _ in range(together):
                call()
            taken.append((time.thread_time() - start) / together)
    finally:
        gc.enable()
    return sorted(taken)[len(taken) // 10]
