"""Programs of NumPy and dask.array without a single annotation: the compiler's rules make the mode."""

import operator

import dask.array as da
import numpy as np
import pytest
from dask._task_spec import Alias, Task, TaskRef
from distributed.utils_test import gen_cluster
from helpers import installed, until

import asafess


@gen_cluster(client=True)
async def test_a_product_of_arrays_is_typed_before_its_first_task_runs(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    x = da.ones((400, 400), chunks=200)
    assert await c.compute((x @ x).sum()) == 400**3
    found = plugin.loads.found
    products = [one for one in found.values() if "matmul" in one.why or "tensordot" in one.why]
    assert products, {name: one.why for name, one in found.items()}
    assert all(one.source == "compiler" for one in products)
    # of 8 products of 200 × 200 blocks, one task each or fused
    assert max(one.type.loads["compute"] for one in products) == pytest.approx(2 * 200**3, rel=0.1)
    assert not plugin.loads.untyped
    assert plugin.status(False)["types"].keys() == found.keys()


@gen_cluster(client=True)
async def test_what_a_person_has_said_comes_first(c, s, a, b):
    plugin = await installed(c, s, types={"sum*": {"loads": {"compute": 7.0}}}, infer=["compiler"])

    @asafess.task(loads={"compute": 5.0}, name="mine")
    def mine(block):
        return block

    x = da.ones(100, chunks=50).map_blocks(mine, dtype=float)
    assert await c.compute(x.sum()) == 100
    sources = {one.type.name: one.source for one in plugin.loads.found.values()}
    assert {("mine", "decorator"), ("sum*", "table")} <= set(sources.items())


@gen_cluster(client=True)
async def test_a_group_of_views_and_of_work_has_the_mean_of_some(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    graph = {("block", 0): Task(("block", 0), np.ones, 1000)}
    graph["mixed", 0] = Alias(("mixed", 0), ("block", 0))
    for k in (1, 2):
        graph["mixed", k] = Task(("mixed", k), operator.add, TaskRef(("block", 0)), float(k))
    found = await c.gather(c.get(graph, [("mixed", k) for k in range(3)], sync=False))
    assert [one[0] for one in found] == [1, 2, 3]
    assert plugin.loads.found["mixed"].type.loads["compute"] == pytest.approx(2000 / 3)


@gen_cluster(client=True)
async def test_nothing_is_inferred_where_nobody_wants_it(c, s, a, b):
    plugin = await installed(c, s, infer=[])
    assert await c.compute(da.ones(100, chunks=50).sum()) == 100
    assert plugin.loads.found == {}
    assert plugin.loads.untyped


@gen_cluster(client=True)
async def test_what_no_rule_knows_is_left_alone_and_counted(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])

    def anything(block):
        while block.size < 3:  # what the data say
            block = np.append(block, 0)
        return np.sort(block)[::-1]

    assert (await c.submit(anything, np.arange(3))).tolist() == [2, 1, 0]
    await until(lambda: plugin.loads.untyped)
    found = await asafess.status(c)
    assert found["untyped"] == ["anything"]
    assert found["types"] == plugin.loads.found == {}
    assert plugin.fault is None
