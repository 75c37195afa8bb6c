"""The exact optimum: the schedule that one would have chosen, had one known everything beforehand.

No run can know it; each recorded run can be measured against it. Dynamic programming over (sample, state), in
O(samples × states²).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """States over time, and what they cost."""

    #: seconds, switches included
    cost: float
    #: number of a state for each sample
    states: tuple[int, ...]

    @property
    def switches(self) -> int:
        """Changes between samples; see `cost_of` for one before the first."""
        return sum(a != b for a, b in zip(self.states, self.states[1:], strict=False))


def optimum(costs: Sequence[Sequence[float]], switch: Sequence[float], start: int = 0) -> Schedule:
    """Return the cheapest schedule.

    Parameters
    ----------
    costs : sequence of (n_states,) float
        Seconds that each sample costs in each state.
    switch : sequence of float
        Seconds that a switch before each sample costs, the same between any two states.
    start : int
        The state before the first sample.

    Examples
    --------
    >>> optimum([[1, 9], [1, 9], [9, 1], [9, 1]], [3, 3, 3, 3])
    Schedule(cost=7.0, states=(0, 0, 1, 1))
    >>> optimum([[1, 2], [2, 1], [1, 2], [2, 1]], [3, 3, 3, 3])
    Schedule(cost=6.0, states=(0, 0, 0, 0))
    """
    if not costs:
        return Schedule(0.0, ())
    states = range(len(costs[0]))
    best = [0.0 if state == start else float("inf") for state in states]
    came_from: list[list[int]] = []
    for now, price in zip(costs, switch, strict=True):
        # from where a state is reached at the least cost; from itself when that is as good
        origins = [min(states, key=lambda old: (best[old] + price * (old != new), old != new)) for new in states]
        best = [best[old] + price * (old != new) + now[new] for new, old in enumerate(origins)]
        came_from.append(origins)
    state = min(states, key=best.__getitem__)
    cost, path = best[state], []
    for origins in reversed(came_from):
        path.append(state)
        state = origins[state]
    return Schedule(cost, tuple(reversed(path)))


def cost_of(states: Sequence[int], costs: Sequence[Sequence[float]], switch: Sequence[float], start: int = 0) -> float:
    """Return what a schedule costs, in seconds, with its switches.

    Examples
    --------
    >>> cost_of([0, 1], [[1, 9], [9, 1]], [3, 3])
    5.0
    """
    total, before = 0.0, start
    for state, now, price in zip(states, costs, switch, strict=True):
        total += now[state] + (price if state != before else 0.0)
        before = state
    return total
