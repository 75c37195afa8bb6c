"""Work stealing on a live scheduler: what Dask asks its workers for, and what is put back."""

import asyncio
import time

import numpy as np
import pytest
from distributed.utils_test import gen_cluster
from helpers import GATES, RATES, installed, new_gates, until

import asafess
from asafess.optimizations.work_stealing import WorkStealing
from asafess.optimizations.work_stealing_costs import ROUNDS_KEPT, ROUNDS_STEALING, STOLEN, TASKS

COUNT = 40
THREADS = [("127.0.0.1", 1)] * 2
#: so that a test need not wait for a second; and so that nothing is stolen before it is decided
OFTEN = {"distributed.scheduler.work-stealing-interval": "10ms"}
NEVER = {"distributed.scheduler.work-stealing-interval": "1h"}


@asafess.task(loads={"compute": 1e5}, name="light")
async def light(block):
    """Wait until it may end; 0.1 ms by its type, and 8 ms to move its input."""
    await GATES["may_end"].wait()
    return float(block[0])


@asafess.task(loads={"compute": 1e9}, name="heavy")
async def heavy(block):
    """Wait until it may end; a second by its type."""
    await GATES["may_end"].wait()
    return float(block[0])


async def blocks_on(worker, client):
    """Make blocks on one worker, where Dask assigns what needs them."""
    made = [np.full(100_000, float(k)) for k in range(COUNT)]
    return await client.scatter(made, workers=[worker.address], hash=False)


def asked(s):
    """Return how many tasks Dask has asked a worker to give away."""
    return sum(s.extensions["stealing"].metrics["request_count_total"].values())


def stolen(s):
    """Return the keys of tasks that have been given away."""
    return {message[1] for _, message in s.get_events("stealing") if message[0] == "confirm"}


def running(s):
    return s.periodic_callbacks["stealing"].is_running()


def assigned(s, *workers):
    return [len(s.workers[one.address].processing) for one in workers]


@gen_cluster(client=True, nthreads=THREADS, config=OFTEN)
async def test_kept_tasks_stay_where_their_data_is_and_are_stolen_when_it_ends(c, s, a, b):
    plugin = await installed(c, s, ["work_stealing"], control={"work_stealing": "kept"})
    _, may_end = new_gates()
    made = await blocks_on(a, c)
    futures = c.map(light, made)
    await until(lambda: assigned(s, a, b) == [COUNT, 0])
    assert not running(s)
    await asyncio.sleep(0.1)  # ten times as long as Dask would have waited
    assert assigned(s, a, b) == [COUNT, 0]
    assert asked(s) == 0
    await asafess.pin(c, "work_stealing", "stealing")
    assert running(s)
    await until(lambda: stolen(s))
    may_end.set()
    assert sum(await c.gather(futures)) == sum(range(COUNT))
    assert plugin.fault is None


@gen_cluster(client=True, nthreads=THREADS, config=OFTEN)
async def test_the_same_program_is_stolen_from_without_us(c, s, a, b):
    _, may_end = new_gates()
    futures = c.map(light, await blocks_on(a, c))
    await until(lambda: stolen(s))
    may_end.set()
    assert sum(await c.gather(futures)) == sum(range(COUNT))


@gen_cluster(client=True, nthreads=THREADS, config=NEVER)
async def test_it_stops_for_light_tasks_with_much_data_and_goes_on_for_heavy_ones(c, s, a, b):
    plugin = await installed(c, s, ["work_stealing"])
    made = await blocks_on(a, c)
    for task, state in ((light, "kept"), (heavy, "stealing")):
        _, may_end = new_gates()
        futures = c.map(task, made, pure=False)
        await until(lambda state=state: plugin.controller.state.states == {"work_stealing": state})
        assert running(s) == (state == "stealing")
        may_end.set()
        assert sum(await c.gather(futures)) == sum(range(COUNT))
        del futures
    assert plugin.controller.counters["switches"] == 2
    assert plugin.fault is None


