"""What a cluster's scheduler knows: sizes, types and rates, and tasks that were submitted before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dask._task_spec import DataNode

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf
from asafess.compiler.explain.explanation import Row
from asafess.compiler.explain.task_graph import TaskGraph
from asafess.compiler.find import text_of
from asafess.core.found_type import INFERRED, FoundType
from asafess.core.task_type import TaskType

if TYPE_CHECKING:
    from distributed import Client, Scheduler

    from asafess.compiler.explain.rows import Deciding

#: tasks behind futures that are looked at; collecting them holds the scheduler up
MOST_TASKS = 20_000
#: name of the plugin of an installed asafess
PLUGIN = "asafess"
#: how much less sure a type is that was found for another group of the same prefix
OTHER_GROUP = 0.8


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a cluster knows; nothing without one."""

    #: key → logical bytes of a result that lies there
    sizes: Mapping[Any, float] = field(default_factory=dict)
    #: task group → its type there; only where asafess is installed, as all below
    types: Mapping[str, FoundType] = field(default_factory=dict)
    #: `flop`, `memory` and `link`
    rates: Mapping[str, float] = field(default_factory=dict)
    #: where each of them is from there, as `asafess.status` says it
    rates_from: Mapping[str, str] = field(default_factory=dict)
    #: asafess is installed there, and still measures the rates
    measuring: bool = False
    #: threads of a worker, None while there is none
    threads: int | None = None

    def type_of(self, group: str, prefix: str) -> FoundType | None:
        """Return what the cluster says of a group, or of the last one there whose tasks have the same prefix.

        Examples
        --------
        >>> there = Cluster(types={"step-1": FoundType(TaskType("step", {"compute": 1e6}), "measured", 0.9, "8 tasks")})
        >>> there.type_of("step-2", "step").why
        '8 tasks; on this cluster, as group step-1'
        """
        found = self.types.get(group)
        if found is not None:
            return replace(found, why="; ".join(filter(None, (found.why, "on this cluster"))))
        same = [(name, one) for name, one in self.types.items() if one.type.name == prefix and one.source in INFERRED]
        if not same:
            return None
        name, found = same[-1]
        why = f"{found.why}; on this cluster, as group {name}"
        return replace(found, confidence=OTHER_GROUP * found.confidence, why=why)


async def known_by(client: Client, keys: Iterable[Any]) -> Cluster:
    """Return what a cluster knows of some results, and of task types."""
    try:
        told = await client.run_on_scheduler(_known, list(keys))
        return Cluster(**{**told, "types": {name: _type(one) for name, one in told["types"].items()}})
    except Exception:  # asafess can't be imported there, or is another version
        return Cluster()


def _known(keys: Iterable[Any], dask_scheduler: Scheduler) -> dict[str, Any]:
    tasks = (dask_scheduler.tasks.get(key) for key in keys)
    sizes = {ts.key: float(ts.nbytes) for ts in tasks if ts is not None and ts.nbytes >= 0}
    workers = [ws.nthreads for ws in dask_scheduler.workers.values()]
    threads = round(sum(workers) / len(workers)) if workers else None
    plugin: Any = dask_scheduler.plugins.get(PLUGIN)
    found = {"sizes": sizes, "types": {}, "threads": threads}
    if plugin is None:
        return found
    status = plugin.status(story=False)
    found |= {"types": status["types"], "rates": status["rates"] or {}, "rates_from": status["rates_from"]}
    return {**found, "measuring": status["rates"] is None and not status["fault"]}


def _type(told: Mapping[str, Any]) -> FoundType:
    type_ = TaskType(told["name"], told["loads"], told["per_byte"])
    return FoundType(type_, told["source"], told["confidence"], told["why"])


async def rows_behind(client: Client, keys: Sequence[Any], deciding: Deciding) -> list[Row]:
    """Return rows for the tasks that led to futures, as far as the scheduler remembers them."""
    try:
        return list(await client.run_on_scheduler(_rows, list(keys), deciding))
    except Exception as error:
        why = f"the scheduler could not be asked: {text_of(error)}"
        return [Row("futures", len(keys), 0.0, (), 0, None, {}, None, None, "untyped", why)]


async def _rows(keys: Sequence[Any], deciding: Deciding, dask_scheduler: Scheduler) -> list[Row]:
    # interpreting takes a while, the scheduler has other things to do
    return await asyncio.to_thread(deciding.rows, recorded(dask_scheduler, keys))


def recorded(scheduler: Scheduler, keys: Iterable[Any]) -> TaskGraph:
    """Return the graph of tasks and what they depend on, as the scheduler remembers it."""
    nodes: dict[Any, Any] = {}
    annotations: dict[Any, Any] = {}
    sizes: dict[Any, float] = {}
    left = [scheduler.tasks[key] for key in keys if key in scheduler.tasks]
    while left and len(nodes) < MOST_TASKS:
        ts = left.pop()
        if ts.key in nodes:
            continue
        size = float(ts.nbytes) if ts.nbytes >= 0 else None
        # of scattered data, which nothing makes, the scheduler knows the size
        data = UNKNOWN if size is None else ArrayOf(None, None, size)
        nodes[ts.key] = DataNode(ts.key, data) if ts.run_spec is None else ts.run_spec
        annotations[ts.key] = dict(ts.annotations or {})
        if size is not None:
            sizes[ts.key] = size
        left += ts.dependencies
    return TaskGraph(nodes, annotations, sizes)
