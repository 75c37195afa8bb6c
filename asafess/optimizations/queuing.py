"""Queuing of root tasks: the scheduler's `worker-saturation`, opened for swarms of tiny tasks.

States: *queued*, as the cluster is configured (Dask's default: 1.1 tasks per thread, the rest waits in the scheduler);
*open*, all root tasks are sent to workers at once. A task that has been sent is not called back. So what counts is not
what runs but what is still to be assigned: tasks in the queue, those of a graph that arrives, and those of the phase
that comes (see `asafess.cluster.ahead`). Where there are none that anything is known of, the setting is Dask's: an open
queue is closed when the window has passed.

*open* is right where the waiting for round trips exceeds what overproduction costs; see
`asafess.optimizations.queuing_costs` for the arithmetic.

It acts in the scheduler alone; workers only measure, once, what memory and disk cost. Where the cluster is configured
without queuing, it does nothing.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from asafess.core.domain import Domain, Hysteresis, Predicate
from asafess.core.mode import Rates, Sample, Vector
from asafess.optimizations import queuing_costs
from asafess.optimizations.base import Optimization
from asafess.optimizations.queuing_costs import OPEN, QUEUED, WAIT, Roots, overproduction

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, TaskGroup

logger = logging.getLogger(__name__)

#: saturation in the state *open*: finite, because Dask's scheduler may not be set to infinity while tasks are queued
OPEN_SATURATION = 1e6
#: a whole number may be larger
LARGEST = sys.float_info.max
#: to open, waiting must exceed overproduction so many times; to close, it must fall below it
BAND = 2.0
#: groups of a prefix whose outputs are looked at, and prefixes whose outputs are remembered
MOST_GROUPS, MOST_PREFIXES = 16, 1024


@dataclass(frozen=True, slots=True)
class _Waits(Predicate):
    """Root tasks wait longer than so many times what an open queue costs."""

    rates: Rates
    disk: float | None
    times: float

    def _seconds(self, vector: Vector) -> tuple[float, float]:
        # the vector is the cluster's, and has no number of threads: per thread and disk the overproduction is largest
        return vector.get(WAIT, 0.0), overproduction(vector, self.rates, self.disk, 1, 1)

    def __call__(self, vector: Vector) -> bool:
        wait, over = self._seconds(vector)
        return wait > self.times * over

    def __str__(self) -> str:
        return f"wait > {self.times:g} × overproduction"

    def explain(self, vector: Vector) -> str:
        wait, over = self._seconds(vector)
        compared = f"{'' if self(vector) else 'not '}more than {'' if self.times == 1 else f'{self.times:g} × '}"
        return f"waiting in the queue would take {wait:.3g} s, {compared}the {over:.3g} s that an open queue costs"


class Queuing(Optimization):
    """Open the scheduler's queue for tiny root tasks, and close it for those that make much data.

    Parameters
    ----------
    round_trip : float, optional
        Seconds from the end of a task to the beginning of the one that the scheduler sends for it; as measured,
        where it is not given.
    disk : float, optional
        Bytes per second of one worker that are spilled and read back; as measured, where it is not given.

    Raises
    ------
    ValueError
        A value that is not finite and positive.

    Examples
    --------
    >>> domain = Queuing().domain(Rates(1e9, 1e10, 1e9, {"kept_memory": 2e9}))
    >>> domain("queued", {"root_wait": 1.0, "root_output": 1e4}), domain("open", {"root_output": 2e9})
    ('open', 'queued')
    >>> domain("open", {})  # nothing to assign: as the cluster is configured
    'queued'
    """

    name = "queuing"
    states = (QUEUED, OPEN)
    round_trips_wanted = True

    def __init__(self, round_trip: float | None = None, disk: float | None = None) -> None:
        for what, value in (("round-trip", round_trip), ("disk", disk)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and (not number or not 0 < value <= LARGEST):
                raise ValueError(
                    f"asafess.queuing.{what} must be a finite number above 0, or null to measure it, not {value!r}"
                )
        self.disk = None if disk is None else float(disk)
        self._round_trip = None if round_trip is None else float(round_trip)
        self._rates: Rates | None = None
        #: the saturation before the first `enter_scheduler`
        self._found: float | None = None
        #: prefix → mean bytes of an output: Dask forgets them with the last group of a prefix
        self._outputs: dict[str, float] = {}

    @property
    def round_trip(self) -> float:
        """Seconds of a round trip: as configured, as measured, or an estimate until then."""
        return queuing_costs.round_trip(self._rates) if self._round_trip is None else self._round_trip

    def set_rates(self, rates: Rates) -> None:
        """Take note of the round trips that were measured."""
        self._rates = rates

    def rates(self) -> Mapping[str, float]:
        """Measure what memory that is kept costs, and the disk where workers spill, in bytes/s."""
        from asafess.optimizations import kept_memory
        from asafess.wire import disk

        found = {"kept_memory": kept_memory.rate()}
        if self.disk is None:
            try:
                spilled = disk.of_workers()
            except OSError:  # a full disk: an estimate stays
                logger.warning("asafess.queuing can't measure the disk that workers spill to", exc_info=True)
                spilled = None
            if spilled is not None:
                found["spill_disk"] = spilled
        return found

    def domain(self, rates: Rates) -> Domain:
        """Return the domain: waiting against overproduction."""
        steps = [Hysteresis(_Waits(rates, self.disk, BAND), ~_Waits(rates, self.disk, 1.0))]
        return Domain(self.states, steps)

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict seconds by state; see `asafess.optimizations.queuing_costs`."""
        return queuing_costs.costs(sample, self.disk)

    def scheduler_load(self, scheduler: Scheduler, groups: Mapping[TaskGroup, int]) -> Mapping[str, float]:
        """Return the load of the root tasks among those that are to be assigned."""
        total: dict[str, float] = {}
        saturation = scheduler.WORKER_SATURATION if self._found is None else self._found
        if not groups or not scheduler.workers or math.isinf(saturation):
            return total
        workers = scheduler.workers.values()
        slots = sum(max(math.ceil(saturation * ws.nthreads), 1) for ws in workers)
        threads, free = max(scheduler.total_nthreads, 1), _free(scheduler)
        for group, count in groups.items():
            seconds, output = group.prefix.duration_average, self._output(group)
            if seconds < 0 or output is None or not _rootish(scheduler, group):
                continue
            roots = Roots(count, seconds, output, threads, slots, free)
            for axis, amount in queuing_costs.load(roots, self.round_trip).items():
                total[axis] = total.get(axis, 0.0) + amount
        return total

    def enter_scheduler(self, scheduler: Scheduler, state: str) -> None:
        """Set the saturation; what is queued when it opens is sent at once."""
        if self._found is None:
            self._found = scheduler.WORKER_SATURATION
        _saturate(scheduler, OPEN_SATURATION if state == OPEN else self._found)

    def leave_scheduler(self, scheduler: Scheduler) -> None:
        """Put the saturation back."""
        if self._found is not None:
            _saturate(scheduler, self._found)
            self._found = None

    def _output(self, group: TaskGroup) -> float | None:
        """Return the mean bytes of an output of a group's prefix; None before there is one."""
        made = nbytes = 0
        for one in islice(group.prefix.groups, MOST_GROUPS):
            if one.start:  # what has not begun is in the state released, too
                made += sum(one.states[state] for state in ("memory", "released", "forgotten"))
                nbytes += one.nbytes_total
        name = group.prefix.name
        if made:
            self._outputs.pop(name, None)
            self._outputs[name] = nbytes / made
            if len(self._outputs) > MOST_PREFIXES:
                del self._outputs[next(iter(self._outputs))]
        return self._outputs.get(name)


