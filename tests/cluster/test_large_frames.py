"""Frames of more than 2 GiB between two workers: some 7.5 GiB of memory, so only where it is asked for."""

import os

import numpy as np
import pytest
from distributed.comm.tcp import TCP
from distributed.utils_test import gen_cluster
from wire_helpers import CONFIG, TWO, fresh_codec, pin, sent, with_compression  # noqa: F401 - a fixture among them

import asafess
from asafess.wire import connections

pytestmark = pytest.mark.skipif(
    not os.environ.get("ASAFESS_TEST_LARGE"), reason="takes 7.5 GiB of memory; ASAFESS_TEST_LARGE=1 runs it"
)
WORDS = (9 << 28) // 8  # 2.25 GiB
EVERY = 100_000


def make():
    """Make an array with some numbers, all different, in memory that is mostly not there yet."""
    a = np.zeros(WORDS)
    a[::EVERY] = np.arange(1, len(a[::EVERY]) + 1)
    return a


def right(a):
    """Say whether each number is where it was, and nothing else is there."""
    there = a[::EVERY]
    alike = np.array_equal(there, np.arange(1, len(there) + 1))
    return bool(alike and len(a) == WORDS and np.count_nonzero(a) == len(there))


@pytest.mark.parametrize(
    ("shard", "state"),
    [(TCP.max_shard_size, "mask"), (1 << 33, "general")],
    ids=["as Dask splits them", "whole"],
)
def test_more_than_2_gib_cross_and_are_the_same(shard, state, monkeypatch):
    monkeypatch.setattr(TCP, "max_shard_size", shard)

    @gen_cluster(client=True, nthreads=TWO, config=CONFIG, worker_kwargs={"memory_limit": 0}, timeout=500)
    async def run(c, s, a, b):
        await with_compression(c, s, rates={"flop": 1e9, "memory": 1e9, "link": 1e7, "wire_general": 3e8})
        await pin(c, state)
        made = c.submit(make, workers=[a.address], pure=False)
        assert await c.submit(right, made, workers=[b.address], pure=False)
        total, wire = sent(a)
        assert total >= 8 * WORDS
        # Dask asks no codec for a frame of more than 2 GiB
        assert wire < 0.1 * total if shard < 1 << 31 else wire > 0.99 * total
        counted = connections.codec.counters()
        assert counted["wire_faults"] == counted["wire_corrupted_frames"] == 0
        await asafess.uninstall(c)

    run()
