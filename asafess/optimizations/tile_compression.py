"""Adaptive tile compression: dense tiles leave a worker in sparse form while communication dominates.

States: *off*; *light* turns tiles sparse whose product is then no slower, so it saves bytes and compute (with
`threshold`: tiles with fewer non-zeros than that, as in the paper); *full* turns every tile sparse whose sparse form is
smaller, which saves bytes even where it costs compute.

The thresholds follow from the cluster's rates. For each logical byte of a panel, in seconds:

========  =============================================================================
link      1 ÷ link rate: to move it
scan      1 ÷ scan rate: to turn zeros into nothing
copy      1 ÷ copy rate: to gather a byte that stays dense beside what became sparse
multiply  1 ÷ dense product rate: saved at the receiver for each byte that is gone
========  =============================================================================

*zeros*: with a share z of zeros, compression saves z·(link + multiply) and costs z·scan + (1 − z)·copy; it
breaks even at z = copy ÷ (link + multiply − scan + copy). (The paper: cost E against benefit E − nnz.)
*alpha*: moving takes link, computing ratio·link; as long as ratio·link + scan − multiply < link, the link is
what the program waits for: alpha = 1 − (scan − multiply) ÷ link.
*full* is worth its compute up to alpha ÷ slowdown, where slowdown is how much longer the worst tile that it
turns sparse takes to multiply.

Which tiles *light* and *full* turn sparse follows from the break-even densities of each worker, which are
configured or follow from its rates: see `asafess.tiles.densities`.

Reference: St. John et al., ADAPT 2014, doi 10.1145/2553062.2553063; T. St. John, dissertation, University of
Delaware 2021, chapter 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asafess.core.densities import checked
from asafess.core.domain import Domain, Hysteresis, axis, band
from asafess.core.mode import Rates, Sample
from asafess.optimizations import tile_compression_costs
from asafess.optimizations.base import Optimization
from asafess.optimizations.tile_compression_costs import ENTRY_RATIO, rate

#: beta is so many times alpha: a ratio is known no better than this, and inside the band both states cost
#: nearly the same
BAND = 2.0
#: the share of zeros at which to switch on is so many times the one at which to switch off
ZEROS_BAND = 1.25


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the states begin and end; see the module's text for the arithmetic."""

    #: ratio below which to switch on, and above which to switch off
    alpha: float
    beta: float
    #: the same for *full* instead of *light*
    alpha_full: float
    beta_full: float
    #: share of zeros above which to switch on, and below which to switch off
    zeros_on: float
    zeros_off: float


def thresholds(
    rates: Rates, alpha: float | None = None, beta: float | None = None, zeros: float | None = None
) -> Thresholds:
    """Derive the thresholds from measured rates; those that are given stay as given.

    Parameters
    ----------
    rates : Rates
        `link` in bytes/s, and of `extra`: `scan`, `copy`, `dense_product` in bytes/s, `sparse_product` in
        entries/s. What is missing is estimated from the memory rate.
    alpha, beta : float, optional
        The paper's two values of the ratio.
    zeros : float, optional
        Share of zeros at which to switch on.

    Examples
    --------
    >>> slow = thresholds(Rates(1e10, 1e10, 1.2e8))
    >>> round(slow.alpha, 2), round(slow.beta, 2), round(slow.zeros_on, 2)
    (1.0, 2.0, 0.01)
    >>> fast = thresholds(Rates(1e10, 1e10, 2e10, extra={"scan": 5e9, "copy": 5e9, "dense_product": 2e10}))
    >>> fast.alpha, fast.zeros_on  # never: moving a byte is quicker than looking at it
    (0.0, inf)
    """
    link = 1 / rates.link
    scan, copy, multiply, sparse = (
        1 / rate(rates, name) for name in ("scan", "copy", "dense_product", "sparse_product")
    )
    if alpha is None:
        alpha = max(0.0, 1 - (scan - multiply) / link)
        alpha = alpha if beta is None else min(alpha, beta)
    if beta is None:
        beta = BAND * alpha
    # the densest tile whose sparse form is smaller holds 1 / ENTRY_RATIO of its entries
    slowdown = max(1.0, (sparse / ENTRY_RATIO) / (8 * multiply))
    gain = link + multiply - scan
    break_even = copy / (gain + copy) if gain > 0 else float("inf")
    return Thresholds(
        alpha=alpha,
        beta=beta,
        alpha_full=alpha / slowdown,
        beta_full=beta / slowdown,
        zeros_on=zeros if zeros is not None else ZEROS_BAND * break_even,
        zeros_off=zeros / ZEROS_BAND if zeros is not None else break_even,
    )


