"""Programs without a single annotation: what was measured makes the mode."""

import math
import time

from distributed.utils_test import gen_cluster
from helpers import RATES, blocks, installed, until

import asafess

MEASURED = ["compiler", "measured"]


def multiply(block, salt):
    """20 ms of computing, on a block that need not be fetched."""
    end = time.perf_counter() + 0.02
    while time.perf_counter() < end:
        block[:1000] @ block[:1000]
    return salt


def touch(block, salt=0):
    return float(block[0])


async def multiplying(client, made, first, count=24):
    await client.gather(client.map(multiply, made * (count // len(made)), range(count), workers=[first], pure=False))


@gen_cluster(client=True)
async def test_a_phase_of_computing_is_seen_after_a_few_tasks_and_then_known_beforehand(c, s, a, b):
    plugin = await installed(c, s, infer=MEASURED)
    made, _ = await blocks(c, s)
    first = next(iter(s.workers))
    await multiplying(c, made, first)
    assert plugin.controller.vector["ratio"] > 10
    [kind] = [kind for key, kind in plugin.loads.types.learning._kinds.items() if key[0] == "multiply"]
    assert 1e-3 < kind.lesson.fit.seconds < 1.0
    status = plugin.status(False)
    assert status["counters"]["measured_groups"] >= 1
    assert "multiply" not in plugin.loads.untyped
    await asafess.reset(c)  # forgets what it learned, too
    assert plugin.status(False)["mode"] == {}


@gen_cluster(client=True)
async def test_phases_of_a_program_that_nobody_has_annotated_are_followed(c, s, a, b):
    plugin = await installed(c, s, window="200ms", infer=MEASURED)
    first = next(iter(s.workers))
    for turn in range(4):
        made, second = await blocks(c, s)
        await c.gather(c.map(touch, made * 4, range(16), workers=[second], pure=False))
        if turn:
            assert plugin.controller.state.states == {"null": "on"}, plugin.controller.vector
        await multiplying(c, made, first)
        assert plugin.controller.state.states == {"null": "off"}, plugin.controller.vector
        await until(lambda: not plugin._busy)
    assert len(plugin.journal.switches) <= 8


@gen_cluster(client=True)
async def test_what_a_person_has_said_stands(c, s, a, b):
    plugin = await installed(c, s, types={"multiply": {"loads": {"compute": 1.0}}}, infer=MEASURED)
    made, _ = await blocks(c, s)
    await multiplying(c, made, next(iter(s.workers)))
    await multiplying(c, made, next(iter(s.workers)))
    load = plugin.loads._loads["multiply"].load if "multiply" in plugin.loads._loads else None
    assert load is None or load["compute"] == 1.0
    assert not any(key[0] == "multiply" for key in plugin.loads.types.learning._kinds)


@gen_cluster(client=True)
async def test_seconds_over_the_flop_rate_are_the_load(c, s, a, b):
    plugin = await installed(c, s, infer=MEASURED)
    made, _ = await blocks(c, s)
    first = next(iter(s.workers))
    running = c.map(multiply, made * 12, range(48), workers=[first], pure=False)
    await until(lambda: "multiply" in plugin.loads._loads)
    load = plugin.loads._loads["multiply"].load
    [kind] = [kind for key, kind in plugin.loads.types.learning._kinds.items() if key[0] == "multiply"]
    assert math.isclose(load["compute"] / RATES["flop"], kind.lesson.fit.seconds, rel_tol=0.5)
    assert load["communication"] == 0
    await c.gather(running)
