"""Programs that submit one task at a time: which of them are looked at, and that the others have the right type."""

import operator

import dask
import numpy as np
import pytest
from distributed.utils_test import gen_cluster
from helpers import installed, until

from asafess.cluster.glance import GROWN, glance
from asafess.cluster.group_types import GroupTypes


@pytest.fixture
def looks(monkeypatch):
    """Yield the keys of the tasks that are looked at."""
    keys = []
    declared = GroupTypes.declared

    def looking(self, members):
        keys.extend(ts.key for ts in members)
        return declared(self, members)

    monkeypatch.setattr(GroupTypes, "declared", looking)
    return keys


def half(x):
    return x / 2


def halves(x, count=2, scale=1.0, how="divide"):
    return x / count * scale


def another():
    def halves(x, *arguments, **keywords):
        return x

    return halves


async def one_by_one(client, function, *arguments, **keywords):
    """Submit a task and wait for it; its group lives on."""
    future = client.submit(function, *arguments, pure=False, **keywords)
    await future
    return future


def compute(plugin, name):
    return plugin.loads._loads[name].load["compute"]


def test_of_tasks_that_are_alike_few_are_looked_at(looks):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await installed(c, s, infer=["compiler"])
        x = await one_by_one(c, np.ones, 1000)
        looks.clear()
        kept = [await one_by_one(c, np.negative, x) for _ in range(70)]
        assert [k + 1 for k, one in enumerate(kept) if one.key in looks] == [GROWN**k for k in range(4)]

    run()


def test_what_differs_is_looked_at(looks):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await installed(c, s, infer=["compiler"])
        kept = [await one_by_one(c, np.ones, 1000) for _ in range(2)]
        looks.clear()
        kept.append(await one_by_one(c, np.ones, 2000))
        assert looks == [kept[-1].key]

    run()


@gen_cluster(client=True)
async def test_larger_inputs_make_another_load(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    small, large = await one_by_one(c, np.ones, 1000), await one_by_one(c, np.ones, 100_000)
    kept = [await one_by_one(c, operator.add, small, 1.0) for _ in range(2)]
    before = compute(plugin, "add")
    kept.append(await one_by_one(c, operator.add, large, 1.0))
    assert compute(plugin, "add") > 50 * before


@gen_cluster(client=True)
async def test_a_type_in_an_annotation_counts_for_its_task(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    x = await one_by_one(c, np.ones, 1000)
    kept = [await one_by_one(c, half, x) for _ in range(2)]
    with dask.annotate(asafess={"loads": {"compute": 7.0}}):
        kept.append(await one_by_one(c, half, x))
    assert plugin.loads.found["half"].source == "annotation"
    assert compute(plugin, "half") == 7.0


@gen_cluster(client=True)
async def test_what_is_seen(c, s, a, b):
    x, y = await one_by_one(c, np.ones, 1000), await one_by_one(c, np.ones, 1100)
    first, same = (
        await one_by_one(c, halves, x, 3, scale=2.0, how="divide"),
        await one_by_one(c, halves, x, 3, scale=2.0, how="divide"),
    )
    others = [
        await one_by_one(c, halves, x, 3.0, scale=2.0, how="divide"),  # equal, but of another type
        await one_by_one(c, halves, x, 4, scale=2.0, how="divide"),  # a size may be a third larger
        await one_by_one(c, halves, x, 3, scale=True, how="divide"),
        await one_by_one(c, halves, x, 3, scale=2.0, how="multiply"),
        await one_by_one(c, halves, x, 3, 2.0, how="divide"),
        await one_by_one(c, halves, 3, x),
        await one_by_one(c, another(), x, 3, scale=2.0, how="divide"),
        await one_by_one(
            c, halves, await one_by_one(c, half, x), 3, scale=2.0, how="divide"
        ),  # an input of another prefix
    ]
    tasks = s.tasks
    seen = glance(tasks[first.key])
    assert glance(tasks[same.key]).like(seen)
    near = await one_by_one(c, halves, y, 3, scale=5.0, how="divide")  # no load depends on a float
    assert glance(tasks[near.key]).like(seen)
    assert not any(glance(tasks[one.key]).like(seen) for one in others)
    assert not seen.like(None)
    assert glance(tasks[(await one_by_one(c, half, np.ones(3))).key]) is None  # arrays are not compared


@gen_cluster(client=True, nthreads=[])
async def test_inputs_that_do_not_exist_say_nothing(c, s):
    x = c.submit(np.ones, 1000)
    y = c.submit(half, x)
    await until(lambda: y.key in s.tasks)
    assert glance(s.tasks[x.key]) is not None
    assert glance(s.tasks[y.key]) is None
