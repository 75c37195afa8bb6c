"""What domain and predicted costs say of one optimization at one moment.

An assessment is all that a policy sees. It is written into traces, so a recorded run can be decided again, by any
policy, without the optimization at hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from asafess.core.declaration import Declaration
from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample, Vector

#: no state is taken to be more often slower than the present one than this: a prediction is no better
LARGEST_FACTOR = 1000.0
#: so much of a predicted time is charged ahead at least
LEAST_TRUST = 1e-3


def _nothing(state: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is known of one optimization at one moment."""

    #: state → the state that the efficiency domain says, were it in this one
    domain: Mapping[str, str]
    #: state → predicted seconds for what this moment stands for; None where nothing is known of costs
    costs: Mapping[str, float] | None
    #: seconds that a switch costs
    switch: float
    #: state → the values and thresholds by which the domain says something else; not recorded
    explain: Callable[[str], str] = field(default=_nothing, compare=False, repr=False)

    @property
    def gain(self) -> dict[str, float]:
        """Predicted share of time saved against the first state, by state; empty where costs are not known."""
        if self.costs is None:
            return {}
        off = next(iter(self.costs.values()))
        return {state: max(1 - cost / off, -LARGEST_FACTOR) if off else 0.0 for state, cost in self.costs.items()}


#: nothing is known
NOTHING = Assessment({}, None, 0.0)


class Assessor:
    """Assesses one optimization; remembers its domain and how far ahead it has been charged.

    Costs are scaled so that the present state costs what the sample stands for: the seconds since the last one, and
    for a graph that arrives where nothing was scheduled, the seconds that it is predicted to take (or was measured,
    of such tasks, if that is longer), up to `horizon`.
    (What is scheduled is known ahead; so one big graph is decided before its first task, by the same rule that adds
    up small ones. The ticks that follow charge only what was not charged yet. Where a graph was over sooner than
    predicted for the state it ran in, the next one is charged less ahead, in proportion.)

    Parameters
    ----------
    declaration : Declaration
        Of the optimization.
    horizon : float
        Seconds.

    Examples
    --------
    >>> from asafess.core.domain import band
    >>> from asafess.core.mode import Scheduled
    >>> codec = Declaration(
    ...     "codec",
    ...     ("off", "on"),
    ...     lambda rates: Domain(("off", "on"), [band(0.5, 1.0)]),
    ...     costs=lambda sample: {"off": 4.0, "on": 1.0},
    ... )
    >>> moving = (Scheduled("move", 1, {"communication": 4e8}),)
    >>> sample = Sample(0.0, moving, threads=1, workers=1, rates=Rates(1e9, 1e9, 1e8))
    >>> Assessor(codec, horizon=1.0).assess(sample, {"ratio": 0.2}, "off", elapsed=0.05, switch=0.1)
    Assessment(domain={'off': 'on', 'on': 'on'}, costs={'off': 0.05, 'on': 0.0125}, switch=0.1)
    """

    def __init__(self, declaration: Declaration, horizon: float) -> None:
        self.declaration = declaration
        self._horizon = horizon
        #: seconds that have been charged ahead and have not passed yet
        self._ahead = 0.0
        #: state → seconds predicted for the present graph when it arrived; the state it runs in; seconds since then
        self._predicted: dict[str, float] = {}
        self._state = ""
        self._passed = 0.0
        #: share of a predicted time that is charged ahead: what became of the last prediction
        self._trust = 1.0
        self._rates: Rates | None = None
        self._domain: Domain | None = None

    def reset(self) -> None:
        """Forget what was charged ahead, and how that went before."""
        self._ahead = self._passed = 0.0
        self._predicted = {}
        self._trust = 1.0

    def pause(self, elapsed: float) -> None:
        """Take note that nothing is scheduled any more, or something new; `elapsed` seconds after the last sample."""
        predicted = self._predicted.get(self._state, 0.0)
        if predicted > 0:
            self._trust = min(max((self._passed + elapsed) / predicted, LEAST_TRUST), 1.0)
        self._ahead = self._passed = 0.0
        self._predicted = {}

    def domain(self, rates: Rates) -> Domain:
        """Return the efficiency domain at these rates."""
        if self._domain is None or rates != self._rates:
            self._domain, self._rates = self.declaration.domain(rates), rates
            if tuple(self._domain.states) != self.declaration.states:
                raise ValueError(
                    f"optimization {self.declaration.name!r}: its domain is over {tuple(self._domain.states)}, "
                    f"not over its states {self.declaration.states}"
                )
        return self._domain

    def at_start(self, vector: Vector, rates: Rates) -> Assessment:
        """Return what the rates say before there is any sample."""
        return self._assessment(self.domain(rates), vector, None, 0.0)

    def assess(self, sample: Sample, vector: Vector, state: str, elapsed: float, switch: float) -> Assessment:
        """Return what is known at a sample, for an optimization that acts in `state`.

        Parameters
        ----------
        sample : Sample
            With rates.
        vector : mapping
            The windowed mode vector.
        state : str
            In which it acts.
        elapsed : float
            Seconds since the last sample.
        switch : float
            Seconds that a switch costs.
        """
        assert sample.rates is not None
        seconds = self._checked(self.declaration.costs(sample))
        costs = None
        self._state = state
        if sample.fresh:
            self.pause(elapsed)
        if seconds is not None:
            present = seconds[state]
            times = {one: min(cost / present, LARGEST_FACTOR) if present else 0.0 for one, cost in seconds.items()}
            if sample.fresh:
                ahead = min(max(present, sample.seconds), self._horizon)
                self._predicted = {one: ahead * factor for one, factor in times.items()}
                self._ahead = weight = self._trust * ahead
            else:
                weight = self._weight(elapsed)
            costs = {one: weight * factor for one, factor in times.items()}
        return self._assessment(self.domain(sample.rates), vector, costs, switch)

    def _weight(self, elapsed: float) -> float:
        self._passed += elapsed
        charged = min(self._ahead, elapsed)
        self._ahead -= charged
        return elapsed - charged

    def _assessment(
        self, domain: Domain, vector: Vector, costs: Mapping[str, float] | None, switch: float
    ) -> Assessment:
        says = domain.table(vector)
        unknown = set(says.values()) - set(says)
        if unknown:
            raise ValueError(
                f"optimization {self.declaration.name!r}: its domain says {sorted(unknown)}, which is no state of it"
            )
        return Assessment(says, costs, switch, lambda state: domain.explain(state, vector))

    def _checked(self, seconds: Mapping[str, float] | None) -> dict[str, float] | None:
        if seconds is None:
            return None
        if set(seconds) != set(self.declaration.states) or not all(0 <= one < math.inf for one in seconds.values()):
            raise ValueError(
                f"optimization {self.declaration.name!r}: costs must give each of {', '.join(self.declaration.states)} "
                f"a finite number of seconds ≥ 0, not {dict(seconds)!r}"
            )
        return {state: float(seconds[state]) for state in self.declaration.states}
