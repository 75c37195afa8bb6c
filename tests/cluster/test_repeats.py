"""Programs that submit one task at a time: which graphs the scheduler's half passes over until the next tick."""

import operator

import dask
import numpy as np
import pytest
from distributed.utils_test import gen_cluster
from helpers import installed

from asafess.cluster.loads import GroupLoads
from asafess.cluster.messages import COUNTED, NAME, TOPIC
from asafess.cluster.repeats import FEW


@pytest.fixture
def graphs(monkeypatch):
    """Yield the keys of each graph that is looked at."""
    found = []
    submitted = GroupLoads.submitted

    def looking(self, state, keys):
        found.append(list(keys))
        return submitted(self, state, keys)

    monkeypatch.setattr(GroupLoads, "submitted", looking)
    return found


async def without_ticks(client, scheduler, optimizations=("null",), **given):
    """Install, and let no tick come in between."""
    plugin = await installed(client, scheduler, optimizations, infer=["compiler"], **given)
    scheduler.periodic_callbacks[NAME].stop()
    return plugin


async def one_by_one(client, function, *arguments, **keywords):
    future = client.submit(function, *arguments, pure=False, **keywords)
    await future
    return future


async def some(client, function, *arguments, count=3):
    return [await one_by_one(client, function, *arguments) for _ in range(count)]


def looked_at(graphs, futures):
    keys = {key for graph in graphs for key in graph}
    return [future.key in keys for future in futures]


def half(x):
    return x / 2


def test_one_of_many_alike_is_looked_at_per_tick(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        plugin = await without_ticks(c, s)
        # where no tick comes, one is looked at when its group has grown
        assert looked_at(graphs, await some(c, operator.neg, 1, count=5)) == [True, False, False, True, False]
        plugin.tick()
        assert looked_at(graphs, await some(c, operator.neg, 1)) == [True, False, False]

    run()


def test_results_that_a_task_needs_are_no_news(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await without_ticks(c, s)
        x = await one_by_one(c, np.ones, 1000)
        kept = await some(c, operator.neg, x, count=4)
        assert looked_at(graphs, kept) == [True, False, False, True]

    run()


def test_what_differs_is_looked_at(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await without_ticks(c, s)
        small, large = await one_by_one(c, np.ones, 1000), await one_by_one(c, np.ones, 2000)
        kept = [*await some(c, operator.neg, small, count=2), await one_by_one(c, operator.neg, large)]
        kept.append(await one_by_one(c, operator.pos, large))
        assert looked_at(graphs, kept) == [True, False, True, True]

    run()


def test_what_is_declared_or_long_may_be_a_phase_and_is_looked_at(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await without_ticks(c, s, types={"half": {"loads": {"compute": 1.0}}})
        kept = await some(c, half, 1.0)
        with dask.annotate(asafess={"loads": {"compute": 1.0}}):
            kept += await some(c, operator.pos, 1.0)
        large = await one_by_one(c, np.ones, 4_000_000)  # of 32 MB, that memory brings in so many milliseconds
        kept += await some(c, np.negative, large)
        assert all(looked_at(graphs, kept))

    run()


def test_optimizations_that_ask_for_what_arrives_get_all(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await without_ticks(c, s, optimizations=["queuing"])
        assert all(looked_at(graphs, await some(c, operator.neg, 1)))

    run()


@pytest.mark.parametrize("count", [2, FEW, FEW + 1])
def test_graphs_of_several_tasks_are_looked_at(graphs, count):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await without_ticks(c, s)
        kept = [await one_by_one(c, operator.neg, 1)]
        many = c.map(operator.neg, [1] * count, pure=False)
        await c.gather(many)
        assert all(looked_at(graphs, kept + many))

    run()


def test_a_task_that_has_to_run_elsewhere_is_looked_at(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await without_ticks(c, s)
        x = c.submit(np.ones, 1000, workers=[a.address])
        await x
        kept = [await one_by_one(c, operator.neg, x, workers=[a.address]) for _ in range(2)]
        kept.append(await one_by_one(c, operator.neg, x, workers=[b.address]))
        assert looked_at(graphs, kept) == [True, False, True]

    run()


def test_a_short_task_says_nothing_of_a_long_one_of_its_group(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await without_ticks(c, s)
        short, long = await one_by_one(c, np.ones, 1000), await one_by_one(c, np.ones, 4_000_000)
        kept = [await one_by_one(c, np.negative, short), *await some(c, np.negative, long, count=2)]
        assert looked_at(graphs, kept) == [True, True, True]

    run()


def test_when_more_is_known_all_are_looked_at_again(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        plugin = await without_ticks(c, s)
        await some(c, operator.neg, 1, count=5)
        kept = [await one_by_one(c, operator.neg, 1)]
        plugin.log_event(TOPIC, {"event": COUNTED, "worker": a.address, "signature": ["f", ""], "counts": None})
        kept.append(await one_by_one(c, operator.neg, 1))
        plugin._measured(plugin.rates)
        kept.append(await one_by_one(c, operator.neg, 1))
        assert looked_at(graphs, kept) == [False, True, True]

    run()


def test_inputs_that_lie_on_several_workers_are_noted(graphs):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        plugin = await without_ticks(c, s)
        x, y = await one_by_one(c, np.ones, 1000), await one_by_one(c, np.ones, 1000)
        kept = [await one_by_one(c, operator.neg, x)]
        await c.replicate([y], n=2)
        kept.append(await one_by_one(c, operator.neg, y))
        assert looked_at(graphs, kept) == [True, False]
        assert y.key in plugin.loads._replicated
        assert x.key not in plugin.loads._replicated

    run()
