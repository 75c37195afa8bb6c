"""What tests of wire compression on clusters need: two hosts, data, and bytes that are counted."""

import random

import dask
import numpy as np
import pytest
from distributed.protocol.compression import compressions
from helpers import RATES, until

import asafess
from asafess.cluster.messages import NAME
from asafess.wire import connections
from asafess.wire.codec import Codec
from asafess.wire.connections import SETTING

#: two hosts, as far as Dask can see
TWO = [("127.0.0.2", 1), ("127.0.0.3", 1)]
CONFIG = {"distributed.worker.memory.pause": False}
WORDS = 250_000
#: so that nothing is measured
WIRE_RATES = {**RATES, "wire_scan": 1e10, "wire_copy": 1.4e9, "wire_general": 3e8}


@pytest.fixture(autouse=True)
def fresh_codec(monkeypatch):
    """Give each test a codec that knows nothing, and see to it that it leaves Dask as it was."""
    monkeypatch.setattr(connections, "codec", Codec())
    before = dask.config.get(SETTING)
    yield
    compressions.pop(connections.NAME, None)
    assert dask.config.get(SETTING) == before


def sparse(seed, density=0.05):
    generator = np.random.default_rng(seed)
    a = generator.standard_normal(WORDS)
    a[generator.random(WORDS) >= density] = 0
    return a


def text(seed):
    generator = np.random.default_rng(seed)
    return b" ".join(generator.choice([b"tile", b"panel", b"mode", b"ratio"], WORDS)).ljust(1)


@asafess.task(intensity=0.25)
def take(a):
    return a


async def with_compression(client, scheduler, **given):
    settings = {"rates": WIRE_RATES, "report_interval": "10ms", **given}
    await asafess.install(client, ["wire_compression"], **settings)
    plugin = scheduler.plugins[NAME]
    await until(lambda: plugin.rates is not None and plugin.ready == set(scheduler.workers), seconds=60)
    return plugin


async def pin(client, state):
    await asafess.pin(client, "wire_compression", state)
    await until(lambda: connections.codec.state == state)


async def move(client, scheduler, make=sparse, function=take, count=4, pairs=None):
    """Make blocks on the first worker and take them on the second; every bit has to come."""
    first, second = pairs or list(scheduler.workers)[:2]
    seeds = [random.randrange(1 << 30) for _ in range(count)]
    made = client.map(make, seeds, workers=[first], pure=False)
    await client.gather(client.map(len, made, workers=[first], pure=False))
    came = await client.gather(client.map(function, made, workers=[second], pure=False))
    for seed, one in zip(seeds, came, strict=True):
        expected = function(make(seed))
        assert one == expected if function is len else bytes(memoryview(one)) == bytes(memoryview(expected))


def sent(worker):
    """Return the bytes that a worker has sent, as they were and as they left."""
    log = worker.transfer_outgoing_log
    return sum(one["total"] for one in log), sum(one["compressed"] or 0 for one in log)


async def ratio_of(c, s, worker, **kwargs):
    """Return which share of the bytes of a sweep was on the wire."""
    total, wire = sent(worker)
    await move(c, s, **kwargs)
    after = sent(worker)
    return (after[1] - wire) / (after[0] - total)


def dense(seed):
    return np.random.default_rng(seed).random(WORDS)