class TileCompression(Optimization):
    """Turn dense tiles sparse when they leave a worker.

    Parameters
    ----------
    alpha, beta : float, optional
        On below alpha, off above beta; derived from the cluster's rates where left out.
    zeros : float, optional
        Share of zeros needed to switch on, 0 to 1; derived where left out.
    threshold : int, optional
        *light* turns a tile sparse when it has fewer non-zeros than this (the paper: 128), whatever `break_even` says.
    break_even : mapping, optional
        Data type → mapping with `light` and `full`: the densities below which these states turn a tile sparse, on
        every worker. Where left out, a worker takes those of its own configuration, then what it has measured itself,
        and until then the paper's threshold, the rows of a tile.

    probe_budget : float
        Share of a worker's time, 0 to 0.1, that may go into timing the forms that are not active, on samples that are
        thrown away.

    Raises
    ------
    ValueError
        alpha > beta, or a value outside its range.

    Examples
    --------
    >>> domain = TileCompression().domain(Rates(1e10, 1e10, 1.2e8))
    >>> domain("off", {})  # where to start on this link
    'full'
    >>> domain("off", {"ratio": 0.02, "zeros": 0.8})
    'full'
    >>> domain("full", {"ratio": 0.02, "zeros": 0.0}), domain("full", {"ratio": 20.0, "zeros": 0.8})
    ('off', 'off')
    """

    name = "tile_compression"
    states = tile_compression_costs.STATES

    def __init__(
        self,
        alpha: float | None = None,
        beta: float | None = None,
        zeros: float | None = None,
        threshold: int | None = None,
        break_even: Mapping[str, Any] | None = None,
        probe_budget: float = 0.005,
    ) -> None:
        if alpha is not None or beta is not None:
            band(0.0 if alpha is None else alpha, float("inf") if beta is None else beta)
        if zeros is not None and not 0 <= zeros <= 1:
            raise ValueError(f"zeros must be a share between 0 and 1, not {zeros!r}")
        if threshold is not None and threshold < 1:
            raise ValueError(f"threshold must be a number of non-zeros of at least 1, not {threshold!r}")
        number = isinstance(probe_budget, int | float) and not isinstance(probe_budget, bool)
        if not number or not 0 <= probe_budget <= 0.1:
            raise ValueError(
                "asafess.tile-compression.probe-budget must be a share of the time from 0 (no probing) to 0.1, "
                f"not {probe_budget!r}"
            )
        checked(break_even)  # say now what is wrong with it
        self.alpha, self.beta, self.zeros, self.threshold = alpha, beta, zeros, threshold
        self.break_even = break_even or None
        self.probe_budget = probe_budget
        self._dtypes: tuple[str, ...] = ()

    def domain(self, rates: Rates) -> Domain:
        """Return the domain over ratio and zeros."""
        at = thresholds(rates, self.alpha, self.beta, self.zeros)
        # What is not known is taken to favour compression: the door looks at each tile before it compresses it,
        # so being wrong costs a look, while raw transfers once begun can't be recalled. Not so on a link that is
        # quicker than any compression.
        hopeful = at.alpha > 0 and at.zeros_on < 1
        enough = axis("zeros", if_unknown=hopeful) > at.zeros_on
        few = axis("zeros") < at.zeros_off
        steps = [
            Hysteresis((axis("ratio", if_unknown=hopeful) < alpha) & enough, (axis("ratio") > beta) | few)
            for alpha, beta in ((at.alpha, at.beta), (at.alpha_full, at.beta_full))
        ]
        return Domain(self.states, steps)

    def thresholds(self, rates: Rates) -> Mapping[str, float]:
        """Return `Thresholds` as a mapping."""
        return asdict(thresholds(rates, self.alpha, self.beta, self.zeros))

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict seconds by state; see `asafess.optimizations.tile_compression_costs`."""
        return tile_compression_costs.costs(sample)

    def measured(
        self, sample: Sample, state: str, recent: Mapping[str, float], since_switch: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Return the shares of bytes kept, the seconds per byte of each form, the overhead and the wire's rate."""
        return tile_compression_costs.measured(sample, state, recent, since_switch)

    def prepare(self, dtypes: Sequence[str]) -> None:
        """Compile the kernels for these dtypes, and let probing begin."""
        from asafess.kernels.prepare import prepare
        from asafess.tiles import door

        self._dtypes = tuple(dtypes)
        prepare(dtypes)
        door.set_probe_budget(self.probe_budget)

    def rates(self) -> Mapping[str, float]:
        """Measure scan, copy and product rates of this process, and note what they say of break-even densities."""
        import numpy as np

        from asafess.tiles import densities
        from asafess.tiles.break_even import light
        from asafess.tiles.rates import rates

        measured = {"float64": rates()}
        for name in self._dtypes:
            # the other data types of the configuration have densities of their own
            if name not in measured and densities.density("light", np.dtype(name)) is None:
                measured[name] = rates(dtype=name)
        for name, found in measured.items():
            densities.learn(name, light(found, np.dtype(name).itemsize))
        return measured["float64"]

    def enter(self, state: str) -> None:
        """Decide the form in which panels leave this worker from now on."""
        from asafess.tiles import densities, door

        if self.break_even is not None:
            densities.use(self.break_even)
        door.set_form(state, self.threshold)

    def leave(self) -> None:
        """Let panels leave as they are, probe no more, and forget the break-even densities."""
        from asafess.tiles import densities, door

        door.set_form("off")
        door.set_probe_budget(0.0)
        densities.reset()

    def counters(self) -> Mapping[str, float]:
        """Return what went through the door."""
        from asafess.tiles import door

        return door.counters()
