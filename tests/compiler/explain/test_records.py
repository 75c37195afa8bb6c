"""Explaining with a client: futures, and collections that lie in the cluster."""

import asyncio
import time
from collections import Counter

import dask
import dask.array as da
import dask.bag
import numpy as np
import pytest
from distributed import wait
from distributed.utils_test import gen_cluster

import asafess
from asafess.compiler.explain import records
from asafess.compiler.explain.records import Cluster
from asafess.core.found_type import FoundType
from asafess.core.task_type import declare


@asafess.task(intensity=1.5)
def doubled(x, y=0):
    return x


def collections():
    x = da.random.random((8, 8), chunks=4)
    yield "array", (x + x.T).rechunk((8, 2)).mean(axis=0)
    yield "arrays", [x.sum(), x @ x]
    yield "bag", dask.bag.from_sequence(range(10), npartitions=4).map(doubled).filter(bool).sum()
    yield "delayed", dask.delayed(sum)([dask.delayed(doubled)(k) for k in range(4)])
    yield "mixed", [x.mean(), dask.delayed(doubled)(2)]


@gen_cluster(client=True)
async def test_groups_are_those_of_the_scheduler(c, s, a, b):
    for what, collection in collections():
        explained = Counter({row.group: row.tasks for row in asafess.explain(collection)})
        futures = c.compute(collection)
        await wait(futures)
        scheduled = Counter(ts.group.name for ts in s.tasks.values())
        # keys of what puts the parts together are new each time
        assert without_tokens(explained) == without_tokens(scheduled), what
        del futures
        while s.tasks:
            await asyncio.sleep(0.01)


def without_tokens(groups):
    return Counter({name: count for name, count in groups.items() if not name.startswith("finalize")})


@gen_cluster(client=True)
async def test_futures_are_explained_by_what_led_to_them(c, s, a, b):
    data = await c.scatter(np.ones(100))
    parts = c.map(doubled, range(3), y=data)
    total = c.submit(sum, parts)
    await wait(total)
    found = {row.group: row for row in await asafess.explain([total], c)}
    assert found["doubled"].tasks == 3
    assert (found["doubled"].source, found["doubled"].bound) == ("decorator", "memory")
    assert found["doubled"].input_bytes == s.tasks[data.key].nbytes >= 800
    assert found["doubled"].loads["compute"] == 1.5 * found["doubled"].input_bytes
    assert found["ndarray"].tasks == 1
    assert found["sum"].after == ("doubled",)
    assert found["sum"].output_bytes == s.tasks[total.key].nbytes


@gen_cluster(client=True)
async def test_annotations_of_futures_count(c, s, a, b):
    with asafess.task_type(loads={"compute": 5.0}, name="noted"):
        future = c.submit(abs, -1)
    await future
    (row,) = await asafess.explain(future, c)
    assert (row.source, row.type) == ("annotation", "noted")


@gen_cluster(client=True)
async def test_sizes_of_what_was_persisted_are_asked_for(c, s, a, b):
    x = await c.persist(da.random.random((100, 100), chunks=50))
    program = x.map_blocks(doubled)
    without = asafess.explain(program)[0]
    # as Dask's array states it
    assert (without.input_bytes, without.loads["compute"]) == (50 * 50 * 8, 1.5 * 50 * 50 * 8)
    found = (await asafess.explain(program, c))[0]
    assert (found.input_bytes, found.loads["compute"]) == (50 * 50 * 8, 1.5 * 50 * 50 * 8)
    total = await c.persist(dask.delayed(np.ones)(125))
    (row,) = await asafess.explain(dask.delayed(doubled)(total), c)
    assert row.input_bytes == s.tasks[total.key].nbytes == 1000


@gen_cluster(client=True)
async def test_the_users_table_counts_for_futures_too(c, s, a, b):
    future = c.submit(abs, -1)
    await future
    (row,) = await asafess.explain(future, c, types={"abs": {"loads": {"compute": 3}}})
    assert (row.source, row.loads["compute"]) == ("table", 3.0)


@gen_cluster(client=True)
async def test_only_so_many_tasks_behind_futures_are_looked_at(c, s, a, b):
    futures = c.map(doubled, range(20))
    await wait(futures)
    old, records.MOST_TASKS = records.MOST_TASKS, 5
    try:
        (row,) = await asafess.explain(futures, c)
    finally:
        records.MOST_TASKS = old
    assert row.tasks == 5


