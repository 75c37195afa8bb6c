"""Shapes of chunks as Dask's arrays state them."""

import subprocess
import sys

import dask
import dask.array as da
import numpy as np

import asafess
from asafess.compiler.abstract.values import UNKNOWN
from asafess.compiler.explain.stated_shapes import chunk, stated_shapes


def halved(block):
    return block[: len(block) // 2]


def test_a_users_function_has_the_shape_that_the_user_said():
    x = da.ones((40, 6), chunks=(20, 6)).map_blocks(halved, chunks=((10, 10), (6,)))
    stated = stated_shapes([x.sum()])
    assert chunk((x.name, 1, 0), stated).shape == (10, 6)
    assert chunk((x.name, 1, 0), stated).nbytes == 480


def test_sizes_of_what_comes_after_it_are_known_but_no_more_than_the_scheduler_will_find():
    x = da.random.random((40, 6), chunks=(20, 6)).map_blocks(halved, chunks=((10, 10), (6,)), dtype=float)
    found = asafess.explain(x.rechunk((20, 1)))
    split = next(row for row in found if row.group.startswith("rechunk-split"))
    assert (split.source, split.input_bytes) == ("untyped", 480.0)
    sure = next(row for row in found if row.group.startswith("random"))
    assert sure.confidence == 1.0


def test_rules_count_before_what_is_stated():
    # of a reduction's first step Dask states the shape from before it
    x = da.random.random((40, 40), chunks=20)
    row = next(row for row in asafess.explain(x.sum(axis=0)) if "numpy.sum" in row.why)
    assert row.output_bytes == 20 * 8


def test_what_is_not_stated_is_not_known():
    x = da.ones((8,), chunks=4)
    unknown = x[x > 0]
    stated = stated_shapes([unknown, dask.delayed(abs)(1), None, 5])
    assert chunk((unknown.name, 0), stated) is UNKNOWN
    for key in ((x.name, 0, 0), (x.name, 9), (x.name, "a"), x.name, ("other", 0), (), 5):
        assert chunk(key, stated) is UNKNOWN


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError("don't look at me")


def test_what_raises_states_nothing():
    x = da.ones((8,), chunks=4)
    assert set(stated_shapes([Hostile(), x])) == {x.name}


def test_arrays_as_expressions_are_explained_as_well():
    code = """
import dask
dask.config.set({"array.query-planning": True})
import dask.array as da, asafess
@asafess.task(intensity=3.0)
def work(x): return x
x = da.random.random((80, 80), chunks=20)
assert "_array_expr" in type(x).__module__
found = asafess.explain((x + x.T).map_blocks(work).rechunk((80, 10)).mean(axis=0))
rows = {row.group.split("-")[0]: row for row in found}
print(rows["work"].source, rows["work"].tasks, rows["work"].loads["compute"], rows["rechunk"].input_bytes)
"""
    told = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert told == ["decorator", "16", str(3.0 * 20 * 20 * 8), str(20 * 20 * 2 * 8.0 / 10)]


def test_shapes_survive_when_another_collection_fails():
    class Broken:
        __dask_optimize__ = None

        def __dask_graph__(self):
            raise KeyError("lost")

    x = da.random.random((40, 6), chunks=(20, 6)).map_blocks(np.sort).map_blocks(halved, dtype=float)
    found = asafess.explain([Broken(), x])
    assert {row.source for row in found} >= {"untyped"}
    assert any(row.output_bytes == 20 * 6 * 8 for row in found)
