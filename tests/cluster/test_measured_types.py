"""Programs without a single annotation: what was measured makes the mode."""

import asyncio
import math
import time

from distributed.utils_test import gen_cluster
from helpers import RATES, blocks, installed, until

import asafess
from asafess.optimizations.null import Null

MEASURED = ["compiler", "measured"]


def multiply(block, salt):
    """4 ms of computing, on a block that need not be fetched."""
    end = time.thread_time() + 0.004
    while time.thread_time() < end:
        block[:1000] @ block[:1000]
    return salt


def touch(block, salt=0):
    """What the compiler does not read."""
    return repr(block[0])


async def multiplying(client, made, first, count=16):
    await client.gather(client.map(multiply, made * (count // len(made)), range(count), workers=[first], pure=False))


async def counted(plugin, *workers):
    """Let workers tell what they have counted."""
    for worker in workers:
        await worker.heartbeat()
        plugin.tick()


def kind_of(plugin, name):
    [kind] = [kind for key, kind in plugin.loads.types.learning.kinds.items() if key[0] == name]
    return kind


@gen_cluster(client=True)
async def test_a_phase_of_computing_is_seen_after_a_few_tasks_and_then_known_beforehand(c, s, a, b):
    plugin = await installed(c, s, infer=MEASURED)
    made, _ = await blocks(c, s)
    first = next(iter(s.workers))
    for _ in range(3):
        await multiplying(c, made, first)
        await counted(plugin, a, b)
    assert 0.002 < kind_of(plugin, "multiply").lesson.fit.seconds < 0.008
    await multiplying(c, made, first)
    assert plugin.controller.vector["ratio"] > 10
    status = plugin.status(False)
    assert status["counters"]["measured_groups"] >= 1
    assert "multiply" not in plugin.loads.untyped
    await asafess.reset(c)  # forgets what it learned, too
    assert plugin.status(False)["mode"] == {}


@gen_cluster(client=True)
async def test_phases_of_a_program_that_nobody_has_annotated_are_followed(c, s, a, b):
    plugin = await installed(c, s, window="200ms", infer=MEASURED)
    first = next(iter(s.workers))
    for _ in range(6):
        made, second = await blocks(c, s)
        await asyncio.sleep(Null.dwell)  # a state is kept so long
        await c.gather(c.map(touch, made * 4, range(16), workers=[second], pure=False))
        known = kind_of(plugin, "touch").lesson.fit and kind_of(plugin, "multiply").lesson.fit
        if known:
            assert plugin.controller.state.states == {"null": "on"}, plugin.controller.vector
        await counted(plugin, a, b)
        await multiplying(c, made, first)
        if known:
            more = c.map(multiply, made * 50, range(200), workers=[first], pure=False)
            await until(lambda: plugin.controller.state.states == {"null": "off"})
            await c.cancel(more)
        await counted(plugin, a, b)
        await until(lambda: not plugin._busy)
    assert known
    assert len(plugin.journal.switches) <= 12


@gen_cluster(client=True)
async def test_what_a_person_has_said_stands(c, s, a, b):
    plugin = await installed(c, s, types={"multiply": {"loads": {"compute": 1.0}}}, infer=MEASURED)
    made, _ = await blocks(c, s)
    await multiplying(c, made, next(iter(s.workers)))
    await multiplying(c, made, next(iter(s.workers)))
    load = plugin.loads._loads["multiply"].load if "multiply" in plugin.loads._loads else None
    assert load is None or load["compute"] == 1.0
    assert not any(key[0] == "multiply" for key, _ in plugin.loads.types.learning.kinds.items())


@gen_cluster(client=True)
async def test_seconds_over_the_flop_rate_are_the_load(c, s, a, b):
    plugin = await installed(c, s, infer=MEASURED)
    made, _ = await blocks(c, s)
    first = next(iter(s.workers))
    for _ in range(3):
        await multiplying(c, made, first)
        await counted(plugin, a, b)
    running = c.map(multiply, made * 4, range(16), workers=[first], pure=False)
    await until(lambda: "multiply" in plugin.loads._loads)
    load = plugin.loads._loads["multiply"].load
    seconds = kind_of(plugin, "multiply").lesson.fit.seconds
    assert math.isclose(load["compute"] / RATES["flop"], seconds, rel_tol=0.5)
    assert load["communication"] == 0
    await c.gather(running)


class Heavy:
    """Something whose way over the wire costs much more than what tasks do with it."""

    def __reduce__(self):
        spend(0.01)
        return Heavy.arrived, ()

    @staticmethod
    def arrived():
        spend(0.01)
        return Heavy()


def heavy(salt):
    return Heavy()


def spend(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def take(one):
    return 1


@gen_cluster(client=True)
async def test_what_moving_and_compressing_data_costs_is_no_load_of_the_tasks_that_need_it(c, s, a, b):
    plugin = await installed(c, s, infer=["measured"])
    for _ in range(3):
        made = c.map(heavy, range(8), workers=[a.address], pure=False)
        await c.gather(c.map(take, made, workers=[b.address], pure=False))
        await counted(plugin, a, b)
    lesson = kind_of(plugin, "take").lesson
    assert lesson.fit.total.transfer > 0.01 * lesson.fit.tasks
    assert lesson.fit.seconds < 0.001
