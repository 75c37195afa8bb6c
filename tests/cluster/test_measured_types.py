"""Programs without a single annotation: what was measured makes the mode."""

import asyncio
import math
import time
from statistics import mean

from distributed.utils_test import gen_cluster
from helpers import RATES, blocks, installed, until

import asafess
from asafess.optimizations.null import Null

MEASURED = ["compiler", "measured"]
#: rounds until something is learned at most: a machine that stands still in the middle of a task makes a round tell
#: nothing
ROUNDS = 40


def multiply(block, salt):
    """4 ms of computing, on a block that need not be fetched; return what it was: the machine may take more."""
    begun = time.thread_time()
    while time.thread_time() < begun + 0.004:
        block[:1000] @ block[:1000]
    return time.thread_time() - begun


def touch(block, salt=0):
    """What the compiler does not read."""
    return repr(block[0])


async def multiplying(client, made, first, count=16):
    return await client.gather(
        client.map(multiply, made * (count // len(made)), range(count), workers=[first], pure=False)
    )


async def counted(plugin, *workers):
    """Let workers tell what they have counted."""
    for worker in workers:
        await worker.heartbeat()
        plugin.tick()


def kind_of(plugin, name):
    [kind] = [kind for key, kind in plugin.loads.types.learning.kinds.items() if key[0] == name]
    return kind


async def learned(plugin, name, workers, run):
    """Run tasks until something is learned of them; return that, and what they returned."""
    returned = []
    for _ in range(ROUNDS):
        returned += await run()
        await counted(plugin, *workers)
        lesson = kind_of(plugin, name).lesson
        if lesson.fit is not None:
            return lesson, returned
    raise AssertionError(f"nothing was learned in {ROUNDS} rounds")


@gen_cluster(client=True)
async def test_a_phase_of_computing_is_seen_after_a_few_tasks_and_then_known_beforehand(c, s, a, b):
    plugin = await installed(c, s, infer=MEASURED)
    made, _ = await blocks(c, s)
    first = next(iter(s.workers))
    lesson, taken = await learned(plugin, "multiply", [a, b], lambda: multiplying(c, made, first))
    assert math.isclose(lesson.fit.seconds, mean(taken), rel_tol=0.5)
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
    followed = rounds = 0
    while followed < 3 and rounds < ROUNDS:
        rounds += 1
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
            followed += 1
        await counted(plugin, a, b)
        await until(lambda: not plugin._busy)
    assert followed == 3
    assert len(plugin.journal.switches) <= 2 * rounds


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
    await learned(plugin, "multiply", [a, b], lambda: multiplying(c, made, first))
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
    spend(0.002)


@gen_cluster(client=True)
async def test_what_moving_and_compressing_data_costs_is_no_load_of_the_tasks_that_need_it(c, s, a, b):
    plugin = await installed(c, s, infer=["measured"])

    async def moving():
        made = c.map(heavy, range(8), workers=[a.address], pure=False)
        return await c.gather(c.map(take, made, workers=[b.address], pure=False))

    lesson, _ = await learned(plugin, "take", [a, b], moving)
    of_a_task = lesson.fit.total.transfer / lesson.fit.tasks
    assert of_a_task > 0.01
    assert lesson.fit.seconds < of_a_task / 2
