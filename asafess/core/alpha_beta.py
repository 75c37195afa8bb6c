"""The paper's policy: enter the state that the efficiency domain says, at once, but keep a state for the dwell."""

from __future__ import annotations

from asafess.core.assessment import Assessment
from asafess.core.policy import Decision


class AlphaBeta:
    """On below alpha, off above beta, unchanged between.

    It has no constant competitive ratio: a signal that jumps across the band each time makes it switch each time,
    while the optimum sits still. Bands are optimal for Markov signals (Lu, Serfozo, Operations Research 1984), not
    for adversarial ones. `WorkFunction` is the policy with a bound.

    Parameters
    ----------
    dwell : float
        Seconds that a state is kept at least, unless it is the first one decided.

    References
    ----------
    St. John et al., ASAFESSS, ADAPT 2014, doi 10.1145/2553062.2553063.

    Examples
    --------
    >>> policy = AlphaBeta(dwell=1.0)
    >>> policy.decide(0.0, "off", Assessment({"off": "on", "on": "on"}, None, 0.1)).state
    'on'
    >>> policy.entered(0.0, "on")
    >>> policy.decide(0.5, "on", Assessment({"off": "off", "on": "off"}, None, 0.1))
    Decision(state='on', cause='', held_back='off')
    """

    def __init__(self, dwell: float = 0.0) -> None:
        self._dwell = dwell
        self._since: float | None = None

    def reset(self) -> None:
        """Forget the last switch."""
        self._since = None

    def entered(self, time: float, state: str) -> None:
        """Begin the dwell."""
        self._since = time

    def decide(self, time: float, state: str, assessment: Assessment) -> Decision:
        """Return what the domain says."""
        target = assessment.domain[state]
        if target == state:
            return Decision(state)
        cause = assessment.explain(state)
        if self._since is not None and time - self._since < self._dwell:
            return Decision(state, cause, held_back=target)
        return Decision(target, cause)
