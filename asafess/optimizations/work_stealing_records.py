"""What the scheduler's records say of how tasks are spread over workers, and of what stealing them would move.

Of tasks that are *assigned*, where they are. Of those that *come*, where they will be: Dask gives a task to a worker
that holds some of its inputs, so to one that holds most. They are found from what workers hold and make, because a
group of tasks does not list them; a look at some of each worker makes a spread look more even than it is, if anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from asafess.optimizations import work_stealing_costs
from asafess.optimizations.work_stealing_costs import Task

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, TaskGroup, TaskState, WorkerState

#: workers whose assigned tasks are looked at, tasks of each, and inputs of a task
WORKERS, TASKS, INPUTS = 4, 8, 16
#: results that are looked at for tasks that wait for them, of all workers together, and tasks of each
RESULTS, DEPENDENTS = 64, 16

#: a task, and how many it stands for
Weighed = tuple["TaskState", float]


def assigned(scheduler: Scheduler) -> dict[str, float]:
    """Return the load of the tasks that are assigned; see `asafess.optimizations.work_stealing_costs.load`."""
    workers = list(scheduler.workers.values())
    spread = [(len(ws.processing) - len(ws.long_running), ws.nthreads) for ws in workers]
    victims = nlargest(WORKERS, workers, key=lambda ws: len(ws.processing) / ws.nthreads)
    looked_at = [(ts, 1.0) for ws in victims if len(ws.processing) > ws.nthreads for ts in islice(ws.processing, TASKS)]
    return work_stealing_costs.load(spread, _mean(scheduler, looked_at))


def coming(scheduler: Scheduler, groups: Mapping[TaskGroup, int]) -> dict[str, float]:
    """Return the load of tasks that will be assigned; empty while nobody can say where.

    Parameters
    ----------
    scheduler : distributed.Scheduler
    groups : mapping
        Group → how many of its tasks.
    """
    found: dict[TaskGroup, list[tuple[TaskState, WorkerState]]] = {}
    given = dict.fromkeys(scheduler.workers.values(), 0)
    for ts in _waiting(scheduler, groups):
        place = _place(scheduler, ts, given)
        if place is None:
            return {}
        given[place] += 1
        found.setdefault(ts.group, []).append((ts, place))
    if len(found) < len(groups):
        return {}
    counts = dict.fromkeys(given, 0.0)
    looked_at: list[Weighed] = []
    for group, members in found.items():
        weight = groups[group] / len(members)
        for ts, place in members:
            counts[place] += weight
            looked_at.append((ts, weight))
    spread = [(round(count), ws.nthreads) for ws, count in counts.items()]
    return work_stealing_costs.load(spread, _mean(scheduler, looked_at))


def _waiting(scheduler: Scheduler, groups: Mapping[TaskGroup, int]) -> Iterator[TaskState]:
    """Yield some tasks of these groups, each once: those that need what workers hold, the latest first, or make."""
    seen: set[TaskState] = set()
    each = max(1, RESULTS // max(len(scheduler.workers), 1))
    for ws in islice(scheduler.workers.values(), RESULTS):
        held: Any = ws.has_what  # the keys of a dictionary, in the order in which they came
        for result in islice(chain(ws.processing, reversed(held)), each):
            for ts in islice(result.dependents, DEPENDENTS):
                if ts.group in groups and ts not in seen and ts.processing_on is None:
                    seen.add(ts)
                    yield ts


def _place(scheduler: Scheduler, ts: TaskState, given: Mapping[WorkerState, int]) -> WorkerState | None:
    """Return the worker with most of a task's inputs, of several the one with the fewest tasks; None: not known yet."""
    held: dict[WorkerState, float] = {}
    for one in islice(ts.dependencies, INPUTS):
        for ws in one.who_has or ((one.processing_on,) if one.processing_on else ()):
            held[ws] = held.get(ws, 0.0) + _nbytes(one)
    if not any(held.values()):
        return None
    if ts.worker_restrictions:
        bound = [scheduler.workers[address] for address in ts.worker_restrictions if address in scheduler.workers]
        held = {ws: held.get(ws, 0.0) for ws in bound}
    # Dask removes a worker before its tasks: until they have gone elsewhere, some are still there
    held = {ws: nbytes for ws, nbytes in held.items() if ws in given}
    return max(held, key=lambda ws: (held[ws], -given[ws] / ws.nthreads), default=None)


def _mean(scheduler: Scheduler, looked_at: Iterable[Weighed]) -> Task | None:
    """Return the mean of those of some tasks that Dask may steal; None where there are none."""
    total = found = 0.0
    nbytes = alone = compute = move = 0.0
    for ts, weight in looked_at:
        total += weight
        if not _may_be_stolen(ts):
            continue
        found += weight
        inputs = list(islice(ts.dependencies, INPUTS))
        weighed = weight * len(ts.dependencies) / len(inputs) if inputs else 0.0
        sizes = [_nbytes(one) for one in inputs]
        missing = [size * _without(one, len(scheduler.workers)) for one, size in zip(inputs, sizes, strict=True)]
        nbytes += weighed * sum(missing)
        alone += weighed * sum(part / max(len(one.dependents), 1) for one, part in zip(inputs, missing, strict=True))
        compute += weight * scheduler._get_prefix_duration(ts.prefix)
        move += weighed * sum(sizes) / scheduler.bandwidth
    if not found:
        return None
    return Task(nbytes / found, compute / found, move / found, found / total, nbytes / alone if alone else 1.0)


def _may_be_stolen(ts: TaskState) -> bool:
    """Say whether Dask may steal a task: it does not have to stay where it is, and is none of those Dask leaves."""
    from distributed.stealing import fast_tasks

    bound = (ts.worker_restrictions or ts.host_restrictions) and not ts.loose_restrictions
    left = ts.actor or ts.prefix.name in fast_tasks
    return not (bound or left or (ts.processing_on is not None and ts in ts.processing_on.long_running))


def _without(ts: TaskState, workers: int) -> float:
    """Return the share of the other workers that do not have a result."""
    return max(workers - max(len(ts.who_has or ()), 1), 0) / max(workers - 1, 1)


def _nbytes(ts: TaskState) -> float:
    """Return the bytes of a result; before there is one the mean of its group, 0 while nobody knows."""
    if ts.nbytes >= 0:
        return float(ts.nbytes)
    made = sum(ts.group.states[state] for state in ("memory", "released", "forgotten")) if ts.group.start else 0
    return ts.group.nbytes_total / made if made else 0.0
