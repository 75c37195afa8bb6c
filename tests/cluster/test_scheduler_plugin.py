import asyncio
import time

import numpy as np
from distributed.utils_test import gen_cluster

import asafess
from asafess.cluster.messages import NAME
from asafess.optimizations.null import Null

RATES = {"flop": 1e9, "memory": 1e9, "link": 1e8}


async def until(condition, seconds=20.0):
    """Wait for something that another part of the cluster does in its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


class Logged(Null):
    """A null optimization that remembers which states it was told to enter; one list for all workers."""

    name = "logged"
    entered = []

    def enter(self, state):
        type(self).entered.append(state)


@asafess.task(intensity=0.25)
def move(block):
    return float(block[0])


@asafess.task(intensity=1e6)
def compute(block):
    return float(block[0])


async def installed(client, scheduler, optimizations=("null",), **given):
    await asafess.install(client, list(optimizations), rates=RATES, **given)
    plugin = scheduler.plugins[NAME]
    await until(lambda: plugin.rates is not None and plugin.ready == set(scheduler.workers))
    return plugin


async def blocks(client, scheduler, count=4, words=100_000):
    """Blocks on the first worker, to be fetched by the second."""
    first, second = scheduler.workers
    made = client.map(np.full, [words] * count, [1.0] * count, workers=[first], pure=False)
    await client.gather(client.map(len, made))
    return made, second


@gen_cluster(client=True)
async def test_a_graph_that_moves_data_switches_before_its_first_task(c, s, a, b):
    plugin = await installed(c, s)
    made, second = await blocks(c, s)
    await c.gather(c.map(move, made, workers=[second], pure=False))
    switch = plugin.switches[0]
    assert (switch["before"], switch["after"]) == ("off", "on")
    assert "ratio" in switch["cause"]


@gen_cluster(client=True)
async def test_phases_are_followed(c, s, a, b):
    plugin = await installed(c, s)
    for _ in range(2):
        made, second = await blocks(c, s)
        await c.gather(c.map(move, made, workers=[second], pure=False))
        assert plugin.controller.state.states == {"null": "on"}
        await asyncio.sleep(0.15)  # the dwell
        await c.gather(c.map(compute, made, workers=[second], pure=False))
        assert plugin.controller.state.states == {"null": "off"}
        await asyncio.sleep(0.15)
    assert len(plugin.switches) == 4
