"""Spill compression: what a worker spills to disk is written smaller where that is sooner.

States: *off*, as Dask is configured (``distributed.worker.memory.spill-compression``: lz4 where it is installed);
*mask*, without its zero words; *general*, the same or a library (lz4, zstd, zlib), whichever is best for a frame, and
that of *off* as Dask writes it. Bit-exact, for any data. A frame is left as it is where encoding it is not sooner.
Files say how they were written, so they are read in any state; see `asafess.wire.spill`.

Which state is right follows from disk × data, and matters while workers hold more than fits: see
`asafess.optimizations.spill_compression_costs` for the arithmetic. Before anything was spilled nothing is known of the
data; then compressing is started where the disk is slow, because being wrong costs a look at each frame.

On workers that do not spill (no memory limit, ``target`` and ``spill`` false, or a spill buffer of the user's own) it
does nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.mode import Rates, Sample
from asafess.optimizations import spill_compression_costs
from asafess.optimizations.base import Optimization
from asafess.optimizations.spill_compression_costs import SPILL, Held

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, TaskGroup, TaskPrefix

#: the share of zeros at which to switch on is so many times the one at which to switch off
ZEROS_BAND = 1.25
#: bits of the mask for each bit of an 8-byte word
MASK = 1 / 64
#: share of the bytes that is left of a text, and of data with many zeros
KEPT_GENERAL, KEPT_MASK = 0.5, 0.25
#: bytes per second, until they are measured
ESTIMATES = {"spill_scan": 1e10, "spill_copy": 1.4e9, "spill_general": 3e8}
#: groups of a prefix whose outputs are looked at; tasks that run whose prefix is, of one worker and of all
MOST_GROUPS, OF_ONE, OF_ALL = 16, 2, 64


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the states begin and end, while nothing is known of the data but its zeros."""

    #: share of zero words above which to switch to *mask*, and below which to switch off; above 1 where it never pays
    zeros_on: float
    zeros_off: float
    #: of the time that a text takes to disk and back, the share that *general* saves; below 0 it is not started
    gain_general: float


def thresholds(rates: Rates) -> Thresholds:
    """Derive the thresholds from the rates of disk and codec.

    Examples
    --------
    >>> slow, fast = (thresholds(Rates(1e9, 1e9, 1e9, {"spill_disk": disk})) for disk in (5e7, 2e9))
    >>> round(slow.zeros_on, 2), round(slow.gain_general, 2), round(fast.zeros_on, 2), fast.gain_general < 0
    (0.07, 0.33, 0.85, True)
    """
    scan, copy, general = (1 / rates.extra.get(name, ESTIMATES[name]) for name in ESTIMATES)
    moved = 1 / spill_compression_costs.disk(rates)
    # z zeros save (z - 1/64) · moved and cost scan + (1 - z) · copy
    break_even = (scan + copy + MASK * moved) / (moved + copy)
    return Thresholds(ZEROS_BAND * break_even, break_even, 1 - KEPT_GENERAL - general / moved)


class SpillCompression(Optimization):
    """Write what workers spill to disk smaller, where that is sooner.

    Examples
    --------
    >>> slow, fast = (Rates(1e9, 1e9, 1e9, {"spill_disk": disk}) for disk in (5e7, 5e10))
    >>> [SpillCompression().domain(rates)("off", {}) for rates in (slow, fast)]  # where to start
    ['general', 'off']
    """

    name = "spill_compression"
    states = spill_compression_costs.STATES

    def domain(self, rates: Rates) -> Domain:
        """Return the domain, over the zeros of the data: that disk and codec allow to say without having seen any."""
        at = thresholds(rates)
        never = axis(SPILL) > math.inf
        if at.gain_general > 0:  # a text pays, so anything may; what does not pay is left as it is, frame by frame
            return Domain(self.states, [Hysteresis(~never, never), Hysteresis(~never, never)])
        enough = axis("zeros", if_unknown=at.zeros_on < 1 - KEPT_MASK) > at.zeros_on
        few = axis("zeros") < at.zeros_off
        return Domain(self.states, [Hysteresis(enough, few), Hysteresis(never, ~never)])

    def thresholds(self, rates: Rates) -> Mapping[str, float]:
        """Return `Thresholds` as a mapping."""
        return asdict(thresholds(rates))

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict seconds by state; see `asafess.optimizations.spill_compression_costs`."""
        return spill_compression_costs.costs(sample)

    def measured(
        self, sample: Sample, state: str, recent: Mapping[str, float], since_switch: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Return what each state would make of the data, and what the disk took."""
        return spill_compression_costs.measured(sample, recent)

    def scheduler_load(self, scheduler: Scheduler, groups: Mapping[TaskGroup, int]) -> Mapping[str, float]:
        """Return the bytes that are still to be spilled; nothing where no worker spills."""
        held = _held(scheduler)
        if not held:
            return {}
        coming = sum(count * _output(group.prefix) for group, count in groups.items())
        return {SPILL: spill_compression_costs.to_spill(held, coming + _running(scheduler))}

    def prepare(self, dtypes: Sequence[str]) -> None:
        """Compile the kernels, whatever the data types."""
        from asafess.wire import spill

        spill.codec.prepare()

    def rates(self) -> Mapping[str, float]:
        """Measure the disk, and what encoding and decoding costs, in bytes/s; nothing where nothing is spilled."""
        from asafess.wire import spill

        return spill.measure()

    def enter(self, state: str) -> None:
        """Decide how what is spilled from now on is written."""
        from asafess.wire import spill

        spill.take()
        spill.codec.set_state(state)

    def leave(self) -> None:
        """Give the spill buffers back what they had; what is on disk can be read."""
        from asafess.wire import spill

        spill.leave()

    def counters(self) -> Mapping[str, float]:
        """Return what went to disk and came back."""
        from asafess.wire import spill

        return spill.counters()


def _held(scheduler: Scheduler) -> list[Held]:
    """Return what each worker that spills holds."""
    import dask

    target = dask.config.get("distributed.worker.memory.target") or dask.config.get("distributed.worker.memory.spill")
    if not target:
        return []
    return [
        Held(ws.nbytes, (ws.metrics.get("spilled_bytes") or {}).get("memory", 0), target * ws.memory_limit)
        for ws in scheduler.workers.values()
        if ws.memory_limit
    ]


def _running(scheduler: Scheduler) -> float:
    """Return the bytes of outputs of tasks that are assigned, from some of them."""
    workers = scheduler.workers.values()
    some = list(islice((ts.prefix for ws in workers for ts in islice(ws.processing, OF_ONE)), OF_ALL))
    tasks = sum(len(ws.processing) for ws in workers)
    return tasks * sum(map(_output, some)) / len(some) if some else 0.0


def _output(prefix: TaskPrefix) -> float:
    """Return the mean bytes of an output; 0 before there is one."""
    made = nbytes = 0
    for group in islice(prefix.groups, MOST_GROUPS):
        if group.start:  # what has not begun is in the state released, too
            made += sum(group.states[state] for state in ("memory", "released", "forgotten"))
            nbytes += group.nbytes_total
    return nbytes / made if made else 0.0
