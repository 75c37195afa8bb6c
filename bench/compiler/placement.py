"""Where tasks will run and what they will fetch, before they do: Dask's rule, applied to a graph.

A task runs where fewest bytes are missing of what was made elsewhere, of such places where fewest tasks are. What a
worker has fetched it keeps, but tasks are assigned before others have fetched anything. It is an estimate: Dask also
looks at what else a worker has to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dask._task_spec import GraphNode


def fetched(
    nodes: Mapping[Any, GraphNode], held: Mapping[Any, int], workers: int, nbytes_of: Callable[[Any], float]
) -> float:
    """Return the bytes that are fetched in all.

    Parameters
    ----------
    nodes : mapping
        Key → task, in an order in which they can run.
    held : mapping
        Key of an input → the number of the worker that holds it.
    workers : int
    nbytes_of : callable
        Key → bytes of a result; 0 where that is not known.

    Examples
    --------
    >>> from dask._task_spec import Task, TaskRef
    >>> node = Task("c", max, TaskRef("a"), TaskRef("b"))
    >>> fetched({"c": node}, {"a": 0, "b": 1}, 2, {"a": 100.0, "b": 30.0, "c": 8.0}.get)
    30.0
    """
    made = dict(held)
    there = {(key, worker) for key, worker in held.items()}
    tasks = [0] * workers
    total = 0.0
    for key, node in nodes.items():
        missing = [0.0] * workers
        for one in node.dependencies:
            for worker in range(workers):
                missing[worker] += 0.0 if made[one] == worker else nbytes_of(one)
        worker = min(range(workers), key=lambda w: (missing[w], tasks[w]))
        tasks[worker] += 1
        for one in node.dependencies:
            if (one, worker) not in there:
                there.add((one, worker))
                total += nbytes_of(one)
        made[key] = worker
        there.add((key, worker))
    return total


def place(index: int, count: int, workers: int) -> int:
    """Return the worker that holds a block of an input: neighbours lie together.

    >>> [place(i, 8, 4) for i in range(8)]
    [0, 0, 1, 1, 2, 2, 3, 3]
    """
    return index * workers // count
