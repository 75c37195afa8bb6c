"""What a scheduler plugin costs Dask's scheduler: CPU time per task and per tick, without network.

The arms are the plugins of `PLUGINS`. All tasks carry a task type and the rates are known, so asafess looks at
everything it would look at; nothing is worth moving, so its optimization stays off.
"""

from __future__ import annotations

import gc
import itertools
import operator
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any
from unittest import mock

from dask._task_spec import Task
from distributed import SchedulerPlugin

import asafess
from asafess.cluster import scheduler_plugin
from asafess.cluster.config import settings
from asafess.cluster.scheduler_plugin import AsafessSchedulerPlugin
from asafess.core.mode import Rates

from .harness import order
from .pure_scheduler import TICK, PureScheduler, fan_in_graph
from .scores import AGAIN

RATES = Rates(flop=1e10, memory=1e10, link=1e9)
#: tasks that one arm runs before the next one has its turn
STEP = 500


class EmptyPlugin(SchedulerPlugin):
    """Does nothing; Dask calls its inherited hooks all the same, which is most of what a plugin costs."""


def asafess_plugin(**given: Any) -> AsafessSchedulerPlugin:
    """Return asafess's scheduler plugin as it is once the cluster's rates are known; `given` are settings."""
    plugin = AsafessSchedulerPlugin(settings(**given))
    plugin.rates = RATES
    return plugin


#: the arms of the pure scheduler
PLUGINS: Mapping[str, Callable[[], SchedulerPlugin | None]] = {
    "empty": EmptyPlugin,
    "nothing": lambda: None,
    "asafess": asafess_plugin,
}


# loads of their own, because a task without any is nothing to a sample, and asafess would have nothing to do
@asafess.task(loads={"compute": 1e5, "memory": 1e5})
def leaf(i: int) -> None:
    """Do nothing, as a typed task."""


@asafess.task(loads={"compute": 1e5, "memory": 1e5})
def join(*parts: None) -> None:
    """Do nothing with ten inputs."""


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector away: it would charge one arm for what all have thrown away."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def race(leaves: int, rounds: int, seed: int = 1) -> list[dict[str, Any]]:
    """Return rows with ``cpu_us_per_task`` of the scheduler, one per plugin and round, "empty" twice.

    Not one arm after the other as in the harness: while a run lasts, a shared machine's speed moves by more than what
    is looked for, 1 µs in 80. Here all arms run at once, in turns of `STEP` tasks in random order, and the CPU time of
    each is added up. For the same reason many rounds of a small graph say more than a few of a large one, whose tasks
    no longer fit into the caches of four schedulers: measured, ±0.2 µs against ±3 µs in the same time.
    """
    graph = fan_in_graph(leaf, join, leaves)
    keys = [key for key in graph if key[0] == "join"]
    plugins = {**PLUGINS, "empty" + AGAIN: PLUGINS["empty"]}
    rows = []
    for number in range(-1, rounds):
        schedulers = {name: PureScheduler(make()) for name, make in plugins.items()}
        with _no_collector():
            taken = _turns(schedulers, graph, keys, seed + number)
        for place, (name, (seconds, ran)) in enumerate(taken.items()):
            fault = getattr(schedulers[name].plugin, "fault", None)
            error = fault or (None if ran == len(graph) else f"{ran} of {len(graph)} tasks ran")
            row = {"arm": name, "round": number, "order": place, "warmup": number < 0, "seconds": seconds}
            rows.append(row | {"ok": error is None, "error": error, "cpu_us_per_task": 1e6 * seconds / max(ran, 1)})
            schedulers[name].close()
    return rows


def _turns(
    schedulers: Mapping[str, PureScheduler], graph: Mapping[Any, Task], keys: Sequence[Any], seed: int
) -> dict[str, tuple[float, int]]:
    """Run a graph on all schedulers in turns; return CPU seconds and tasks of each."""
    runs = {}
    for name, pure in schedulers.items():
        tick = pure.plugin.tick if isinstance(pure.plugin, AsafessSchedulerPlugin) else None
        runs[name] = pure.run(graph, keys, STEP, tick)
    taken = dict.fromkeys(runs, (0.0, 0))
    turn = 0
    while runs:
        for name in order(list(runs), turn, seed):
            start = time.thread_time()
            ran = next(runs[name], None)
            seconds = time.thread_time() - start
            if ran is None:
                del runs[name]
            else:
                taken[name] = (taken[name][0] + seconds, taken[name][1] + ran)
        turn += 1
    return taken


