"""The optimization state: which optimization is in which state, under which controller, since which switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Epoch:
    """When a state was decided: the counter of one controller."""

    controller: str
    counter: int

    def replaces(self, other: Epoch | None) -> bool:
        """Say whether a state of this epoch replaces one of the other.

        An unknown controller replaces; an older counter of the same one does not.

        Examples
        --------
        >>> Epoch("a", 2).replaces(Epoch("a", 1)), Epoch("a", 1).replaces(Epoch("a", 1))
        (True, False)
        >>> Epoch("b", 0).replaces(Epoch("a", 9))
        True
        """
        return other is None or other.controller != self.controller or self.counter > other.counter


@dataclass(frozen=True, slots=True)
class OptimizationState:
    """The states of all optimizations at one epoch. Always sent whole, so that a lost one does no harm."""

    epoch: Epoch
    states: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a message.

        Examples
        --------
        >>> state = OptimizationState(Epoch("a", 1), {"tile_compression": "off"})
        >>> OptimizationState.from_dict(state.to_dict()) == state
        True
        """
        return {"controller": self.epoch.controller, "counter": self.epoch.counter, "states": dict(self.states)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> OptimizationState:
        """Read what `to_dict` wrote."""
        return cls(Epoch(plain["controller"], plain["counter"]), dict(plain["states"]))


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of state of one optimization, with its cause."""

    #: seconds on the clock of the samples
    time: float
    optimization: str
    before: str
    after: str
    #: the values and the thresholds they were compared with
    cause: str
