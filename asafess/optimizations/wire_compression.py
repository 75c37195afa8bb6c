"""Adaptive wire compression: what leaves a worker is compressed where that is sooner over the link.

States: *off*; *mask*, without its zero words (a bit for each word, and those that are not zero); *general*, the same or
a library (lz4, zstd, zlib), whichever is best for a frame. Bit-exact, for any data of any Dask program, p2p shuffles
included. When it is on, a worker looks at a part of each frame and leaves it as it is where nothing is gained.

Which state is best follows from link × codec × data, hardly from the phase. So it is decided from the measured rates
and from what workers see of the data, started where the rates point, and guarded by the ratio. For each byte, in
seconds:

=======  =====================================================================
link     1 ÷ link rate: to move it
scan     1 ÷ scan rate: to look at it, and to write a zero
copy     1 ÷ copy rate: to pack and unpack it, where it is not zero
general  1 ÷ general rate: to compress and decompress a text with a library
=======  =====================================================================

*zeros*: with a share z of zero words, the mask saves (z − 1/64)·link and costs scan + (1 − z)·copy; it breaks even at
z = (scan + copy + link/64) ÷ (link + copy). Dask sends what would keep more than 70 % as it is, whatever the link.
*alpha*: where computing takes ratio times as long as moving, and ratio > 1, tasks wait for 1 ÷ ratio of a transfer. So
compressing saves saved·link ÷ ratio and costs c: alpha = saved·link ÷ c; below 1 it never pays. Except where cores have
nothing else to do, up to a ratio of 1, and other messages are on their way meanwhile: then a library pays as long as
compressing takes less time than the link. Of each frame a worker asks whether it is so (`asafess.wire.traffic`).

Only connections between workers are compressed, on different hosts; see `asafess.wire.connections`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.mode import Rates, Sample
from asafess.optimizations import wire_compression_costs
from asafess.optimizations.base import Optimization

#: beta is so many times alpha: a ratio is known no better than this
BAND = 2.0
#: the share of zeros at which to switch on is so many times the one at which to switch off
ZEROS_BAND = 1.25
#: bits of the mask for each bit of an 8-byte word
MASK = 1 / 64
#: share of a frame's bytes that Dask allows a compressed one to have
MOST_KEPT = 0.7
#: share of the bytes that is kept where alpha is asked for: of data with many zeros, and of a text
KEPT_MASK, KEPT_GENERAL = 0.25, 0.5
#: a library must take no more than this share of a transfer behind which it is hidden; workers want that of each frame
HIDDEN = 0.75
#: bytes per second, until they are measured
ESTIMATES = {"wire_scan": 1e10, "wire_copy": 1.4e9, "wire_general": 3e8}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the states begin and end; see the module's text for the arithmetic."""

    #: ratio below which to switch to *mask*, and above which to switch off
    alpha: float
    beta: float
    #: the same for *general* instead of *mask*; 0 where it never pays
    alpha_general: float
    beta_general: float
    #: share of zero words above which to switch to *mask*, and below which to switch off
    zeros_on: float
    zeros_off: float


def thresholds(rates: Rates) -> Thresholds:
    """Derive the thresholds from measured rates.

    Parameters
    ----------
    rates : Rates
        `link` in bytes/s, and of `extra`: `wire_scan`, `wire_copy`, `wire_general` in bytes/s; what is missing is
        estimated.

    Examples
    --------
    >>> slow, fast, fastest = (thresholds(Rates(1e10, 1e10, link)) for link in (1.25e7, 1.25e9, 1e11))
    >>> round(slow.alpha), round(slow.alpha_general), round(slow.zeros_on, 2)
    (215, 12, 0.39)
    >>> round(fast.alpha, 1), fast.alpha_general, round(fast.zeros_on, 2)
    (2.2, 0.0, 0.68)
    >>> fastest.alpha, fastest.zeros_on > 1  # never
    (0.0, True)
    """
    scan, copy, general = (1 / rates.extra.get(name, ESTIMATES[name]) for name in ESTIMATES)
    link = 1 / rates.link

    def alpha(kept: float, cost: float) -> float:
        found = (1 - kept) * link / cost
        return found if found > 1 else 0.0

    of_mask = alpha(KEPT_MASK, scan + copy * KEPT_MASK)
    of_general = alpha(KEPT_GENERAL, general) or float(general < HIDDEN * link)
    # so little may be saved that Dask does not take it
    break_even = max((scan + copy + MASK * link) / (link + copy), 1 - MOST_KEPT + MASK)
    return Thresholds(
        alpha=of_mask,
        beta=BAND * of_mask,
        alpha_general=min(of_general, of_mask),
        beta_general=BAND * min(of_general, of_mask),
        zeros_on=ZEROS_BAND * break_even,
        zeros_off=break_even,
    )


