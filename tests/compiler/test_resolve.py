from functools import partial

import dask
import dask.array as da
import numba
import numpy as np
import pytest
from dask._task_spec import Alias, DataNode, Task
from distributed import SchedulerPlugin
from distributed.utils_test import gen_cluster

import asafess
from asafess.compiler.resolve import BadTypeError, PrefixTable, task_types


@asafess.task(intensity=1.0)
def inner(x):
    return x + 1


@asafess.task(intensity=10.0)
def outer(x):
    return x * 2


@asafess.task(intensity=3.0)
def with_info(x, block_info=None):
    return x


def add_one(x):
    return x + 1


def plain(x):
    return x


def names(node, annotations=None):
    return sorted(found.name for found in task_types(node, annotations))


def test_what_calls_no_function_has_no_type():
    assert names(None) == names(DataNode("k", 1)) == names(Alias("k", "j")) == []
    assert names(Task("k", plain, 1)) == []


def test_a_partial_and_a_composition_are_looked_through():
    from toolz import compose

    assert names(Task("k", partial(inner, 1))) == ["inner"]
    assert names(Task("k", partial(partial(outer), 1))) == ["outer"]
    assert names(Task("k", compose(outer, inner), 1)) == ["inner", "outer"]


def test_a_fused_task_has_the_types_of_all_its_parts():
    first, second = Task("a", inner, 1), Task("b", outer, Alias("a", "a").ref())
    assert names(Task.fuse(first, second)) == ["inner", "outer"]


def test_the_function_counts_before_the_annotation():
    annotations = {"asafess": {"name": "noted", "per_byte": {"compute": 1.0}}}
    assert names(Task("k", plain, 1), annotations) == ["noted"]
    assert names(Task("k", inner, 1), annotations) == ["inner"]


@pytest.mark.parametrize("bad", [3, "fast", {"lodes": {}}, {"loads": {"compute": float("nan")}}])
def test_an_annotation_that_is_no_type_is_told_from_none(bad):
    with pytest.raises(BadTypeError, match="annotation 'asafess'"):
        task_types(Task("k", plain, 1), {"asafess": bad})


def test_an_attribute_that_is_no_type_is_told_from_none():
    def marked(x):
        return x

    marked.__asafess_type__ = "fast"
    with pytest.raises(BadTypeError, match="must be set by"):
        task_types(Task("k", marked, 1))


def test_a_table_takes_the_first_pattern_that_matches():
    table = PrefixTable({"sum-*": {"intensity": 1.0}, "s*": {"loads": {"memory": 5}}})
    assert (table.find("sum-part").name, table.find("sort").name, table.find("mean")) == ("sum-*", "s*", None)


@pytest.mark.parametrize("bad", [{"a": 3}, {"a": {}}, {"a": {"speed": 1}}, {"a": {"loads": {"flops": 1}}}])
def test_a_wrong_entry_of_a_table_is_named(bad):
    with pytest.raises((ValueError, TypeError), match=r"asafess.types\['a'\]"):
        PrefixTable(bad)


class Types(SchedulerPlugin):
    """Remembers the types of every task that a graph brings."""

    def __init__(self):
        self.found = []

    def update_graph(self, scheduler, *, tasks, **kwargs):
        for key in tasks:
            ts = scheduler.tasks[key]
            self.found += [found.name for found in task_types(ts.run_spec, ts.annotations)]


def arrays():
    x = da.ones((4, 4), chunks=2)
    yield "map_blocks", x.map_blocks(inner), {"inner"}
    yield "map_blocks with keyword", x.map_blocks(with_info, dtype=float), {"with_info"}
    yield "blockwise", da.blockwise(inner, "ij", x, "ij", dtype=float), {"inner"}
    yield "a chain that is fused", x.map_blocks(inner).map_blocks(plain).map_blocks(outer), {"inner", "outer"}
    yield "overlap", da.map_overlap(inner, x, depth=1, boundary="none", dtype=float), {"inner"}
    yield "gufunc", da.apply_gufunc(inner, "()->()", x, output_dtypes=float), {"inner"}
    yield (
        "numba",
        x.map_blocks(asafess.task(intensity=1.0, name="jitted")(numba.njit(add_one)), dtype=float),
        {"jitted"},
    )


@gen_cluster(client=True)
async def test_types_arrive_in_the_scheduler_through_every_way_to_make_tasks(c, s, a, b):
    plugin = Types()
    s.add_plugin(plugin)

    async def seen(computation):
        plugin.found.clear()
        await computation
        return set(plugin.found)

    assert await seen(c.submit(inner, 1)) == {"inner"}
    assert await seen(c.gather(c.map(outer, range(3)))) == {"outer"}
    assert await seen(c.compute(dask.delayed(inner)(1))) == {"inner"}
    assert await seen(c.submit(lambda x: x, 1)) == set()
    for how, array, expected in arrays():
        assert await seen(c.compute(array)) == expected, how


@gen_cluster(client=True)
async def test_the_context_types_what_is_submitted_inside_it(c, s, a, b):
    plugin = Types()
    s.add_plugin(plugin)
    array = da.from_array(np.ones(8), chunks=4).map_blocks(plain)
    with asafess.task_type(intensity=1.0, name="noted"):
        submitted = c.submit(plain, 1)
        mapped = c.map(plain, range(2, 5))
        computed = c.compute(array.sum())
    await c.gather([submitted, *mapped])
    assert await computed == 8
    assert plugin.found.count("noted") >= 4 + 3
    plugin.found.clear()
    assert await c.submit(plain, 9) == 9
    assert plugin.found == []
