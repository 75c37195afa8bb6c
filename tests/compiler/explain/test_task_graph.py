"""The graph that Dask would send to its scheduler."""

from importlib.util import find_spec

import dask
import dask.array as da
import pytest
from dask._task_spec import Task, TaskRef

import asafess
from asafess.compiler.explain.task_graph import TaskGraph, _shuffled_on_a_cluster, depths, outside, task_graph


def test_what_is_not_needed_is_left_out():
    x = da.ones((4, 4), chunks=2)
    first = task_graph([x[:2, :2]])
    assert len(first.nodes) < len(task_graph([x]).nodes)


def test_annotations_of_a_task_count_before_those_around_the_whole():
    with dask.annotate(one=1, two=lambda key: f"{key}!"):
        inner = dask.delayed(abs)(1, dask_key_name="inner")
    with dask.annotate(one=2, three=lambda key: f"{key}?"):
        graph = task_graph([dask.delayed(abs)(inner, dask_key_name="outer")])
    assert graph.annotations["inner"] == {"one": 1, "two": "inner!", "three": "inner?"}
    assert graph.annotations["outer"] == {"one": 2, "three": "outer?"}


def test_an_annotated_delayed_keeps_its_type():
    with asafess.task_type(intensity=3.0, name="noted"):
        one = dask.delayed(abs)(1, dask_key_name="one")
    assert task_graph([one]).annotations["one"]["asafess"]["name"] == "noted"


def test_depths_count_tasks_and_leave_cycles_out():
    def call(key, *needs):
        return Task(key, max, *(TaskRef(one) for one in needs))

    nodes = {key: call(key, *needs) for key, needs in {"d": "bc", "b": "a", "c": "b", "a": "z"}.items()}
    assert depths(nodes) == {"a": 0, "b": 1, "c": 2, "d": 3}
    nodes |= {"x": call("x", "y"), "y": call("y", "x"), "after": call("after", "x"), "self": call("self", "self")}
    assert depths(nodes) == {"a": 0, "b": 1, "c": 2, "d": 3}
    assert outside(TaskGraph(nodes)) == {"z"}


def test_a_long_chain_is_no_recursion():
    nodes = {0: Task(0, abs, 1)} | {k: Task(k, abs, TaskRef(k - 1)) for k in range(1, 5000)}
    assert depths(nodes)[4999] == 4999


def test_the_shuffle_is_a_clusters_unless_the_user_says_which():
    method = "p2p" if find_spec("pyarrow") else "tasks"
    with dask.config.set({"dataframe.shuffle.method": None}):
        assert _shuffled_on_a_cluster() == {"dataframe.shuffle.method": method}
    with dask.config.set({"dataframe.shuffle.method": "disk"}):
        assert _shuffled_on_a_cluster() == {}


def test_dataframes_are_shuffled_as_on_a_cluster_and_the_setting_is_put_back():
    pandas = pytest.importorskip("pandas")
    dataframe = pytest.importorskip("dask.dataframe")
    frame = dataframe.from_pandas(pandas.DataFrame({"a": range(20), "b": range(20)}), npartitions=4)
    merged = frame.merge(frame.set_index("b"), on="a")
    before = dask.config.get("dataframe.shuffle.method", None)
    names = {str(key) for key in task_graph([merged]).nodes}
    assert not any("diskshuffle" in name for name in names)
    assert dask.config.get("dataframe.shuffle.method", None) == before
    # and the collection is none the worse for it
    assert len(merged.compute(scheduler="sync")) == 20
