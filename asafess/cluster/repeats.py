"""Graphs of one more task like another that has just come: until the next tick there is nothing to decide about them.

A loop of `client.submit` makes a graph per task. What the first of them loads is known by then, no sample was taken for
it, and the next tick counts them all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from asafess.cluster.glance import Glance, glance, near
from asafess.cluster.inputs import predicted

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
        #: with what was seen of that task
        self._groups: dict[GroupLoad, Glance] = {}

    def clear(self) -> None:
        """Begin anew: with a tick, or because more is known of tasks than before."""
        self._groups.clear()

    def add(self, state: SchedulerState, keys: Collection[Any]) -> None:
        """Take note of a graph that has left nothing to decide."""
        ts = _only(state, keys)
        load = None if ts is None else self._loads.of(ts)
        if load is not None and load.seen is not None:
            self._groups[load] = load.seen

    def have(self, state: SchedulerState, keys: Collection[Any]) -> bool:
        """Say whether a graph is one more task like those; if so, take note of its inputs."""
        ts = _only(state, keys) if self._groups else None
        load = None if ts is None else self._loads.of(ts)
        if ts is None or load is None or load.seen is None or self._groups.get(load) is not load.seen:
            return False
        seen = glance(ts)
        if seen is None or not seen.like(load.seen) or not self._loads.types.stands(load):
            return False
        missing = predicted(ts, set())[1]
        if missing > load.missing_bytes and not near(int(missing), int(load.missing_bytes)):
            return False  # it has to run elsewhere
        self._loads.note_replicated(ts)
        return True


def _only(state: SchedulerState, keys: Collection[Any]) -> TaskState | None:
    """Return the one task of a graph that is to be computed; None where there are others, or none."""
    if len(keys) > FEW:
        return None
    found = [ts for ts in map(state.tasks.__getitem__, keys) if ts.state != "memory"]
    return found[0] if len(found) == 1 and found[0].state in ("released", "waiting") else None