class WireCompression(Optimization):
    """Compress what leaves a worker, where that is sooner over the link.

    Examples
    --------
    >>> domain = WireCompression().domain(Rates(1e10, 1e10, 1.25e7))
    >>> domain("off", {})  # where to start on a slow link
    'general'
    >>> domain = WireCompression().domain(Rates(1e10, 1e10, 1e9))
    >>> domain("off", {}), domain("mask", {"ratio": 0.1, "zeros": 0.1}), domain("off", {"ratio": 100.0, "zeros": 0.9})
    ('mask', 'off', 'off')
    """

    name = "wire_compression"
    states = wire_compression_costs.STATES

    def domain(self, rates: Rates) -> Domain:
        """Return the domain over ratio and zeros."""
        at = thresholds(rates)
        # What is not known is taken to favour compression, where it can pay: a worker looks at each frame before it
        # compresses it, so being wrong costs a look, while raw transfers once begun can't be recalled.
        hopeful, text = at.alpha > 0 and at.zeros_on < 1, at.alpha_general > 0
        low, high = axis("ratio", if_unknown=hopeful) < at.alpha, axis("ratio") > at.beta
        enough, few = axis("zeros", if_unknown=hopeful) > at.zeros_on, axis("zeros") < at.zeros_off
        steps = [
            # what has no zeros may still be a text, where that pays
            Hysteresis(low, high) if text else Hysteresis(low & enough, high | few),
            Hysteresis(axis("ratio", if_unknown=text) < at.alpha_general, axis("ratio") > at.beta_general),
        ]
        return Domain(self.states, steps)

    def thresholds(self, rates: Rates) -> Mapping[str, float]:
        """Return `Thresholds` as a mapping."""
        return asdict(thresholds(rates))

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict seconds by state; see `asafess.optimizations.wire_compression_costs`."""
        return wire_compression_costs.costs(sample)

    def measured(
        self, sample: Sample, state: str, recent: Mapping[str, float], since_switch: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Return what each state would make of the data, and how slow the codec is among everything else."""
        return wire_compression_costs.measured(sample, state, recent, since_switch)

    def prepare(self, dtypes: Sequence[str]) -> None:
        """Compile the kernels, whatever the data types, and let new connections use the codec."""
        from asafess.wire import connections

        connections.codec.prepare()
        connections.join()

    def rates(self) -> Mapping[str, float]:
        """Measure what encoding and decoding costs in this process, together, in bytes/s."""
        from asafess.wire import connections
        from asafess.wire.figures import MASKS

        figures = connections.codec.measure()
        mask = figures["mask8"]
        texts = [one.seconds(one.text) for name, one in figures.items() if name not in MASKS]
        return {"wire_scan": 1 / mask.scan, "wire_copy": 1 / mask.copy, "wire_general": 1 / min(texts)}

    def set_link(self, rate: float) -> None:
        """Choose the library, and what is worthwhile for a frame, for this link."""
        from asafess.wire import connections

        connections.codec.set_link(rate)

    def enter(self, state: str) -> None:
        """Decide how frames leave this worker from now on."""
        from asafess.wire import connections

        if state != self.states[0] and connections.codec.state == self.states[0]:
            connections.renew()
        connections.codec.set_state(state)

    def leave(self) -> None:
        """Let frames leave as they are, and new connections do without the codec; what is on its way can be read."""
        from asafess.wire import connections

        connections.leave()

    def counters(self) -> Mapping[str, float]:
        """Return what went through the codec."""
        from asafess.wire import connections

        return connections.codec.counters()
