"""Work stealing: Dask's moving of tasks from workers with many to those with few, stopped where moving is dearer.

Dask assigns a task to a worker that has one of its inputs. Where the inputs are on few workers, the others steal, with
whatever the tasks need. That is right for tasks that compute long, and wrong where moving the inputs takes longer than
computing where they are, which Dask sees only as far as it knows durations and the network. States: *stealing*, as the
cluster is configured; *kept*, tasks stay where they were assigned. See `asafess.optimizations.work_stealing_costs` for
the arithmetic. Dask may balance before the next tick; so it is decided with the first task of a phase, from where the
inputs of all of them are.

It acts in the scheduler alone, on the callback that balances (once a second by default): Dask looks for nothing to
steal any more. What has been asked of a worker by then is answered and moved; nothing is called back. Where stealing is
off in the configuration, or has been stopped by somebody else, there is nothing to decide. While no task that has a
type is scheduled, the state stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from asafess.core.cheaper import cheaper
from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample
from asafess.optimizations import work_stealing_costs, work_stealing_records
from asafess.optimizations.base import Optimization
from asafess.optimizations.work_stealing_costs import KEPT, STEALING

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, TaskGroup
    from tornado.ioloop import PeriodicCallback

#: to stop, stealing must take so many times as long as not; to go on, it must be quicker
BAND = 1.2


class WorkStealing(Optimization):
    """Let Dask steal tasks, but for those whose inputs take longer to move than they take to compute.

    Examples
    --------
    >>> domain = WorkStealing().domain(Rates(flop=1e9, memory=1e9, link=1e8))
    >>> task = work_stealing_costs.Task(nbytes=1e8, compute=0.5, move=0.0)
    >>> spread = work_stealing_costs.load([(20, 1), (0, 1)], task)
    >>> domain("stealing", {"compute": 2e9, **spread}), domain("kept", {"compute": 2e10, **spread})
    ('kept', 'stealing')
    >>> domain("stealing", {})
    'stealing'
    """

    name = "work_stealing"
    states = (STEALING, KEPT)

    def __init__(self) -> None:
        #: the callback that we have stopped
        self._stopped: PeriodicCallback | None = None

    def domain(self, rates: Rates) -> Domain:
        """Return the domain: predicted seconds of one state against those of the other."""
        return cheaper((STEALING, KEPT), partial(work_stealing_costs.seconds, rates=rates), BAND)

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict seconds by state; see `asafess.optimizations.work_stealing_costs`."""
        return work_stealing_costs.costs(sample)

    def scheduler_load(self, scheduler: Scheduler, groups: Mapping[TaskGroup, int]) -> Mapping[str, float]:
        """Return how tasks are spread, or will be, and what stealing would move."""
        callback = _balancing(scheduler)
        if callback is None or not (callback.is_running() or callback is self._stopped):
            return {}
        if groups and not any(group.states["queued"] for group in groups):
            return work_stealing_records.coming(scheduler, groups)
        return work_stealing_records.assigned(scheduler)

    def enter_scheduler(self, scheduler: Scheduler, state: str) -> None:
        """Stop balancing, or go on with it."""
        if state != KEPT:
            self.leave_scheduler(scheduler)
            return
        callback = _balancing(scheduler)
        if callback is not None and callback.is_running():
            callback.stop()
            self._stopped = callback

    def leave_scheduler(self, scheduler: Scheduler) -> None:
        """Go on with balancing, if it is we who have stopped it and nobody has since."""
        stopped, self._stopped = self._stopped, None
        if stopped is not None and _balancing(scheduler) is stopped:
            stopped.start()


def _balancing(scheduler: Scheduler) -> PeriodicCallback | None:
    """Return the callback in which Dask steals; None where it does not."""
    return scheduler.periodic_callbacks.get("stealing")
