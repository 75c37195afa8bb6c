"""What work stealing saves, and what it costs: from how tasks are spread over workers, and the bytes of their inputs.

A worker with p tasks on t threads needs p ÷ t rounds of d seconds, which is how long a task computes. *Kept*, where
they are, the last worker is done after::

    d · max(p ÷ t)

*Stealing*, Dask moves tasks from workers with many (*victims*) to those with few (*thieves*) until it believes that one
more would not be done sooner there. Their inputs, b bytes for each unless some share them, leave through the links of
the victims and arrive through those of the thieves, while the others compute::

    max(d · max(p' ÷ t), b · (most tasks on one link) ÷ link)

How many it moves follows from what *Dask* believes of durations (0.5 s where it has measured none) and of the network
(100 MB/s at first); how long that takes, from the types of the tasks and the measured link. That they differ is what
makes stealing harmful: with true ones, Dask would not steal what it had better left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asafess.core.mode import Rates, Sample, Vector, computing, total_load

STEALING, KEPT = "stealing", "kept"

#: axes: tasks that are assigned, and the workers; rounds that the last worker needs where tasks are kept, and where
#: they are stolen; the bytes of stolen inputs on the busiest link
TASKS, WORKERS, ROUNDS_KEPT, ROUNDS_STEALING, STOLEN = (
    *("steal_tasks", "steal_workers"),
    *("rounds_kept", "rounds_stealing", "stolen_bytes"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """A task that Dask may steal, on average."""

    #: bytes of its inputs that a thief does not have
    nbytes: float
    #: seconds that Dask believes it to compute
    compute: float
    #: seconds that Dask believes fetching its inputs to take
    move: float
    #: share of the tasks that may be stolen
    share: float = 1.0
    #: tasks that an input is for
    dependents: float = 1.0


def load(workers: Sequence[tuple[int, int]], task: Task | None) -> dict[str, float]:
    """Return the load of assigned tasks on the axes of this file; nothing where there are none.

    Parameters
    ----------
    workers : sequence of (int, int)
        Of each worker, the tasks that are assigned to it, and its threads.
    task : Task, optional
        None: nothing can be stolen.

    Examples
    --------
    >>> heavy = Task(nbytes=8e7, compute=0.5, move=0.8)
    >>> spread = load([(20, 1), (0, 1)], heavy)
    >>> spread["rounds_kept"], spread["rounds_stealing"], spread["stolen_bytes"]
    (20.0, 15.0, 400000000.0)
    """
    tasks = sum(assigned for assigned, _ in workers)
    if not tasks:
        return {}
    even = tasks / sum(threads for _, threads in workers)
    victims = [one for one in workers if one[0] > max(even * one[1], one[1])]
    thieves = [one for one in workers if one[0] < even * one[1]]
    kept = max(1.0, *(assigned / threads for assigned, threads in workers))
    both = {TASKS: float(tasks), WORKERS: float(len(workers)), ROUNDS_KEPT: kept}
    if not victims or not thieves or task is None:
        return {**both, ROUNDS_STEALING: kept, STOLEN: 0.0}
    each = len(thieves) / len(victims)
    stolen = [min(math.ceil(one[0] - even * one[1]), _believed(one[0], each, task)) for one in victims]
    arriving = sum(stolen) / len(thieves)
    rounds = [(assigned - gone) / threads for (assigned, threads), gone in zip(victims, stolen, strict=True)]
    rounds += [assigned / threads for assigned, threads in workers if assigned <= even * threads]
    rounds += [(assigned + arriving) / threads for assigned, threads in thieves]
    return {
        **both,
        ROUNDS_STEALING: min(max(1.0, *rounds), kept),
        STOLEN: max(_fetched(task, number, tasks) for number in (*stolen, arriving)),
    }


def _fetched(task: Task, number: float, tasks: int) -> float:
    """Return the bytes of the inputs of so many out of all tasks; an input that some of them share is fetched once.

    An input for k tasks is not fetched if none of them is among the n, of p: about ``(1 − n ÷ p)ᵏ`` of all inputs.
    """
    inputs = tasks / task.dependents
    return task.nbytes * inputs * float(1 - max(1 - number / tasks, 0.0) ** task.dependents)


def _believed(assigned: int, thieves: float, task: Task) -> int:
    """Return how many of a victim's tasks Dask moves to its thieves before it believes that one more does not pay.

    Its condition, in `distributed.stealing.WorkStealing.balance`: what the thief has to do by then, and moving and
    computing this task, take no longer than what the victim has to do, less half of computing it.
    """
    there = task.compute + task.move
    most = (task.compute * (assigned - 0.5) - there) / (there / thieves + task.compute)
    return max(0, math.ceil(min(most, task.share * assigned)))


def seconds(vector: Vector, rates: Rates) -> dict[str, float] | None:
    """Return the predicted seconds of what is scheduled, by state; None where it is not known who has it.

    Parameters
    ----------
    vector : mapping
        Loads on the standard axes and on those of this file.
    rates : Rates

    Examples
    --------
    >>> spread = load([(20, 1), (0, 1)], Task(nbytes=1e8, compute=0.5, move=0.0))
    >>> rates = Rates(flop=1e9, memory=1e9, link=1e8)
    >>> seconds({"compute": 20 * 1e8, **spread}, rates), seconds({"compute": 20 * 1e9, **spread}, rates)
    ({'stealing': 10.0, 'kept': 2.0}, {'stealing': 10.0, 'kept': 20.0})
    """
    tasks, workers = vector.get(TASKS, 0.0), vector.get(WORKERS, 0.0)
    if tasks <= 0 or workers <= 0:
        return None
    each = computing(vector, rates) / tasks
    moving = vector.get("communication", 0.0) / rates.link / workers  # what is fetched in any state
    return {
        STEALING: max(each * vector.get(ROUNDS_STEALING, 1.0), moving, vector.get(STOLEN, 0.0) / rates.link),
        KEPT: max(each * vector.get(ROUNDS_KEPT, 1.0), moving),
    }


def costs(sample: Sample) -> Mapping[str, float] | None:
    """Return the predicted seconds of a sample, by state; None where it does not say who has the tasks."""
    return None if sample.rates is None else seconds(total_load(sample.scheduled), sample.rates)
