"""Counters belong to a process, which may have lived before: a worker that joins counts from where they are then."""

import asyncio

import numpy as np
import pytest
from distributed import Nanny, Worker
from distributed.utils_test import gen_cluster
from helpers import RATES, until

import asafess
from asafess.cluster.messages import NAME, REPORT, TOPIC
from asafess.tiles import door

REPORTS = {"report_interval": "10ms", "infer": []}


@pytest.fixture(autouse=True)
def _clean_door():
    door.set_form("off")
    yield
    door.set_form("off")


def panel(value, seed):
    """A panel of 128 tiles, all words of it the same; tiles look dense whatever is in them."""
    a = np.full((64, 2048), value)
    a[:, 0] = seed + 1.0
    return asafess.TiledMatrix.from_dense(a, tile=32)


@asafess.task(intensity=0.25)
def width(a):
    return a.shape[1]


async def joined(client, scheduler, **given):
    """Install, and wait until all workers have joined."""
    await asafess.install(client, ["tile_compression"], rates=RATES, dtypes=["float64"], **REPORTS, **given)
    plugin = scheduler.plugins[NAME]
    await until(lambda: plugin.ready == set(scheduler.workers), seconds=60)
    return plugin


async def move(client, scheduler, value):
    """Let the second worker fetch fresh panels of one value, enough that some tiles are looked at."""
    first, second = list(scheduler.workers)[:2]
    made = client.map(panel, [value] * 8, range(8), workers=[first], pure=False)
    await client.gather(client.map(width, made, workers=[second], pure=False))


async def told(plugin, scheduler):
    """Wait until each worker has had time for more than one report."""
    await until(lambda: set(plugin.measurements.reports) == set(scheduler.workers))
    await asyncio.sleep(0.1)


@gen_cluster(client=True, timeout=120)
async def test_what_was_moved_before_an_installation_counts_in_nothing(c, s, a, b):
    plugin = await joined(c, s)
    await move(c, s, 0.0)
    await until(lambda: plugin.measurements.zeros.share is not None)
    assert plugin.measurements.zeros.share > 0.9
    await asafess.uninstall(c)
    for _ in range(2):  # after an uninstall, and over an installation
        plugin = await joined(c, s)
        await told(plugin, s)
        assert plugin.measurements.zeros.share is None
        assert not any(plugin.measurements._recent.totals.values())
        # the totals themselves are those of the process
        assert all(report["sampled_words"] > 0 for report in plugin.measurements.reports.values())
    await move(c, s, 1.0)
    await until(lambda: plugin.measurements.zeros.share is not None)
    assert plugin.measurements.zeros.share == 0.0


@gen_cluster(client=True, timeout=120)
async def test_a_worker_that_joins_a_process_which_has_moved_data_brings_none_of_it(c, s, a, b):
    plugin = await joined(c, s)
    await move(c, s, 0.0)
    await asafess.reset(c)
    async with Worker(s.address, nthreads=1):
        await until(lambda: plugin.ready == set(s.workers))
        await told(plugin, s)
        assert plugin.measurements.zeros.share is None


@gen_cluster(client=True)
async def test_a_late_report_to_the_installation_before_counts_in_nothing(c, s, a, b):
    await asafess.install(c, ["null"], rates=RATES, **REPORTS)
    plugin = s.plugins[NAME]
    plugin.ready.discard(a.address)  # as before it has joined
    late = {"event": REPORT, "counters": {"sampled_words": 100.0, "sampled_zeros": 100.0}, "worker": a.address}
    plugin.log_event(TOPIC, late)
    assert plugin.measurements.zeros.share is None


async def reported(client, plugin):
    """Wait until the scheduler knows what the workers' own processes have counted; return the words looked at."""
    counted = {worker: one["sampled_words"] for worker, one in (await client.run(door.counters)).items()}
    reports = plugin.measurements.reports
    await until(lambda: {worker: reports[worker]["sampled_words"] for worker in counted} == counted)
    return max(counted.values())


@gen_cluster(client=True, nthreads=[("", 1)] * 2, Worker=Nanny, timeout=120)
async def test_a_restarted_worker_counts_from_zero(c, s, a, b):
    plugin = await joined(c, s, window="200ms")
    await move(c, s, 0.0)
    before = await reported(c, plugin)
    assert before > 0
    assert plugin.measurements.zeros.share > 0.9
    old = set(s.workers)
    await c.restart()
    await until(lambda: len(plugin.ready) == 2 and not plugin.ready & old, seconds=60)
    assert await reported(c, plugin) == 0
    await move(c, s, 1.0)
    assert await reported(c, plugin) == before  # as many words as in the process before, and all of them are new
    assert plugin.measurements.zeros.share == 0.0