@gen_cluster(client=True, nthreads=THREADS, config=NEVER)
async def test_what_was_asked_for_before_is_moved_and_done(c, s, a, b):
    await installed(c, s, ["work_stealing"], control={"work_stealing": "stealing"})
    _, may_end = new_gates()
    futures = c.map(light, await blocks_on(a, c))
    await until(lambda: assigned(s, a, b) == [COUNT, 0])
    stealing = s.extensions["stealing"]
    stealing.balance()
    flying = len(stealing.in_flight)
    assert flying
    s.plugins["asafess"].control("work_stealing", "kept")
    assert len(stealing.in_flight) == flying
    await until(lambda: not stealing.in_flight)
    assert 0 < len(stolen(s)) <= flying
    may_end.set()
    assert sum(await c.gather(futures)) == sum(range(COUNT))


@gen_cluster(client=True, nthreads=THREADS, config=NEVER)
async def test_the_mode_holds_how_tasks_are_spread_and_what_would_be_moved(c, s, a, b):
    plugin = await installed(c, s, ["work_stealing"], control={"work_stealing": "kept"})
    _, may_end = new_gates()
    made = await blocks_on(a, c)
    futures = c.map(light, made)
    await until(lambda: assigned(s, a, b) == [COUNT, 0])
    [entry] = plugin.hooks.load(s, {}, running=True)
    assert entry.load[TASKS] == entry.load[ROUNDS_KEPT] == COUNT
    moved = COUNT - entry.load[ROUNDS_STEALING]
    assert 0 < moved <= COUNT // 2
    assert entry.load[STOLEN] == moved * 800_000
    await c.replicate(made)
    [entry] = plugin.hooks.load(s, {}, running=True)
    assert entry.load[STOLEN] == 0.0  # all have it
    may_end.set()
    await c.gather(futures)


async def gate(*blocks):
    """Wait until it may end; it has no type."""
    await GATES["may_end"].wait()
    return 0.0


@asafess.task(loads={"compute": 1e7}, name="gated")
def gated(block, gate):
    """Do little with a block; 10 ms by its type, and 8 ms to move its input."""
    time.sleep(0.02)
    return float(block[0])


async def waiting(c, s, where):
    """Return tasks that wait for a gate, one for each block that lies on a worker, what opens it, and the blocks."""
    _, may_end = new_gates()
    made = await blocks_on(where, c)
    opened = c.submit(gate, *made, workers=[where.address], pure=False)
    futures = c.map(gated, made, [opened] * COUNT, pure=False)
    await until(lambda: sum(ts.state == "waiting" for ts in s.tasks.values()) == COUNT)
    return futures, may_end, made


def group_of(s, prefix):
    return next(one for one in s.task_groups.values() if one.prefix.name == prefix)


@gen_cluster(client=True, nthreads=THREADS, config=OFTEN)
async def test_it_is_decided_before_the_first_task_of_a_phase_is_assigned(c, s, a, b):
    plugin = await installed(c, s, ["work_stealing"], window="300ms", rates={**RATES, "link": 1e7})
    s.periodic_callbacks["asafess"].stop()
    plugin.tick()
    futures, may_end, _ = await waiting(c, s, a)
    assert plugin.controller.state.states == {"work_stealing": "stealing"}
    may_end.set()
    assert sum(await c.gather(futures)) == sum(range(COUNT))
    assert plugin.controller.state.states == {"work_stealing": "kept"}
    assert not stolen(s)  # though Dask would have looked every ten milliseconds
    assert plugin.fault is None


@gen_cluster(client=True, nthreads=THREADS, config=OFTEN)
async def test_without_us_it_would_have_been_stolen_from(c, s, a, b):
    futures, may_end, _ = await waiting(c, s, a)
    may_end.set()
    assert sum(await c.gather(futures)) == sum(range(COUNT))
    assert stolen(s)


@gen_cluster(client=True, nthreads=THREADS, config=NEVER)
async def test_tasks_that_come_are_expected_where_they_will_be(c, s, a, b):
    optimization = WorkStealing()
    futures, may_end, _ = await waiting(c, s, a)
    group = group_of(s, "gated")
    coming = optimization.scheduler_load(s, {group: COUNT})
    assert coming[TASKS] == coming[ROUNDS_KEPT] == COUNT
    assert coming[STOLEN] > 0
    assert (
        optimization.scheduler_load(s, {group: COUNT, group_of(s, "gate"): 1}) == {}
    )  # one of them is not to be found
    may_end.set()
    await until(lambda: group.states["processing"])
    now = optimization.scheduler_load(s, {})
    assert now[ROUNDS_STEALING] / now[TASKS] == pytest.approx(coming[ROUNDS_STEALING] / COUNT, rel=0.1)
    await c.gather(futures)


