"""Of what samples are taken: of what is scheduled on a tick, of a graph that arrives, of a phase that begins.

Each is taken as early as what it tells of is known, so that a state is there before the first task it is meant for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asafess.core.mode import Rates, Scheduled, least_seconds, total_load

if TYPE_CHECKING:
    from distributed import Scheduler
    from distributed.scheduler import TaskState

    from asafess.cluster.ahead import Phase
    from asafess.cluster.config import Settings
    from asafess.cluster.loads import GroupLoads
    from asafess.cluster.scheduler_hooks import SchedulerHooks

#: ticks in which what is left of a phase has to be over, for a look at what comes after it: the next may be too late
SOON = 2.0
#: ticks that a graph takes at least that is looked at when it arrives, and not with the next tick
LONG = 0.1


@dataclass(frozen=True, slots=True)
class Taken:
    """What a sample is taken of."""

    scheduled: list[Scheduled]
    #: whether it begins something new
    fresh: bool = False
    #: what really is scheduled, where `scheduled` is a look ahead
    running: Iterable[Scheduled] | None = None
    #: that what comes is predicted to take, or was measured to
    seconds: float = 0.0


class Sampler:
    """Looks at the scheduler's tasks.

    Parameters
    ----------
    settings : Settings
    loads : GroupLoads
    hooks : SchedulerHooks
        What optimizations say of tasks that are to be assigned.
    """

    def __init__(self, settings: Settings, loads: GroupLoads, hooks: SchedulerHooks) -> None:
        self._loads, self._hooks = loads, hooks
        self._look_ahead, self._tick, self._window = settings.look_ahead, settings.tick, settings.window
        #: types that were charged ahead, of phases that have not been seen to begin
        self._coming: set[str] = set()
        #: a phase that begins before the next tick is looked at: one, so that it costs no more than the tick does
        self.may_begin = False
        #: the last graph that arrived, and any other like it, can wait for the next tick, whatever else runs
        self.can_wait = False

    def tick(self, scheduler: Scheduler, rates: Rates | None) -> Taken:
        """Look at what is scheduled; where that is over soon, at what comes after it."""
        self.may_begin = self._look_ahead and rates is not None
        scheduled = self._loads.look(scheduler)
        if self._look_ahead and rates is not None:
            coming = self._loads.coming(scheduler, rates, self._window, SOON * self._tick)
            running = {one.type for one in scheduled}
            self._coming -= running
            types = {one.type for one in coming.scheduled} - running
            if types:
                new = not types <= self._coming and not all(group.start for group in coming.groups)
                self._coming |= types
                return self._of_phase(scheduler, coming, new, scheduled)
        queued = self._hooks.queued(scheduler)
        return Taken([*scheduled, *self._hooks.load(scheduler, queued, running=bool(scheduled))])

    def submitted(
        self, scheduler: Scheduler, ready: list[Scheduled], tasks: list[Any], rates: Rates | None
    ) -> Taken | None:
        """Look at a graph that arrives; `ready` are those of its tasks that can all be assigned at once.

        Returns
        -------
        Taken or None
            None where the next tick is early enough.
        """
        roots = self._hooks.load(scheduler, self._hooks.arriving(scheduler, tasks))
        self.can_wait = not self._hooks.asks
        if not ready and not roots:
            return None
        long = bool(roots) or self._is_long(scheduler, ready, rates)
        self.can_wait &= not long and not self._loads.declared
        # where persons have declared types, it is a phase; programs also look at lengths and sums in between
        fresh = (long or self._loads.declared) and not self._loads.busy(scheduler)
        types = {one.type for one in ready}
        if not fresh and (not long or (not roots and types <= self._coming)):
            return None  # the next tick sees what else there is, as the rest of a loop that submits one by one
        self._coming |= types
        return Taken([*self._loads.scheduled(scheduler), *ready, *roots], fresh)

    def begins(self, scheduler: Scheduler, ts: TaskState, rates: Rates) -> Taken | None:
        """Look at a phase whose first task, the first of its group, is being assigned.

        Returns
        -------
        Taken or None
            None where it was seen coming, and decided, or where nothing is known of it.
        """
        name = self._loads.type_of(ts.group)
        if name is None or name in self._coming:
            self._coming.discard(name)
            return None
        phase = self._loads.begun(scheduler, ts, rates, self._window, SOON * self._tick)
        self.may_begin = phase is None
        if phase is None or not phase.scheduled:
            return None
        self._coming.update(one.type for one in phase.scheduled if one.type != name)
        return self._of_phase(scheduler, phase, True, self._loads.scheduled(scheduler))

    def _of_phase(self, scheduler: Scheduler, phase: Phase, fresh: bool, running: Iterable[Scheduled]) -> Taken:
        """Return a phase of which nothing has been sent."""
        return Taken([*phase.scheduled, *self._hooks.load(scheduler, phase.groups)], fresh, running, phase.seconds)

    def _is_long(self, scheduler: Scheduler, ready: list[Scheduled], rates: Rates | None) -> bool:
        """Say whether tasks take so long that the next tick may be too late."""
        if rates is None:
            return True
        threads, workers = scheduler.total_nthreads, len(scheduler.workers)
        seconds = least_seconds(total_load(ready), rates, max(threads, 1), max(workers, 1))
        return seconds >= LONG * self._tick
