"""Programs of several phases in one graph: a barrier after each, which tells the time.

A *part* adds the tasks of one phase and returns what its barrier waits for; parts of one *kind* are added up. So how
long each kind of phase took is known from the very runs whose seconds are compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from dask._task_spec import Task, TaskRef
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

#: of each barrier: when it was, in seconds of a clock that all processes share, and the sum of what it waited for
Marks = Sequence[tuple[float, float]]


def barrier(before: Marks, *results: float) -> Marks:
    """Wait for a phase; return the marks of all barriers so far."""
    return [*before, (time.monotonic(), float(sum(results)))]


class Graph:
    """A graph that grows phase by phase.

    Parameters
    ----------
    workers : sequence of str
        Addresses, for tasks that must run in one place.
    token : str
        Part of all names. Two graphs of one token have the same keys, and Dask takes what one has left for the other's.

    Examples
    --------
    >>> import dask
    >>> def part(graph, suffix):
    ...     return [graph.add((f"length-{suffix}", k), len, graph.last) for k in range(2)]
    >>> graph = Graph()
    >>> graph.phase("short", part)
    >>> graph.phase("long", part)
    >>> [value for _, value in dask.get(graph.tasks, graph.end)]  # each task of the second phase sees two marks
    [0.0, 2.0, 4.0]
    """

    def __init__(self, workers: Sequence[str] = (), token: str = "") -> None:
        self.workers, self.token = tuple(workers), token
        self.tasks: dict[Any, Task] = {}
        #: of the phases, in their order
        self.kinds: list[str] = []
        self._at: dict[Any, str] = {}
        self.end: Any = (f"start-0{token}", 0)
        self.tasks[self.end] = Task(self.end, barrier, [])

    @property
    def last(self) -> TaskRef:
        """What the tasks of a phase wait for."""
        return TaskRef(self.end)

    def add(self, key: Any, function: Callable[..., Any], *args: Any, at: int | None = None) -> TaskRef:
        """Add a task; `at` is the number of the worker that it must run on."""
        self.tasks[key] = Task(key, function, *args)
        if at is not None:
            self._at[key] = self.workers[at]
        return TaskRef(key)

    def phase(self, kind: str, part: Part) -> None:
        """Add a phase and its barrier."""
        # the number first: what stands before it is the prefix, by which Dask knows tasks of a kind
        suffix = f"{len(self.kinds)}{self.token}"
        waited = part(self, suffix)
        self.kinds.append(kind)
        end = (f"{kind}-end-{suffix}", 0)
        self.tasks[end] = Task(end, barrier, self.last, *waited)
        self.end = end

    def layers(self) -> HighLevelGraph:
        """Return the graph as a client takes it, with where tasks must run."""
        free = {key: task for key, task in self.tasks.items() if key not in self._at}
        bound = {key: task for key, task in self.tasks.items() if key in self._at}
        layers = {"free": MaterializedLayer(free)}
        depends: dict[str, set[str]] = {"free": set()}
        if bound:
            layers["bound"] = MaterializedLayer(bound, annotations={"workers": self._at.__getitem__})
            depends["bound"] = {"free"}
        return HighLevelGraph(layers, depends)

    def seconds(self, marks: Marks) -> dict[str, float]:
        """Return the seconds of all phases of each kind."""
        found = dict.fromkeys(self.kinds, 0.0)
        for kind, taken in zip(self.kinds, np.diff([at for at, _ in marks]), strict=True):
            found[kind] += float(taken)
        return found


#: (graph, a suffix for the names of its tasks) → what the barrier waits for
Part = Callable[[Graph, str], Sequence[TaskRef]]


def graph_of(parts: Sequence[tuple[str, Part]], workers: Sequence[str] = ()) -> Graph:
    """Return the graph of phases of some kinds, one after the other, with keys that no other graph has."""
    made = Graph(workers, f"-{uuid4().hex}")
    for kind, part in parts:
        made.phase(kind, part)
    return made
