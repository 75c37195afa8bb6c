"""Look-ahead: while the last tasks of a phase run, the mode is that of the tasks which wait for them."""

import asyncio

import numpy as np
import pytest
from dask._task_spec import Task, TaskRef
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph
from distributed.utils_test import gen_cluster
from helpers import GATES, installed, new_gates, until

import asafess

WORDS = 1_000_000


@asafess.task(loads={"compute": 1e9}, name="crunch")
async def crunch(number, seconds=0.0):
    """Begin, and wait until it may end; the very first one does not wait."""
    await asyncio.sleep(seconds)
    if number:
        GATES["begun"].set()
        await GATES["may_end"].wait()
    return np.ones(WORDS)


@asafess.task(loads={"communication": 1e8}, name="fetch")
def fetch(block, number):
    return float(block[0])


@asafess.task(loads={"communication": 1e3}, name="tidy")
def tidy(block, number):
    return float(block[0])


@asafess.task(loads={"memory": 1e8}, name="link")
def link(before):
    return 1.0


@asafess.task(intensity=0.25, name="multiply")
def multiply(block, number):
    return float(block[0])


async def last_tasks(c, s, seconds=0.0, count=2):
    """Return tasks that are held at the gate; Dask has seen one of their kind end."""
    begun, may_end = new_gates()
    first = await c.submit(crunch, 0, seconds, pure=False)
    assert first.size == WORDS
    # not what it took: a machine that stands still meanwhile makes of a short task a long one
    s.task_prefixes["crunch"].duration_average = max(seconds, 1e-3)
    held = c.map(crunch, range(1, count + 1), pure=False)
    await begun.wait()
    return held, may_end


def ratio(plugin):
    return plugin.controller.vector.get("ratio", float("inf"))


async def ticks(plugin, count=3):
    """Wait until so many samples have been used."""
    used = plugin.controller.counters["used"]
    await until(lambda: plugin.controller.counters["used"] >= used + count)


@gen_cluster(client=True)
async def test_the_switch_is_made_before_the_phase_begins(c, s, a, b):
    plugin = await installed(c, s)
    held, may_end = await last_tasks(c, s)
    assert ratio(plugin) > 1
    after = c.map(fetch, [held[0]] * 8, range(8), pure=False)
    await until(lambda: ratio(plugin) < 1)
    assert plugin.controller.state.states == {"null": "on"}
    assert {one.state for one in s.tasks.values() if one.prefix.name == "fetch"} == {"waiting"}
    may_end.set()
    assert await c.gather(after) == [1.0] * 8
    assert plugin.fault is None


@gen_cluster(client=True)
async def test_without_look_ahead_the_mode_is_that_of_what_is_scheduled(c, s, a, b):
    plugin = await installed(c, s, look_ahead=False)
    held, may_end = await last_tasks(c, s)
    after = c.map(fetch, [held[0]] * 8, range(8), pure=False)
    await until(lambda: any(one.prefix.name == "fetch" for one in s.tasks.values()))
    await ticks(plugin)
    assert ratio(plugin) > 1
    may_end.set()
    await c.gather(after)


@gen_cluster(client=True)
async def test_a_chain_of_tasks_is_a_phase_as_long_as_all_of_them_together(c, s, a, b):
    plugin = await installed(c, s)
    held, may_end = await last_tasks(c, s)
    links = {("link", 0): Task(("link", 0), link, TaskRef(held[0].key))}
    links |= {("link", k): Task(("link", k), link, TaskRef(("link", k - 1))) for k in range(1, 6)}
    graph = HighLevelGraph.from_collections("link", links, dependencies=[])
    end = Delayed(("link", 5), graph, layer="link")
    future = c.compute(end)
    await until(lambda: plugin.controller.vector.get("memory", 0) > 0)
    assert plugin.controller.vector["memory"] == pytest.approx(6e8)  # 0.6 s; 0.2 s if all threads could share them
    may_end.set()
    assert await future == 1.0


