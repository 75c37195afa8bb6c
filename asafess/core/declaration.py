"""What an optimization declares to the controller: the deciding half, as plain data and two pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample

#: words that say who is in charge; no state can have them as a name
RESERVED = ("auto", "shadow")

#: sample → seconds that the scheduled load takes in each state; None: they are not known
Costs = Callable[[Sample], Mapping[str, float] | None]


def no_costs(sample: Sample) -> None:
    """Say that nothing is known of costs: then only the efficiency domain decides."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """How one optimization wants to be decided.

    Parameters
    ----------
    name : str
        The optimization.
    states : tuple of str
        Ordered from *off* upwards.
    domain : callable
        `Rates` → `Domain`. Thresholds follow from the measured rates of the cluster.
    dwell : float
        Seconds that the alpha/beta policy keeps a state at least.
    costs : callable
        `Sample` → predicted seconds of the scheduled load by state, or None.
    switch_seconds : float
        What a switch costs by itself, besides the time that it takes to reach the workers, which is measured.
    conflicts : tuple of str
        Optimizations that must not be on together with this one.
    demands : mapping
        State → budget → amount that it takes while in that state.

    Raises
    ------
    ValueError
        Names that are no text, states that repeat or are named *auto* or *shadow*, a time that is no time, a conflict
        with itself, demands that are no amounts.
    """

    name: str
    states: tuple[str, ...]
    domain: Callable[[Rates], Domain]
    dwell: float = 0.0
    costs: Costs = no_costs
    switch_seconds: float = 0.0
    conflicts: tuple[str, ...] = ()
    demands: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        here = f"optimization {self.name!r}"
        _check_names(here, "a name", (self.name,))
        _check_names(here, "states", self.states)
        _check_names(here, "conflicts", self.conflicts)
        if len(set(self.states)) != len(self.states) or not self.states:
            raise ValueError(f"{here}: states must differ and be at least one, not {self.states!r}")
        if set(self.states) & set(RESERVED):
            raise ValueError(f"{here}: no state can be named {' or '.join(RESERVED)}, as in {self.states!r}")
        if self.name in self.conflicts:
            raise ValueError(f"{here} can't conflict with itself; take its name out of conflicts")
        for what, seconds in (("dwell", self.dwell), ("switch_seconds", self.switch_seconds)):
            if not 0 <= seconds < math.inf:
                raise ValueError(f"{here}: {what} must be a number of seconds ≥ 0, not {seconds!r}")
        if not isinstance(self.demands, Mapping):
            raise ValueError(f"{here}: demands must map states to budgets to amounts, not {self.demands!r}")
        unknown = set(self.demands) - set(self.states)
        if unknown:
            raise ValueError(f"{here}: demands of unknown states {sorted(unknown)}; allowed: {', '.join(self.states)}")
        for state, budgets in self.demands.items():
            if not isinstance(budgets, Mapping):
                raise ValueError(f"{here}: what {state!r} demands must map budgets to amounts, not {budgets!r}")
            for budget, amount in budgets.items():
                number = isinstance(amount, int | float) and not isinstance(amount, bool)
                if not number or not 0 <= amount < math.inf or (amount and state == self.states[0]):
                    allowed = "0, because nothing is on there" if state == self.states[0] else "a number ≥ 0"
                    raise ValueError(f"{here}: the demand of {budget!r} in {state!r} must be {allowed}, not {amount!r}")


def _check_names(here: str, what: str, names: object) -> None:
    """Refuse what can't be sent, written and typed as a name."""
    if not isinstance(names, tuple):
        raise ValueError(f"{here}: {what} must be a tuple of str, not {names!r}")
    for name in names:
        try:
            usable = isinstance(name, str) and bool(name.strip()) and bool(name.encode())
        except UnicodeEncodeError:
            usable = False
        if not usable:
            raise ValueError(f"{here}: {what} must be text that is not empty, not {name!r}")
