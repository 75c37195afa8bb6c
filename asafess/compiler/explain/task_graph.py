"""The task graph of Dask collections, as Dask would send it to its scheduler.

Nothing is computed: the graph is optimized and written out, as `Client.compute` does on its way.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import dask
from dask._task_spec import GraphNode, convert_legacy_graph

from asafess.compiler.explain.stated_shapes import Stated, stated_shapes


@dataclass(frozen=True, slots=True)
class TaskGraph:
    """Tasks with what is known of them before they run."""

    #: key → what the task runs
    nodes: Mapping[Any, GraphNode]
    #: key → annotations of the task
    annotations: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)
    #: key → logical bytes of a result that exists already, also of keys that are no task of this graph
    sizes: Mapping[Any, float] = field(default_factory=dict)
    #: what Dask's arrays state of their chunks
    stated: Stated = field(default_factory=dict)


def is_collection(value: Any) -> bool:
    """Say whether something is a Dask collection, also one whose graph can't be made. Never raises.

    Examples
    --------
    >>> from dask import delayed
    >>> is_collection(delayed(1)), is_collection([delayed(1)])
    (True, False)
    """
    from dask.base import is_dask_collection

    try:
        return bool(is_dask_collection(value))
    except Exception:
        return hasattr(type(value), "__dask_graph__")


def task_graph(collections: Iterable[Any]) -> TaskGraph:
    """Return the graph that ``dask.compute(*collections)`` would send to a cluster's scheduler.

    The order in which Dask fuses tasks hangs on its tokens, so that another run of the same program may fuse others.

    Parameters
    ----------
    collections : iterable of Dask collections

    Raises
    ------
    Exception
        Whatever a collection raises when it is optimized or its graph is made.

    Examples
    --------
    >>> from dask import delayed
    >>> len(task_graph([delayed(sum)([1, 2], dask_key_name="total")]).nodes)
    1
    """
    from dask._expr import FinalizeCompute, LLGExpr
    from dask.base import collections_to_expr

    collections = tuple(collections)
    with dask.config.set(_shuffled_on_a_cluster()):
        expression = FinalizeCompute(collections_to_expr(collections)).optimize()
        nodes = convert_legacy_graph(expression.__dask_graph__())
    if isinstance(expression, LLGExpr):
        nodes = _needed(nodes, expression.__dask_keys__())
    annotations = _annotations(nodes, expression.__dask_annotations__(), dask.get_annotations())
    return TaskGraph(nodes, annotations, stated=stated_shapes(collections, expression))


def _shuffled_on_a_cluster() -> dict[str, str]:
    """Return the setting with which dataframes are shuffled as on a cluster, also where no client is open yet."""
    from dask.utils import get_default_shuffle_method

    if dask.config.get("dataframe.shuffle.method", None) or get_default_shuffle_method() != "disk":
        return {}
    return {"dataframe.shuffle.method": "p2p" if find_spec("pyarrow") else "tasks"}


def _needed(nodes: Mapping[Any, GraphNode], keys: Any) -> dict[Any, GraphNode]:
    """Return the tasks that the wanted ones depend on."""
    from dask.core import flatten

    needed: dict[Any, GraphNode] = {}
    left = list(flatten(keys))
    while left:
        key = left.pop()
        if key in nodes and key not in needed:
            needed[key] = nodes[key]
            left += nodes[key].dependencies
    return needed


def _annotations(
    nodes: Mapping[Any, GraphNode], by_type: Mapping[str, Mapping[Any, Any]], everywhere: Mapping[str, Any]
) -> dict[Any, dict[str, Any]]:
    """Return each task's annotations; its own count before those of the block that everything is submitted in."""
    found: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
    for name, value in everywhere.items():
        for key in nodes:
            found[key][name] = value(key) if callable(value) else value
    for name, values in by_type.items():
        for key, value in values.items():
            if value is not None:
                found[key][name] = value
    return dict(found)


def outside(graph: TaskGraph) -> set[Any]:
    """Return the keys that tasks depend on and that are no tasks of the graph: what was persisted before."""
    return {key for node in graph.nodes.values() for key in node.dependencies if key not in graph.nodes}


def depths(nodes: Mapping[Any, GraphNode]) -> dict[Any, int]:
    """Return how many tasks have to run one after the other before each task, in an order in which they can run.

    Tasks on a cycle, and what depends on them, are left out: they can never run.

    Examples
    --------
    >>> from dask._task_spec import Task, TaskRef
    >>> depths({"b": Task("b", abs, TaskRef("a")), "a": Task("a", abs, -1)})
    {'a': 0, 'b': 1}
    """
    inside = {key: [one for one in node.dependencies if one in nodes] for key, node in nodes.items()}
    missing = {key: len(needs) for key, needs in inside.items()}
    dependents: defaultdict[Any, list[Any]] = defaultdict(list)
    for key, needs in inside.items():
        for one in needs:
            dependents[one].append(key)
    found: dict[Any, int] = {key: 0 for key, count in missing.items() if not count}
    ready = deque(found)
    while ready:
        key = ready.popleft()
        for dependent in dependents[key]:
            missing[dependent] -= 1
            if not missing[dependent]:
                found[dependent] = 1 + max(found[one] for one in inside[dependent])
                ready.append(dependent)
    return found
