"""Programs that submit one task at a time: which of them are looked at, and that the others have the right type."""

import math
import operator
from functools import partial
from types import SimpleNamespace

import cloudpickle
import dask
import numpy as np
import pytest
from dask._task_spec import Task
from distributed.utils_test import gen_cluster
from helpers import installed, until

from asafess.cluster.glance import GROWN, LONGEST, glance
from asafess.cluster.group_types import GroupTypes
from asafess.cluster.kernel_costs import KernelCosts
from asafess.cluster.learning import Learning


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


def other_halves(x, *arguments, **keywords):
    return x


other_halves.__name__ = other_halves.__qualname__ = "halves"


def another(n=2):
    def halves(x, *arguments, **keywords):
        return x / n

    return halves


def task(function, *arguments):
    """Return a task as the scheduler knows it, of a group of its own."""
    node = Task("x", function, *arguments)
    return SimpleNamespace(run_spec=node, annotations=None, dependencies=(), group=["x"])


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
    load = plugin.loads.of(s.tasks[kept[0].key])
    load.kernel = ("half", "")  # a worker counts it, and answers when a person has said more
    with dask.annotate(asafess={"loads": {"compute": 7.0}}):
        kept.append(await one_by_one(c, half, x))
    assert load.kernel is None
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
        await one_by_one(c, halves, x, 4, scale=2.0, how="divide"),  # which may be an exponent
        await one_by_one(c, halves, x, 3, scale=True, how="divide"),
        await one_by_one(c, halves, x, 3, scale=2.0, how="multiply"),
        await one_by_one(c, halves, x, 3, 2.0, how="divide"),
        await one_by_one(c, halves, 3, x),
        await one_by_one(c, other_halves, x, 3, scale=2.0, how="divide"),
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
    for unclear in (
        await one_by_one(c, half, np.ones(3)),  # arrays are not compared
        await one_by_one(c, partial(half, 3.0)),
        await one_by_one(c, another(3), 3.0),  # a closure, which may hold anything
        await one_by_one(c, [3.0].__getitem__, 0),
        await one_by_one(c, len, "x" * (LONGEST + 1)),  # which would be kept
    ):
        assert glance(tasks[unclear.key]) is None
    assert glance(task(len, "x" * LONGEST)) is not None


@pytest.mark.parametrize(
    ("function", "old", "new", "alike"),
    [
        (np.ones, (1000,), (1250,), True),
        (np.ones, (1000,), (1251,), False),
        (np.ones, (16,), (17,), False),  # as likely an exponent as a size
        (np.ones, (63,), (64,), False),
        (np.ones, (64,), (65,), True),
        (np.arange, (0.0, 1e3), (0.0, 1.2e3), True),
        (np.arange, (0.0, 1e3), (0.0, 1e8), False),
        (np.power, (5.0, 2.0), (5.0, 2.5), False),
        (np.power, (math.nan, 2.0), (math.nan, 2.0), False),
        (half, (1.0,), (1e9,), True),
        (half, (1 << 1279,), ((1 << 1279) + 1,), True),
        (half, (1 << 1279,), (1 << 1300,), False),
    ],
)
def test_numbers_that_are_about_the_same(function, old, new, alike):
    assert glance(task(function, *new)).like(glance(task(function, *old))) is alike


def test_copies_of_a_function_of_a_script_are_one_function():
    def copy(body):
        return cloudpickle.loads(cloudpickle.dumps(eval(body)))

    first, same, other = copy("lambda x, n=3: x + n"), copy("lambda x, n=3: x + n"), copy("lambda x, n=4: x + n")
    assert first is not same
    assert glance(task(same, 1)).like(glance(task(first, 1)))
    assert not glance(task(other, 1)).like(glance(task(first, 1)))
    assert not glance(task(copy("lambda x, n=3: x - n"), 1)).like(glance(task(first, 1)))


def test_what_raises_when_it_is_asked_for_its_name_is_not_known_at_a_glance():
    class Shy:
        def __call__(self):
            return 1

        def __getattr__(self, name):
            raise ValueError(name)

    assert glance(task(Shy())) is None


@gen_cluster(client=True)
async def test_integers_of_any_size_do_no_harm(c, s, a, b):
    plugin = await installed(c, s)
    for number in (2**1279 - 1, 2**1279 - 1, 2**1280, -(2**1279), 1 << 20_000):
        assert await one_by_one(c, int.bit_length, number) is not None
        assert await one_by_one(c, operator.neg, number) is not None
    assert plugin.fault is None


def test_what_comes_from_the_task_before_is_looked_at_as_rarely(looks):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await installed(c, s, infer=["compiler"])
        kept = [await one_by_one(c, np.ones, 1000)]
        looks.clear()
        for _ in range(70):
            kept.append(await one_by_one(c, operator.neg, kept[-1]))
        # the first has an input of another prefix; then each time there are four times as many
        assert [k for k, one in enumerate(kept) if one.key in looks] == [1, 2, 8, 32]

    run()


@pytest.mark.parametrize("asked", ["stands", "goes_on", "wanted"])
def test_what_another_look_may_tell_is_looked_at(looks, monkeypatch, asked):
    where = {"stands": (GroupTypes, False), "goes_on": (Learning, False), "wanted": (KernelCosts, True)}
    owner, answer = where[asked]

    @gen_cluster(client=True)
    async def run(c, s, a, b):
        plugin = await installed(c, s)
        kept = [await one_by_one(c, half, 1.0) for _ in range(2)]
        monkeypatch.setattr(owner, asked, lambda *_: answer)
        for _ in range(3):
            plugin.loads.of(s.tasks[kept[0].key]).kernel = ("half", "")
            looks.clear()
            kept.append(await one_by_one(c, half, 1.0))
            assert looks == [kept[-1].key]

    run()


@gen_cluster(client=True, nthreads=[])
async def test_inputs_that_do_not_exist_say_nothing(c, s):
    x = c.submit(np.ones, 1000)
    y = c.submit(half, x)
    await until(lambda: y.key in s.tasks)
    assert glance(s.tasks[x.key]) is not None
    assert glance(s.tasks[y.key]) is None
