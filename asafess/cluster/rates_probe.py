"""Measuring the cluster's rates in the background: when the first workers are there, and again when there are two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from asafess.cluster import probe
from asafess.core.mode import Rates, Sample, problem

if TYPE_CHECKING:
    from distributed import Scheduler

    from asafess.cluster.config import Settings

#: seconds after the last worker has joined in which the others may still do so before rates are measured
PATIENCE = 2.0


class RatesProbe:
    """Decides when to measure, and tells what came of it.

    Parameters
    ----------
    settings : Settings
        With rates that need not be measured.
    measured : callable
        Takes the rates; None where a measurement came to nothing.
    failed : callable
        Takes an exception.
    round_trips : callable, optional
        Measures the round trips per second of some workers; see `asafess.cluster.round_trips`.
    """

    def __init__(
        self,
        settings: Settings,
        measured: Callable[[Rates | None], None],
        failed: Callable[[Exception], None],
        round_trips: Callable[[Sequence[str]], Awaitable[float | None]] | None = None,
    ) -> None:
        self._round_trips = round_trips
        self._settings, self._measured, self._failed = settings, measured, failed
        self._task: asyncio.Task[None] | None = None
        self._joined_at = 0.0
        #: workers that the last measurement was made on
        self.probed: set[str] = set()

    @property
    def running(self) -> bool:
        """A measurement is under way."""
        return self._task is not None and not self._task.done()

    def joined(self, scheduler: Scheduler, ready: Collection[str]) -> None:
        """Take note of a worker; measure if it was the last one to wait for."""
        self._joined_at = monotonic()
        if set(scheduler.workers) <= set(ready):
            self._begin(scheduler, ready)

    def look(self, scheduler: Scheduler, ready: Collection[str]) -> None:
        """Wait no longer than `PATIENCE` for the others."""
        if ready and monotonic() - self._joined_at > PATIENCE:
            self._begin(scheduler, ready)

    def cancel(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()

    def _begin(self, scheduler: Scheduler, ready: Collection[str]) -> None:
        if not self.running and len(self.probed) < min(2, len(ready)):
            self._task = asyncio.ensure_future(self._measure(scheduler, sorted(ready)))

    async def _measure(self, scheduler: Scheduler, ring: list[str]) -> None:
        try:
            self.probed = set(ring)
            given, enough = self._settings.rates, self._settings.all_rates_given
            if self._round_trips is not None and "round_trips" not in given:
                trips = await self._round_trips(ring)
                given = given if trips is None else {**given, "round_trips": trips}
            rates = await probe.measure(scheduler, ring, given, enough)
            reason = rates and problem(Sample(0.0, (), 1, 1, rates))
            if reason:
                raise ValueError(reason)
            self._measured(rates)
        except Exception as error:
            self._failed(error)
