"""Reduced precision on a cluster: what workers send each other is within the bound, and nobody else gets it."""

import numpy as np
import pytest
from distributed.protocol.numpy import serialize_numpy_ndarray
from distributed.protocol.serialize import dask_serialize
from distributed.utils_test import gen_cluster
from helpers import RATES, installed, until
from wire_helpers import CONFIG, TWO, fresh_codec, sent  # noqa: F401 - a fixture of all tests is among them

import asafess
from asafess.wire import connections, reduced

WORDS = 100_000
REDUCED_RATES = {**RATES, "reduced": 1e9, "wire_scan": 1e10, "wire_copy": 1.4e9, "wire_general": 3e8}


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(reduced, "_counted", dict.fromkeys(reduced.COUNTERS, 0.0))
    yield
    assert dask_serialize.dispatch(np.ndarray) is serialize_numpy_ndarray


def made(seed, last=1.0):
    return np.append(np.random.default_rng(seed).standard_normal(WORDS), last)


@asafess.task(intensity=0.25)
def error(array, seed, last=1.0):
    """Return the largest relative error of what came, on the worker that it came to."""
    exact = made(seed, last)
    assert array.dtype == np.float64
    return 0.0 if array.tobytes() == exact.tobytes() else float(np.max(np.abs(array - exact) / np.abs(exact)))


async def errors(client, first, second, last=1.0, count=4):
    seeds = list(range(count))
    arrays = client.map(made, seeds, [last] * count, workers=[first.address], pure=False)
    await client.gather(client.map(len, arrays, workers=[first.address], pure=False))
    return await client.gather(client.map(error, arrays, seeds, [last] * count, workers=[second.address], pure=False))


async def pin(client, state):
    await asafess.pin(client, "reduced_precision", state)
    await until(lambda: (reduced._found is not None) == (state == "on"))


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=60)
async def test_arrays_cross_at_half_the_bytes_within_the_bound_and_exact_when_off(c, s, a, b):
    await installed(c, s, ["reduced_precision"], rates=REDUCED_RATES)
    await pin(c, "on")
    assert all(0 < one <= reduced.BOUND for one in await errors(c, a, b))
    counted = reduced.counters()
    assert counted["reduced_arrays"] == 4
    assert counted["reduced_sent_bytes"] == 0.5 * counted["reduced_logical_bytes"] == 4 * 4 * (WORDS + 1)
    assert await errors(c, a, b, last=np.inf) == [0.0] * 4
    assert reduced.counters()["reduced_refused_arrays"] == 4
    await pin(c, "off")
    assert await errors(c, a, b) == [0.0] * 4
    await pin(c, "on")
    await asafess.uninstall(c)
    assert await errors(c, a, b) == [0.0] * 4
    assert reduced.counters()["reduced_arrays"] == 4


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=60)
async def test_a_peer_that_has_not_said_that_it_is_a_worker_of_ours_gets_all_bits(c, s, a, b):
    await installed(c, s, ["reduced_precision"], rates=REDUCED_RATES)
    await pin(c, "on")
    connections.leave()  # from now on this process says to others that it has nothing
    assert await errors(c, a, b) == [0.0] * 4
    assert reduced.counters()["reduced_arrays"] == 0
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=60)
async def test_a_client_gathers_all_bits(c, s, a, b):
    await installed(c, s, ["reduced_precision"], rates=REDUCED_RATES)
    await pin(c, "on")
    # the scheduler of this test shares the process of its workers; elsewhere it has not joined
    for comms in [*s.rpc.available.values()]:
        assert all(one.local_info["compression"] is None for one in comms)
    array = c.submit(made, 7)
    assert (await array).tobytes() == made(7).tobytes()
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=60)
async def test_together_with_wire_compression_what_is_left_is_compressed(c, s, a, b):
    await installed(c, s, ["reduced_precision", "wire_compression"], rates={**REDUCED_RATES, "link": 1e7})
    await pin(c, "on")
    await asafess.pin(c, "wire_compression", "mask")
    await until(lambda: connections.codec.state == "mask")
    zeros = c.submit(np.pad, made(1), (0, 9 * WORDS), workers=[a.address])
    largest = await c.submit(lambda array: float(array[WORDS]), zeros, workers=[b.address])
    assert largest == 1.0
    on_the_wire = sent(a)[1]
    assert reduced.counters()["reduced_arrays"] == 1
    assert on_the_wire < 0.15 * 8 * 10 * WORDS
    await asafess.uninstall(c)
