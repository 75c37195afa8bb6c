"""The null optimization: it is switched like any other and does nothing, so that the framework can be measured."""

from __future__ import annotations

from asafess.core.domain import Domain, band
from asafess.core.mode import Rates
from asafess.optimizations.base import Optimization


class Null(Optimization):
    """Switch by the ratio, act on nothing.

    Parameters
    ----------
    alpha, beta : float
        On below alpha, off above beta.

    Examples
    --------
    >>> Null(0.5, 2.0).domain(Rates(1.0, 1.0, 1.0))("off", {"ratio": 0.1})
    'on'
    """

    name = "null"

    def __init__(self, alpha: float = 1.0, beta: float = 2.0) -> None:
        self.alpha, self.beta = alpha, beta
        band(alpha, beta)  # say now, not in the scheduler, that alpha > beta

    def domain(self, rates: Rates) -> Domain:
        """Return the band between alpha and beta; rates do not matter."""
        return Domain(self.states, [band(self.alpha, self.beta)])
