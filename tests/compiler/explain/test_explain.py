"""Explaining programs: where each group's type came from, and what bounds it."""

import subprocess
import sys

import dask
import dask.array as da
import dask.bag
import numpy as np
import pytest
from dask._task_spec import Task, TaskRef

import asafess


@asafess.task(intensity=50.0)
def dense(x):
    return x


def plain(x):
    return x


def rows(explanation):
    return {row.group.split("-")[0]: row for row in explanation}


def test_an_array_program_is_typed_by_rules_all_the_way():
    x = da.random.random((400, 400), chunks=100)
    found = asafess.explain((x + x.T).sum())
    assert not [row for row in found if row.found and row.source != "compiler"]
    added = [row for row in found if "numpy.add" in row.why]
    assert sum(row.tasks for row in added) >= 16
    for row in added:
        assert (row.bound, row.output_bytes) == ("memory", 8)
        assert row.loads["memory"] >= 100 * 100 * 8


def test_multiplying_is_compute_and_rechunking_is_communication():
    x = da.random.random((2000, 2000), chunks=1000)
    product = asafess.explain(da.tensordot(x, x, axes=1))
    (dot,) = [row for row in product if row.loads.get("compute", 0) >= 2e9]
    assert dot.bound == "compute"
    bounds = {row.bound for row in asafess.explain(x.rechunk((2000, 100))) if row.group.startswith("rechunk")}
    assert bounds == {"communication"}


def test_decorator_annotation_table_and_rule_each_say_so():
    with asafess.task_type(loads={"compute": 7.0}, name="noted"):
        noted = dask.delayed(plain)(1, dask_key_name="noted-1")
    parts = [
        dask.delayed(dense)(noted, dask_key_name="decorated-1"),
        dask.delayed(plain)(2, dask_key_name="listed-1"),
        dask.delayed(np.add)(np.ones(5), 1.0, dask_key_name="ruled-1"),
        dask.delayed(plain)(5, dask_key_name="unknown-1"),
    ]
    found = asafess.explain(parts, types={"listed*": {"loads": {"memory": 9}}})
    sources = {name: row.source for name, row in rows(found).items()}
    assert sources == {
        "noted": "annotation",
        "decorated": "decorator",
        "listed": "table",
        "ruled": "compiler",
        "unknown": "untyped",
    }
    assert found.untyped == ("unknown",)
    assert "plain" in rows(found)["unknown"].why


def test_the_table_is_that_of_the_configuration():
    one = dask.delayed(plain)(1, dask_key_name="listed-1")
    with dask.config.set({"asafess.types": {"listed": {"loads": {"compute": 5}}}}):
        assert asafess.explain(one)[0].loads["compute"] == 5
    assert asafess.explain(one)[0].source == "untyped"


def test_loads_by_the_byte_are_worked_out_where_sizes_are_known():
    x = da.from_array(np.ones((40, 40)), chunks=20)
    (known,) = [row for row in asafess.explain(dask.delayed(dense)(x.to_delayed()[0, 0])) if row.source == "decorator"]
    assert known.input_bytes == known.loads["memory"] == known.loads["compute"] / 50 > 0
    unknown = asafess.explain(dask.delayed(dense)(dask.delayed(plain)(1)))[1]
    assert unknown.input_bytes is None
    assert unknown.loads == {"communication": 0.0}
    assert unknown.bound == "compute"  # whatever the size is


def test_what_is_fetched_is_at_most_all_but_the_largest_input():
    inputs = [dask.delayed(np.ones)(n, dask_key_name=f"ones-{n}") for n in (10, 20, 50)]
    with_three = dask.delayed(asafess.task(intensity=1.0)(lambda *x: x), name="three", pure=False)(*inputs)
    row = next(row for row in asafess.explain(with_three) if row.inputs == 3)
    assert row.input_bytes == 640
    assert row.loads["communication"] == 240


