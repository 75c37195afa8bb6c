"""Queuing on a live scheduler: tasks that are queued, sent at once, and what is put back."""

import asyncio
import logging
import math

import dask
import pytest
from dask._task_spec import Task, TaskRef
from distributed import Worker
from distributed.utils_test import gen_cluster
from helpers import GATES, RATES, installed, new_gates, until

import asafess
from asafess.optimizations.queuing import OPEN_SATURATION, Queuing
from asafess.optimizations.registry import BUILT_IN

COUNT = 40
#: so that nothing is measured here
GIVEN = {**RATES, "round_trips": 200.0, "kept_memory": 2e9, "spill_disk": 5e8}


@asafess.task(loads={"compute": 1.0}, name="tiny")
async def tiny(number):
    """Wait until it may end, but for the first one."""
    if number:
        await GATES["may_end"].wait()
    return number


def held(client, count=COUNT):
    return client.map(tiny, range(1, count + 1), pure=False)


async def measured(client, scheduler):
    """Let Dask see a tiny task, so that its output is known; its duration is that on a machine that does nothing else.

    One that stands still for 100 ms meanwhile, as machines that many share do, makes of it a task that waits for none.
    """
    gates = new_gates()
    first = client.submit(tiny, 0, pure=False)
    await first
    scheduler.task_prefixes["tiny"].duration_average = 1e-3
    return first, gates[1]


def saturation(s):
    return s.WORKER_SATURATION


def queued(s):
    return {ts.key for ts in s.tasks.values() if ts.state == "queued"}


@gen_cluster(client=True)
async def test_what_is_queued_is_sent_when_it_opens_and_nothing_is_called_back(c, s, a, b):
    plugin = await installed(c, s, ["queuing"], rates=GIVEN, control={"queuing": "queued"})
    _, may_end = await measured(c, s)
    found = saturation(s)
    futures = held(c)
    await until(lambda: queued(s))
    await asafess.pin(c, "queuing", "open")
    assert saturation(s) == OPEN_SATURATION
    assert not s.queued
    assert sum(len(ws.processing) for ws in s.workers.values()) == COUNT
    await asafess.pin(c, "queuing", "queued")
    assert saturation(s) == found
    assert sum(len(ws.processing) for ws in s.workers.values()) == COUNT
    more = held(c)
    await until(lambda: len(queued(s)) == COUNT)
    may_end.set()
    assert len(await c.gather(futures + more)) == 2 * COUNT
    assert plugin.fault is None


@gen_cluster(client=True)
async def test_a_swarm_is_sent_at_once_when_its_graph_arrives(c, s, a, b):
    plugin = await installed(c, s, [Queuing(round_trip=0.1)], rates=GIVEN)
    first, may_end = await measured(c, s)
    futures = held(c)
    await until(lambda: len(s.tasks) == COUNT + 1)
    assert not s.queued
    assert plugin.controller.state.states == {"queuing": "open"}
    may_end.set()
    await c.gather(futures)
    assert plugin.fault is None
    del first


@gen_cluster(client=True)
async def test_tasks_with_large_outputs_stay_queued(c, s, a, b):
    plugin = await installed(c, s, [Queuing(round_trip=0.1, disk=1.0)], rates=GIVEN)
    _, may_end = await measured(c, s)
    with dask.config.set({"distributed.worker.memory.target": 1e-12}):
        futures = held(c)
        await until(lambda: len(queued(s)) > COUNT // 2)
        used = plugin.controller.counters["used"]
        await until(lambda: plugin.controller.counters["used"] > used + 2)
        assert plugin.controller.vector["root_spilled"] > 0
        assert plugin.controller.state.states == {"queuing": "queued"}
        may_end.set()
        await c.gather(futures)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)])
async def test_tasks_wait_for_workers_while_there_are_none(c, s, a):
    plugin = await installed(c, s, list(BUILT_IN), rates=GIVEN)
    await asafess.pin(c, "queuing", "queued")
    _, may_end = await measured(c, s)
    futures = held(c)
    await until(lambda: queued(s))
    await a.close()
    assert not s.workers
    assert s.queued
    plugin.tick()
    more = c.map(tiny, range(100, 140), pure=False)
    await until(lambda: more[-1].key in s.tasks)
    plugin.tick()
    assert plugin.fault is None
    may_end.set()
    async with Worker(s.address, nthreads=1):
        assert await c.gather(futures + more) == [*range(1, COUNT + 1), *range(100, 140)]
        assert plugin.fault is None


