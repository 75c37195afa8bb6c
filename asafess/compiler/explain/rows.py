"""From the groups of a task graph to rows of an explanation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asafess.compiler.bound import bound
from asafess.compiler.explain.derive import Derivation, stays
from asafess.compiler.explain.explanation import Row
from asafess.compiler.explain.groups import TaskGroup, groups
from asafess.compiler.explain.task_graph import TaskGraph, depths
from asafess.compiler.find import find
from asafess.compiler.resolve import PrefixTable
from asafess.core.found_type import FoundType
from asafess.core.mode import Rates

#: tasks of a group whose type is looked up, as in the scheduler
SAMPLE = 8


@dataclass(frozen=True, slots=True)
class _Task:
    """What is known of one task."""

    found: FoundType | None
    #: why it has no type
    why: str
    #: an axis that is not known is left out
    load: Mapping[str, float]
    input_bytes: float | None
    output_bytes: float | None
    bound: str


@dataclass(frozen=True, slots=True)
class Deciding:
    """What rows are decided with; plain data, because rows of futures are decided in the scheduler."""

    #: task types by prefix
    types: Mapping[str, Mapping[str, Any]]
    #: name of a task group → what was measured of it
    learned: Mapping[str, FoundType]
    rates: Rates
    #: threads of a worker
    threads: int

    def rows(self, graph: TaskGraph) -> list[Row]:
        """Return a row for each group of a graph, in the order of the program."""
        order = depths(graph.nodes)
        derivation = Derivation(graph, order)
        table = PrefixTable(self.types)
        rows = []
        for group in groups(graph, order):
            some = group.keys[:: max(1, len(group.keys) // SAMPLE)][:SAMPLE]
            rows.append(_row(group, [self._task(key, group, graph, derivation, table) for key in some]))
        return rows

    def _task(self, key: Any, group: TaskGroup, graph: TaskGraph, derivation: Derivation, table: PrefixTable) -> _Task:
        node = graph.nodes[key]
        found, why = find(
            node,
            graph.annotations.get(key),
            group.prefix,
            table,
            lambda: derivation.found(key, group.prefix),
            self.learned.get(group.name),
        )
        sizes = [derivation.nbytes(one) for one in node.dependencies]
        known = [size for size in sizes if size is not None]
        total = sum(known) if len(known) == len(sizes) else None
        output = derivation.nbytes(key)
        if found is None:
            return _Task(None, why, {}, total, output, "untyped")
        # what is moved at most: all but the largest input; of one input nothing, whatever its size
        fetched = None if total is None else total - max(known, default=0.0)
        load = load_of(found, total, 0.0 if len(sizes) <= 1 else fetched)
        inferred = derivation.inferred(key)
        if found.source != "compiler" or not inferred.known:
            bounds = self._bound(found, load, len(sizes))
        elif inferred.moved:
            bounds = "communication"
        elif stays(inferred):
            bounds = self._bound(found, {**load, "communication": 0.0}, len(sizes))
        else:
            bounds = self._bound(found, load, len(sizes))
        return _Task(found, "", load, total, output, bounds)

    def _bound(self, found: FoundType, load: Mapping[str, float], inputs: int) -> str:
        needed = {"compute", "memory", "communication"} & {*found.type.loads, *found.type.per_byte, "communication"}
        if needed <= load.keys():
            return bound(load, self.rates, self.threads)
        if any(found.type.loads.values()):
            return "unknown"
        # all loads grow with the size of the input, so that it does not matter; inputs of one size are assumed
        return bound(found.type.load(inputs, inputs - 1), self.rates, self.threads)


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


def _row(group: TaskGroup, tasks: Sequence[_Task]) -> Row:
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
        output_bytes=_mean([task.output_bytes for task in tasks]),
        bound=limit,
        why=why,
    )


def _mean(sizes: Sequence[float | None]) -> float | None:
    known = [size for size in sizes if size is not None]
    return sum(known) / len(known) if known and len(known) == len(sizes) else None
