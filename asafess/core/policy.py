"""From a mode vector to a decision about one optimization: domain, switching cost, dwell, pin."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from asafess.core.domain import Domain
from asafess.core.mode import Rates, Vector


@dataclass(frozen=True, slots=True)
class Policy:
    """How one optimization is decided.

    Parameters
    ----------
    name : str
        The optimization.
    states : tuple of str
        Ordered from *off* upwards.
    domain : callable
        `Rates` → `Domain`. Thresholds follow from the measured rates of the cluster.
    dwell : float
        Seconds that a state is kept at least, unless it is the first one decided.
    """

    name: str
    states: tuple[str, ...]
    domain: Callable[[Rates], Domain]
    dwell: float = 0.0

    def __post_init__(self) -> None:
        if len(set(self.states)) != len(self.states) or not self.states:
            raise ValueError(f"optimization {self.name!r}: states must differ and be at least one, not {self.states!r}")
        if not 0 <= self.dwell < math.inf:
            raise ValueError(f"optimization {self.name!r}: dwell must be a number of seconds ≥ 0, not {self.dwell!r}")


@dataclass(frozen=True, slots=True)
class Decision:
    """The state an optimization should be in, and why."""

    state: str
    cause: str
    #: the state that the domain says, when the dwell keeps it from being entered
    held_back: str | None = None


class Decider:
    """Decides about one optimization, one vector after the other; remembers when it switched last.

    Parameters
    ----------
    policy : Policy
        The rule.

    Examples
    --------
    >>> from asafess.core.domain import band
    >>> decider = Decider(Policy("codec", ("off", "on"), lambda rates: Domain(("off", "on"), [band(0.5, 1.0)])))
    >>> rates = Rates(1e9, 1e9, 1e8)
    >>> decider.decide(0.0, {"ratio": 0.2}, rates)
    Decision(state='on', cause='ratio 0.2 (< 0.5)', held_back=None)
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        #: what a person has set; None while the policy decides
        self.pinned: str | None = None
        self.reset()

    def reset(self) -> None:
        """Go back to the first state, as if nothing had been decided yet; a pin stays."""
        self.state = self.pinned or self.policy.states[0]
        self._since: float | None = None
        self._rates: Rates | None = None
        self._domain: Domain | None = None

    def pin(self, state: str | None) -> None:
        """Set the state by hand, or give it back to the policy with None.

        Raises
        ------
        ValueError
            A state the optimization does not have.
        """
        if state is not None and state not in self.policy.states:
            raise ValueError(
                f"unknown state {state!r} of optimization {self.policy.name!r}; allowed: "
                f"{', '.join(self.policy.states)}, or None to let the policy decide"
            )
        self.pinned = state

    def domain(self, rates: Rates) -> Domain:
        """Return the efficiency domain at these rates."""
        if self._domain is None or rates != self._rates:
            self._domain, self._rates = self.policy.domain(rates), rates
            if tuple(self._domain.states) != self.policy.states:
                raise ValueError(
                    f"optimization {self.policy.name!r}: its domain is over {tuple(self._domain.states)}, "
                    f"not over its states {self.policy.states}"
                )
        return self._domain

    def decide(self, time: float, vector: Vector, rates: Rates) -> Decision:
        """Return the decision for a vector; the caller acts on it with `enter`."""
        if self.pinned is not None:
            return Decision(self.pinned, "pinned")
        target, cause = self.domain(rates).decide(self.state, vector)
        if target not in self.policy.states:
            raise ValueError(f"optimization {self.policy.name!r}: its domain says {target!r}, which is no state of it")
        if target != self.state and self._since is not None and time - self._since < self.policy.dwell:
            return Decision(self.state, cause, held_back=target)
        return Decision(target, cause)

    def enter(self, time: float, state: str) -> None:
        """Remember a switch."""
        self.state, self._since = state, time
