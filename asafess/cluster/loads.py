"""What the tasks of each task group load, read off the scheduler's own records.

A load is learned per group when its graph arrives (all inputs that are in memory have sizes) and from single
tasks while they are in *processing*. Counting is Dask's: `TaskGroup.states`. So a tick costs one look per
group, and nothing runs per transition.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from asafess.cluster.ahead import coming
from asafess.cluster.group_load import GroupLoad, TypeColumn, counted, mean_load
from asafess.cluster.inputs import assigned, known, predicted
from asafess.compiler.resolve import PrefixTable, task_types
from asafess.core.mode import Rates, Scheduled
from asafess.core.task_type import TaskType

if TYPE_CHECKING:
    from distributed.scheduler import SchedulerState, TaskState, WorkerState

#: tasks of a group in one graph whose type is looked up, and whose inputs are measured
TYPED_SAMPLE = 8
MEASURED_SAMPLE = 250
#: workers, and tasks of each, that one tick looks at
WORKERS_PER_TICK = 16
TASKS_PER_WORKER = 2
#: weight of one task seen in *processing* against what was known of its group
LEARNING = 0.1
#: groups that are kept without asking whether Dask still knows them
KEPT = 64


class GroupLoads:
    """Loads of all task groups that have a type.

    Parameters
    ----------
    table : PrefixTable
        The user's types by prefix.
    """

    def __init__(self, table: PrefixTable) -> None:
        self._table = table
        #: keys that were on several workers before their graph arrived: having them costs nothing now
        self._replicated: set[Any] = set()
        #: tasks of each worker that the last tick looked at
        self._seen: dict[str, set[Any]] = {}
        self._next_worker = 0
        self._loads: dict[str, GroupLoad] = {}
        self._columns: dict[str, TypeColumn] = {}
        self._prune_at = KEPT
        #: tasks whose annotation or attribute was no type
        self.bad_types = 0
        #: names of task groups without a type; the first ten thousand
        self.untyped: set[str] = set()

    def __len__(self) -> int:
        return len(self._loads)

    def clear(self) -> None:
        """Forget everything but the counters."""
        for store in (self._replicated, self._seen, self._loads, self._columns, self.untyped):
            store.clear()
        self._prune_at = KEPT

    def submitted(self, state: SchedulerState, keys: Iterable[Any]) -> list[Scheduled]:
        """Learn from a graph that has just arrived; return those of its tasks that can run at once."""
        ready = []
        for members in _by_group(state, keys):
            load = self._typed(members)
            if load is not None:
                runnable = self._measure(load, members)
                if runnable and load.load:
                    count = _assignable(state, members[0], runnable)
                    total = {axis: amount * count for axis, amount in load.load.items()}
                    ready.append(Scheduled(load.column.name, count, total, queued=runnable - count))
        if len(self._loads) > self._prune_at:
            self._prune(state)
        return ready

    def scheduled(self, state: SchedulerState) -> list[Scheduled]:
        """Return the scheduled tasks of all types."""
        if not self._loads:
            return []
        self._learn(state)
        queued = bool(state.queued)
        found = [column.scheduled(queued) for column in self._columns.values()]
        return [one for one in found if one is not None]

    def coming(
        self, state: SchedulerState, scheduled: Iterable[Scheduled], rates: Rates, window: float
    ) -> list[Scheduled]:
        """Return the tasks of the next phase when the present one is nearly over; see `asafess.cluster.ahead`."""
        return coming(state, self._loads, scheduled, rates, window)

    def _typed(self, members: list[TaskState]) -> GroupLoad | None:
        """Look up the types of some tasks of a group."""
        group = members[0].group
        types: list[TaskType] = []
        looked_at = members[:: max(1, len(members) // TYPED_SAMPLE)][:TYPED_SAMPLE]
        typed = 0
        for ts in looked_at:
            found = self._types_of(ts)
            types += found
            typed += bool(found)
        load = self._loads.get(group.name)
        if load is not None and load.group is not group:
            self._drop(group.name)  # Dask has forgotten that one, and made another of the same name
            load = None
        if load is None:
            if not types:
                if len(self.untyped) < 10_000:
                    self.untyped.add(group.name)
                return None
            column = self._columns.setdefault(types[0].name, TypeColumn(types[0].name))
            load = self._loads[group.name] = GroupLoad(group, column)
            column.add(load)
        load.types, load.looked_at, load.share = counted(types), len(looked_at), typed / len(looked_at)
        return load

    def _types_of(self, ts: TaskState) -> list[TaskType]:
        try:
            found = task_types(ts.run_spec, ts.annotations)
        except Exception:  # a function or an annotation may do anything when it is looked at
            self.bad_types += 1
            found = []
        if not found:
            from_table = self._table.find(ts.group.prefix.name)
            found = [from_table] if from_table else []
        return found

    def _measure(self, load: GroupLoad, members: list[TaskState]) -> int:
        """Take the inputs of a group's new tasks as its load; return how many of them can run at once."""
        inputs = missing = 0.0
        counted = runnable = 0
        fetched: set[tuple[Any, str]] = set()
        step = max(1, len(members) // MEASURED_SAMPLE)
        for ts in members[::step]:
            if ts.state not in ("released", "waiting"):
                continue
            counted += 1
            if not known(ts):
                continue
            runnable += 1
            self._replicated.update(one.key for one in ts.dependencies if len(one.who_has or ()) > 1)
            input_bytes, missing_bytes = predicted(ts, fetched)
            inputs += input_bytes
            missing += missing_bytes
        if runnable:
            # tasks of the same group that still run keep their share in the average
            running = load.group.states["processing"] if load.load else 0
            weight = counted * step / (counted * step + running)
            self._update(load, inputs / runnable, missing / runnable, weight)
        return runnable * step

    def _learn(self, state: SchedulerState) -> None:
        """Learn from a few tasks of some workers, as they are in *processing* now."""
        for ws in self._some_workers(state):
            some = list(islice(ws.processing, TASKS_PER_WORKER))
            seen = self._seen.get(ws.address, ())
            for ts in some:
                load = self._loads.get(ts.group.name)
                if load is not None and ts.key not in seen:
                    self._update(load, *assigned(ts, ws, len(state.workers), self._replicated), LEARNING)
            self._seen[ws.address] = {ts.key for ts in some}

    def _some_workers(self, state: SchedulerState) -> Iterator[WorkerState]:
        workers: Collection[WorkerState] = state.workers.values()
        if len(workers) <= WORKERS_PER_TICK:
            yield from workers
            return
        at = self._next_worker % len(workers)
        self._next_worker += WORKERS_PER_TICK
        yield from islice(workers, at, at + WORKERS_PER_TICK)

    def _update(self, load: GroupLoad, input_bytes: float, missing_bytes: float, weight: float) -> None:
        """Let a group's load move towards that of a task with such inputs."""
        new = mean_load(load, input_bytes, missing_bytes)
        old = load.load
        if old and weight < 1:
            axes = old.keys() | new.keys()
            new = {axis: (1 - weight) * old.get(axis, 0.0) + weight * new.get(axis, 0.0) for axis in axes}
        load.load = new
        load.column.changed(load)

    def _prune(self, state: SchedulerState) -> None:
        """Forget the groups that Dask has forgotten; each time when there are twice as many as were left."""
        for name in [name for name, load in self._loads.items() if state.task_groups.get(name) is not load.group]:
            self._drop(name)
        self._replicated = {key for key in self._replicated if key in state.tasks}
        self._prune_at = max(KEPT, 2 * len(self._loads))

    def _drop(self, name: str) -> None:
        load = self._loads.pop(name)
        load.column.remove(load)
        if not load.column:
            del self._columns[load.column.name]


def _assignable(state: SchedulerState, ts: TaskState, runnable: int) -> int:
    """Return how many of a group's runnable tasks will be assigned at once; Dask queues root tasks beyond that."""
    slots = state.total_nthreads * state.WORKER_SATURATION
    return runnable if ts.dependencies or runnable <= slots else max(1, math.ceil(slots))


def _by_group(state: SchedulerState, keys: Iterable[Any]) -> Iterable[list[TaskState]]:
    """Sort tasks by group. Runs over every task of every graph: neighbours mostly share a group."""
    tasks = state.tasks
    groups: dict[str, list[TaskState]] = {}
    group = None
    members: list[TaskState] = []
    for key in keys:
        ts = tasks[key]
        if ts.group is not group:
            group = ts.group
            members = groups.setdefault(group.name, [])
        members.append(ts)
    return groups.values()
