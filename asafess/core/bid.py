"""What optimizations ask the arbiter for, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

_LARGEST_GAIN = 1e200


@dataclass(frozen=True, slots=True)
class Bid:
    """What one optimization asks for.

    Raises
    ------
    ValueError
        States that are not distinct, a state or a number that can't be; the message names the optimization.
    """

    name: str
    #: ordered from off upwards
    states: tuple[str, ...]
    #: the state it acts in
    present: str
    #: the state that its policy says
    wanted: str
    #: state → predicted share of the time that it saves against off; may be negative; left out: unknown, taken as 0
    gain: Mapping[str, float] = field(default_factory=dict)
    #: state → budget → amount that it takes beyond off while in that state; left out: 0
    demands: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: optimizations that must be off while it is not; one of the two naming the other is enough
    conflicts: tuple[str, ...] = ()
    #: seconds that a switch costs
    switch: float = 0.0
    #: a person has set `wanted`: it is done, and the others make room
    pinned: bool = False

    def __post_init__(self) -> None:
        off, *_ = self.states or self._refuse("states must be at least one")
        if len(set(self.states)) != len(self.states):
            self._refuse(f"states must differ, not {self.states!r}")
        for state in (self.present, self.wanted, *self.gain, *self.demands):
            if state not in self.states:
                self._refuse(f"unknown state {state!r}; allowed: {', '.join(self.states)}")
        if self.name in self.conflicts:
            self._refuse("can't conflict with itself; take its name out of `conflicts`")
        if not 0 <= self.switch < math.inf:
            self._refuse(f"switch must be a number of seconds ≥ 0, not {self.switch!r}")
        for state, gain in self.gain.items():
            if not -_LARGEST_GAIN < gain < _LARGEST_GAIN:
                self._refuse(f"gain in {state!r} must be a finite number, not {gain!r}; leave out what is not known")
        if self.gain.get(off):
            self._refuse(f"gains are against {off!r}, so that in {off!r} is 0, not {self.gain[off]!r}")
        for state, amounts in self.demands.items():
            for budget, amount in amounts.items():
                if not 0 <= amount < math.inf or (amount and state == off):
                    allowed = "0: demands are what is taken beyond it" if state == off else "a finite number ≥ 0"
                    self._refuse(f"demand of {budget} in {state!r} must be {allowed}, not {amount!r}")

    def _refuse(self, problem: str) -> tuple[str, ...]:
        raise ValueError(f"optimization {self.name!r}: {problem}")


@dataclass(frozen=True, slots=True)
class Settlement:
    """Who is in which state, and why not all are in the state they wanted."""

    #: optimization → state to be in
    states: Mapping[str, str]
    #: optimization → what keeps it from the state it wanted, in words
    held_back: Mapping[str, str]
