"""The acting halves that act on the scheduler itself, and what they want to know of its tasks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from asafess.cluster.guard import guarded, merge, numbers
from asafess.core.mode import Rates, Scheduled
from asafess.optimizations.base import Optimization

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, TaskGroup

logger = logging.getLogger("asafess.scheduler")

#: tasks of the queue, and of a graph that arrives, whose groups are looked at
SAMPLE = 64
#: the types under which these loads are part of a sample: of tasks that are to be assigned, or only of those that are
TYPE, ASSIGNED = "to be assigned", "assigned"


class SchedulerHooks:
    """Calls the scheduler's hooks of optimizations.

    Parameters
    ----------
    optimizations : iterable of Optimization
    """

    def __init__(self, optimizations: Iterable[Optimization]) -> None:
        self._optimizations = tuple(optimizations)
        self._states = {one.name: one.states[0] for one in self._optimizations}
        self._asked = tuple(one for one in self._optimizations if _defines(one, "scheduler_load"))
        #: whether a state has to reach the workers before it is acted on
        self.workers_act = not all(
            _defines(one, "enter_scheduler") and not _defines(one, "enter") for one in self._optimizations
        )

    @property
    def asks(self) -> bool:
        """Whether an optimization has something to say of tasks that are to be assigned."""
        return bool(self._asked)

    def rates(self, rates: Rates) -> None:
        """Tell all the cluster's rates."""
        for one in self._optimizations:
            guarded(one.set_rates, rates)

    def enter(self, scheduler: Scheduler, states: Mapping[str, str]) -> None:
        """Enter each optimization's state where it is another than before."""
        for one in self._optimizations:
            state = states[one.name]
            if state != self._states[one.name]:
                self._states[one.name] = state
                guarded(one.enter_scheduler, scheduler, state)

    def leave(self, scheduler: Scheduler) -> None:
        """Let all put back what they found, and ask them nothing more."""
        self._asked = ()
        for one in self._optimizations:
            try:
                guarded(one.leave_scheduler, scheduler)
            except Exception:
                logger.exception("asafess: optimization %s failed to leave the scheduler", one.name)

    def queued(self, scheduler: Scheduler) -> dict[TaskGroup, int]:
        """Return the groups of tasks in the scheduler's queue, with their numbers."""
        if not self._asked or not scheduler.queued:
            return {}
        return {ts.group: ts.group.states["queued"] for ts in islice(scheduler.queued, SAMPLE)}

    def arriving(self, scheduler: Scheduler, keys: Sequence[Any]) -> dict[TaskGroup, int]:
        """Return the groups of a new graph whose tasks can all be assigned at once, with their numbers."""
        if not self._asked:
            return {}
        groups = {scheduler.tasks[key].group for key in keys[:: max(1, len(keys) // SAMPLE)]}
        return {
            group: group.states["released"] + group.states["waiting"]
            for group in groups
            if all(one.done and one.start for one in group.dependencies)
        }

    def load(self, scheduler: Scheduler, groups: Mapping[TaskGroup, int], running: bool = False) -> list[Scheduled]:
        """Return what the optimizations say of tasks that are to be assigned, as part of a sample.

        Parameters
        ----------
        scheduler : distributed.Scheduler
        groups : mapping
            See `Optimization.scheduler_load`.
        running : bool
            Whether they are asked even if there are none, because tasks are scheduled.

        Raises
        ------
        ValueError
            A load that is not finite, or on an axis that another optimization has too.
        """
        load: dict[str, float] = {}
        for one in self._asked if groups or running else ():
            merge(load, numbers(guarded(one.scheduler_load, scheduler, groups)), f"{one.name}.scheduler_load()")
        if not load:
            return []
        if groups:
            return [Scheduled(TYPE, sum(groups.values()), load)]
        return [Scheduled(ASSIGNED, sum(len(ws.processing) for ws in scheduler.workers.values()), load)]


def _defines(optimization: Optimization, hook: str) -> bool:
    """Say whether an optimization has a hook of its own."""
    return getattr(getattr(optimization, hook), "__func__", None) is not getattr(Optimization, hook)
