"""What a cluster's scheduler knows of tasks and results that were submitted before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dask._task_spec import DataNode

from asafess.compiler.explain.explanation import Row
from asafess.compiler.explain.rows import Deciding
from asafess.compiler.explain.task_graph import TaskGraph
from asafess.compiler.find import text_of

if TYPE_CHECKING:
    from distributed import Client, Scheduler

#: tasks behind futures that are looked at; collecting them holds the scheduler up
MOST_TASKS = 20_000


async def sizes_of(client: Client, keys: Iterable[Any]) -> dict[Any, float]:
    """Return the logical bytes of results that lie in the cluster; those it does not know are left out."""
    asked = list(keys)
    if not asked:
        return {}
    try:
        return dict(await client.run_on_scheduler(_sizes, asked))
    except Exception:  # asafess can't be imported there: their sizes stay unknown
        return {}


def _sizes(keys: Iterable[Any], dask_scheduler: Scheduler) -> dict[Any, float]:
    tasks = (dask_scheduler.tasks.get(key) for key in keys)
    return {ts.key: float(ts.nbytes) for ts in tasks if ts is not None and ts.nbytes >= 0}


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
        # scattered data has nothing to run
        nodes[ts.key] = DataNode(ts.key, None) if ts.run_spec is None else ts.run_spec
        annotations[ts.key] = dict(ts.annotations or {})
        if ts.nbytes >= 0:
            sizes[ts.key] = float(ts.nbytes)
        left += ts.dependencies
    return TaskGraph(nodes, annotations, sizes)
