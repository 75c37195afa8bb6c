"""What an optimization does to a scheduler, and whether it is as before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distributed import wait

from asafess.cluster.guard import merge, numbers
from asafess.optimizations.base import Optimization
from asafess.testing.contract import called, want
from asafess.testing.process import differences
from asafess.testing.program import SWARM, tiny

if TYPE_CHECKING:
    from distributed import Client, Scheduler

#: what a scheduler changes by itself
RESTLESS = ("bandwidth", "idle_since", "n_tasks", "thread_id", "total_occupancy", "transition_counter")
#: seconds and looks that a hook has, which puts something back in a coroutine
PATIENCE, LOOKS = 0.02, 25


def check_scheduler(client: Client, optimization: Optimization) -> None:
    """Hold the half that acts in the scheduler to its contract.

    Parameters
    ----------
    client : distributed.Client
    optimization : Optimization
        Is pickled to the scheduler.
    """
    for check in (_check_load, _check_states):
        problem = client.run_on_scheduler(_problem, check, optimization)
        want(not problem, problem)
    held = client.map(tiny, range(SWARM), [1] * SWARM, pure=False)
    wait(held)
    problem = client.run_on_scheduler(_problem, _check_load, optimization)
    want(not problem, problem)


async def _problem(check: Any, optimization: Optimization, dask_scheduler: Scheduler) -> str:
    """Return what is wrong: an exception would be logged in the scheduler, too."""
    try:
        await check(optimization, dask_scheduler)
    except AssertionError as error:
        return str(error)
    return ""


async def _check_states(optimization: Optimization, scheduler: Scheduler) -> None:
    states = optimization.states
    await _check_left(optimization, scheduler, ())
    for state in states:
        await _check_left(optimization, scheduler, (state, state))
    every = [state for first in states for second in states for state in (first, second)]
    await _check_left(optimization, scheduler, every)


async def _check_left(optimization: Optimization, scheduler: Scheduler, states: Any) -> None:
    before = scheduler_picture(scheduler)
    for state in states:
        called(optimization, "enter_scheduler", scheduler, state)
    called(optimization, "leave_scheduler", scheduler)
    for _ in range(LOOKS):
        changed = differences(before, scheduler_picture(scheduler))
        if not changed:
            return
        await asyncio.sleep(PATIENCE)
    entered = f"entering {', '.join(states)} in the scheduler and leaving it" if states else "leaving the scheduler"
    raise AssertionError(
        f"{optimization.name}.leave_scheduler must put back what it found, but after {entered} {'; '.join(changed)}"
    )


async def _check_load(optimization: Optimization, scheduler: Scheduler) -> None:
    """Want loads that can be part of a sample, of all tasks that the scheduler knows."""
    groups = {group: len(group) for group in scheduler.task_groups.values()}
    before = scheduler_picture(scheduler)
    found = called(optimization, "scheduler_load", scheduler, groups)
    load: dict[str, float] = {}
    source = f"{optimization.name}.scheduler_load()"
    try:
        merge(load, numbers(found), source)
    except Exception as error:
        raise AssertionError(f"{source} must map axes to finite numbers, but is {found!r}: {error}") from error
    want(all(one >= 0 for one in load.values()), f"{source} must not be negative, but is {load}")
    changed = differences(before, scheduler_picture(scheduler))
    want(not changed, f"{source} must change nothing, but {'; '.join(changed)}")


def scheduler_picture(scheduler: Scheduler) -> Mapping[str, Mapping[str, Any]]:
    """Return what there is to compare of a scheduler, as text."""
    cls = type(scheduler)
    slots = {name for one in cls.__mro__ for name in getattr(one, "__slots__", ()) if not name.startswith("_")}
    names = {name for name in {*vars(scheduler), *slots} if not name.startswith("_") and name not in RESTLESS}
    values = {name: getattr(scheduler, name, None) for name in sorted(names)}
    return {
        "the scheduler's": {
            name: repr(one) for name, one in values.items() if isinstance(one, int | float | str | bool | None)
        },
        # a method that was replaced, on the object or its class
        "the scheduler's method": {
            name: repr(vars(scheduler).get(name, one))
            for base in reversed(cls.__mro__)
            for name, one in vars(base).items()
            if callable(one)
        },
        "the scheduler's handler": {str(name): _described(one) for name, one in scheduler.handlers.items()},
        "the scheduler's stream handler": {
            str(name): _described(one) for name, one in scheduler.stream_handlers.items()
        },
        "the scheduler's plugin": {str(name): repr(one) for name, one in scheduler.plugins.items()},
        "the scheduler's worker plugin": {str(name): str(len(one)) for name, one in scheduler.worker_plugins.items()},
        "the scheduler's extension": {str(name): repr(one) for name, one in scheduler.extensions.items()},
        "the scheduler's periodic callback": {
            str(name): f"every {one.callback_time} ms, {'running' if one.is_running() else 'stopped'}"
            for name, one in scheduler.periodic_callbacks.items()
        },
        "the scheduler's worker": {
            address: f"{ws.nthreads} threads, {ws.status.name}, resources {ws.resources}"
            for address, ws in scheduler.workers.items()
        },
    }


def _described(handler: Any) -> str:
    """Return a handler as text. A method is told by whose it is: the scheduler's own text counts tasks."""
    function = getattr(handler, "__func__", None)
    return repr(handler) if function is None else f"{function!r} of {id(handler.__self__):#x}"
