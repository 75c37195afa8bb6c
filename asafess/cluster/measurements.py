"""What workers report of themselves and of the data, as the optimizations want to know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from asafess.cluster.guard import guarded, merge, numbers
from asafess.cluster.recent import Recent
from asafess.cluster.zeros import Zeros
from asafess.core.mode import Sample

if TYPE_CHECKING:
    from asafess.optimizations.base import Optimization


class Measurements:
    """Keeps the workers' counters, and what follows from them.

    Parameters
    ----------
    optimizations : iterable of Optimization
    window : float
        Seconds over which what was reported counts.
    """

    def __init__(self, optimizations: Iterable[Optimization], window: float) -> None:
        self._optimizations = tuple(optimizations)
        self.zeros = Zeros(window)
        self._recent, self._since_switch = Recent(window), Recent(window)
        self._keepers = (self.zeros, self._recent, self._since_switch)
        #: the running totals of each worker
        self.reports: dict[str, Mapping[str, float]] = {}
        #: what optimizations have made of them, by name; kept until there is something newer
        self.known: dict[str, float] = {}

    def joined(self, worker: str, counters: Mapping[str, float]) -> None:
        """Take the running totals of a worker that joins: of what its process counted before, nothing is this run's."""
        self.reports[worker] = counters
        for keeper in self._keepers:
            keeper.begin(worker, counters)

    def report(self, time: float, worker: str, counters: Mapping[str, float]) -> None:
        """Take a worker's running totals."""
        self.reports[worker] = counters
        for keeper in self._keepers:
            keeper.report(time, worker, counters)

    def moved(self, time: float, seconds: float, ratio: float) -> None:
        """Take note of worker-seconds with scheduled tasks: bytes moved in the part that the mode's ratio leaves."""
        self._since_switch.add(time, moving_seconds=seconds / (1 + ratio))

    def switched(self) -> None:
        """Begin anew with what depends on the state."""
        self._since_switch.clear()

    def lost(self, worker: str) -> None:
        """Forget a worker that is gone."""
        self.reports.pop(worker, None)
        for keeper in self._keepers:
            keeper.lost(worker)

    def forget(self, totals: Mapping[str, Mapping[str, float]]) -> None:
        """Know nothing from now on; `totals` are each worker's counters at this moment."""
        for keeper in self._keepers:
            keeper.clear()
            for worker, counters in totals.items():
                keeper.begin(worker, counters)
        self.known = {}

    def look(self, sample: Sample, states: Mapping[str, str]) -> None:
        """Ask each optimization what it makes of the counters; `sample` has what was known before.

        Raises
        ------
        ValueError
            What one says is not finite, or has a name that another one uses.
        """
        known: dict[str, float] = {}
        for one in self._optimizations:
            found = guarded(one.measured, sample, states[one.name], self._recent.totals, self._since_switch.totals)
            merge(known, numbers(found), f"{one.name}.measured()")
        self.known.update(known)
