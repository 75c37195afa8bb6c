"""What several tests of the adapters need."""

import asyncio
import time
from typing import ClassVar

import numpy as np

import asafess
from asafess.cluster.messages import NAME
from asafess.optimizations.null import Null

#: given, so that tests need not wait for a measurement: moving is slow, everything else fast
RATES = {"flop": 1e9, "memory": 1e9, "link": 1e8}


async def until(condition, seconds=20.0):
    """Wait for something that another part of the cluster does in its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


class Recorded(Null):
    """A null optimization that remembers what it was told, for all workers of this process together."""

    name = "recorded"
    calls: ClassVar[list] = []

    def enter(self, state):
        self.calls.append(state)

    def leave(self):
        self.calls.append("left")


class Panic(BaseException):
    """What extension modules raise: no Exception."""


class Broken(Null):
    """Fails where it is told to."""

    name = "broken"

    def __init__(self, where, error=RuntimeError):
        super().__init__()
        self.where, self.error = where, error

    def _may_fail(self, where):
        if where == self.where:
            # not every text can be packed into a message
            raise self.error(f"broken in {where} \udcff")

    def domain(self, rates):
        self._may_fail("domain")
        return super().domain(rates)

    def prepare(self, dtypes):
        self._may_fail("prepare")

    def rates(self):
        self._may_fail("rates")
        return {}

    def enter(self, state):
        self._may_fail("enter")

    def leave(self):
        self._may_fail("leave")

    def counters(self):
        self._may_fail("counters")
        return {}


@asafess.task(intensity=0.25)
def move(block, salt=0):
    return float(block[0])


@asafess.task(intensity=1e6)
def compute(block, salt=0):
    return float(block[0])


#: events by name, for tasks that run in this process
GATES: dict[str, asyncio.Event] = {}


@asafess.task(intensity=1.0)
async def waiting(block):
    """Say that it has begun, and wait until it may end."""
    GATES["begun"].set()
    await GATES["may_end"].wait()
    return 1


def new_gates():
    GATES.update(begun=asyncio.Event(), may_end=asyncio.Event())
    return GATES["begun"], GATES["may_end"]


async def installed(client, scheduler, optimizations=("null",), **given):
    """Install, and wait until all workers take part."""
    await asafess.install(client, list(optimizations), **{"rates": RATES, **given})
    plugin = scheduler.plugins[NAME]
    await until(lambda: plugin.rates is not None and plugin.ready == set(scheduler.workers))
    return plugin


async def blocks(client, scheduler, count=4, words=100_000):
    """Make blocks on the first worker; return them and the second worker, which would have to fetch them."""
    first, second = list(scheduler.workers)[:2]
    made = client.map(np.full, [words] * count, [1.0] * count, workers=[first], pure=False)
    await client.gather(client.map(len, made))
    return made, second


async def moving_phase(client, scheduler):
    """Let the second worker fetch fresh blocks; return what the tasks returned."""
    made, second = await blocks(client, scheduler)
    return await client.gather(client.map(move, made, workers=[second], pure=False))
