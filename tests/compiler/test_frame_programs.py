"""Whole programs of dask.dataframe: what is typed, and how far bytes are foretold."""

import dask
import numpy as np
import pytest
from dask._task_spec import convert_legacy_graph
from dask.local import get_sync
from graphs import interpreted

from asafess.compiler.abstract.values import FrameOf, abstracted
from asafess.compiler.inference import TypeInference

pd = pytest.importorskip("pandas")
dd = pytest.importorskip("dask.dataframe")


@pytest.fixture(scope="module")
def frame():
    n = 10_000
    rng = np.random.default_rng(0)
    pdf = pd.DataFrame({"a": np.arange(n) % 17, "b": rng.random(n), "c": rng.random(n)})
    return dd.from_pandas(pdf, npartitions=4)


PROGRAMS = {
    "sum": lambda d: d.b.sum(),
    "arithmetic": lambda d: (d.b * 2 + d.c)[d.a > 3],
    "assign": lambda d: d.assign(e=d.b + d.c).mean(),
    "groupby": lambda d: d.groupby("a").b.sum(),
    "aggregate": lambda d: d.groupby("a").agg({"b": "mean", "c": "max"}),
    "merge": lambda d: d.merge(d, on="a", shuffle_method="tasks"),
    "set_index": lambda d: d.set_index("b", shuffle_method="tasks"),
    "sort_values": lambda d: d.sort_values("b", shuffle_method="tasks"),
    "shuffle": lambda d: d.shuffle("a", shuffle_method="tasks"),
    "fillna": lambda d: d.fillna(0).sum(),
    "map_partitions": lambda d: d.b.map_partitions(np.exp),
    "repartition": lambda d: d.repartition(npartitions=2),
    "to array": lambda d: d[["b", "c"]].to_dask_array(lengths=True).sum(axis=0),
}


def _graph(collection):
    optimized = collection.optimize() if hasattr(collection, "optimize") else dask.optimize(collection)[0]
    return convert_legacy_graph(dict(optimized.__dask_graph__()))


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_task_is_typed(frame, name):
    graph = _graph(PROGRAMS[name](frame))
    types = TypeInference(graph.get)
    assert all(types.found(key) is not None for key in graph)


@pytest.mark.parametrize("name", ["arithmetic", "fillna", "map_partitions", "repartition"])
def test_bytes_of_partitions_are_foretold_where_they_follow(frame, name):
    graph = _graph(PROGRAMS[name](frame))
    inferred = interpreted(graph)
    for key, result in zip(graph, get_sync(graph, list(graph)), strict=True):
        value, real = inferred[key].value, abstracted(result)
        if isinstance(value, FrameOf) and value.nbytes and isinstance(real, FrameOf) and value.rows and value.rows > 10:
            assert value.nbytes == pytest.approx(real.nbytes, rel=0.1)
            assert value.rows == real.rows


def test_a_users_function_is_not_known(frame):
    graph = _graph(frame.map_partitions(lambda part: part))
    assert sum(not one.known for one in interpreted(graph).values()) == 4