def _rootish(scheduler: Scheduler, group: TaskGroup) -> bool:
    """Say whether Dask takes a group's tasks for root tasks; `SchedulerState.is_rootish` wants one of them."""
    return (
        len(group) > 2 * scheduler.total_nthreads
        and len(group.dependencies) < scheduler.rootish_tg_threshold
        and sum(map(len, group.dependencies)) < scheduler.rootish_tg_dependencies_threshold
    )


def _free(scheduler: Scheduler) -> float:
    """Return the bytes that workers hold more before they spill; those without a limit hold any amount."""
    import dask

    target = dask.config.get("distributed.worker.memory.target")
    if not target:
        return math.inf
    return sum(
        max(target * ws.memory_limit - ws.metrics.get("memory", 0), 0.0) if ws.memory_limit else math.inf
        for ws in scheduler.workers.values()
    )


def _saturate(scheduler: Scheduler, saturation: float) -> None:
    """Change the saturation, and what follows from it in the scheduler's records."""
    before = scheduler.WORKER_SATURATION
    if before == saturation or math.isinf(saturation) or math.isinf(before):
        return
    scheduler.WORKER_SATURATION = saturation
    for ws in scheduler.workers.values():
        scheduler.check_idle_saturated(ws)
    if saturation > before:
        scheduler.stimulus_queue_slots_maybe_opened(stimulus_id="asafess-queuing")
