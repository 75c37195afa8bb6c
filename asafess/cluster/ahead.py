"""The phase that comes next: tasks of the graph that wait for the last ones of the present phase.

Their types are known as soon as the graph has arrived. So when what is left of a phase is over soon, the mode may be
that of the phase after it: a switch is then made before that phase begins, and not some ticks later. Between two phases
there may be a barrier, or the steps of a reduction: what is over soon is looked through, typed or not. What no tick has
seen coming, because it was too short, is looked at when the phase's first task is assigned.

While tasks are in the scheduler's queue the present phase counts: they can still be assigned in one way or another.
*Soon* is two ticks: the next look may come too late. The very last tasks of a phase, no more than there are threads,
run already and have what they need: they may take up to a window.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from asafess.cluster.group_load import GroupLoad, mean_load
from asafess.cluster.inputs import predicted
from asafess.core.mode import Rates, Scheduled, least_seconds

if TYPE_CHECKING:
    from distributed.scheduler import SchedulerState, TaskGroup, TaskState

    from asafess.cluster.active import ActiveGroups

#: waiting tasks whose inputs are looked at; scheduled ones, and dependents of each, that are followed to find them
LOOKED_AT, SAMPLE = 64, 16
#: groups one behind the other that are looked through
MOST_LEVELS = 8
#: seconds of the scheduler for a task; Dask's documentation says 200 µs to 1 ms
TASK_SECONDS = 3e-4

#: states of tasks that are still to be assigned
_WAITING: tuple[Any, ...] = ("waiting", "queued", "no-worker")


@dataclass(frozen=True, slots=True)
class Phase:
    """The tasks of a phase that has not begun."""

    #: by type
    scheduled: list[Scheduled] = field(default_factory=list)
    #: how many tasks of each group
    groups: dict[TaskGroup, int] = field(default_factory=dict)
    #: that the longest group takes, predicted or by what was measured of its kind
    seconds: float = 0.0


def coming(
    state: SchedulerState,
    loads: ActiveGroups,
    rates: Rates,
    window: float,
    soon: float,
    begun: TaskGroup | None = None,
) -> Phase:
    """Return the phase after the present one; an empty one while that goes on, or nothing is known.

    What comes is predicted to take at least half a window: a few tasks that add up what many have made are no phase.

    Parameters
    ----------
    state : SchedulerState
    loads : ActiveGroups
        Of groups that have a type, and tasks that are not over.
    rates : Rates
    window : float
        Seconds over which the mode is averaged.
    soon : float
        Seconds in which what is left of the present phase has to be over.
    begun : TaskGroup, optional
        Of which the first task has just been assigned: the phase is that to which it belongs, or none.
    """
    running = sum(len(ws.processing) for ws in state.workers.values())
    if state.queued or not state.total_nthreads or (running - state.total_nthreads) * TASK_SECONDS > soon:
        return Phase()
    ends = _Ends(state, running <= state.total_nthreads, window, soon)
    if not all(ends.soon(load.group) for load in loads if load.group.states["processing"] and load.group is not begun):
        return Phase()
    following = {
        load.group.name: load
        for load in loads
        if (load.group is begun or (_left(load.group) and not load.group.states["processing"]))
        and all(map(ends.soon, load.group.dependencies - {load.group}))
    }
    if not following or (begun is not None and begun.name not in following):
        return Phase()
    seen = _inputs(state, following)
    found: dict[str, list[Scheduled]] = {}
    groups: dict[TaskGroup, int] = {}
    longest = 0.0
    for name, load in following.items():
        one = load.load or (mean_load(load, *seen[name]) if name in seen else {})
        if any(one.values()) and load.column is not None:  # of inputs whose size nobody knows nothing can be said
            count = groups[load.group] = _left(load.group) + load.group.states["processing"]
            total = {axis: amount * count for axis, amount in one.items()}
            found.setdefault(load.column.name, []).append(Scheduled(load.column.name, count, total))
            longest = max(longest, lasting(state, load.group, one, count, rates))
    if longest < window / 2:
        return Phase()
    return Phase([_added(parts) for parts in found.values()], groups, longest)


def lasting(state: SchedulerState, group: TaskGroup, one: Mapping[str, float], count: int, rates: Rates) -> float:
    """Return the seconds that so many tasks of a group take: predicted or, if that is longer, as their kind has taken.

    Parameters
    ----------
    state : SchedulerState
    group : TaskGroup
    one : mapping
        Load of one of them, by axis.
    count : int
    rates : Rates
    """
    total = {axis: amount * count for axis, amount in one.items()}
    seconds = least_seconds(total, rates, _threads(state, group), len(state.workers))
    return max(seconds, _seconds(state, group, count))


class _Ends:
    """Says of groups whether they are over soon."""

    def __init__(self, state: SchedulerState, few: bool, window: float, soon: float) -> None:
        self._state, self._window, self._soon = state, window, soon
        #: the tasks that have been assigned are so few that they all run at once
        self._few = few
        self._known: dict[TaskGroup, float] = {}

    def soon(self, group: TaskGroup) -> bool:
        """Say whether all tasks of a group are over soon, with all that they wait for."""
        return self._seconds(group, MOST_LEVELS) <= self._soon

    def _seconds(self, group: TaskGroup, levels: int) -> float:
        if group not in self._known:
            seconds = self._own(group)
            if 0 < seconds <= self._soon:
                before = group.dependencies - {group}
                if before and not levels:
                    return math.inf
                seconds += max((self._seconds(one, levels - 1) for one in before), default=0.0)
            self._known[group] = seconds
        return self._known[group]

    def _own(self, group: TaskGroup) -> float:
        """Return the seconds that a group's tasks take that are not over; infinite where that is not known."""
        left, running = _left(group), group.states["processing"]
        if not left + running:
            return 0.0
        if not left and self._few:
            return 0.0 if 0 <= group.prefix.duration_average <= self._window else math.inf
        return _seconds(self._state, group, left + running, unknown=math.inf)


