"""Types of the tasks of a graph by the compiler's rules."""

import operator

import dask.array as da
import numpy as np
from dask._task_spec import Alias, DataNode, Task, TaskRef

from asafess.compiler.abstract.parts import Inferred, Part
from asafess.compiler.explain import derive
from asafess.compiler.explain.derive import Derivation, stays
from asafess.compiler.explain.task_graph import TaskGraph, depths, task_graph


def derivation(nodes, sizes=None):
    return Derivation(TaskGraph(nodes, {}, sizes or {}), depths(nodes))


def test_values_go_from_task_to_task():
    nodes = {
        "sum": Task("sum", operator.add, TaskRef("data"), TaskRef("again")),
        "again": Alias("again", "data"),
        "data": DataNode("data", np.ones((10, 5))),
    }
    one = derivation(nodes)
    found, why = one.found("sum", "sum")
    assert why == ""
    assert (found.source, found.type.loads["compute"]) == ("compiler", 50.0)
    assert one.value("sum").shape == (10, 5)
    assert one.nbytes("sum") == 400
    assert one.nbytes("data") >= 400  # with what Python adds, as the scheduler counts it


def test_a_long_chain_is_no_recursion():
    nodes = {0: DataNode(0, np.ones(7))}
    nodes |= {k: Task(k, operator.add, TaskRef(k - 1), 1.0) for k in range(1, 3000)}
    assert derivation(nodes).nbytes(2999) == 56


def test_tasks_on_a_cycle_are_not_known_and_do_not_hang():
    nodes = {"a": Task("a", abs, TaskRef("b")), "b": Task("b", abs, TaskRef("a")), "c": Task("c", abs, TaskRef("b"))}
    one = derivation(nodes)
    for key in nodes:
        assert one.found(key, "x") == (
            None,
            "it can never run: it depends on itself, or on a task that does",
        )
        assert one.nbytes(key) is None


def test_what_lies_in_the_cluster_is_known_by_its_size():
    nodes = {"b": Task("b", print, TaskRef("a"))}
    one = derivation(nodes, {"a": 800.0, "b": 3.0})
    assert (one.nbytes("a"), one.nbytes("b"), one.nbytes("z")) == (800.0, 3.0, None)
    assert one.value("a").nbytes == 800.0


def test_a_huge_graph_is_looked_at_in_part(monkeypatch):
    monkeypatch.setattr(derive, "MOST_INTERPRETED", 3)
    x = da.ones((6, 6), chunks=1) + 1
    graph = task_graph([x])
    one = Derivation(graph, depths(graph.nodes))
    whys = {one.found(key, "x")[1] for key in graph.nodes}
    assert "3 other tasks of the graph were looked at already" in whys
    assert "" in whys


class Hostile:
    @property
    def shape(self):
        raise RuntimeError("don't look at me")

    def __sizeof__(self):
        raise RuntimeError("nor at my size")


def test_a_value_that_raises_has_no_size():
    nodes = {"a": DataNode("a", Hostile()), "b": Task("b", operator.add, TaskRef("a"), 1)}
    one = derivation(nodes)
    assert one.nbytes("a") is None
    assert one.nbytes("b") is None


def test_inputs_of_what_goes_chunk_by_chunk_are_not_fetched():
    add, joined = Part("add", "elementwise", 1, 1), Part("concatenate", "moving", 0, 1, moved=True)
    assert stays(Inferred(parts=(add,)))
    assert not stays(Inferred(parts=(add, joined)))


def test_loads_of_inputs_of_unknown_size_are_by_the_byte():
    nodes = {"b": Task("b", np.add, TaskRef("a"), 1.0)}
    found, _ = derivation(nodes).found("b", "add")
    assert found.type.per_byte["memory"] == 2.0
    assert found.confidence < 1