@gen_cluster(client=True)
async def test_a_scheduler_that_can_not_be_asked_is_a_reason(c, s, a, b, monkeypatch):
    future = c.submit(doubled, 1)
    await future

    async def refuse(*args, **kwargs):
        raise RuntimeError("not today")

    monkeypatch.setattr(c, "run_on_scheduler", refuse)
    (row,) = await asafess.explain(future, c)
    assert row.found is None
    assert row.why == "the scheduler could not be asked: RuntimeError: not today"


RATES = {"flop": 1e9, "memory": 2e9, "link": 1e8}


FIRST, SECOND = "busy-" + 16 * "a1", "busy-" + 16 * "b2"


def busy(x):
    end = time.thread_time() + 0.004
    while time.thread_time() < end:
        pass
    return x


async def measured(client, scheduler, workers, name):
    """Install asafess, and run tasks until what was measured of their group is known."""
    await asafess.install(client, ["null"], rates=RATES, infer=["compiler", "measured"])
    await asafess.wait(client)
    plugin = scheduler.plugins["asafess"]
    for turn in range(20):
        parts = [dask.delayed(busy)(k, dask_key_name=(name, turn, k)) for k in range(8)]
        futures = client.compute(parts)
        await wait(futures)
        for worker in workers:
            await worker.heartbeat()
            plugin.tick()
        if name in plugin.status(story=False)["types"]:
            return futures, parts[0]
    raise AssertionError("nothing was measured")


@gen_cluster(client=True)
async def test_what_a_cluster_has_measured_is_read_off_it(c, s, a, b):
    futures, part = await measured(c, s, (a, b), FIRST)
    (same,) = await asafess.explain(part, c)
    assert (same.source, same.type, same.bound) == ("measured", "busy", "compute")
    assert same.why.endswith("on this cluster")
    again = dask.delayed(busy)(99, dask_key_name=(SECOND, 0))
    explanation = await asafess.explain(again, c)
    assert (explanation[0].source, explanation[0].loads) == ("measured", same.loads)
    assert explanation[0].why.endswith("on this cluster, as group " + FIRST)
    assert explanation[0].confidence < same.confidence
    assert (explanation.rates.flop, explanation.rates_from["flop"]) == (1e9, "set on the cluster")
    assert explanation.threads == round((a.state.nthreads + b.state.nthreads) / 2)
    given = await asafess.explain(again, c, rates={"flop": 5e9}, threads=7)
    assert (given.rates.flop, given.rates_from["flop"], given.rates_from["link"]) == (
        5e9,
        "given",
        "set on the cluster",
    )
    assert given.threads == 7
    assert asafess.explain(again)[0].source == "untyped"
    (behind,) = await asafess.explain(futures, c)  # what led to futures is looked at in the scheduler
    assert (behind.source, behind.tasks) == ("measured", 8)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)], timeout=120)
async def test_it_is_said_which_rates_are_measured_and_which_are_defaults(c, s, a):
    one = dask.delayed(busy)(99)
    assert not (await asafess.explain(one, c)).measuring  # where it is not installed nobody measures
    await asafess.install(c, ["null"], rates={"flop": 3e9})
    early = await asafess.explain(one, c)
    assert early.measuring
    assert set(early.rates_from.values()) == {"nominal"}
    notes = " ".join(" ".join(early.notes).split())
    assert notes.count("(default, not measured)") == 4
    assert "The cluster's rates are still being measured: once they are known, ask again." in notes
    await asafess.wait(c)
    late = await asafess.explain(one, c)
    assert not late.measuring
    assert late.rates_from == {
        "flop": "set on the cluster",
        "memory": "measured",
        "loops": "measured",
        "link": "stand-in",
    }
    assert late.rates.link == late.rates.memory
    notes = " ".join(" ".join(late.notes).split())
    assert "(measured on the cluster)" in notes
    assert "not measured on a cluster of one worker: its memory stands in" in notes
    assert (await asafess.status(c))["rates_from"]["memory"] == "measured"


def test_what_a_person_has_said_counts_for_that_group_only():
    said = FoundType(declare(name="step", loads={"compute": 1.0}), "table")
    there = Cluster(types={"step-1": said})
    assert there.type_of("step-1", "step").source == "table"
    assert there.type_of("step-2", "step") is None


@gen_cluster(client=True)
async def test_futures_need_a_client(c, s, a, b):
    future = c.submit(abs, 1)
    with pytest.raises(TypeError, match=r"asafess.explain\(futures, client\)"):
        asafess.explain(future)