@gen_cluster(client=True)
async def test_uninstalling_puts_the_saturation_back(c, s, a, b):
    found = saturation(s)
    await installed(c, s, ["queuing"], rates=GIVEN)
    await asafess.pin(c, "queuing", "open")
    assert saturation(s) != found
    await asafess.uninstall(c)
    assert saturation(s) == found


@gen_cluster(client=True, config={"distributed.scheduler.worker-saturation": math.inf})
async def test_a_cluster_without_queuing_stays_so(c, s, a, b):
    plugin = await installed(c, s, ["queuing"], rates=GIVEN)
    _, may_end = await measured(c, s)
    await asafess.pin(c, "queuing", "open")
    assert saturation(s) == math.inf
    futures = held(c)
    may_end.set()
    await c.gather(futures)
    await asafess.uninstall(c)
    assert saturation(s) == math.inf
    assert plugin.fault is None


class Broken(Queuing):
    """Fails where it is told to; what it has changed by then stays changed."""

    name = "broken"

    def __init__(self, where):
        super().__init__(round_trip=0.1)
        self.where = where

    def scheduler_load(self, scheduler, groups):
        if self.where == "scheduler_load":
            raise RuntimeError("broken on purpose")
        return {"root_wait": math.nan} if self.where == "nan" else super().scheduler_load(scheduler, groups)

    def enter_scheduler(self, scheduler, state):
        if state == "open" or self.where != "enter_scheduler":
            super().enter_scheduler(scheduler, state)
        if self.where == "enter_scheduler":
            raise RuntimeError("broken on purpose")

    def leave_scheduler(self, scheduler):
        super().leave_scheduler(scheduler)
        if self.where == "leave_scheduler":
            raise RuntimeError("broken on purpose")


@pytest.mark.parametrize("where", ["scheduler_load", "nan", "enter_scheduler"])
def test_a_hook_that_raises_turns_everything_off_says_so_once_and_stops_nothing(where, caplog):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        found = saturation(s)
        plugin = await installed(c, s, [Broken(where)], rates=GIVEN)
        with caplog.at_level(logging.WARNING, "asafess.scheduler"):
            _, may_end = await measured(c, s)
            futures = held(c)
            await until(lambda: plugin.fault)
            await asyncio.sleep(0.15)  # some more ticks
            may_end.set()
            assert len(await c.gather(futures)) == COUNT
        assert [one for one in caplog.records if one.levelno == logging.WARNING and "has failed" in one.message]
        assert sum("has failed" in one.message for one in caplog.records) == 1
        assert plugin.controller.counters["faults"] >= 1
        assert plugin.controller.state.states == {"broken": "queued"}
        assert saturation(s) == found

    run()


@gen_cluster(client=True)
async def test_a_hook_that_fails_to_leave_does_not_keep_asafess_on_the_cluster(c, s, a, b):
    found = saturation(s)
    await installed(c, s, [Broken("leave_scheduler")], rates=GIVEN)
    await asafess.pin(c, "broken", "open")
    await asafess.uninstall(c)
    assert saturation(s) == found
    assert not [name for name in s.plugins if "asafess" in name]


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)] * 2)
async def test_the_queue_opens_before_a_swarm_that_waits_for_a_barrier(c, s, a, b):
    plugin = await installed(c, s, [Queuing(round_trip=0.1)], rates=GIVEN, window="100ms")
    first, may_end = await measured(c, s)
    barrier = c.submit(tiny, 1, key="tiny-1", pure=False)
    graph = {(name := ("tiny-2", k)): Task(name, after, k, TaskRef("tiny-1")) for k in range(200)}
    futures = c.get(graph, list(graph), sync=False)
    await until(lambda: plugin.controller.state.states == {"queuing": "open"})
    assert {ts.state for ts in s.tasks.values() if ts.group.name == "tiny-2"} == {"waiting"}
    may_end.set()
    await c.gather([barrier, *futures])
    assert plugin.fault is None
    del first


@asafess.task(loads={"compute": 1.0}, name="after")
def after(number, before):
    return number
