"""A task graph as groups of tasks, grouped by Dask's scheduler's rule, and laid out in layers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from asafess.compiler.explain.task_graph import TaskGraph


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks whose keys Dask's scheduler takes for one kind."""

    #: as in the scheduler's `task_groups`
    name: str
    #: as in the scheduler's `task_prefixes`, which the user's table of types is matched with
    prefix: str
    keys: tuple[Any, ...]
    #: dependencies of a task, on average
    inputs: float
    #: groups whose results this one takes, itself not among them, in no order
    after: frozenset[str]
    #: 0 for groups that take no results; else more than that of any group whose results are taken beforehand
    layer: int


def groups(graph: TaskGraph, order: Mapping[Any, int]) -> list[TaskGroup]:
    """Return the groups of a graph, those of the first layer first.

    Parameters
    ----------
    graph : TaskGraph
    order : mapping
        Its `depths`.

    Examples
    --------
    >>> from dask import delayed
    >>> from asafess.compiler.explain.task_graph import depths, task_graph
    >>> graph = task_graph([delayed(sum)([delayed(abs)(k) for k in range(3)])])
    >>> [(one.name, len(one.keys), one.inputs, one.layer) for one in groups(graph, depths(graph.nodes))]
    [('abs', 3, 0.0, 0), ('sum', 1, 3.0, 1)]
    """
    from dask.utils import key_split

    members: defaultdict[str, list[Any]] = defaultdict(list)
    group_of = {key: group_name(key) for key in graph.nodes}
    for key, name in group_of.items():
        members[name].append(key)
    inputs: Counter[str] = Counter()
    after: dict[str, set[str]] = {name: set() for name in members}
    for key, node in graph.nodes.items():
        name = group_of[key]
        inputs[name] += len(node.dependencies)
        after[name].update(group_of[one] for one in node.dependencies if one in group_of)
    layer = _layers(members, after, order)
    found = [
        TaskGroup(
            name,
            key_split(keys[0]),
            tuple(keys),
            inputs[name] / len(keys),
            frozenset(after[name] - {name}),
            layer[name],
        )
        for name, keys in members.items()
    ]
    return sorted(found, key=lambda one: one.layer)


def group_name(key: Any) -> str:
    """Return the name of a task's group, as Dask's scheduler finds it."""
    from distributed.utils import key_split_group

    try:
        return str(key_split_group(key))
    except Exception:  # no scheduler would take such a key
        return "Other"


def _layers(
    members: Mapping[str, Iterable[Any]], after: Mapping[str, Iterable[str]], depth: Mapping[Any, int]
) -> dict[str, int]:
    """Return the layer of each group.

    Groups may depend on each other both ways, in a loop for instance; what counts is which runs earlier on average,
    then which is first.
    """
    early = {}
    for name, keys in members.items():
        known = [depth[key] for key in keys if key in depth] or [0]
        early[name] = sum(known) / len(known), min(known)
    layer: dict[str, int] = {}
    for name in sorted(early, key=lambda name: early[name]):
        before = (layer[other] for other in after[name] if other in layer)
        layer[name] = 1 + max(before, default=-1)
    return layer
