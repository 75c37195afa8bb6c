"""Reduced precision: arrays of float64 that workers send each other cross as float32. **Lossy**: by name alone.

States: *off*; *on*. Each element that arrives is within a relative error of 2⁻²⁴ of the one that was sent; an array
with any element for which that can't be (NaN, infinite, beyond float32, tiny) goes as it is. The receiver gets float64.
See `asafess.wire.reduced` for which arrays, and to whom.

**Results depend on the state**, and on which worker ran a task: an input that was there already is exact. What errors
of 2⁻²⁴ in the inputs of a task do to its results is the program's to know.

For each byte that moves, in seconds::

    off: 1 ÷ link        on: (1 - share ÷ 2) ÷ link + 1 ÷ rate of rounding and widening

*share*: of the bytes that were asked for, those within the bound. Only in the state *on* it is seen; after that it is
forgotten within minutes, so that arrays which did not fit are tried again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.mode import Rates, Sample, Vector, computing, total_load
from asafess.optimizations.base import Optimization

OFF, ON = "off", "on"
#: to switch on, off must take so many times as long
BAND = 1.1
#: bytes per second, until they are measured
RATE = 8e8
#: seconds after which a third of what was seen of the share is left
FORGOTTEN = 60.0


def seconds(vector: Vector, rates: Rates, share: float = 1.0) -> dict[str, float] | None:
    """Return the seconds in which one worker moves the bytes of a vector, by state; None where nothing moves.

    Examples
    --------
    >>> fast, slow = (Rates(1e9, 1e9, link, {"reduced": 1e9}) for link in (1e10, 1e8))
    >>> seconds({"communication": 1e9}, fast), seconds({"communication": 1e9}, slow)
    ({'off': 0.1, 'on': 1.05}, {'off': 10.0, 'on': 6.0})
    """
    moved = vector.get("communication", 0.0)
    if not moved > 0:
        return None
    codec = moved / rates.extra.get("reduced", RATE)
    return {OFF: moved / rates.link, ON: (1 - share / 2) * moved / rates.link + codec}


class ReducedPrecision(Optimization):
    """Send arrays of float64 as float32, within a relative error of 2⁻²⁴ per element: results are not the same.

    Examples
    --------
    >>> slow, fast = (ReducedPrecision().domain(Rates(1e9, 1e9, link)) for link in (1e8, 1e10))
    >>> slow("off", {}), fast("on", {})  # where to start
    ('on', 'off')
    """

    name = "reduced_precision"
    states = (OFF, ON)

    def domain(self, rates: Rates) -> Domain:
        """Return the domain: the link against rounding, before anything moves as well."""
        byte = seconds({"communication": 1.0}, rates)
        never = axis("communication") > math.inf
        if byte is not None and byte[OFF] > BAND * byte[ON]:
            return Domain(self.states, [Hysteresis(~never, never)])
        return Domain(self.states, [Hysteresis(never, ~never)])

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict seconds by state; computing is the same in both."""
        if sample.rates is None:
            return None
        load = total_load(sample.scheduled)
        found = seconds(load, sample.rates, sample.measured.get("reduced_share", 1.0))
        if found is None:
            return None
        computed = computing(load, sample.rates) / sample.threads
        return {state: computed + one / sample.workers for state, one in found.items()}

    def measured(
        self, sample: Sample, state: str, recent: Mapping[str, float], since_switch: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Return the share of bytes that are within the bound; 1 once nothing is known of it any more."""
        known = sample.measured
        reduced, refused = (recent.get(f"reduced_{one}_bytes", 0.0) for one in ("logical", "refused"))
        if reduced + refused > 0:
            return {"reduced_share": reduced / (reduced + refused), "reduced_time": sample.time}
        if "reduced_share" not in known:
            return {}
        since = max(sample.time - known["reduced_time"], 0.0)
        share = 1 - (1 - known["reduced_share"]) * math.exp(-since / FORGOTTEN)
        return {"reduced_share": share, "reduced_time": sample.time}

    def prepare(self, dtypes: Sequence[str]) -> None:
        """Let new connections say that this worker has asafess."""
        from asafess.wire import connections

        connections.codec.prepare()
        connections.join()

    def rates(self) -> Mapping[str, float]:
        """Measure rounding and widening, in bytes/s."""
        from asafess.wire import reduced

        return {"reduced": reduced.rate()}

    def enter(self, state: str) -> None:
        """Decide how arrays leave from now on."""
        from asafess.wire import reduced

        if state == ON:
            reduced.begin()
        else:
            reduced.end()

    def leave(self) -> None:
        """Put Dask's serializer and setting back."""
        from asafess.wire import connections, reduced

        reduced.end()
        connections.leave()

    def counters(self) -> Mapping[str, float]:
        """Return what was reduced, and what was not."""
        from asafess.wire import reduced

        return reduced.counters()
