"""What moves in bags is known by its bytes; what Python does with each item is not."""

import operator

import dask
import dask.bag as db
import pytest
from dask._task_spec import convert_legacy_graph
from dask.order import order
from distributed.utils import key_split
from toolz import concat

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf
from asafess.compiler.inference import TypeInference

from graphs import called  # isort: skip

LIST = ArrayOf(None, None, 6400.0)


def types_of(bag, nbytes=8000.0):
    """Return the names of groups of which all tasks have a type, and of those of which none has."""
    (bag,) = dask.optimize(bag)
    graph = convert_legacy_graph(dict(bag.__dask_graph__()))
    types = TypeInference(graph.get, lambda key: nbytes)
    found = {}
    for key in sorted(graph, key=order(graph).get):
        found.setdefault(key_split(key), []).append(types.found(key))
    return found


def bag(npartitions=8):
    return db.from_sequence(list(range(1000)), npartitions=npartitions)


@pytest.mark.parametrize(("npartitions", "branch"), [(8, None), (30, 6)])
def test_groups_are_typed_while_they_move(npartitions, branch):
    found = types_of(bag(npartitions).groupby(lambda x: x % 5, shuffle="tasks", max_branch=branch))
    for name in ("shuffle-group", "shuffle-split", "shuffle-join"):
        assert all(found[name])
    assert found["shuffle-group"][0].type.loads == {"compute": 0.0, "memory": 8000.0}
    assert not any(found["shuffle-join-shuffle"])  # there the user's function is called


@pytest.mark.parametrize("npartitions", [3, 16])
def test_partitions_are_cut_and_joined(npartitions):
    found = types_of(bag().repartition(npartitions=npartitions))
    assert all(one is not None for group in found.values() for one in group)
    assert sum(one.type.loads["memory"] for group in found.values() for one in group) > 0


@pytest.mark.parametrize(
    "build",
    [
        lambda b: b.map(lambda x: x + 1),
        lambda b: b.filter(lambda x: x % 2),
        lambda b: b.fold(operator.add),
        lambda b: b.frequencies(),
        lambda b: b.foldby(lambda x: x % 3, operator.add, 0),
        lambda b: b.map(lambda x: [x, x]).flatten(),
    ],
)
def test_what_is_done_to_each_item_is_not_guessed(build):
    found = types_of(build(bag()))
    first = next(iter(found))
    assert first.startswith("from_sequence")
    assert not any(found[first])


def test_numbers_of_partitions_are_put_together():
    assert types_of(bag().sum())["sum-aggregate"][0].type.loads["compute"] == 8


def test_a_frame_of_items_has_columns_and_no_cost_that_is_known():
    found = called(db.core.to_dataframe, UNKNOWN, ["a", "b"], {})
    assert not found.known
    assert found.value == FrameOf("frame", None, None, ("a", "b"))


def test_lists_are_counted_by_their_bytes_or_by_their_items():
    assert called(concat, [LIST, LIST]).nbytes == 12_800
    assert called(concat, [[1, 2, 3], LIST]).nbytes == 6400 + 3 * 64
    assert not called(concat, UNKNOWN).known
    assert called(db.core.split, LIST, 4).value[0].nbytes == 1600
    assert called(list, LIST).value == LIST
