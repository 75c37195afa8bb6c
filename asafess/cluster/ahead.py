"""The phase that comes next: tasks of the graph that wait for the last ones of the present phase.

Their types are known as soon as the graph has arrived. So when the last tasks of a phase have been assigned, and these
take no longer than a window, the mode may be that of the phase after it: a switch is then made before that phase
begins, and not some ticks later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from asafess.cluster.group_load import GroupLoad, mean_load
from asafess.cluster.inputs import predicted
from asafess.core.mode import Rates, Scheduled, least_seconds

if TYPE_CHECKING:
    from distributed.scheduler import SchedulerState, TaskGroup, TaskState

#: waiting tasks whose inputs are looked at, and scheduled ones that are followed to find them
SAMPLE = 16

#: states of tasks that are still to be assigned
_WAITING: tuple[Any, ...] = ("waiting", "queued", "no-worker")


def coming(
    state: SchedulerState, loads: Mapping[str, GroupLoad], scheduled: Iterable[Scheduled], rates: Rates, window: float
) -> list[Scheduled]:
    """Return the tasks of the phase after the present one; nothing while that goes on, or nothing is known.

    The last tasks of the present phase take at most a window, and what comes is predicted to take at least half a
    window: a few tasks that add up what many have made are no phase.

    Parameters
    ----------
    state : SchedulerState
    loads : mapping
        Group → its load.
    scheduled : iterable of Scheduled
        What is scheduled now.
    rates : Rates
    window : float
        Seconds over which the mode is averaged.
    """
    if sum(one.count for one in scheduled) > state.total_nthreads:
        return []
    names = set()
    for load in loads.values():
        if load.group.states["processing"]:
            if not _last(load.group, window):
                return []
            names.add(load.group.name)
    following = {
        load.group.name: load
        for load in loads.values()
        if _left(load.group) and all(one.name in names or one.done for one in load.group.dependencies - {load.group})
    }
    if not following:
        return []
    seen = _inputs(state, following)
    found: dict[str, list[Scheduled]] = {}
    longest = 0.0
    for name, load in following.items():
        one = load.load or (mean_load(load, *seen[name]) if name in seen else {})
        if one and load.column is not None:
            count = _left(load.group)
            total = {axis: amount * count for axis, amount in one.items()}
            found.setdefault(load.column.name, []).append(Scheduled(load.column.name, count, total))
            # tasks that wait for others of their group run one after the other
            threads = 1 if load.group in load.group.dependencies else state.total_nthreads
            longest = max(longest, least_seconds(total, rates, threads, len(state.workers)))
    return [_added(parts) for parts in found.values()] if longest >= window / 2 else []


def _last(group: TaskGroup, soon: float) -> bool:
    """Say whether a group has no more tasks to assign, and those that run are over soon."""
    return not _left(group) and 0 <= group.prefix.duration_average <= soon


def _left(group: TaskGroup) -> int:
    """Return how many tasks of a group are still to be assigned."""
    return sum(group.states[state] for state in _WAITING)


def _inputs(state: SchedulerState, following: Mapping[str, GroupLoad]) -> dict[str, tuple[float, float]]:
    """Return the bytes of inputs of a task of each group, and of those that will be missing, from some tasks."""
    sums: dict[str, list[float]] = {}
    fetched: set[tuple[object, str]] = set()
    for ts in islice(_waiting(state), SAMPLE):
        if ts.group.name in following:
            total, missing = predicted(ts, fetched)
            entry = sums.setdefault(ts.group.name, [0.0, 0.0, 0.0])
            entry[0] += 1
            entry[1] += total
            entry[2] += missing
    return {name: (total / count, missing / count) for name, (count, total, missing) in sums.items()}


def _waiting(state: SchedulerState) -> Iterable[TaskState]:
    """Yield tasks that wait for what is scheduled, each once."""
    seen = set()
    for ws in state.workers.values():
        for ts in islice(ws.processing, SAMPLE):
            for dependent in islice(ts.dependents, SAMPLE):
                if dependent.state == "waiting" and dependent.key not in seen:
                    seen.add(dependent.key)
                    yield dependent


def _added(parts: list[Scheduled]) -> Scheduled:
    if len(parts) == 1:
        return parts[0]
    total: dict[str, float] = {}
    for part in parts:
        for axis, amount in part.load.items():
            total[axis] = total.get(axis, 0.0) + amount
    return Scheduled(parts[0].type, sum(part.count for part in parts), total)
