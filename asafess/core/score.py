"""What a policy's decisions cost on a recorded run, beside the exact optimum of the same run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from asafess.core.assessment import Assessment
from asafess.core.optimum import cost_of, optimum
from asafess.core.policies import POLICIES, make
from asafess.core.policy import Policy
from asafess.core.trace import Trace

#: the recorded run itself, among the policies
RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Steps:
    """The moments of one optimization that have costs.

    Parameters
    ----------
    states : tuple of str
        From *off* upwards.
    times : sequence of float
    assessments : sequence of Assessment
        One for each time, with costs.
    start : str
        The state before the first of them.
    """

    states: tuple[str, ...]
    times: Sequence[float]
    assessments: Sequence[Assessment]
    start: str

    @property
    def costs(self) -> list[list[float]]:
        """Seconds by moment and state."""
        return [[(one.costs or {}).get(state, 0.0) for state in self.states] for one in self.assessments]

    @property
    def switch(self) -> list[float]:
        """Seconds that a switch costs at each moment; never falls, as in the policy's bound."""
        return list(accumulate((one.switch for one in self.assessments), max))


@dataclass(frozen=True, slots=True)
class Score:
    """What one policy's decisions cost."""

    policy: str
    #: seconds, switches included
    cost: float
    switches: int
    #: cost ÷ that of the exact optimum; infinite where only the optimum costs nothing
    ratio: float
    #: seconds above the best state that never changes
    regret: float
    states: tuple[int, ...]


def steps(trace: Trace, name: str) -> Steps:
    """Return the moments of one optimization that have costs.

    Raises
    ------
    ValueError
        An unknown optimization, or one without predicted costs: then there is nothing to score.
    """
    declared = {one.name: one.states for one in trace.declarations}
    if name not in declared:
        raise ValueError(f"unknown optimization {name!r}; in this trace: {', '.join(declared) or 'none'}")
    moments = [one for one in trace.moments if one.assessments[name].costs is not None]
    if not moments:
        raise ValueError(f"optimization {name!r} predicts no costs in this trace: there is nothing to score")
    return Steps(
        declared[name],
        [one.time for one in moments],
        [one.assessments[name] for one in moments],
        moments[0].before[name],
    )


def run(policy: Policy, steps: Steps) -> tuple[int, ...]:
    """Return the states, by number, that a policy is in at each moment, were it alone.

    Examples
    --------
    >>> from asafess.core.alpha_beta import AlphaBeta
    >>> on = Assessment({"off": "on", "on": "on"}, {"off": 0.05, "on": 0.01}, 0.05)
    >>> run(AlphaBeta(), Steps(("off", "on"), [0.0, 0.05], [on, on], "off"))
    (1, 1)
    """
    state, path = steps.start, []
    for time, seen in zip(steps.times, steps.assessments, strict=True):
        decided = policy.decide(time, state, seen).state
        if decided != state:
            policy.entered(time, decided)
            state = decided
        path.append(steps.states.index(state))
    return tuple(path)


def scores(steps: Steps, recorded: Sequence[str] = (), dwell: float = 0.0, excess: float = 0.05) -> list[Score]:
    """Return the score of every policy, the optimum first.

    Parameters
    ----------
    steps : Steps
    recorded : sequence of str, optional
        The states of the recorded run.
    dwell, excess : float
        See `asafess.core.policies.make`.

    Examples
    --------
    >>> on = Assessment({"off": "on", "on": "on"}, {"off": 0.05, "on": 0.01}, 0.05)
    >>> for one in scores(Steps(("off", "on"), [0.05 * k for k in range(20)], [on] * 20, "off")):
    ...     print(f"{one.policy:13} {one.cost:.2f} s, {one.ratio:.2f} x the optimum, {one.switches} switches")
    optimum       0.25 s, 1.00 x the optimum, 1 switches
    always_off    1.00 s, 4.00 x the optimum, 0 switches
    always_on     0.25 s, 1.00 x the optimum, 1 switches
    work_function 0.33 s, 1.32 x the optimum, 1 switches
    alpha_beta    0.25 s, 1.00 x the optimum, 1 switches
    """
    costs, switch, start = steps.costs, steps.switch, steps.states.index(steps.start)
    paths: dict[str, tuple[int, ...]] = {"optimum": optimum(costs, switch, start).states}
    for number, state in enumerate(steps.states):
        paths[f"always_{state}"] = (number,) * len(costs)
    for name in POLICIES:
        paths[name] = run(make(name, dwell, excess), steps)
    if recorded:
        paths[RECORDED] = tuple(steps.states.index(state) for state in recorded)
    spent = {name: cost_of(path, costs, switch, start) for name, path in paths.items()}
    least, fixed = spent["optimum"], min(spent[f"always_{state}"] for state in steps.states)
    return [
        Score(
            name,
            spent[name],
            sum(a != b for a, b in zip((start, *path), path, strict=False)),
            spent[name] / least if least else 1.0 if not spent[name] else math.inf,
            spent[name] - fixed,
            path,
        )
        for name, path in paths.items()
    ]


@dataclass(frozen=True, slots=True)
class Check:
    """A fixed state's seconds as the trace predicts them, beside those that were measured."""

    state: str
    predicted: float
    #: median of the runs pinned to this state
    measured: float
    runs: int

    @property
    def error(self) -> float:
        """Predicted ÷ measured − 1."""
        return self.predicted / self.measured - 1


def check(trace: Trace, name: str) -> list[Check]:
    """Compare what a trace predicts for fixed states with the runs that a harness measured beside it.

    No run observes the states that it was not in: a score counts only as far as this holds. The prediction is the
    recorded run's own seconds, and the differences between the states' costs at each moment.

    Returns
    -------
    list of Check
        One for each state that was measured; empty where nothing was.
    """
    seconds: dict[str, list[float]] = {}
    for one in trace.measured:
        if one["optimization"] == name:
            seconds.setdefault(one["arm"], []).append(one["seconds"])
    if RECORDED not in seconds:
        return []
    found = []
    for state in steps(trace, name).states:
        if state in seconds:
            predicted = median(seconds[RECORDED])
            for moment in trace.moments:
                costs = moment.assessments[name].costs
                if costs is not None:
                    predicted += costs[state] - costs[moment.after[name]]
            found.append(Check(state, predicted, median(seconds[state]), len(seconds[state])))
    return found
