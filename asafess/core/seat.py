"""One optimization as the controller sees it."""

from __future__ import annotations

from asafess.core.assessment import Assessment, Assessor
from asafess.core.bid import Bid
from asafess.core.declaration import RESERVED, Declaration
from asafess.core.policy import Policy

#: the policy is in charge; or nobody, and it only says what it would do
AUTO, SHADOW = RESERVED


class Seat:
    """One optimization at the table: its policy, its state, and who is in charge of it.

    Parameters
    ----------
    declaration : Declaration
    policy : Policy
    horizon : float
        See `asafess.core.assessment.Assessor`.
    """

    def __init__(self, declaration: Declaration, policy: Policy, horizon: float) -> None:
        self.declaration = declaration
        self.assessor = Assessor(declaration, horizon)
        self.policy = policy
        self.control = AUTO
        self.back_to_start()

    @property
    def first(self) -> str:
        """The state of a process without asafess."""
        return self.declaration.states[0]

    @property
    def pinned(self) -> bool:
        """A person has set the state."""
        return self.control not in RESERVED

    @property
    def deciding(self) -> str:
        """The state that the policy believes to be in: in shadow, that which it would have entered."""
        return self.shadow if self.control == SHADOW else self.state

    def back_to_start(self) -> None:
        """Forget everything, and be in the first state, or the one that it is pinned to."""
        self.state = self.control if self.pinned else self.first
        self.shadow = self.first
        self.policy.reset()
        self.assessor.reset()

    def bid(self, wanted: str, assessment: Assessment) -> Bid:
        """Return what it asks for, wanting a state."""
        declaration = self.declaration
        return Bid(
            name=declaration.name,
            states=declaration.states,
            present=self.state,
            wanted=wanted,
            gain=assessment.gain,
            demands=declaration.demands,
            conflicts=declaration.conflicts,
            switch=assessment.switch,
            pinned=self.pinned,
        )