def _left(group: TaskGroup) -> int:
    """Return how many tasks of a group are still to be assigned."""
    return sum(group.states[state] for state in _WAITING)


def _threads(state: SchedulerState, group: TaskGroup) -> int:
    """Return how many threads a group can use: tasks that wait for others of their group run one after the other."""
    return 1 if group in group.dependencies else max(state.total_nthreads, 1)


def _seconds(state: SchedulerState, group: TaskGroup, count: int, unknown: float = 0.0) -> float:
    """Return the seconds that so many tasks of a group take by what Dask has measured of their kind."""
    each = group.prefix.duration_average
    return count * max((each if each >= 0 else unknown) / _threads(state, group), TASK_SECONDS)


def _inputs(state: SchedulerState, following: Mapping[str, GroupLoad]) -> dict[str, tuple[float, float]]:
    """Return the bytes of inputs of a task of each group, and of those that will be missing, from some tasks."""
    sums: dict[str, list[float]] = {}
    fetched: set[tuple[object, str]] = set()
    for ts in islice(_waiting(state), LOOKED_AT):
        if ts.group.name in following:
            total, missing = predicted(ts, fetched)
            entry = sums.setdefault(ts.group.name, [0.0, 0.0, 0.0])
            entry[0] += 1
            entry[1] += total
            entry[2] += missing
    return {name: (total / count, missing / count) for name, (count, total, missing) in sums.items()}


def _waiting(state: SchedulerState) -> Iterable[TaskState]:
    """Yield tasks that wait for what is scheduled, and those that wait for them, each once."""
    level = [ts for ws in state.workers.values() for ts in islice(ws.processing, SAMPLE)]
    seen = set()
    for _ in range(MOST_LEVELS):
        after = []
        for ts in level[:LOOKED_AT]:
            for dependent in islice(ts.dependents, SAMPLE):
                if dependent.state == "waiting" and dependent.key not in seen:
                    seen.add(dependent.key)
                    after.append(dependent)
                    yield dependent
        level = after


def _added(parts: list[Scheduled]) -> Scheduled:
    if len(parts) == 1:
        return parts[0]
    total: dict[str, float] = {}
    for part in parts:
        for axis, amount in part.load.items():
            total[axis] = total.get(axis, 0.0) + amount
    return Scheduled(parts[0].type, sum(part.count for part in parts), total)
