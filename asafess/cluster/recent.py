"""What the workers' counters have grown by lately, all workers together."""

from __future__ import annotations

import math
from collections.abc import Mapping

#: no pause lets more fade than this: sums must not vanish
LEAST = 0.01


class Recent:
    """Sums of increments that fade: what lies `memory` seconds back counts a third of what is new.

    All of them fade alike and only as something new comes in. So a quotient of two of them stays as it is while nothing
    is reported: what was last known is not forgotten by waiting.

    Parameters
    ----------
    memory : float
        Seconds.

    Examples
    --------
    >>> recent = Recent(1.0)
    >>> recent.report(0.0, "worker", {"sent_bytes": 100.0})
    >>> recent.report(0.0, "worker", {"sent_bytes": 300.0})
    >>> recent.totals
    {'sent_bytes': 300.0}
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._last: dict[str, Mapping[str, float]] = {}
        self._time = -math.inf
        #: sums by name
        self.totals: dict[str, float] = {}

    def clear(self) -> None:
        """Forget the sums; what the workers have counted so far is not counted again."""
        self.totals = {}

    def begin(self, worker: str, counters: Mapping[str, float]) -> None:
        """Count of a worker only what comes on top of these totals."""
        self._last[worker] = counters

    def lost(self, worker: str) -> None:
        """Forget a worker that is gone."""
        self._last.pop(worker, None)

    def report(self, time: float, worker: str, counters: Mapping[str, float]) -> None:
        """Take a worker's running totals."""
        before = self._last.get(worker, {})
        self._last[worker] = counters
        # a total that fell was counted anew
        grown = {name: max(value - before.get(name, 0.0), 0.0) for name, value in counters.items()}
        self.add(time, **grown)

    def add(self, time: float, **amounts: float) -> None:
        """Add to some of the sums."""
        fading = max(math.exp(-max(time - self._time, 0.0) / self._memory), LEAST)
        self._time = max(time, self._time)
        if fading < 1:
            self.totals = {name: value * fading for name, value in self.totals.items()}
        for name, amount in amounts.items():
            self.totals[name] = self.totals.get(name, 0.0) + amount
