"""What looks at measured executions agree on.

What is seen are sums: so many tasks of a kind have ended since the last look, and computed so many seconds together. A
`Fit` is the rate that typical looks agree on: the weighted median, because the first task on each worker may compile
or import what the others find there. For the same reason a look with many tasks weighs no more than one with `HEAVY`.
Three things can be what the seconds go with: the number of tasks, the bytes of
their inputs where looks with different inputs say so, or what the compiler predicted.

*Confidence* is a product of three shares: ``tasks ÷ (tasks + 4)``, ``looks ÷ (looks + 1)``, and the *agreement* of
the looks with the rate. More of the same never lowers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

#: tasks with which half of what the number of tasks adds to confidence is reached
TASKS = 4
#: tasks of one look that weigh
HEAVY = 8
#: seconds of one task that do not matter: calling a function through Dask takes about as long
NEGLIGIBLE = 1e-4
#: largest ÷ smallest input from which on looks can tell whether the seconds go with the bytes
VARIED = 2.0


class Observation(NamedTuple):
    """What was seen at one look: sums over the tasks of one kind that have ended since the last one."""

    #: at least 1
    tasks: int
    #: seconds on a processor, all tasks together
    compute: float
    #: seconds of fetching inputs
    transfer: float = 0.0
    #: logical bytes of their inputs; None while unknown
    input_bytes: float | None = None
    #: logical bytes of their results
    output_bytes: float = 0.0
    #: seconds of computing that a derived type predicts; None where there is none
    predicted: float | None = None
    #: seconds that they kept their threads, waiting included; None while unknown
    elapsed: float | None = None


#: what the seconds may go with → its place in an observation
FIELDS = {"task": 0, "byte": 3, "derived": 5}


@dataclass(frozen=True, slots=True)
class Fit:
    """What observations agree on."""

    #: what the seconds go with
    by: Literal["task", "byte", "derived"]
    #: seconds for each task, for each byte of input, or for each second that was predicted
    rate: float
    tasks: int
    looks: int
    #: share from 0 to 1: how well the looks agree with the rate, 1 less the mean deviation
    agreement: float
    #: the observations
    seen: tuple[Observation, ...]

    @property
    def confidence(self) -> float:
        """From 0 to 1; see the module."""
        return self.tasks / (self.tasks + TASKS) * self.looks / (self.looks + 1) * self.agreement

    @property
    def seconds(self) -> float:
        """Seconds of computing of one typical task."""
        return self.rate * amount(self.total, self.by) / self.tasks

    @property
    def total(self) -> Observation:
        """The sum of all observations."""
        tasks, compute, transfer, inputs, outputs, predicted, elapsed = zip(*self.seen, strict=True)
        return Observation(
            sum(tasks),
            sum(compute),
            sum(transfer),
            None if None in inputs else sum(inputs),
            sum(outputs),
            None if None in predicted else sum(predicted),
            None if None in elapsed else sum(elapsed),
        )


def amount(one: Observation, by: str) -> float:
    """Return what the seconds of an observation go with: its tasks, the bytes of its inputs, or predicted seconds."""
    return float(one[FIELDS[by]] or 0.0)


def fit(observations: Sequence[Observation], by: Literal["task", "byte", "derived"] = "task") -> Fit | None:
    """Return the rate that observations agree on; None where nothing is there that the seconds could go with.

    Parameters
    ----------
    observations : sequence of Observation
    by : {"task", "byte", "derived"}

    Examples
    --------
    >>> found = fit([Observation(1, 1.0), Observation(4, 0.012), Observation(7, 0.021)])  # the first one compiled
    >>> found.rate, round(found.confidence, 2)
    (0.003, 0.52)
    """
    field = FIELDS[by]
    # plain tuples and no calls: this runs on the scheduler's tick
    parts = [(one[0], one[1], one[field] or 0.0) for one in observations]
    rates = sorted([(seconds / x, tasks if tasks < HEAVY else HEAVY) for tasks, seconds, x in parts if x])
    if not rates:
        return None
    place, left = 0, sum([weight for _, weight in rates]) / 2
    while left > 0:
        rate, weight = rates[place]
        left -= weight
        place += 1
    agreeing, weights, count = 0.0, 0, 0
    for tasks, seconds, x in parts:
        expected, ignored = rate * x, NEGLIGIBLE * tasks
        smaller, larger = (seconds, expected) if seconds < expected else (expected, seconds)
        weight = tasks if tasks < HEAVY else HEAVY
        agreeing += weight * (smaller + ignored) / (larger + ignored)
        weights += weight
        count += tasks
    return Fit(by, rate, count, len(parts), min(agreeing / weights, 1.0), tuple(observations))


def best_fit(observations: Sequence[Observation]) -> Fit | None:
    """Return the rate by predicted seconds where there are any, by bytes where that agrees better, else by tasks.

    Examples
    --------
    >>> best_fit([Observation(2, 0.2, input_bytes=2e6), Observation(2, 0.8, input_bytes=8e6)]).by
    'byte'
    >>> best_fit([Observation(2, 0.2, input_bytes=2e6), Observation(2, 0.2, input_bytes=8e6)]).by
    'task'
    """
    if any(one[5] for one in observations):
        return fit(observations, "derived")
    per_task = fit(observations)
    sizes = [one[3] / one[0] for one in observations if one[3] is not None]
    if len(sizes) == len(observations) and sizes and max(sizes) >= VARIED * min(sizes):
        per_byte = fit(observations, "byte")
        if per_byte and per_task and per_byte.agreement > per_task.agreement:
            return per_byte
    return per_task
