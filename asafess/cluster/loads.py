"""What the tasks of each task group load, read off the scheduler's own records.

A load is learned per group when its graph arrives (all dependencies that are in memory have sizes) and from
single tasks when they are first seen in *processing*. Counting is Dask's: `TaskGroup.states`. So a tick costs
one look per group, and nothing runs per transition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from dask._task_spec import DataNode
from dask.sizeof import sizeof

from asafess.compiler.resolve import BadTypeError, PrefixTable, task_types
from asafess.core.mode import Scheduled
from asafess.core.task_type import TaskType

if TYPE_CHECKING:
    from distributed.scheduler import SchedulerState, TaskGroup, TaskState, WorkerState

#: tasks of a group in one graph whose type is looked up, and whose inputs are measured
TYPED_SAMPLE = 8
MEASURED_SAMPLE = 1000
#: workers, and tasks of each, that one tick looks at
WORKERS_PER_TICK = 16
TASKS_PER_WORKER = 2
#: weight of one task seen in *processing* against what was known of its group
LEARNING = 0.1


class GroupLoad:
    """What one task of a group loads on average."""

    __slots__ = ("count", "group", "load", "name", "share", "types")

    def __init__(self, group: TaskGroup, name: str) -> None:
        self.group = group
        self.name = name
        #: load of one task by axis, averaged over the group
        self.load: dict[str, float] = {}
        #: types of the tasks looked at, and their number
        self.types: list[TaskType] = []
        self.count = 0
        #: share of the group's tasks that has a type
        self.share = 0.0


class GroupLoads:
    """Loads of all task groups that have a type.

    Parameters
    ----------
    table : PrefixTable
        The user's types by prefix.
    """

    def __init__(self, table: PrefixTable) -> None:
        self._table = table
        self._loads: dict[str, GroupLoad] = {}
        #: keys that were on several workers before their graph arrived: having them costs nothing now
        self._replicated: set[Any] = set()
        #: tasks of each worker that the last tick looked at
        self._seen: dict[str, set[Any]] = {}
        self._next_worker = 0
        #: tasks whose annotation or attribute was no type
        self.bad_types = 0
        #: task groups without a type
        self.untyped: set[str] = set()

    def __len__(self) -> int:
        return len(self._loads)

    def clear(self) -> None:
        """Forget everything."""
        self._loads.clear()
        self._replicated.clear()
        self._seen.clear()
        self.untyped.clear()

    def submitted(self, state: SchedulerState, keys: Iterable[Any]) -> list[Scheduled]:
        """Learn from a graph that has just arrived; return those of its tasks that can run at once."""
        tasks = state.tasks
        by_group: defaultdict[str, list[TaskState]] = defaultdict(list)
        for key in keys:
            ts = tasks[key]
            by_group[ts.group.name].append(ts)
        ready = []
        for members in by_group.values():
            load = self._typed(members)
            if load is not None:
                runnable = self._measure(state, load, members)
                if runnable and load.load:
                    ready.append(_scheduled(load, runnable))
        return ready

    def scheduled(self, state: SchedulerState) -> list[Scheduled]:
        """Return the scheduled tasks of all typed groups."""
        if not self._loads:
            return []
        self._learn(state)
        found = []
        gone = []
        for load in self._loads.values():
            states = load.group.states
            count = states["processing"]
            if count:
                if load.load:
                    found.append((load, count, states["queued"]))
            elif len(self._loads) > 64 and load.name not in state.task_groups:
                gone.append(load.name)
        for name in gone:
            del self._loads[name]
        return _by_type(found)

    def _typed(self, members: list[TaskState]) -> GroupLoad | None:
        """Look up the types of some tasks of a group."""
        group = members[0].group
        name = group.name
        load = self._loads.get(name)
        if load is not None and load.group is not group:
            del self._loads[name]
            load = None
        types: list[TaskType] = []
        looked_at = members[:: max(1, len(members) // TYPED_SAMPLE)][:TYPED_SAMPLE]
        typed = 0
        for ts in looked_at:
            try:
                found = task_types(ts.run_spec, ts.annotations)
            except BadTypeError:
                self.bad_types += 1
                found = []
            if not found:
                from_table = self._table.find(group.prefix.name)
                found = [from_table] if from_table else []
            types += found
            typed += bool(found)
        if not types and load is None:
            if len(self.untyped) < 10_000:
                self.untyped.add(name)
            return None
        if load is None:
            load = self._loads[name] = GroupLoad(group, name)
        load.types, load.count, load.share = types, len(looked_at), typed / len(looked_at)
        return load

    def _measure(self, state: SchedulerState, load: GroupLoad, members: list[TaskState]) -> int:
        """Take the inputs of a group's new tasks as its load; return how many of them can run at once."""
        inputs = missing = 0.0
        counted = runnable = 0
        step = max(1, len(members) // MEASURED_SAMPLE)
        for ts in members[::step]:
            if ts.state != "released" and ts.state != "waiting":
                continue
            counted += 1
            if not all(dependency.who_has or _is_data(dependency) for dependency in ts.dependencies):
                continue
            runnable += 1
            for dependency in ts.dependencies:
                if len(dependency.who_has or ()) > 1:
                    self._replicated.add(dependency.key)
            input_bytes, missing_bytes = _predicted(state, ts)
            inputs += input_bytes
            missing += missing_bytes
        if not counted:
            return 0
        if runnable:
            fresh = _load_of(load, inputs / runnable, missing / runnable)
            # tasks of the same group that still run keep their share in the average
            running = load.group.states["processing"] if load.load else 0
            weight = counted * step / (counted * step + running)
            load.load = _blend(load.load, fresh, weight)
        return runnable * step

    def _learn(self, state: SchedulerState) -> None:
        """Learn from a few tasks of some workers, as they are in *processing* now."""
        for ws in self._some_workers(state):
            some = list(islice(ws.processing, TASKS_PER_WORKER))
            for ts in some:
                load = self._loads.get(ts.group.name)
                if load is None or ts.key in self._seen.get(ws.address, ()):
                    continue
                input_bytes, missing_bytes = _assigned(ts, ws, self._replicated)
                fresh = _load_of(load, input_bytes, missing_bytes)
                load.load = _blend(load.load, fresh, LEARNING if load.load else 1.0)
            self._seen[ws.address] = {ts.key for ts in some}

    def _some_workers(self, state: SchedulerState) -> Iterator[WorkerState]:
        workers: Collection[WorkerState] = state.workers.values()
        if len(workers) <= WORKERS_PER_TICK:
            yield from workers
            return
        at = self._next_worker % len(workers)
        self._next_worker += WORKERS_PER_TICK
        yield from islice(workers, at, at + WORKERS_PER_TICK)


def _load_of(load: GroupLoad, input_bytes: float, missing_bytes: float) -> dict[str, float]:
    """Return the average load of a group's tasks: the sum over a fused task's types, the mean over tasks."""
    total: dict[str, float] = {}
    for type_ in load.types:
        for axis, amount in type_.load(input_bytes, missing_bytes).items():
            # the parts of a fused task share one input: it is moved once
            total[axis] = (
                max(total.get(axis, 0.0), amount) if axis == "communication" else total.get(axis, 0.0) + amount
            )
    moved = total.pop("communication", 0.0)
    mean = {axis: amount / load.count for axis, amount in total.items()}
    mean["communication"] = moved * load.share
    return mean


def _blend(old: dict[str, float], new: dict[str, float], weight: float) -> dict[str, float]:
    if not old or weight >= 1:
        return new
    return {
        axis: (1 - weight) * old.get(axis, 0.0) + weight * new.get(axis, 0.0)
        for axis in sorted(old.keys() | new.keys())
    }


def _is_data(ts: TaskState) -> bool:
    """Say whether a task only holds a value that came with its graph."""
    return isinstance(ts.run_spec, DataNode)


def _nbytes(ts: TaskState) -> int:
    """Return the logical bytes of a task's result, 0 while nobody knows them."""
    if ts.nbytes < 0 and _is_data(ts):
        return int(sizeof(ts.run_spec.value))  # type: ignore[union-attr]
    return max(ts.nbytes, 0)


def _predicted(state: SchedulerState, ts: TaskState) -> tuple[float, float]:
    """Return the logical bytes of a task's inputs, and of those that will be missing where it will run.

    Restrictions say where that is; else Dask runs a task where most of its inputs are.
    """
    total = 0.0
    held: dict[str, float] = {}
    for dependency in ts.dependencies:
        nbytes = _nbytes(dependency)
        total += nbytes
        for ws in dependency.who_has or ():
            held[ws.address] = held.get(ws.address, 0.0) + nbytes
    places = ts.worker_restrictions
    if places:
        return total, total - max(held.get(address, 0.0) for address in places)
    return total, total - max(held.values(), default=0.0)


def _assigned(ts: TaskState, ws: WorkerState, replicated: set[Any]) -> tuple[float, float]:
    """Return the logical bytes of an assigned task's inputs, and of those it had or has to fetch.

    A dependency that is here *and* elsewhere was fetched, unless it was on several workers all along.
    """
    total = missing = 0.0
    for dependency in islice(ts.dependencies, 64):
        nbytes = _nbytes(dependency)
        total += nbytes
        holders = dependency.who_has or ()
        if ws not in holders or (len(holders) > 1 and dependency.key not in replicated):
            missing += nbytes
    return total, missing


def _scheduled(load: GroupLoad, count: int, queued: int = 0) -> Scheduled:
    name = load.types[0].name if load.types else load.name
    return Scheduled(name, count, {axis: amount * count for axis, amount in load.load.items()}, queued)


def _by_type(found: list[tuple[GroupLoad, int, int]]) -> list[Scheduled]:
    """Add up groups of one type: a program has many groups and few types."""
    counts: dict[str, list[int]] = {}
    totals: dict[str, dict[str, float]] = {}
    for load, count, queued in found:
        name = load.types[0].name if load.types else load.name
        total = totals.get(name)
        if total is None:
            total = totals[name] = {}
            counts[name] = [0, 0]
        counts[name][0] += count
        counts[name][1] += queued
        for axis, amount in load.load.items():
            total[axis] = total.get(axis, 0.0) + amount * count
    return [Scheduled(name, counts[name][0], totals[name], counts[name][1]) for name in totals]