def test_of_a_fixed_load_and_inputs_of_unknown_size_nothing_is_concluded():
    work = asafess.task(loads={"compute": 1.0})(lambda a, b: a)
    made = dask.delayed(work, name="work")(dask.delayed(plain)(1), dask.delayed(plain)(2))
    row = next(row for row in asafess.explain(made) if row.inputs == 2)
    assert (row.source, row.bound, row.loads) == ("decorator", "unknown", {"compute": 1.0})


def test_tasks_of_a_group_that_differ_are_averaged_and_told():
    one = Task(("mixed", 0), dense, np.ones(1))
    two = Task(("mixed", 1), plain, np.ones(1))
    row = asafess.explain(Collection({one.key: one, two.key: two}, [one.key, two.key]))[0]
    assert (row.tasks, row.source) == (2, "decorator")
    assert "only 1 of 2 tasks looked at" in row.why


def test_bags_dataframes_and_mixtures_are_explained():
    bag = dask.bag.from_sequence(range(10), npartitions=2).map(plain).sum()
    assert sum(row.tasks for row in asafess.explain(bag)) >= 3
    array = da.ones((4, 4), chunks=2).map_blocks(dense)
    found = asafess.explain({"a": [bag, (array,)], "b": dask.delayed(dense)(1)})
    assert {row.source for row in found} >= {"decorator"}
    assert len(found) > len(asafess.explain(array))


def test_a_dataframe_is_explained():
    pandas = pytest.importorskip("pandas")
    dataframe = pytest.importorskip("dask.dataframe")
    frame = dataframe.from_pandas(pandas.DataFrame({"a": range(20), "b": range(20)}), npartitions=4)
    found = asafess.explain(frame.map_partitions(dense, meta=frame).groupby("a").b.mean())
    assert [row.tasks for row in found if row.source == "decorator"] == [4]


class Collection:
    """A Dask collection with any graph."""

    __dask_optimize__ = None

    def __init__(self, graph, keys):
        self._graph, self._keys = graph, keys

    def __dask_graph__(self):
        if isinstance(self._graph, Exception):
            raise self._graph
        return self._graph

    def __dask_keys__(self):
        return self._keys

    def __dask_tokenize__(self):
        return repr(self._keys)

    def __dask_postcompute__(self):
        return list, ()

    __dask_scheduler__ = staticmethod(dask.get)


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError("don't look at me")

    def __call__(self):
        return 1

    def __repr__(self):
        raise RuntimeError("nor print me")


@pytest.mark.parametrize(
    ("graph", "keys"),
    [
        ({"a": (plain, "b"), "b": (plain, "a")}, ["a"]),
        ({"a": (plain, "a")}, ["a"]),
        ({"a": 1, "b": "a", "c": [(plain, "a"), "b"]}, ["c"]),
        ({("a", 0): (Hostile(),), ("a", 1): Task(("a", 1), plain, Hostile())}, [("a", 0), ("a", 1)]),
        ({"a": Task("a", plain, TaskRef("nowhere"))}, ["a"]),
        ({5: (plain, 1), b"x-1": (plain, 5), ("t", 1.5): (plain, 2)}, [5, b"x-1", ("t", 1.5)]),
        ({"a": (lambda: 1,)}, ["a", "not there"]),
        ({}, []),
    ],
)
def test_a_weird_graph_is_untyped_rows(graph, keys):
    found = asafess.explain(Collection(graph, keys))
    assert str(found)
    assert found._repr_html_()
    assert all(row.why for row in found if row.found is None)


def test_a_graph_that_can_not_be_made_is_a_row_with_the_reason_beside_the_others():
    found = asafess.explain([Collection(KeyError("lost"), ["a"]), dask.delayed(dense)(1)])
    assert rows(found)["Collection"].why == "its graph can't be made: KeyError: 'lost'"
    assert rows(found)["dense"].source == "decorator"


def test_what_is_no_collection_is_a_users_mistake():
    for bad in (5, "x", [], [1, 2], None, plain):
        with pytest.raises(TypeError, match="explain takes Dask collections"):
            asafess.explain(bad)
    one = dask.delayed(plain)(1)
    with pytest.raises(TypeError, match="for several collections give a list"):
        asafess.explain(one, one)
    with pytest.raises(ValueError, match="threads must be"):
        asafess.explain(one, threads=0)
    with pytest.raises(ValueError, match="the rate 'flop'"):
        asafess.explain(one, rates={"flop": -1})
    with pytest.raises(ValueError, match=r"asafess\.types\['x'\]"):
        asafess.explain(one, types={"x": {"speed": 1}})