def tick_us(groups: int, tasks_per_group: int = 10, batches: int = 30, per_batch: int = 20) -> float:
    """Return CPU µs of one tick with so many typed task groups scheduled, the median of batches of ticks.

    The plugin's clock moves on by `TICK` each time: ticks given in haste would fill its window with more samples than
    it ever holds. Caches are warm, as they are not in a busy scheduler.
    """
    plugin = asafess_plugin()
    pure = PureScheduler(plugin, threads=groups * tasks_per_group)
    names = [(f"group{i}", j) for i in range(groups) for j in range(tasks_per_group)]
    clock = itertools.count(time.monotonic(), TICK).__next__
    found = []
    with _no_collector(), mock.patch.object(scheduler_plugin, "monotonic", clock):
        pure.submit({key: Task(key, leaf, key[1]) for key in names}, names)
        for _ in range(batches):
            start = time.thread_time()
            for _ in range(per_batch):
                plugin.tick()
            found.append((time.thread_time() - start) / per_batch)
    pure.close()
    _check(plugin)
    return 1e6 * median(found)


def hooks_us(leaves: int) -> float:
    """Return CPU µs per task spent inside asafess's own hooks: `update_graph` and the ticks.

    It leaves out what any plugin costs, and is nearly free of noise: a check on `race`, and affordable on large graphs.
    """
    plugin = asafess_plugin()
    in_graphs, plugin.update_graph = _timed(plugin.update_graph)  # type: ignore[method-assign]
    in_ticks, tick = _timed(plugin.tick)
    graph = fan_in_graph(leaf, join, leaves)
    pure = PureScheduler(plugin)
    with _no_collector():
        keys = [key for key in graph if key[0] == "join"]
        ran = sum(pure.run(graph, keys, len(graph), tick))
    pure.close()
    _check(plugin)
    return 1e6 * (in_graphs[0] + in_ticks[0]) / ran


#: a tick is 50 ms, and a submit takes a client a millisecond
GRAPHS_PER_TICK = 50


def one_task_us(graphs: int = 2000) -> dict[str, float]:
    """Return CPU µs in `update_graph` of a graph of one task, handed in again and again, by what its task calls.

    That is `client.submit` in a loop, where what is done per graph is done per task. *declared* has a type, *rule* is
    an operation that the compiler's rules know, *unknown* a function that they do not; *off* is the same with nothing
    inferred, and *scheduler* all that Dask's scheduler does between the graph's arrival and the message to a worker.
    """
    kinds: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "declared": (leaf, {}),
        "rule": (operator.neg, {}),
        "unknown": (_unknown, {}),
        "off": (_unknown, {"infer": []}),
    }
    found = {}
    for kind, (function, given) in kinds.items():
        plugin = asafess_plugin(**given)
        pure = PureScheduler(plugin)
        inside, plugin.update_graph = _timed(plugin.update_graph)  # type: ignore[method-assign]
        with _no_collector():
            start = time.thread_time()
            ticks = 0.0
            for k in range(graphs):
                if k % GRAPHS_PER_TICK == 0:
                    began = time.thread_time()
                    plugin.tick()
                    ticks += time.thread_time() - began
                key = f"{kind}-{k:032x}"
                pure.submit({key: Task(key, function, k)}, [key])
            total = time.thread_time() - start - ticks
        pure.close()
        _check(plugin)
        found[kind] = 1e6 * inside[0] / graphs
    return found | {"scheduler": 1e6 * (total - inside[0]) / graphs}


def _unknown(i: int) -> int:
    return i


def _timed(hook: Callable[..., Any]) -> tuple[list[float], Callable[..., Any]]:
    """Return CPU seconds spent inside a hook, as they grow, and the hook that counts them."""
    inside = [0.0]

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.thread_time()
        try:
            return hook(*args, **kwargs)
        finally:
            inside[0] += time.thread_time() - start

    return inside, call


def _check(plugin: AsafessSchedulerPlugin) -> None:
    if plugin.fault:
        raise RuntimeError(f"asafess failed while it was measured: {plugin.fault}")