@gen_cluster(client=True, nthreads=THREADS, config=NEVER)
async def test_tasks_whose_inputs_all_have_are_expected_on_each(c, s, a, b):
    futures, may_end, made = await waiting(c, s, a)
    await c.replicate(made)
    coming = WorkStealing().scheduler_load(s, {group_of(s, "gated"): COUNT})
    assert coming[TASKS] == COUNT
    assert coming[ROUNDS_KEPT] == pytest.approx(COUNT / 2, abs=2)  # some are looked at, not all
    assert coming[STOLEN] == 0.0
    may_end.set()
    await c.gather(futures)


@gen_cluster(client=True, nthreads=THREADS, config=NEVER)
async def test_tasks_are_not_expected_on_a_worker_that_is_being_removed(c, s, a, b):
    futures, may_end, made = await waiting(c, s, a)
    await c.replicate(made)
    gone = s.workers.pop(a.address)  # as Dask does before it takes the tasks away: the gate is still there
    try:
        coming = WorkStealing().scheduler_load(s, {group_of(s, "gated"): COUNT})
    finally:
        s.workers[a.address] = gone
    assert coming == {**coming, TASKS: COUNT, ROUNDS_KEPT: COUNT, STOLEN: 0.0}
    may_end.set()
    await c.gather(futures)


@gen_cluster(client=True, nthreads=THREADS, config=NEVER)
async def test_tasks_that_are_bound_to_a_worker_are_nothing_to_steal(c, s, a, b):
    plugin = await installed(c, s, ["work_stealing"])
    _, may_end = new_gates()
    futures = c.map(heavy, await blocks_on(a, c), workers=[a.address])
    await until(lambda: assigned(s, a, b) == [COUNT, 0])
    [entry] = plugin.hooks.load(s, {}, running=True)
    assert entry.load[ROUNDS_STEALING] == entry.load[ROUNDS_KEPT] == COUNT
    may_end.set()
    await c.gather(futures)


@gen_cluster(client=True, nthreads=THREADS)
async def test_uninstalling_goes_on_with_stealing(c, s, a, b):
    found = s.periodic_callbacks["stealing"]
    await installed(c, s, ["work_stealing"])
    await asafess.pin(c, "work_stealing", "kept")
    assert not running(s)
    await asafess.uninstall(c)
    assert running(s)
    assert s.periodic_callbacks["stealing"] is found


@gen_cluster(client=True, nthreads=THREADS)
async def test_what_others_have_stopped_stays_stopped(c, s, a, b):
    found = s.periodic_callbacks["stealing"]
    await installed(c, s, ["work_stealing"])
    await asafess.pin(c, "work_stealing", "kept")
    await s.extensions["stealing"].stop()
    await asafess.uninstall(c)
    assert not found.is_running()
    assert "stealing" not in s.periodic_callbacks
    await installed(c, s, ["work_stealing"], control={"work_stealing": "kept"})
    await asafess.uninstall(c)
    assert "stealing" not in s.periodic_callbacks


@gen_cluster(client=True, nthreads=THREADS, config={"distributed.scheduler.work-stealing": False})
async def test_a_cluster_without_stealing_stays_so(c, s, a, b):
    plugin = await installed(c, s, ["work_stealing"])
    _, may_end = new_gates()
    futures = c.map(heavy, await blocks_on(a, c))
    await until(lambda: assigned(s, a, b) == [COUNT, 0])
    assert WorkStealing().scheduler_load(s, {}) == {}
    for state in ("kept", "stealing"):
        await asafess.pin(c, "work_stealing", state)
        assert "stealing" not in s.periodic_callbacks
    may_end.set()
    await c.gather(futures)
    await asafess.uninstall(c)
    assert "stealing" not in s.periodic_callbacks
    assert plugin.fault is None
