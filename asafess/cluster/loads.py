"""What the tasks of each task group load, read off the scheduler's own records.

A load is learned per group when its graph arrives (all inputs that are in memory have sizes) and from single
tasks while they are in *processing*. Counting is Dask's: `TaskGroup.states`. So a tick costs one look per
group, and nothing runs per transition.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from asafess.cluster.active import ActiveGroups
from asafess.cluster.ahead import Phase, coming, lasting
from asafess.cluster.glance import glance
from asafess.cluster.group_load import GroupLoad, counted, mean_load
from asafess.cluster.group_types import GroupTypes
from asafess.cluster.inputs import assigned, known, predicted
from asafess.core.found_type import DECLARED, FoundType
from asafess.core.mode import Rates, Scheduled

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, SchedulerState, TaskGroup, TaskState, WorkerState

#: tasks of a group in one graph whose inputs are measured
MEASURED_SAMPLE = 250
#: workers, and tasks of each, that one tick looks at
WORKERS_PER_TICK = 16
TASKS_PER_WORKER = 2
#: tasks of each worker that are looked at to find one with a type
MOST_LOOKS = 16
#: weight of one task seen in *processing* against what was known of its group
LEARNING = 0.1
#: groups that are kept without asking whether Dask still knows them
KEPT = 64


class GroupLoads:
    """Loads of all task groups that have a type.

    Parameters
    ----------
    types : GroupTypes
        Finds the types.
    """

    def __init__(self, types: GroupTypes) -> None:
        self.types = types
        #: what can run at once of the last graph has a type that a person has declared
        self.declared = False
        #: keys that were on several workers before their graph arrived: having them costs nothing now
        self._replicated: set[Any] = set()
        #: tasks of each worker that the last tick looked at
        self._seen: dict[str, set[Any]] = {}
        self._next_worker = 0
        #: groups that have a type, and those whose executions are watched because they have none
        self._loads: dict[str, GroupLoad] = {}
        self._untyped: dict[str, GroupLoad] = {}
        self._active = ActiveGroups()
        self._prune_at = KEPT
        #: names of task groups without a type; the first ten thousand
        self.untyped: set[str] = set()

    def __len__(self) -> int:
        return len(self._loads)

    def clear(self) -> None:
        """Forget everything but the counters."""
        for store in (self._replicated, self._seen, self._loads, self._untyped, self._active, self.untyped):
            store.clear()
        self.types.clear()
        self._prune_at = KEPT

    @property
    def found(self) -> dict[str, FoundType]:
        """Group → the type of its tasks, and where that came from."""
        return {name: load.found for name, load in self._loads.items() if load.found is not None}

    def submitted(self, state: SchedulerState, keys: Iterable[Any]) -> list[Scheduled]:
        """Learn from a graph that has just arrived; return those of its tasks that can run at once."""
        ready = []
        self.declared = False
        self.types.begin()
        for members in _by_group(state, keys):
            members = [ts for ts in members if ts.state != "memory"]  # results that a graph needs belong to it, too
            if not members:
                continue
            load = self._typed(state, members)
            runnable = 0 if load is None else self._measure(load, members)
            if load is not None and runnable and load.load and load.column is not None:
                count = _assignable(state, members[0], runnable)
                total = {axis: amount * count for axis, amount in load.load.items()}
                ready.append(Scheduled(load.column.name, count, total, queued=runnable - count))
                self.declared |= load.found is not None and load.found.source in DECLARED
        if len(self._loads) + len(self._untyped) > self._prune_at:
            self._prune(state)
        return ready

    def learn(self, state: Scheduler, states: Mapping[str, str], rates: Rates | None) -> None:
        """Let measured executions say what nobody else has said; see `asafess.cluster.learning`."""
        for name, found in self.types.learned(state, states, rates):
            load = self._untyped.pop(name, None) or self._loads.get(name)
            if load is not None:
                self._take(load, found)

    def look(self, state: SchedulerState) -> list[Scheduled]:
        """Learn from what runs; return the scheduled tasks of all types."""
        if not self._loads and not self._untyped:
            return []
        self._learn(state)
        self._active.review()
        return self.scheduled(state)

    def scheduled(self, state: SchedulerState) -> list[Scheduled]:
        """Return the scheduled tasks of all types."""
        return self._active.scheduled(bool(state.queued))

    def wake(self) -> None:
        """Look at all groups again."""
        self._active.wake_all()

    def busy(self, state: SchedulerState) -> bool:
        """Say whether a task that has a type is scheduled; cheaper than counting them."""
        return any(
            ts.group.name in self._loads for ws in state.workers.values() for ts in islice(ws.processing, MOST_LOOKS)
        )

    def coming(self, state: SchedulerState, rates: Rates, window: float, soon: float) -> Phase:
        """Return the next phase when the present one is nearly over; see `asafess.cluster.ahead`."""
        return coming(state, self._active, rates, window, soon)

    def of(self, ts: TaskState) -> GroupLoad | None:
        """Return what is known of a task's group; None where nothing is or will be."""
        load = self._loads.get(ts.group.name) or self._untyped.get(ts.group.name)
        return load if load is not None and load.group is ts.group else None

    def note_replicated(self, ts: TaskState) -> None:
        """Take note of the inputs of a new task that are on several workers."""
        self._replicated.update(one.key for one in ts.dependencies if len(one.who_has or ()) > 1)

    def type_of(self, group: TaskGroup) -> str | None:
        """Return the name of a group's type, if it has one."""
        load = self._loads.get(group.name)
        return None if load is None or load.group is not group or load.column is None else load.column.name

    def begun(self, state: SchedulerState, ts: TaskState, rates: Rates, window: float, soon: float) -> Phase | None:
        """Return the phase that begins with a task which has just been assigned, the first one of its typed group.

        None where that is known without a look: it is too short. See `asafess.cluster.ahead`.
        """
        load = self._loads[ts.group.name]
        if load.input_bytes is None and ts.processing_on is not None:  # they were not there when the graph arrived
            self._update(load, *assigned(ts, ts.processing_on, len(state.workers), self._replicated), 1.0)
        if lasting(state, ts.group, load.load, len(ts.group), rates) < window / 2:
            return None
        return coming(state, self._active, rates, window, soon, ts.group)

    def _typed(self, state: SchedulerState, members: list[TaskState]) -> GroupLoad | None:
        """Look up the type of a group; None where nothing is or will be known of it."""
        group = members[0].group
        load = self._loads.get(group.name) or self._untyped.get(group.name)
        if load is not None and load.group is not group:
            self._drop(group.name)  # Dask has forgotten that one, and made another of the same name
            load = None
        wanted = load is not None or self.types.infers
        seen = glance(members[0]) if wanted and len(members) == 1 else None
        if load is not None:
            self._active.wake(load)
            if seen is not None and seen.like(load.seen) and self.types.stands(load):
                return load
        declared = self.types.declared(members)
        if load is None and not declared.types and not self.types.infers:
            if len(self.untyped) < 10_000:
                self.untyped.add(group.name)
            return None
        if load is None:
            load = self._untyped[group.name] = GroupLoad(group)
        load.seen = seen if declared.types or self.types.looks else None
        if declared.types:
            self._untyped.pop(group.name, None)
            self.types.learning.leave(group.name)
            load.kernel = None  # nor does what a worker counts of its kernel say more
            self._place(load, declared.types[0].name)
            load.found = FoundType(declared.types[0], declared.source)
            load.types, load.looked_at, load.share = counted(declared.types), declared.looked_at, declared.share
            return load
        inferred = self.types.inferred(state, members, load)
        if inferred is not None:
            self._untyped.pop(group.name, None)
            self._take(load, inferred)
        elif load.column is None and len(self.untyped) < 10_000:
            self.untyped.add(group.name)
        return load

    def counted(self, names: Iterable[str], counts: dict[str, float] | None) -> None:
        """Take what a worker has counted of a kernel."""
        for load, found in self.types.counted(tuple(names), counts, [*self._untyped.values(), *self._loads.values()]):
            self._untyped.pop(load.group.name, None)
            self._take(load, found)

    def _take(self, load: GroupLoad, found: FoundType) -> None:
        """Let a group have one type for all of its tasks."""
        self.untyped.discard(load.group.name)
        load.found, load.types, load.looked_at, load.share = found, [(found.type, 1)], 1, 1.0
        self._place(load, found.type.name)
        self._renew(load)

    def _place(self, load: GroupLoad, name: str) -> None:
        """Put a group into the column of its type, where it stays."""
        if load.column is None:
            self._loads[load.group.name] = load
            self._active.add(load, name)

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
            self.note_replicated(ts)
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
                load = self._loads.get(ts.group.name) or self._untyped.get(ts.group.name)
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
        if load.input_bytes is None or weight >= 1:
            load.input_bytes, load.missing_bytes = input_bytes, missing_bytes
        else:
            load.input_bytes += weight * (input_bytes - load.input_bytes)
            load.missing_bytes += weight * (missing_bytes - load.missing_bytes)
        self.types.learning.inputs(load.group.name, load.input_bytes)
        self._renew(load)

    def _renew(self, load: GroupLoad) -> None:
        """Compute a group's load from its types and the bytes of its inputs, where both are known."""
        if load.column is not None and load.input_bytes is not None:
            load.load = mean_load(load, load.input_bytes, load.missing_bytes)
            self._active.wake(load)
            load.column.changed(load)

    def _prune(self, state: SchedulerState) -> None:
        """Forget the groups that Dask has forgotten; each time when there are twice as many as were left."""
        for loads in (self._loads, self._untyped):
            for name in [name for name, load in loads.items() if state.task_groups.get(name) is not load.group]:
                self._drop(name)
        self._replicated = {key for key in self._replicated if key in state.tasks}
        self._prune_at = max(KEPT, 2 * (len(self._loads) + len(self._untyped)))

    def _drop(self, name: str) -> None:
        load = self._loads.pop(name, None) or self._untyped.pop(name)
        self._active.remove(load)


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