def test_rates_and_threads_decide_the_bound():
    one = dask.delayed(asafess.task(loads={"compute": 1e6, "communication": 1e6})(plain))(1)
    assert asafess.explain(one, rates={"flop": 1e6, "link": 1e9})[0].bound == "compute"
    assert asafess.explain(one, rates={"flop": 1e9, "link": 1e6})[0].bound == "communication"
    fast = {"flop": 1e6, "link": 0.5e6}
    assert [asafess.explain(one, rates=fast, threads=n)[0].bound for n in (1, 8)] == ["communication"] * 2


def test_nothing_is_computed_and_nothing_heavy_imported():
    code = """
import sys
import dask, dask.array as da, asafess
def never(x): raise AssertionError("computed")
x = da.ones((4, 4), chunks=2).map_blocks(never, dtype=float)
print(str(asafess.explain([x.sum(), dask.delayed(never)(1)])).count("never"))
print([name for name in ("numba", "matplotlib", "sympy") if name in sys.modules])
"""
    told = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()
    assert int(told[0]) >= 2
    assert told[1] == "[]"


def test_the_bound_of_loads_by_the_byte_needs_no_size():
    row = asafess.explain(dask.delayed(np.add)(dask.delayed(plain)(1), 1.0))[1]
    assert (row.source, row.input_bytes, row.bound) == ("compiler", None, "memory")
    assert "/B" in str(asafess.explain(dask.delayed(np.add)(dask.delayed(plain)(1), 1.0)))


def test_a_kernel_is_counted_here_also_inside_of_a_fused_task():
    numba = pytest.importorskip("numba")

    @numba.njit
    def scale(a, x):
        return a * x

    x = da.random.random((40, 40), chunks=20)
    (row,) = [row for row in asafess.explain(x.map_blocks(scale, 2.0, dtype=float)) if "scale" in row.why]
    assert (row.source, row.bound, row.output_bytes) == ("compiler", "memory", 20 * 20 * 8)
    assert 0 < row.confidence < 1
    alone = asafess.explain(dask.delayed(scale)(np.ones((10, 10)), 2.0))[0]
    assert (alone.loads["compute"], alone.loads["memory"]) == (100.0, 1600.0)


def test_what_a_kernel_returns_goes_into_the_next():
    numba = pytest.importorskip("numba")
    half = numba.njit(lambda a: a[::2] * 0.5)
    first = dask.delayed(half, name="first", pure=False)(np.ones(100), dask_key_name="first-1")
    found = rows(asafess.explain(dask.delayed(half, name="second")(first, dask_key_name="second-1")))
    assert [found[name].loads["compute"] for name in ("first", "second")] == [50.0, 25.0]


def test_a_task_of_many_inputs_is_looked_at_in_part():
    parts = {("part", k): Task(("part", k), np.ones, 10) for k in range(3000)}
    both = Task("both", max, *map(TaskRef, parts))
    row = rows(asafess.explain(Collection({**parts, "both": both}, ["both"])))["both"]
    assert (row.inputs, row.input_bytes) == (3000, 3000 * 80)


def test_tasks_on_a_cycle_are_told():
    found = asafess.explain(Collection({"a": (abs, "b"), "b": (abs, "a")}, ["a"]))
    assert {row.why for row in found} == {"it can never run: it depends on itself, or on a task that does"}


def test_inputs_of_what_goes_chunk_by_chunk_are_not_fetched():
    x, y = (da.from_array(np.ones((40, 40)), chunks=20) for _ in range(2))
    added = asafess.explain((x.map_blocks(plain) + y.map_blocks(plain)).map_blocks(plain))
    assert all(row.loads.get("communication", 0.0) == 0.0 for row in added if "numpy.add" in row.why)
