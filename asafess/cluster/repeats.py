"""Graphs of one more task like another that has just come: until the next tick there is nothing to decide about them.

A loop of `client.submit` makes a graph per task. What the first of them loads is known by then, no sample was taken for
it, and the next tick counts them all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from asafess.cluster.glance import glance

if TYPE_CHECKING:
    from distributed.scheduler import SchedulerState, TaskState

    from asafess.cluster.group_load import GroupLoad
    from asafess.cluster.loads import GroupLoads

#: keys of a graph that is looked through: a task, and the results that it needs
FEW = 8


class Repeats:
    """Groups of which a task has come since the last tick and has left nothing to decide.

    Parameters
    ----------
    loads : GroupLoads
    """

    def __init__(self, loads: GroupLoads) -> None:
        self._loads = loads
        self._groups: set[GroupLoad] = set()

    def clear(self) -> None:
        """Begin anew, with a tick."""
        self._groups.clear()

    def add(self, state: SchedulerState, keys: Collection[Any]) -> None:
        """Take note of a graph that has left nothing to decide."""
        for ts in _new(state, keys):
            load = self._loads.of(ts)
            if load is not None and load.seen is not None:
                self._groups.add(load)

    def have(self, state: SchedulerState, keys: Collection[Any]) -> bool:
        """Say whether a graph is one more like those; if so, take note of its inputs."""
        if not self._groups:
            return False
        new = list(_new(state, keys))
        if not new or not all(map(self._is_like, new)):
            return False
        for ts in new:
            self._loads.note_replicated(ts)
        return True

    def _is_like(self, ts: TaskState) -> bool:
        load = self._loads.of(ts)
        if load is None or load not in self._groups:
            return False
        seen = glance(ts)
        return seen is not None and seen.like(load.seen) and self._loads.types.stands(load)


def _new(state: SchedulerState, keys: Collection[Any]) -> Iterator[TaskState]:
    """Yield the tasks of a small graph that are to be computed."""
    if len(keys) <= FEW:
        for key in keys:
            ts = state.tasks[key]
            if ts.state != "memory":
                yield ts
