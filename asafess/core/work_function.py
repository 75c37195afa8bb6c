"""The policy with a bound: switch when staying has cost as much as switching there and back.

Two states: the excess cost of the present state over the other is added up, clamped at zero, and the state is
changed when the sum reaches twice the cost of a switch. n states: the work function algorithm, of which this is the
case n = 2. The work function w(s) is the least cost at which everything so far can be served so that one ends in s;
one moves to the state in which w, with the latest cost, plus the cost of moving there is least.

**Bound.** With c ≥ 0 the costs of the samples, d the cost of a switch (the same between any two states, never
falling, d₀ at first and d₁ at last), and OPT the cost of the best schedule that knows everything beforehand and
starts in the same state::

    cost ≤ max(2n − 1, 1 + δ) · OPT + 2 (n − 1) (d₁ − d₀)

so for two states and a constant d: at most 3 · OPT, without any constant. No deterministic policy does better in
the long run.

*Proof.* Without the band: in a step from p to q the policy pays w'(p) − w(q), where w and w' are the work function
before and after it (q is the minimizer that defines w'(p)). The potential Φ = 2 Σ w(s) − w(present) rises by at
least that, since no w(s) ever falls. At the end Φ ≤ (2n − 1) min w + 2 (n − 1) d₁, because no w(s) is above
min w + d₁; at the beginning it is 2 (n − 1) d₀. And min w ≤ OPT: they are equal while d is constant, and w moves at
the price before a rise. With the band: samples inside it are left out of w. There the policy pays at most 1 + δ
times what any schedule pays, and elsewhere the bound holds against the optimum of the rest, where a schedule may also
move while a sample is left out; which is at most that of all, less what it pays there.

The costs of a sample are those of the time that it stands for, decided before it is paid. What the bound can't
cover is an error of the predicted costs, time between two samples in which the mode changes, and what others than
this policy decide (pins, budgets, the limit of switches).

Reference: Borodin, Linial, Saks, An optimal on-line algorithm for metrical task systems, Journal of the ACM 39 (4),
1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

from asafess.core.alpha_beta import AlphaBeta
from asafess.core.assessment import Assessment
from asafess.core.policy import Decision

#: the largest relative excess that any band may admit: with it the ratio of two states is still 3
LARGEST_EXCESS = 2.0


def bound(states: int, switch: Sequence[float], excess: float = 0.05) -> tuple[float, float]:
    """Return what the policy may cost: a multiple of the optimum, and seconds beside it.

    Parameters
    ----------
    states : int
    switch : sequence of float
        Seconds that a switch costs at each sample, never falling.
    excess : float
        See `WorkFunction`.

    Examples
    --------
    >>> bound(2, [0.05, 0.05]), bound(3, [0.05, 0.25])
    ((3.0, 0.0), (5.0, 0.8))
    """
    return max(2.0 * states - 1, 1 + excess), 2 * (states - 1) * (switch[-1] - switch[0])


class WorkFunction:
    """The work function policy, with the alpha/beta band as outer filter.

    Where nothing is known of costs it decides as `AlphaBeta` does, without a bound.

    Parameters
    ----------
    excess : float
        δ, the largest relative excess that the band admits: samples at which the efficiency domain would leave both
        the present state and the cheapest other as they are do not count, as long as neither costs more than 1 + δ
        times the other. A domain whose band admits more is not followed there.
    dwell : float
        For the decisions without costs.

    Raises
    ------
    ValueError
        An excess that is no number, below 0, or above 2: a band that admits more would make the ratio worse than the
        policy's own.

    Examples
    --------
    The other state is better by 0.04 s per sample, a switch costs 0.05 s: it is made at the third sample.

    >>> policy, state = WorkFunction(), "off"
    >>> seen = Assessment({"off": "on", "on": "on"}, {"off": 0.05, "on": 0.01}, switch=0.05)
    >>> [policy.decide(0.05 * k, "off", seen).state for k in range(3)]
    ['off', 'off', 'on']
    >>> WorkFunction(excess=2.5)
    Traceback (most recent call last):
    ...
    ValueError: the band may admit a relative excess between 0 and 2, not 2.5: beyond it the bound of 3 would not hold
    """

    def __init__(self, excess: float = 0.05, dwell: float = 0.0) -> None:
        if isinstance(excess, bool) or not isinstance(excess, float | Real) or not 0 <= excess <= LARGEST_EXCESS:
            raise ValueError(
                f"the band may admit a relative excess between 0 and {LARGEST_EXCESS:g}, not {excess!r}: "
                "beyond it the bound of 3 would not hold"
            )
        self._excess = excess
        self._without_costs = AlphaBeta(dwell)
        self.reset()

    def reset(self) -> None:
        """Forget all costs."""
        self._work: dict[str, float] = {}
        self._switch = 0.0
        self._without_costs.reset()

    def entered(self, time: float, state: str) -> None:
        """Take note of a switch: the work function does not depend on the state that one is in."""
        self._without_costs.entered(time, state)

    def decide(self, time: float, state: str, assessment: Assessment) -> Decision:
        """Add the costs of a sample to the work function and return where to be for it."""
        if assessment.costs is None:
            return self._without_costs.decide(time, state, assessment)
        costs = assessment.costs
        self._switch = switch = max(self._switch, assessment.switch)
        if not self._work:
            # also inside the band: a schedule that goes there pays today's price, not that of the first sample outside
            self._work = {one: 0.0 if one == state else switch for one in costs}
        if self._inside_band(state, assessment):
            return Decision(state)
        served = {one: self._work[one] + cost for one, cost in costs.items()}
        least = min(served.values())
        # less the least of them, which all have in common: sums stay small, and their rounding with them
        self._work = {one: min(cost - least, switch) for one, cost in served.items()}
        # when it is as good to go as to stay, the excess has reached the cost of there and back
        best = min(served, key=lambda one: (served[one] + switch * (one != state), served[one], one != state))
        if best == state:
            return Decision(state)
        return Decision(best, self._cause(state, best, served, switch, assessment))

    def _inside_band(self, state: str, assessment: Assessment) -> bool:
        """Say whether the domain leaves things as they are, and the present state costs nearly what the others do.

        Nearly either way: where it costs more, a sample that adds to its excess counts; so does one that takes from
        it, or a signal that jumps from one to the other each time would add up and never cancel.
        """
        assert assessment.costs is not None
        costs, domain = assessment.costs, assessment.domain
        other = min((one for one in costs if one != state), key=lambda one: costs[one], default=state)
        low, high = sorted((costs[state], costs[other]))
        return domain[state] == state and domain[other] == other and high <= (1 + self._excess) * low

    def _cause(self, state: str, best: str, served: dict[str, float], switch: float, assessment: Assessment) -> str:
        excess = served[state] - served[best] + switch
        told = assessment.explain(state)
        return (
            f"{state} has cost {excess:.3g} s more than {best} would have (a switch there and back costs "
            f"{2 * switch:.3g} s)" + (f"; {told}" if told else "")
        )
