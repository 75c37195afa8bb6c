"""What the controller tells the shell around it to do."""

from __future__ import annotations

from dataclasses import dataclass

from asafess.core.state import OptimizationState, Switch


@dataclass(frozen=True, slots=True)
class Publish:
    """Send this state to all workers."""

    state: OptimizationState
    switches: tuple[Switch, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A sample that changed nothing, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What optimizations in shadow would have done."""

    switches: tuple[Switch, ...]


Instruction = Publish | Ignored | Shadowed