@pytest.mark.parametrize(
    ("following", "count", "seconds", "held_count"),
    [
        (tidy, 8, 0.0, 2),  # too little to be a phase
        (fetch, 8, 0.6, 2),  # the last tasks take too long
        (fetch, 8, 0.08, 5),  # they are more than run at a time, and take longer than two ticks
        (fetch, 8, 0.0, 12),  # some of them are still in the queue
        (crunch, 4, 0.0, 2),  # the same again
    ],
)
def test_the_present_phase_counts_while(following, count, seconds, held_count):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        plugin = await installed(c, s, window="500ms")
        held, may_end = await last_tasks(c, s, seconds, held_count)
        if following is crunch:
            after = [c.submit(lambda block, k: k, held[0], k, pure=False) for k in range(count)]
        else:
            after = c.map(following, [held[0]] * count, range(count), pure=False)
        await until(lambda: any(one.state == "waiting" for one in s.tasks.values()))
        await ticks(plugin)
        assert ratio(plugin) > 1
        assert {one["states"]["null"] for one in plugin.journal.story} == {"off"}
        may_end.set()
        await c.gather(after)
        assert plugin.fault is None

    run()


@gen_cluster(client=True)
async def test_more_tasks_than_threads_are_looked_past_where_they_are_over_soon(c, s, a, b):
    plugin = await installed(c, s)
    held, may_end = await last_tasks(c, s, count=5)
    after = c.map(fetch, [held[0]] * 8, range(8), pure=False)
    await until(lambda: ratio(plugin) < 1)
    may_end.set()
    assert await c.gather(after) == [1.0] * 8


def behind(first, steps, count=8):
    """Return keys of a phase behind `first`, with so many untyped steps between them; each is a group of its own."""
    made, last = {}, first.key
    for k in range(steps):
        key = (f"crunch-{k}", 0)  # of a prefix of which Dask knows how long it takes
        made[key] = Task(key, np.asarray, TaskRef(last))
        last = key
    made |= {("fetch-1", k): Task(("fetch-1", k), fetch, TaskRef(last), k) for k in range(count)}
    return made


@gen_cluster(client=True)
async def test_what_is_over_soon_is_looked_through(c, s, a, b):
    """A barrier that nobody has given a type stands between the phases."""
    plugin = await installed(c, s)
    held, may_end = await last_tasks(c, s)
    after = c.get(graph := behind(held[0], 2), [key for key in graph if key[0] == "fetch-1"], sync=False)
    await until(lambda: ratio(plugin) < 1)
    assert {one.state for one in s.tasks.values() if one.prefix.name == "fetch"} == {"waiting"}
    may_end.set()
    assert await c.gather(after) == [1.0] * 8


@gen_cluster(client=True)
async def test_a_phase_that_is_many_steps_away_is_not_the_next_one(c, s, a, b):
    plugin = await installed(c, s)
    held, may_end = await last_tasks(c, s)
    after = c.get(graph := behind(held[0], 12), [key for key in graph if key[0] == "fetch-1"], sync=False)
    await until(lambda: any(one.prefix.name == "fetch" for one in s.tasks.values()))
    await ticks(plugin)
    assert ratio(plugin) > 1
    may_end.set()
    await c.gather(after)


@gen_cluster(client=True)
async def test_nothing_of_the_coming_phase_counts_as_moving_yet(c, s, a, b):
    plugin = await installed(c, s)
    held, may_end = await last_tasks(c, s)
    moved = []
    plugin.measurements.moved = lambda now, seconds, ratio: moved.append(ratio)
    after = c.map(fetch, [held[0]] * 8, range(8), pure=False)
    await until(lambda: ratio(plugin) < 1)
    await ticks(plugin)
    assert moved
    assert min(moved) > 1
    del plugin.measurements.moved
    may_end.set()
    await c.gather(after)


@gen_cluster(client=True)
async def test_what_is_still_being_made_is_taken_to_be_as_large_as_what_was_made(c, s, a, b):
    plugin = await installed(c, s, rates={"flop": 1e9, "memory": 1e9, "link": 1e6})
    held, may_end = await last_tasks(c, s)
    places = {one.processing_on.address for one in s.tasks.values() if one.state == "processing"}
    assert len(places) == 2  # so one of the two has to be fetched, wherever the next tasks run
    after = c.map(multiply, held, range(2), workers=[a.address], pure=False)
    await until(lambda: plugin.controller.vector.get("communication", 0) > 0)
    assert plugin.controller.vector["communication"] == pytest.approx(8 * WORDS, rel=0.01)
    may_end.set()
    assert await c.gather(after) == [1.0, 1.0]
