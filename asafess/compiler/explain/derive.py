"""Types of the tasks of a whole graph by the compiler's rules, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dask._task_spec import DataNode
from dask.sizeof import sizeof

from asafess.compiler.abstract.parts import Inferred, Part
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, nbytes_in
from asafess.compiler.explain.stated_shapes import CONFIDENCE, chunk
from asafess.compiler.explain.task_graph import TaskGraph
from asafess.compiler.infer import found_type, infer
from asafess.compiler.per_byte import per_byte
from asafess.core.found_type import FoundType

#: tasks of one graph that are interpreted; a few of each group are asked for, and all that those depend on
MOST_INTERPRETED = 50_000
#: operations that take chunks of the same place: Dask makes those on one worker
ALIGNED = frozenset({"elementwise", "reduction", "creation", "view"})


class Derivation:
    """Interprets the tasks of a graph over abstract values, those that are asked for and what they depend on.

    Parameters
    ----------
    graph : TaskGraph
    runnable : mapping or set
        Keys of the tasks that don't lie on a cycle.
    """

    def __init__(self, graph: TaskGraph, runnable: Mapping[Any, int]) -> None:
        self._graph = graph
        self._runnable = runnable
        self._inferred: dict[Any, Inferred] = {}
        #: keys whose value follows from what is only stated
        self._stated: set[Any] = set()

    def inferred(self, key: Any) -> Inferred:
        """Return what a task does, and the abstract value of its result."""
        stack = [key]
        while stack:
            top = stack[-1]
            if not self._open(top):
                stack.pop()
                continue
            node = self._graph.nodes[top]
            left = [one for one in node.dependencies if self._open(one)]
            if left:
                stack += left
                continue
            stack.pop()
            found = infer(node, self.value)
            if found.value is UNKNOWN and (stated := chunk(top, self._graph.stated)) is not UNKNOWN:
                found = Inferred(stated, found.parts)
                self._stated.add(top)
            elif not self._stated.isdisjoint(node.dependencies):
                self._stated.add(top)
            self._inferred[top] = found
        return self._inferred.get(key) or Inferred(parts=(Part("task", "unknown", known=False, why=self._why(key)),))

    def _open(self, key: Any) -> bool:
        """Say whether a task is still to be interpreted."""
        return key not in self._inferred and key in self._runnable and len(self._inferred) < MOST_INTERPRETED

    def _why(self, key: Any) -> str:
        if key in self._graph.nodes and key not in self._runnable:
            return "it can never run: it depends on itself, or on a task that does"
        return f"{MOST_INTERPRETED} other tasks of the graph were looked at already"

    def value(self, key: Any) -> Any:
        """Return the abstract value of a task's result, as far as its graph or the scheduler's records say it."""
        found = self._inferred.get(key)
        value = UNKNOWN if found is None else found.value
        size = self._graph.sizes.get(key)
        return ArrayOf(None, None, size) if value is UNKNOWN and size is not None else value

    def found(self, key: Any, name: str) -> tuple[FoundType | None, str]:
        """Return the type of a task; None when a part of what it does is not known, and why.

        Parameters
        ----------
        key : hashable
            Of the task.
        name : str
            Of the type.
        """
        inferred, node = self.inferred(key), self._graph.nodes[key]
        confidence = 1.0 if self._stated.isdisjoint(node.dependencies) else CONFIDENCE
        found = found_type(inferred, name, confidence)
        if found is None and key in self._runnable:
            found = per_byte(node, {one: self.value(one) for one in node.dependencies}, name, confidence)
        return found, "" if found is not None else inferred.why

    def nbytes(self, key: Any) -> float | None:
        """Return the logical bytes of a task's result, None when they are not known."""
        size = self._graph.sizes.get(key)
        if size is not None:
            return size
        node = self._graph.nodes.get(key)
        self.inferred(key)
        value = self.value(key)
        try:
            if isinstance(node, DataNode):
                return float(sizeof(node.value))  # as the scheduler takes it
            return None if value is UNKNOWN else float(nbytes_in(value))
        except Exception:  # not known, or a value that does anything when it is looked at
            return None


def stays(inferred: Inferred) -> bool:
    """Say whether a task's inputs lie on its worker already, because it only puts chunks of one place together.

    Examples
    --------
    >>> stays(Inferred(parts=(Part("numpy.add", "elementwise"),))), stays(Inferred(parts=(Part("dot", "linalg"),)))
    (True, False)
    """
    return all(part.kind in ALIGNED for part in inferred.parts)
