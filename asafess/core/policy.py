"""What a policy is: from what is known of one optimization at one moment to the state that it should be in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asafess.core.assessment import Assessment


@dataclass(frozen=True, slots=True)
class Decision:
    """The state an optimization should be in, and why."""

    state: str
    cause: str = ""
    #: the state that the policy would enter, when something keeps it from that
    held_back: str | None = None


class Policy(Protocol):
    """Decides about one optimization, one moment after the other."""

    def decide(self, time: float, state: str, assessment: Assessment) -> Decision:
        """Return the decision for an optimization that is in `state` now."""

    def entered(self, time: float, state: str) -> None:
        """Take note of a switch, whoever made it."""

    def reset(self) -> None:
        """Forget everything: a cold start."""
