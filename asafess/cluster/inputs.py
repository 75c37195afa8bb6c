"""The logical bytes of a task's inputs, and of those that have to be moved, from the scheduler's records."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import TYPE_CHECKING, Any

from dask._task_spec import DataNode
from dask.sizeof import sizeof

if TYPE_CHECKING:
    from distributed.scheduler import TaskState, WorkerState

#: inputs of a task that are looked at while it is scheduled; a reduction may have thousands
INPUTS = 64


def known(ts: TaskState) -> bool:
    """Say whether all inputs of a task exist, so that it could be assigned at once."""
    return all(dependency.who_has or _is_data(dependency) for dependency in ts.dependencies)


def predicted(ts: TaskState, fetched: set[tuple[Any, str]]) -> tuple[float, float]:
    """Return the bytes of a task's inputs, and of those that will be missing where it will run.

    Restrictions say where that is; else Dask runs a task where most of its inputs are.

    Parameters
    ----------
    ts : TaskState
        All its inputs exist, or are being made: then they are taken to be as large as others of their group, and to
        stay where they are made.
    fetched : set of (key, address)
        What other tasks of the graph fetch to a worker already, which happens once; this task's are added.
    """
    total = 0.0
    held: dict[str, float] = {}
    for dependency in ts.dependencies:
        nbytes = _nbytes(dependency)
        total += nbytes
        for ws in _holders(dependency):
            held[ws.address] = held.get(ws.address, 0.0) + nbytes
    places: Collection[str] = ts.worker_restrictions or held
    if not places:
        return total, total
    place = max(sorted(places), key=lambda address: held.get(address, 0.0))
    missing = 0.0
    for dependency in ts.dependencies:
        here = any(ws.address == place for ws in _holders(dependency))
        if not here and (dependency.key, place) not in fetched:
            fetched.add((dependency.key, place))
            missing += _nbytes(dependency)
    return total, missing


def assigned(ts: TaskState, ws: WorkerState, workers: int, replicated: Collection[Any]) -> tuple[float, float]:
    """Return the bytes of an assigned task's inputs, and its part of those that were or are to be fetched.

    A dependency that is here *and* elsewhere was fetched, unless it was on several workers all along
    (`replicated`). So the answer is the same before and after the transfer. What many tasks share is fetched
    once for all of them on a worker.
    """
    total = missing = 0.0
    for dependency in islice(ts.dependencies, INPUTS):
        nbytes = _nbytes(dependency)
        total += nbytes
        holders = dependency.who_has or ()
        if ws not in holders or (len(holders) > 1 and dependency.key not in replicated):
            missing += nbytes * min(1.0, workers / len(dependency.dependents))
    return total, missing


def _holders(ts: TaskState) -> Collection[WorkerState]:
    """Return the workers that have a task's result, or will have it first."""
    return ts.who_has or ((ts.processing_on,) if ts.processing_on else ())


def _is_data(ts: TaskState) -> bool:
    """Say whether a task only holds a value that came with its graph."""
    return isinstance(ts.run_spec, DataNode)


def _nbytes(ts: TaskState) -> float:
    """Return the logical bytes of a task's result; before there is one the mean of its group, 0 while nobody knows."""
    if ts.nbytes >= 0:
        return ts.nbytes
    if _is_data(ts):
        return int(sizeof(ts.run_spec.value))  # type: ignore[union-attr]
    made = ts.group.states["memory"] + ts.group.states["released"] + ts.group.states["forgotten"]
    return ts.group.nbytes_total / made if made else 0.0
