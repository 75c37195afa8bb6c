"""From the groups of a task graph to rows of an explanation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asafess.compiler.abstract.parts import Inferred
from asafess.compiler.bound import bound
from asafess.compiler.explain.explanation import Row
from asafess.compiler.explain.groups import TaskGroup, groups
from asafess.compiler.explain.known_values import KnownValues
from asafess.compiler.explain.records import Cluster
from asafess.compiler.explain.task_graph import TaskGraph, depths
from asafess.compiler.find import combined, find
from asafess.compiler.infer import found_type
from asafess.compiler.inference import TypeInference
from asafess.compiler.kernel_calls import has_kernel
from asafess.compiler.resolve import PrefixTable
from asafess.compiler.task_cost import infer_kernels
from asafess.core.found_type import ANNOTATION, COMPILER, DECORATOR, FoundType
from asafess.core.mode import Rates

#: tasks of a group that are looked at, as in the scheduler; fewer where there are so many groups
SAMPLE, MOST_LOOKED_AT = 8, 4000
#: of a kernel that was counted for one task: others of its group are taken to be like it
COUNTED = 0.9
#: operations that take chunks of the same place: Dask makes those on one worker
ALIGNED = frozenset({"elementwise", "reduction", "creation", "view", "kernel"})


@dataclass(frozen=True, slots=True)
class Deciding:
    """What rows are decided with; plain data, because rows of futures are decided in the scheduler."""

    #: task types by prefix
    types: Mapping[str, Mapping[str, Any]]
    rates: Rates
    #: threads of a worker
    threads: int
    cluster: Cluster = field(default_factory=Cluster)
    #: whether Numba kernels are counted: never in the scheduler
    kernels: bool = False

    def rows(self, graph: TaskGraph) -> list[Row]:
        """Return a row for each group of a graph, in the order of the program."""
        order = depths(graph.nodes)
        looking = _Looking(self, graph, order)
        found = groups(graph, order)
        most = max(1, min(SAMPLE, MOST_LOOKED_AT // max(1, len(found))))
        return [looking.row(group, group.keys[:: max(1, len(group.keys) // most)][:most]) for group in found]


@dataclass(frozen=True, slots=True)
class _Task:
    """What is known of one task."""

    found: FoundType | None
    #: why it has no type
    why: str
    #: an axis that is not known is left out
    load: Mapping[str, float]
    input_bytes: float | None
    bound: str


class _Looking:
    """Looks at the tasks of one graph."""

    def __init__(self, deciding: Deciding, graph: TaskGraph, order: Mapping[Any, int]) -> None:
        self._deciding = deciding
        self._graph = graph
        #: keys of the tasks that can run
        self._order = order
        self._table = PrefixTable(deciding.types)
        # the scheduler's own: what it says here is what it will say there
        self._inference = TypeInference(graph.nodes.get, graph.sizes.get)
        self._values = KnownValues(graph, self._inference)

    def row(self, group: TaskGroup, keys: Sequence[Any]) -> Row:
        """Return the row of a group from some of its tasks."""
        tasks = [self._task(key, group) for key in keys]
        return _row(group, tasks, [self._values.nbytes(key) for key in keys])

    def _declared(self, key: Any, prefix: str) -> tuple[FoundType | None, str]:
        """Return what a person has said of a task, and what is wrong with it."""
        types, source, problem = find(self._graph.nodes[key], self._graph.annotations.get(key), prefix, self._table)
        if not types:
            return None, problem
        names = ", ".join(dict.fromkeys(type_.name for type_ in types))
        said = {DECORATOR: f"asafess.task on {names}", ANNOTATION: "asafess.task_type around it"}
        why = said.get(source, f"asafess.types[{names!r}] in the configuration")
        return FoundType(combined(types), source, 1.0, why), ""

    def _undeclared(self, key: Any, group: TaskGroup) -> tuple[FoundType | None, str, Inferred | None]:
        """Return what the cluster has measured of a group, or rules or a counted kernel say of a task, and why."""
        if key not in self._order:
            return None, "it can never run: it depends on itself, or on a task that does", None
        there = self._deciding.cluster.type_of(group.name, group.prefix)
        if there is not None and there.source != COMPILER:
            return there, "", None
        inferred, node = self._inference.inferred(key), self._graph.nodes[key]
        found = self._inference.found(key, group.prefix)
        if found is None and self._deciding.kernels and has_kernel(node):
            inferred = infer_kernels(node, self._values.value)
            found = found_type(inferred, group.prefix, COUNTED)
            self._values.counted[group.name] = inferred.value
        return found or there, inferred.why, inferred

    def _task(self, key: Any, group: TaskGroup) -> _Task:
        inputs = self._graph.nodes[key].dependencies
        total, fetched = self._values.inputs(inputs)
        inferred = None
        found, why = self._declared(key, group.prefix)
        if found is None:
            problem = why
            found, why, inferred = self._undeclared(key, group)
            why = "; ".join(filter(None, (problem, why)))
        if found is None:
            return _Task(None, why, {}, total, "untyped")
        if inferred is not None and inferred.known and all(part.kind in ALIGNED for part in inferred.parts):
            fetched = 0.0
        load = load_of(found, total, fetched)
        moves = inferred is not None and inferred.known and inferred.moved
        return _Task(found, "", load, total, "communication" if moves else self._bound(found, load, len(inputs)))

    def _bound(self, found: FoundType, load: Mapping[str, float], inputs: int) -> str:
        needed = {"compute", "memory", "communication"} & {*found.type.loads, *found.type.per_byte, "communication"}
        if needed <= load.keys():
            return bound(load, self._deciding.rates, self._deciding.threads)
        if any(found.type.loads.values()):
            return "unknown"
        # all loads grow with the size of the input, so that it does not matter; inputs of one size are assumed
        return bound(found.type.load(inputs, inputs - 1), self._deciding.rates, self._deciding.threads)


def load_of(found: FoundType, input_bytes: float | None, fetched: float | None) -> dict[str, float]:
    """Return the load of one task by axis; what follows from a size that is not known is left out.

    Examples
    --------
    >>> from asafess.core.task_type import declare
    >>> load_of(FoundType(declare(loads={"compute": 5}, per_byte={"memory": 2}), "decorator"), None, 0.0)
    {'communication': 0.0, 'compute': 5.0}
    """
    load = found.type.load(input_bytes or 0.0, fetched or 0.0)
    if input_bytes is None:
        load = {axis: amount for axis, amount in load.items() if axis not in found.type.per_byte}
    if fetched is None and "communication" not in found.type.loads:
        load.pop("communication", None)
    return load


def _row(group: TaskGroup, tasks: Sequence[_Task], outputs: Sequence[float | None]) -> Row:
    """Return the row of a group from some of its tasks."""
    typed = [task for task in tasks if task.found is not None]
    if not typed:
        whys = list(dict.fromkeys(task.why for task in tasks))
        found, why, limit = None, "; ".join(whys[:3]), "untyped"
    else:
        # tasks at the edge of an array may have nothing to do
        limits = Counter(task.bound for task in typed if task.bound != "nothing") or {"nothing": 1}
        limit = max(limits, key=lambda name: limits[name])
        found = next(task.found for task in typed if task.bound == limit)
        why = found.why if found else ""
        if len(typed) < len(tasks):
            other = next(task.why for task in tasks if task.found is None)
            why += f" (only {len(typed)} of {len(tasks)} tasks looked at: {other})"
        elif limit == "nothing" and found and found.type.per_byte:
            why += "; its loads are for each byte of input, and it has none"
    axes = set.intersection(*(set(task.load) for task in typed)) if typed else set()
    loads = {axis: sum(task.load[axis] for task in typed) / len(tasks) for axis in sorted(axes)}
    return Row(
        group=group.name,
        tasks=len(group.keys),
        inputs=group.inputs,
        after=tuple(sorted(group.after)),
        layer=group.layer,
        found=found,
        loads=loads,
        input_bytes=_mean([task.input_bytes for task in tasks]),
        output_bytes=_mean(outputs),
        bound=limit,
        why=why,
    )


def _mean(sizes: Sequence[float | None]) -> float | None:
    known = [size for size in sizes if size is not None]
    return sum(known) / len(known) if known and len(known) == len(sizes) else None
