"""The efficiency domain of two states of which the quicker one is right, by predicted seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asafess.core.domain import Domain, Hysteresis, Predicate
from asafess.core.mode import Vector

#: mode vector → predicted seconds by state; None: not known
Seconds = Callable[[Vector], Mapping[str, float] | None]


@dataclass(frozen=True, slots=True)
class _Longer(Predicate):
    """One state takes more than so many times as long as the other."""

    seconds: Seconds
    state: str
    other: str
    times: float

    def __call__(self, vector: Vector) -> bool:
        seconds = self.seconds(vector)
        return seconds is not None and seconds[self.state] > self.times * seconds[self.other]

    def __str__(self) -> str:
        return f"{self.state} > {self.times:g} × {self.other}"

    def explain(self, vector: Vector) -> str:
        seconds = self.seconds(vector)
        if seconds is None:
            return f"how long {self.state} and {self.other} would take is not known"
        compared = f"{'' if self(vector) else 'not '}more than {'' if self.times == 1 else f'{self.times:g} × '}"
        taken, others = (f"{seconds[one]:.3g} s" for one in (self.state, self.other))
        return f"{self.state} would take {taken}, {compared}the {others} of {self.other}"


def cheaper(states: tuple[str, str], seconds: Seconds, times: float) -> Domain:
    """Return a domain that leaves the first state when it is dear, and goes back when it is the quicker one.

    Parameters
    ----------
    states : tuple of str
        The two.
    seconds : callable
        Mode vector → predicted seconds by state, or None: then the state stays as it is.
    times : float
        The first state is left when it takes more than so many times as long as the second; at least 1.

    Raises
    ------
    ValueError
        Times below 1: then both might be right to leave.

    Examples
    --------
    >>> domain = cheaper(("off", "on"), lambda vector: {"off": vector["bytes"], "on": 2.0}, times=1.5)
    >>> [domain.table({"bytes": seconds})["off"] for seconds in (1.0, 2.5, 4.0)]
    ['off', 'off', 'on']
    >>> [domain.table({"bytes": seconds})["on"] for seconds in (1.0, 2.5, 4.0)]
    ['off', 'on', 'on']
    """
    if not times >= 1:
        raise ValueError(f"the first state must take at least as long as the second to be left, not {times!r} times")
    first, second = states
    steps = [Hysteresis(_Longer(seconds, first, second, times), _Longer(seconds, second, first, 1.0))]
    return Domain(states, steps)
