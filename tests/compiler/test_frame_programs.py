"""Whole programs of dask.dataframe: what is typed, and how far rows and bytes are foretold."""

import dask
import pytest
from dask._task_spec import convert_legacy_graph
from dask.local import get_sync
from dask.order import order
from distributed.utils import key_split_group
from graphs import interpreted

from asafess.compiler.abstract.values import FrameOf, abstracted
from asafess.compiler.inference import TypeInference

pytest.importorskip("pandas")
pytest.importorskip("dask.dataframe")
from frame_programs import DEPENDING, PANDAS, PEER_TO_PEER, REDUCED, ROWWISE, UNTYPED, frame

TYPED = ROWWISE | REDUCED | DEPENDING


@pytest.fixture(autouse=True)
def by_tasks():
    with dask.config.set({"dataframe.shuffle.method": "tasks"}):
        yield


def graph_of(collection):
    optimized = collection.optimize() if hasattr(collection, "optimize") else dask.optimize(collection)[0]
    return convert_legacy_graph(dict(optimized.__dask_graph__()))


def untyped_groups(graph, nbytes_of=None):
    """Return the groups of which a task has no type, with the reason; asked for in the order in which they can run."""
    types = TypeInference(graph.get, nbytes_of)
    return {
        key_split_group(key): types.inferred(key).why
        for key in sorted(graph, key=order(graph).get)
        if not types.found(key)
    }


@pytest.mark.parametrize("name", TYPED)
def test_every_group_is_typed(name):
    assert not untyped_groups(graph_of(TYPED[name](frame())))


@pytest.mark.parametrize("name", PEER_TO_PEER)
def test_what_a_shuffle_sends_is_known(name):
    graph = graph_of(PEER_TO_PEER[name](frame()))
    assert not untyped_groups(graph)
    sent = sum(one.communication for one in interpreted(graph).values())
    assert PANDAS[["id", "y"]].memory_usage().sum() < sent < 3 * PANDAS.memory_usage(deep=True).sum()


@pytest.mark.parametrize("name", UNTYPED)
def test_somebody_elses_function_is_not_guessed(name):
    assert untyped_groups(graph_of(UNTYPED[name](frame())))


@pytest.mark.parametrize("name", ROWWISE)
def test_rows_and_bytes_are_foretold_where_they_follow(name):
    graph = graph_of(ROWWISE[name](frame().drop(columns="text") if "text" not in name else frame()))
    inferred = interpreted(graph)
    compared = 0
    for key, result in zip(graph, get_sync(graph, list(graph)), strict=True):
        value, real = inferred[key].value, abstracted(result)
        if isinstance(value, FrameOf) and isinstance(real, FrameOf) and real.rows > 10:
            compared += 1
            assert value.rows == real.rows
            # columns are taken to be equally wide
            assert value.nbytes == pytest.approx(real.nbytes, rel=0.35)
    assert compared


@pytest.mark.parametrize("name", ["filter", "query", "groupby mean", "value_counts", "merge", "broadcast", "join"])
def test_what_depends_on_data_has_no_size(name):
    collection = DEPENDING[name](frame())
    inferred = interpreted(graph_of(collection))
    ends = [inferred[key].value for key in collection.optimize().__dask_keys__()]
    assert all(isinstance(value, FrameOf) and (value.rows, value.nbytes) == (None, None) for value in ends)


def test_what_is_fused_with_a_filter_is_an_estimate_and_says_so():
    graph = graph_of(DEPENDING["filter and sum"](frame()))
    fused = next(one for key, one in interpreted(graph).items() if "chunk" in key[0])
    assert fused.known
    assert fused.confidence < 0.5
    assert "at most" in fused.why


@pytest.mark.parametrize("name", ["mean", "groupby mean", "merge", "sort_values", "filter and sum", "value_counts"])
def test_partitions_that_somebody_makes_have_a_size_once_they_are_there(name):
    made = dask.dataframe.from_delayed([dask.delayed(_part)(k) for k in range(4)], meta=PANDAS.iloc[:0])
    graph = graph_of(TYPED[name](made))
    untyped = untyped_groups(graph)
    assert all("_part" in why or "_part" in group for group, why in untyped.items())
    assert len(untyped) < len({key_split_group(key) for key in graph}) / 2
    recorded = untyped_groups(graph, lambda key: 50_000.0 if "_part" in str(key) else None)
    assert recorded.keys() <= untyped.keys()


def _part(k):
    return PANDAS.iloc[1000 * k : 1000 * (k + 1)]
