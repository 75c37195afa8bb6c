"""What is known of the results of a program's tasks before it runs: their abstract values, and their bytes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dask._task_spec import DataNode
from dask.sizeof import sizeof

from asafess.compiler.abstract.values import UNKNOWN, nbytes_in
from asafess.compiler.explain.groups import group_name
from asafess.compiler.explain.stated_shapes import chunk
from asafess.compiler.explain.task_graph import TaskGraph
from asafess.compiler.inference import TypeInference

#: inputs of one task whose sizes are looked at; of more, as many that stand for the others
MOST_INPUTS = 64


class KnownValues:
    """Values of results: by the compiler's rules, else as Dask's arrays state their chunks.

    Parameters
    ----------
    graph : TaskGraph
    inference : TypeInference
        Of its nodes.
    """

    def __init__(self, graph: TaskGraph, inference: TypeInference) -> None:
        self._graph = graph
        self._inference = inference
        #: group → what tasks return whose kernels were counted here
        self.counted: dict[str, Any] = {}
        self._nbytes: dict[Any, float | None] = {}

    def value(self, key: Any) -> Any:
        """Return the abstract value of a task's result, `UNKNOWN` where nothing is known."""
        value = self._inference.inferred(key).value if key in self._graph.nodes else UNKNOWN
        if value is UNKNOWN:
            value = self.counted.get(group_name(key), UNKNOWN)
        return chunk(key, self._graph.stated) if value is UNKNOWN else value

    def nbytes(self, key: Any) -> float | None:
        """Return the logical bytes of a task's result, None when they are not known."""
        if key not in self._nbytes:
            self._nbytes[key] = self._size(key)
        return self._nbytes[key]

    def _size(self, key: Any) -> float | None:
        size = self._graph.sizes.get(key)
        if size is not None:
            return size
        node = self._graph.nodes.get(key)
        try:
            if isinstance(node, DataNode):
                return float(sizeof(node.value))  # as the scheduler takes it
            value = self.value(key)
            return None if value is UNKNOWN else float(nbytes_in(value))
        except Exception:  # not known, or a value that does anything when it is looked at
            return None

    def inputs(self, keys: Collection[Any]) -> tuple[float | None, float | None]:
        """Return the logical bytes of all inputs of a task, and of all but the largest; None when not known."""
        looked_at = list(keys)
        if len(looked_at) > MOST_INPUTS:
            looked_at = sorted(looked_at, key=str)[:: len(looked_at) // MOST_INPUTS]
        sizes = []
        for key in looked_at:
            size = self.nbytes(key)
            if size is None:
                return None, 0.0 if len(keys) == 1 else None
            sizes.append(size)
        total = sum(sizes) * len(keys) / len(sizes) if sizes else 0.0
        return total, total - max(sizes, default=0.0)
